/** Writes the client's types from the API's description: a type for each named form, and one for all routes. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import {
  type Content,
  nameOfRef,
  type OpenApi,
  type Operation,
  type Parameter,
  type Schema,
} from "./openApi.ts";

const HEAD = `/**
 * What the API takes and gives, written by \`npm run generate:client\` from its schemas: change those, not this. An amount is
 * a decimal string of base units. Answers may have fields that are not here yet.
 */
`;

/** By media type, under which name the client hands an answer out. */
const ANSWERS: Readonly<Record<string, string>> = {
  "application/json": "json",
  "application/geo+json": "json",
  "text/csv": "csv",
  "application/x-ndjson": "lines",
  "text/event-stream": "events",
  "text/plain": "text",
};

/** The source of `validator/client/api.ts`, formatted as the repository's formatter does. */
export function writeClient({ components, paths }: OpenApi): string {
  const types = Object.entries(components.schemas).map(
    ([name, schema]) => `${writeComment(schema.description)}export type ${name} = ${writeType(schema)};\n`,
  );
  const gets = listRoutes(paths, "get").map(([path, operation]) => writeRoute(path, operation));
  const posts = listRoutes(paths, "post").map(([path, operation]) => writeRoute(path, operation));
  return format(
    [
      HEAD,
      ...types,
      `/** What is read, by path. */\nexport type Gets = {\n${gets.join("")}};\n`,
      `/** What is sent, by path. */\nexport type Posts = {\n${posts.join("")}};\n`,
    ].join("\n"),
  );
}

const listRoutes = (paths: OpenApi["paths"], method: string): [string, Operation][] =>
  Object.entries(paths)
    .flatMap(([path, methods]): [string, Operation][] => (methods[method] ? [[path, methods[method]]] : []))
    .sort(([a], [b]) => (a < b ? -1 : 1));

function writeRoute(path: string, { summary, parameters = [], requestBody, responses }: Operation): string {
  const success = Object.entries(responses).find(([status]) => status.startsWith("2"))![1];
  const fields = [
    ...writeParameters("path", parameters),
    ...writeParameters("query", parameters),
    ...(requestBody === undefined ? [] : [`readonly body: ${writeType(bodyOf(requestBody.content))};`]),
    ...Object.entries(success.content ?? {}).map(
      ([type, { schema }]) => `readonly ${ANSWERS[type] ?? "other"}: ${writeType(schema)};`,
    ),
  ];
  return `${writeComment(summary)}readonly ${JSON.stringify(path)}: { ${fields.join(" ")} };\n`;
}

const bodyOf = (content: Content): Schema => Object.values(content)[0]!.schema;

function writeParameters(place: "path" | "query", parameters: readonly Parameter[]): string[] {
  const own = parameters.filter((one) => one.in === place);
  if (own.length === 0) return [];
  const fields = own.map(({ name, required, schema }) => {
    const type = writeType(schema);
    return required ? `readonly ${name}: ${type};` : `readonly ${name}?: ${type} | undefined;`;
  });
  return [`readonly ${place}: { ${fields.join(" ")} };`];
}

const writeComment = (text: string | undefined): string =>
  text === undefined ? "" : `/** ${text.replaceAll("*/", "*\\/")} */\n`;

function writeType(schema: Schema): string {
  const { $ref, anyOf, items, type } = schema;
  if ($ref !== undefined) return nameOfRef($ref);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (anyOf !== undefined) return anyOf.map(writeType).join(" | ");
  if (type === "array") return writeList(writeType(items ?? {}));
  if (type === "object") return writeObject(schema);
  return type === "integer" ? "number" : (type ?? "unknown");
}

const writeList = (item: string): string =>
  /^readonly|^[^{]*[|]/.test(item) ? `readonly (${item})[]` : `readonly ${item}[]`;

function writeObject({ properties = {}, additionalProperties, required = [] }: Schema): string {
  if (typeof additionalProperties === "object")
    return `Readonly<Record<string, ${writeType(additionalProperties)}>>`;
  // An object of which nothing is said.
  if (Object.keys(properties).length === 0) return "Readonly<Record<string, unknown>>";
  const fields = Object.entries(properties).map(
    ([name, field]) => `readonly ${name}${required.includes(name) ? "" : "?"}: ${writeType(field)};`,
  );
  return `{ ${fields.join(" ")} }`;
}

function format(source: string): string {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const { stdout, stderr, status } = spawnSync(
    `${root}node_modules/.bin/biome`,
    ["format", "--stdin-file-path=validator/client/api.ts"],
    { cwd: root, input: source, encoding: "utf8" },
  );
  if (status !== 0) throw new Error(`cannot format the client: ${stderr.slice(0, 1_000)}`);
  return stdout;
}
