/** The small forms that the API's schemas are built of. Every object is closed: what is not described is an error. */
import { type Static, type TProperties, type TSchema, Type } from "typebox";
import { MAX_PAGE_ROWS } from "../../store/store.ts";

const CLOSED = { additionalProperties: false } as const;

export const object = <Properties extends TProperties>(properties: Properties, description?: string) =>
  Type.Object(properties, description === undefined ? CLOSED : { ...CLOSED, description });

export const orNull = <Schema extends TSchema>(schema: Schema) => Type.Union([schema, Type.Null()]);

/** One of a closed list of words. */
export const oneOf = <Words extends string[]>(words: readonly [...Words], description?: string) =>
  Type.Enum(words, description === undefined ? {} : { description });

const SAFE = { minimum: 0, maximum: Number.MAX_SAFE_INTEGER } as const;

export const Count = Type.Integer(SAFE);
export const Integer = Type.Integer();
export const EpochNumber = Type.Integer({ ...SAFE, description: "An epoch; 0 is the first." });
export const RoundNumber = Type.Integer({ ...SAFE, description: "A round; 0 is the first." });
export const TimeMs = Type.Integer({ ...SAFE, description: "Unix time in milliseconds." });
export const Ppm = Type.Integer({ ...SAFE, description: "Parts per million: 1,000,000 is one." });
export const Amount = Type.String({
  pattern: "^(0|[1-9][0-9]{0,19})$",
  description: "An amount in base units, in decimal; one token is 100,000,000 of them.",
});
export const Key = Type.String({
  pattern: "^did:key:z[1-9A-HJ-NP-Za-km-z]{47}$",
  description: "An Ed25519 key as did:key.",
});
export const Name = Type.String({
  pattern: "^[a-z]+-[a-z]+-[a-z]+$",
  description: "Three words for people, derived from the key. Two keys may share a name.",
});
export const Hash = Type.String({ pattern: "^0x[0-9a-f]{64}$", description: "32 bytes in hexadecimal." });
export const Hex = Type.String({ pattern: "^0x([0-9a-f]{2})*$", description: "Bytes in hexadecimal." });
export const CellText = Type.String({ pattern: "^[0-9a-f]{15}$", description: "An H3 cell." });
export const ReportIdText = Type.String({
  pattern: "^[0-9a-f]{64}-[0-9]{1,2}$",
  description: "A report: its envelope's id in hexadecimal, and its place in the envelope.",
});
export const ReasonText = Type.String({
  pattern: "^[a-z_]+$",
  description: "A reason from the closed list of docs/protocol.md.",
});
export const ReasonCounts = Type.Record(Type.String({ pattern: "^[a-z_]+$" }), Count, {
  description: "How many, by reason; reasons that did not occur are left out.",
});

/** As it comes in a path or query: did:key, or 64 hexadecimal digits with or without 0x. */
export const KeyInput = Type.String({
  minLength: 1,
  maxLength: 100,
  description: "A key: did:key, or 32 bytes in hexadecimal.",
});
/** An id of 32 bytes as it comes in a path, with or without 0x. */
export const HashInput = Type.String({
  pattern: "^(0x)?[0-9a-fA-F]{64}$",
  description: "32 bytes in hexadecimal.",
});
export const CellInput = Type.String({
  pattern: "^0?[0-9a-fA-F]{15}$",
  description: "An H3 cell of resolution 0 to 12, in hexadecimal.",
});
export const Cursor = Type.String({
  pattern: "^[0-9a-f]{1,16}([.][0-9]{1,15})?$",
  description: "Where to go on: `next` of the page before.",
});
/** Rows in a page that does not say. */
export const DEFAULT_PAGE_ROWS = 100;
export const Limit = Type.Integer({
  minimum: 1,
  maximum: MAX_PAGE_ROWS,
  default: DEFAULT_PAGE_ROWS,
  description: "Rows in a page.",
});
export const Format = oneOf(["json", "csv"], "The answer's form; without it the Accept header decides.");

/** A page of a list. It may be short, or empty, and yet have a next one. */
export const pageOf = <Schema extends TSchema>(items: Schema) =>
  object({ items: Type.Array(items), next: orNull(Cursor) });

export const Problem = object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer({ minimum: 400, maximum: 599 }),
    detail: Type.String(),
    reason: Type.Optional(ReasonText),
    errors: Type.Optional(Type.Array(object({ field: Type.String(), message: Type.String() }))),
  },
  "What went wrong (RFC 9457). `errors` names the fields of the request that are at fault.",
);
export type ProblemJson = Static<typeof Problem>;

const problemBody = { content: { "application/problem+json": { schema: Problem } } };

/** The refusals that any route under /v1 may give, to be spread into its responses. */
export const PROBLEMS = {
  400: { description: "The request cannot be read.", ...problemBody },
  404: { description: "There is no such thing.", ...problemBody },
  429: { description: "Too many requests from this address; see the headers.", ...problemBody },
  500: { description: "The validator failed.", ...problemBody },
  503: { description: "The validator is too busy; try again later.", ...problemBody },
} as const;

/** The answer to a client that has it already. */
export const UNCHANGED = Type.Null({ description: "Unchanged since the tag that the client sent." });

/** A response of one JSON schema, as OpenAPI wants it. */
export const json = <Schema extends TSchema>(description: string, schema: Schema) => ({
  description,
  content: { "application/json": { schema } },
});
