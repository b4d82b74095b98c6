/** The API's description as this tree serves it, with its named forms under names, as `/openapi.json` alone has them not. */
import { PRESETS } from "../../protocol/src/network/presets.ts";
import { createApi } from "../../validator/src/api/api.ts";
import type { ApiModules } from "../../validator/src/api/modules.ts";
import * as agreement from "../../validator/src/api/schemas/agreement.ts";
import * as common from "../../validator/src/api/schemas/common.ts";
import * as entities from "../../validator/src/api/schemas/entities.ts";
import * as events from "../../validator/src/api/schemas/events.ts";
import * as explorer from "../../validator/src/api/schemas/explorer.ts";
import * as messages from "../../validator/src/api/schemas/messages.ts";
import * as rewards from "../../validator/src/api/schemas/rewards.ts";
import * as trust from "../../validator/src/api/schemas/trust.ts";

/** As much of JSON Schema as TypeBox writes. */
export type Schema = {
  readonly $ref?: string;
  readonly type?: string;
  readonly description?: string;
  readonly const?: unknown;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
};
export type Content = Readonly<Record<string, { readonly schema: Schema }>>;
export type Parameter = {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required?: boolean;
  readonly schema: Schema;
};
export type Operation = {
  readonly summary?: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>;
};
export type OpenApi = {
  readonly openapi: string;
  readonly info: unknown;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
};

const NAMED = [common, entities, rewards, trust, agreement, explorer, messages, events];
const REF = "#/components/schemas/";

/** Describes the API of this tree. No route is asked, so nothing of a validator is there. */
export async function describeApi(): Promise<OpenApi> {
  const key = new Uint8Array(32);
  const network = { name: "any network", id: key, parameters: PRESETS.mainnet, writeGenesis: () => "{}" };
  const api = await createApi({ network, validator: key, version: "1" }, { store: {} } as ApiModules);
  await api.ready();
  const plain = JSON.parse(JSON.stringify(api.swagger())) as OpenApi;
  await api.close();
  return nameSchemas(plain);
}

/** Follows a reference. */
export function resolve(schema: Schema, { components }: Pick<OpenApi, "components">): Schema {
  return schema.$ref === undefined ? schema : components.schemas[nameOfRef(schema.$ref)]!;
}

export const nameOfRef = (ref: string): string => ref.slice(REF.length);

/** Puts references where a form stands that a module of the API's schemas exports by name. */
function nameSchemas(plain: OpenApi): OpenApi {
  const names = new Map<string, string>();
  for (const [name, value] of NAMED.flatMap((module) => Object.entries(module))) {
    if (isNamed(value)) names.set(write(asServed(value)), name);
  }
  const used = new Map<string, Schema>();
  const replace = (node: unknown): unknown => {
    if (Array.isArray(node)) return node.map(replace);
    if (typeof node !== "object" || node === null) return node;
    const name = names.get(write(node));
    if (name === undefined) return replaceFields(node);
    // Taken note of before its own fields are looked at, so that each is written once.
    if (!used.has(name)) used.set(name, replaceFields(node) as Schema);
    return { $ref: `${REF}${name}` };
  };
  const replaceFields = (node: object) =>
    Object.fromEntries(Object.entries(node).map(([field, value]) => [field, replace(value)]));
  const paths = replace(plain.paths) as OpenApi["paths"];
  const schemas = Object.fromEntries([...used].sort(([a], [b]) => (a < b ? -1 : 1)));
  return { openapi: plain.openapi, info: plain.info, components: { schemas }, paths };
}

/** A form as swagger describes it: it says of a record's fields what they are, and not how they are called. */
function asServed(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(asServed);
  if (typeof node !== "object" || node === null) return node;
  const { patternProperties, ...fields } = node as Schema;
  const [record] = Object.values(patternProperties ?? {});
  const rest = Object.entries(fields).map(([name, value]) => [name, asServed(value)]);
  return { ...Object.fromEntries(rest), ...(record && { additionalProperties: asServed(record) }) };
}

const isNamed = (value: unknown): boolean => {
  const { type, anyOf } = value as Schema;
  return type === "object" || anyOf !== undefined;
};

/** As text with sorted fields; swagger reorders them. */
function write(node: unknown): string {
  return JSON.stringify(node, (_, value: unknown) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}
