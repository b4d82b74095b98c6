/** How routes read what came in a path, a query or a header; whatever cannot be read is a 400 that names the field. */
import { createHash } from "node:crypto";
import type { FastifyReply, FastifyRequest } from "fastify";
import { decodeHex, encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { cellFromHex, cellToBigint, resolutionOf } from "../../../protocol/src/geo/cell.ts";
import type { ReportId } from "../../../protocol/src/ledger/types.ts";
import { MAX_REPORTS_PER_BUNDLE } from "../../../protocol/src/wire/reports.ts";
import { ASSERTION_RESOLUTION } from "../store/cellRange.ts";
import type { EpochRow, HotspotCursor } from "../store/store.ts";
import { keyOfDid } from "./keyTexts.ts";
import { badField } from "./problem.ts";

/** 32 bytes from did:key or hexadecimal. */
export function readKey(field: string, text: string): Uint8Array {
  const key = text.startsWith("did:") ? keyOfDid(text) : decodeHex(text, 32);
  if (key === null)
    throw badField(field, "must be a did:key of an Ed25519 key, or its 32 bytes in hexadecimal");
  return key;
}

/** A cell no finer than assertions are. */
export function readCell(field: string, text: string): bigint {
  const cell = cellFromHex(text);
  if (cell === null || resolutionOf(cell) > ASSERTION_RESOLUTION) {
    throw badField(field, `must be an H3 cell of resolution 0 to ${ASSERTION_RESOLUTION}`);
  }
  return cellToBigint(cell);
}

/** A report's id: 64 hexadecimal digits, a dash, and an index below 16. */
export function readReportId(field: string, text: string): ReportId {
  const [digits = "", place = ""] = text.split("-");
  const envelopeId = decodeHex(digits, 32);
  const index = Number(place);
  if (envelopeId === null || !/^[0-9]{1,2}$/.test(place) || index >= MAX_REPORTS_PER_BUNDLE) {
    throw badField(field, "must be 64 hexadecimal digits, a dash and an index from 0 to 15");
  }
  return { envelopeId, index };
}

const BAD_CURSOR = "must be what the page before gave as next";

/** A cursor that is one whole number; null where there is none. */
export function readNumberCursor(text: string | undefined): number | null {
  if (text === undefined) return null;
  if (!/^[0-9]{1,15}$/.test(text)) throw badField("cursor", BAD_CURSOR);
  return Number(text);
}

/** A cursor of an epoch's lines: the epoch and the rank before; null where there is none. */
export function readLineCursor(text: string | undefined): { epoch: number; rank: number } | null {
  if (text === undefined) return null;
  const parts = /^([0-9]{1,15})[.]([0-9]{1,15})$/.exec(text);
  if (parts === null) throw badField("cursor", BAD_CURSOR);
  return { epoch: Number(parts[1]), rank: Number(parts[2]) };
}

/** A cursor of a map: the cell before and the map's epoch; null where there is none. */
export function readMapCursor(text: string | undefined): { cell: bigint; epoch: number } | null {
  if (text === undefined) return null;
  const parts = /^([0-9a-f]{15})[.]([0-9]{1,15})$/.exec(text);
  if (parts === null) throw badField("cursor", BAD_CURSOR);
  return { cell: BigInt(`0x${parts[1]}`), epoch: Number(parts[2]) };
}

/** A cursor of a listing of hotspots: a position, or in a listing by cell the cell and the position. */
export function readHotspotCursor(text: string | undefined, byCell: boolean): HotspotCursor | null {
  if (text === undefined) return null;
  const parts = (byCell ? /^([0-9a-f]{15})[.]([0-9]{1,15})$/ : /^()([0-9]{1,15})$/).exec(text);
  if (parts === null) throw badField("cursor", BAD_CURSOR);
  return { cell: byCell ? BigInt(`0x${parts[1]}`) : null, position: Number(parts[2]) };
}

export const writeHotspotCursor = ({ cell, position }: HotspotCursor): string =>
  cell === null ? `${position}` : `${cell.toString(16)}.${position}`;

/** Whether a table is wanted as CSV: by the query, else by an Accept header that names CSV and not JSON. */
export function wantsCsv(request: FastifyRequest, format: "json" | "csv" | undefined): boolean {
  if (format !== undefined) return format === "csv";
  const accept = request.headers.accept ?? "";
  return accept.includes("text/csv") && !accept.includes("application/json");
}

/** What never changes may be kept for a year, the longest that caches are told. */
const IMMUTABLE = "public, max-age=31536000, immutable";
/** What is asked for by a name that moves on, like `latest`, is asked again each time, and mostly answered with 304. */
const REVALIDATE = "public, no-cache";

/** Counted up when an answer of the same rows gets another form, so that nobody goes on with the old one. */
const FORM = 2;

/** What an answer rests on, by its digest, and since when there is that; null where no time is told. */
type Basis = { readonly digest: Uint8Array; readonly sinceMs: number | null };

/** An answer that rests on closed epochs: this is the newest, before whose end it was another one or none. */
export const restOn = ({ recordDigest, endTimeMs }: EpochRow): Basis => ({
  digest: recordDigest,
  sinceMs: endTimeMs,
});

type Freshness = {
  readonly basis: Basis;
  /** Whatever else the answer depends on. */
  readonly variant: string;
  /** Whether what was asked for can never have another answer. */
  readonly isFixed: boolean;
};

/** Marks an answer that follows from its basis alone, and says whether the client has it already (RFC 9110, 13). */
export function isUnchanged(
  request: FastifyRequest,
  reply: FastifyReply,
  { basis: { digest, sinceMs }, variant, isFixed }: Freshness,
): boolean {
  const tag = `"${encodeHex(digest.subarray(0, 16))}-${FORM}-${variant}"`;
  const vary = reply.getHeader("vary");
  reply.header("etag", tag).header("vary", vary === undefined ? "accept" : `${vary}, accept`);
  reply.header("cache-control", isFixed ? IMMUTABLE : REVALIDATE);
  if (sinceMs === null) return hasTag(request, tag);
  reply.header("last-modified", new Date(sinceMs).toUTCString());
  // A date says whole seconds, in which two epochs never close; whoever sends a tag too is answered by the tag.
  if (request.headers["if-none-match"] === undefined)
    return Date.parse(request.headers["if-modified-since"] ?? "") >= sinceMs - 999;
  return hasTag(request, tag);
}

/**
 * Sends an answer under the hash of its own text, or says that the client has it: for what changes in more ways than a
 * tag could tell of beforehand. The answer must be as the route's schema has it.
 */
export function sendByContent(request: FastifyRequest, reply: FastifyReply, answer: object): FastifyReply {
  const text = JSON.stringify(answer);
  const tag = `"${createHash("sha256").update(text).digest("hex").slice(0, 32)}"`;
  reply.header("etag", tag).header("cache-control", REVALIDATE);
  if (hasTag(request, tag)) return reply.code(304).send(null);
  return reply.type("application/json; charset=utf-8").send(text);
}

/** Whether a client says that it has the answer of an entity tag, which stands in its quotes (RFC 9110, 13.1.2). */
export function hasTag({ headers }: FastifyRequest, tag: string): boolean {
  const tags = (headers["if-none-match"] ?? "").split(",").map((part) => part.trim().replace(/^W\//, ""));
  return tags.includes(tag) || tags.includes("*");
}
