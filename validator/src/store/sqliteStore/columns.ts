/**
 * How values become columns and come back. Statements read every integer as a bigint, because amounts go beyond what a
 * number holds; whatever is known to be small is made a number here.
 */
import type { SQLOutputValue } from "node:sqlite";
import { decodeHex, encodeHex } from "../../../../protocol/src/bytes/hex.ts";
import type { Reason } from "../../../../protocol/src/evidence/reasons.ts";
import { decodeReason } from "../../../../protocol/src/evidence/reasons.ts";
import type { TrustRow, ValidatorPay, VerdictState } from "../../../../protocol/src/ledger/types.ts";
import { POOL_NAMES, type PoolBooks, type PoolName } from "../../../../protocol/src/reward/pools.ts";
import type { BatchSpan } from "../store.ts";

export type SqlRow = Record<string, SQLOutputValue>;

export const REPORT_KINDS = ["beacon", "witness", "reveal"] as const;
export const VERDICT_STATES = ["pending", "accepted", "refused"] as const satisfies readonly VerdictState[];

/** Amounts are unsigned 64-bit and SQLite's integers signed: the same 64 bits, read the other way. */
export const toSigned = (amount: bigint): bigint => BigInt.asIntN(64, amount);
export const readAmount = (row: SqlRow, column: string): bigint => BigInt.asUintN(64, row[column] as bigint);

export const readNumber = (row: SqlRow, column: string): number => Number(row[column] as bigint);
export const readNumberOrNull = (row: SqlRow, column: string): number | null =>
  row[column] === null ? null : Number(row[column] as bigint);
export const readBytes = (row: SqlRow, column: string): Uint8Array => row[column] as Uint8Array;
export const readBytesOrNull = (row: SqlRow, column: string): Uint8Array | null =>
  row[column] as Uint8Array | null;

/** A reason's column: its number on the wire, 0 for none. */
export function readReason(row: SqlRow, column: string): Reason | null {
  const reason = decodeReason(readNumber(row, column));
  if (reason === undefined) throw new RangeError(`the store has a reason of number ${row[column]}`);
  return reason;
}

const SPAN_BYTES = 48;

/** Spans one after another: the lane's 32 bytes and two 64-bit sequence numbers, big-endian. */
export function encodeSpans(spans: readonly BatchSpan[]): Uint8Array {
  const bytes = new Uint8Array(spans.length * SPAN_BYTES);
  const view = new DataView(bytes.buffer);
  for (const [index, span] of spans.entries()) {
    bytes.set(span.lane, index * SPAN_BYTES);
    view.setBigUint64(index * SPAN_BYTES + 32, BigInt(span.firstSeq));
    view.setBigUint64(index * SPAN_BYTES + 40, BigInt(span.lastSeq));
  }
  return bytes;
}

export function decodeSpans(bytes: Uint8Array): BatchSpan[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / SPAN_BYTES }, (_, index) => ({
    lane: bytes.slice(index * SPAN_BYTES, index * SPAN_BYTES + 32),
    firstSeq: Number(view.getBigUint64(index * SPAN_BYTES + 32)),
    lastSeq: Number(view.getBigUint64(index * SPAN_BYTES + 40)),
  }));
}

const DIGEST_BYTES = 32;

export function encodeDigests(digests: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(digests.length * DIGEST_BYTES);
  for (const [index, digest] of digests.entries()) bytes.set(digest, index * DIGEST_BYTES);
  return bytes;
}

export function decodeDigests(bytes: Uint8Array): Uint8Array[] {
  return Array.from({ length: bytes.length / DIGEST_BYTES }, (_, i) =>
    bytes.slice(i * DIGEST_BYTES, (i + 1) * DIGEST_BYTES),
  );
}

/** Pools as JSON: four names, four decimal strings each. An epoch has one such row, so people may read it. */
export function encodePools(pools: Readonly<Record<PoolName, PoolBooks>>): string {
  return JSON.stringify(pools, (_, value) => (typeof value === "bigint" ? value.toString() : value));
}

export function decodePools(text: string): Record<PoolName, PoolBooks> {
  const json = JSON.parse(text) as Record<PoolName, Record<keyof PoolBooks, string>>;
  const read = (name: PoolName): PoolBooks => ({
    emitted: BigInt(json[name].emitted),
    carriedIn: BigInt(json[name].carriedIn),
    paid: BigInt(json[name].paid),
    carriedOut: BigInt(json[name].carriedOut),
  });
  return Object.fromEntries(POOL_NAMES.map((name) => [name, read(name)])) as Record<PoolName, PoolBooks>;
}

/** Amounts by name as JSON of decimal strings. */
export function encodeAmounts(amounts: Readonly<Record<string, bigint>>): string {
  return JSON.stringify(amounts, (_, value) => (typeof value === "bigint" ? value.toString() : value));
}

export function decodeAmounts<Name extends string>(text: string): Record<Name, bigint> {
  const json = JSON.parse(text) as Record<Name, string>;
  const read = ([name, amount]: [string, unknown]) => [name, BigInt(amount as string)];
  return Object.fromEntries(Object.entries(json).map(read)) as Record<Name, bigint>;
}

/** Findings as JSON, their counterparts' keys in hexadecimal: read one hotspot at a time, by people too. */
export function encodeFindings(findings: TrustRow["findings"]): string {
  return JSON.stringify(findings, (_, value) => (value instanceof Uint8Array ? encodeHex(value) : value));
}

export function decodeFindings(text: string): TrustRow["findings"] {
  const json = JSON.parse(text) as (Omit<TrustRow["findings"][number], "evidence"> & {
    readonly evidence: readonly { counterpart: string; heardEpoch: number; heardByEpoch: number }[];
  })[];
  return json.map((finding) => ({
    ...finding,
    evidence: finding.evidence.map((one) => ({ ...one, counterpart: decodeHex(one.counterpart, 32)! })),
  }));
}

export function encodePayments(payments: readonly ValidatorPay[]): string {
  return JSON.stringify(
    payments.map(({ key, rounds, amount }) => [encodeHex(key), rounds, amount.toString()]),
  );
}

export function decodePayments(text: string): ValidatorPay[] {
  return (JSON.parse(text) as [string, number, string][]).map(([key, rounds, amount]) => ({
    key: decodeHex(key, 32)!,
    rounds,
    amount: BigInt(amount),
  }));
}
