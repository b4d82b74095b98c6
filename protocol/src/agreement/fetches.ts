/**
 * What a validator asks another for when it misses something: a batch or a value by its digest, the decided rounds from
 * one on, certificates. What comes back is proven by its digest or its certificate, so anyone may be asked.
 */
import { ByteListType, ContainerType, ListCompositeType, type ValueOf } from "@chainsafe/ssz";
import { concatBytes, uint64Bytes } from "../bytes/bytes.ts";
import { MAX_PIECE_BYTES, MAX_STATE_MANIFEST_BYTES } from "../ledger/stateManifest.ts";
import { decodeStrict } from "../wire/ssz.ts";
import {
  decodeBatchBody,
  encodeBatchBody,
  type LaneTip,
  LaneTipSsz,
  MAX_ANNOUNCEMENT_BYTES,
  MAX_BATCH_BYTES,
  MAX_VALUE_BYTES,
} from "./rounds.ts";

/** The stream protocol on which validators answer each other. */
export const FETCH_PROTOCOL = "/hexbeacon/fetch/1";

export type Fetch =
  | { readonly type: "batch"; readonly digest: Uint8Array }
  | { readonly type: "value"; readonly digest: Uint8Array }
  | { readonly type: "rounds"; readonly from: number }
  /** What the one who is asked holds of the asker's word. */
  | { readonly type: "standing" }
  /** The manifest of an epoch's snapshot, and one piece of it. */
  | { readonly type: "manifest"; readonly epoch: number }
  | { readonly type: "piece"; readonly epoch: number; readonly piece: number }
  /** The certificate of an epoch's rewards. */
  | { readonly type: "rewardCert"; readonly epoch: number }
  /** The certificate of availability of a batch that tips name. */
  | { readonly type: "availability"; readonly tip: LaneTip };

/** A decided round on its way to one who missed it: the value's encoding and the certificate's. */
export type FetchedRound = ValueOf<typeof FetchedRoundSsz>;

/** Rounds in one answer: a second or so of work for who executes them. */
export const MAX_FETCHED_ROUNDS = 64;
/** An answer takes rounds until it is this long, and at least one of any length. */
export const FETCHED_ROUNDS_BYTES = 1_048_576;

const FetchedRoundSsz = new ContainerType(
  { value: new ByteListType(MAX_VALUE_BYTES), cert: new ByteListType(MAX_ANNOUNCEMENT_BYTES) },
  { typeName: "FetchedRound" },
);
const FetchedRoundsSsz = new ListCompositeType(FetchedRoundSsz, MAX_FETCHED_ROUNDS);

/** One byte of kind, and at most a batch's place in its lane. */
export const MAX_FETCH_BYTES = 1 + LaneTipSsz.maxSize;
/** One round of any size beyond the length at which an answer ends. */
export const MAX_FETCH_ANSWER_BYTES = Math.max(
  MAX_BATCH_BYTES,
  MAX_PIECE_BYTES,
  MAX_STATE_MANIFEST_BYTES,
  FETCHED_ROUNDS_BYTES + MAX_VALUE_BYTES + MAX_ANNOUNCEMENT_BYTES + 16 * MAX_FETCHED_ROUNDS,
);

const KIND_BYTES = {
  batch: 1,
  value: 2,
  rounds: 3,
  standing: 4,
  manifest: 5,
  piece: 6,
  rewardCert: 7,
  availability: 8,
} as const;

export function encodeFetch(fetch: Fetch): Uint8Array {
  const kind = Uint8Array.of(KIND_BYTES[fetch.type]);
  switch (fetch.type) {
    case "standing":
      return kind;
    case "rounds":
      return concatBytes(kind, uint64Bytes(fetch.from));
    case "manifest":
    case "rewardCert":
      return concatBytes(kind, uint64Bytes(fetch.epoch));
    case "piece":
      return concatBytes(kind, uint64Bytes(fetch.epoch), uint64Bytes(fetch.piece));
    case "availability":
      return concatBytes(kind, encodeBatchBody(fetch.tip));
    default:
      return concatBytes(kind, fetch.digest);
  }
}

/** Strictly decodes a question; null where malformed. */
export function decodeFetch(bytes: Uint8Array): Fetch | null {
  const body = bytes.slice(1);
  if (bytes[0] === KIND_BYTES.batch && body.length === 32) return { type: "batch", digest: body };
  if (bytes[0] === KIND_BYTES.value && body.length === 32) return { type: "value", digest: body };
  if (bytes[0] === KIND_BYTES.standing && body.length === 0) return { type: "standing" };
  if (bytes[0] === KIND_BYTES.availability) {
    const tip = decodeBatchBody(body);
    return tip && { type: "availability", tip };
  }
  const numbers = readNumbers(body);
  const [first, second] = numbers ?? [];
  if (first === undefined) return null;
  if (bytes[0] === KIND_BYTES.piece && second !== undefined)
    return { type: "piece", epoch: first, piece: second };
  if (second !== undefined) return null;
  if (bytes[0] === KIND_BYTES.rounds) return { type: "rounds", from: first };
  if (bytes[0] === KIND_BYTES.rewardCert) return { type: "rewardCert", epoch: first };
  return bytes[0] === KIND_BYTES.manifest ? { type: "manifest", epoch: first } : null;
}

/** One or two unsigned numbers of 64 bits; null where the bytes are anything else. */
function readNumbers(body: Uint8Array): number[] | null {
  if (body.length !== 8 && body.length !== 16) return null;
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  const numbers = Array.from({ length: body.length / 8 }, (_, index) =>
    Number(view.getBigUint64(8 * index, true)),
  );
  return numbers.every(Number.isSafeInteger) ? numbers : null;
}

export const encodeFetchedRounds = (rounds: readonly FetchedRound[]): Uint8Array =>
  FetchedRoundsSsz.serialize(rounds as FetchedRound[]);
/** Strictly decodes an answer of rounds; null where malformed. */
export const decodeFetchedRounds = (bytes: Uint8Array): FetchedRound[] | null =>
  decodeStrict(FetchedRoundsSsz, bytes, MAX_FETCH_ANSWER_BYTES);
