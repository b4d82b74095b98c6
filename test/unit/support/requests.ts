/**
 * Requests to an operation of an OpenAPI description: values of its parameters and its body from their own schemas,
 * values that mean something to any of them, and noise.
 */
import fc from "fast-check";

type Schema = Readonly<Record<string, unknown>>;
type Parameter = { readonly name: string; readonly in: "path" | "query" | "header"; readonly schema: Schema };
export type Operation = {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: {
    readonly content: Readonly<
      Record<string, { readonly schema: Schema & { readonly properties?: Readonly<Record<string, Schema>> } }>
    >;
  };
};

/** A request: its path filled in, with its query; its body before it is written as JSON, undefined where none is taken. */
export type MadeUpRequest = { readonly url: string; readonly body: unknown };

/** Values of a schema's own kind, some of them just beyond what it allows. */
function listOwnValues(schema: Schema): fc.Arbitrary<unknown>[] {
  const own: fc.Arbitrary<unknown>[] = [];
  if (Array.isArray(schema.enum)) own.push(fc.constantFrom(...schema.enum));
  if (typeof schema.pattern === "string") own.push(fc.stringMatching(new RegExp(schema.pattern)));
  if (schema.type === "integer") {
    own.push(fc.integer({ min: -1, max: Number(schema.maximum ?? 1_000) + 1 }), fc.integer());
  }
  if (schema.type === "boolean") own.push(fc.boolean());
  return own;
}

/** A value for a parameter, as text. */
function textFor(schema: Schema, meaningful: readonly string[]): fc.Arbitrary<string> {
  const own = listOwnValues(schema).map((values) => values.map(String));
  const noise = fc.string({ unit: "binary", maxLength: 200 }).map((text) => text.toWellFormed());
  return fc.oneof(...own, fc.constantFrom(...meaningful), noise);
}

/** A value for a property of a body: any of JSON's. */
function valueFor(schema: Schema, meaningful: readonly string[]): fc.Arbitrary<unknown> {
  const text =
    schema.type === "string"
      ? [fc.string({ minLength: 1, maxLength: 100 }), fc.string({ unit: "binary" })]
      : [];
  return fc.oneof(...listOwnValues(schema), fc.constantFrom(...meaningful), ...text, fc.jsonValue());
}

/**
 * Requests to one operation; perhaps with parameters given twice or unknown, and with properties left out.
 * @param meaningful values that mean something to some operation of the description.
 */
export function requestTo(
  path: string,
  { parameters = [], requestBody }: Operation,
  meaningful: readonly string[],
): fc.Arbitrary<MadeUpRequest> {
  const inPath = parameters.filter((p) => p.in === "path");
  const inQuery = parameters.filter((p) => p.in === "query");
  const pair = fc.oneof(
    ...inQuery.map((p) => fc.tuple(fc.constant(p.name), textFor(p.schema, meaningful))),
    fc.tuple(fc.string({ maxLength: 10 }), fc.string({ maxLength: 10 })),
  );
  const properties = Object.entries(requestBody?.content["application/json"]?.schema.properties ?? {});
  const shaped = fc.record(
    Object.fromEntries(properties.map(([name, schema]) => [name, valueFor(schema, meaningful)])),
    { requiredKeys: [] },
  );
  const body =
    requestBody === undefined
      ? fc.constant(undefined)
      : fc.oneof({ weight: 5, arbitrary: shaped }, fc.jsonValue());
  return fc
    .record({
      values: fc.tuple(...inPath.map((p) => textFor(p.schema, meaningful))),
      query: fc.array(pair, { maxLength: inQuery.length + 1 }),
      body,
    })
    .map(({ values, query, body: given }) => {
      let url = path;
      for (const [index, { name }] of inPath.entries())
        url = url.replace(`{${name}}`, () => encodeURIComponent(values[index]!));
      const text = new URLSearchParams(query).toString();
      return { url: text === "" ? url : `${url}?${text}`, body: given };
    });
}
