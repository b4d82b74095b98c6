/**
 * What a validator answers a hotspot over streams: a signed receipt for a submission, the state of message ids, and the
 * newest finalized round. Every message on a stream is preceded by its length (unsigned varint).
 */
import { ByteListType, ContainerType, ListBasicType, ListCompositeType } from "@chainsafe/ssz";
import { decodeReason, encodeReason, type Reason } from "../evidence/reasons.ts";
import { MAX_ENVELOPES_PER_PARCEL } from "./envelope.ts";
import { MAX_REPORTS_PER_BUNDLE } from "./reports.ts";
import { Bytes32, Bytes64, decodeStrict, Uint8, Uint64 } from "./ssz.ts";

/** Stream protocols that a validator serves. */
export const SUBMIT_PROTOCOL = "/hexbeacon/submit/1";
export const RECEIPT_PROTOCOL = "/hexbeacon/receipt/1";
export const SYNC_PROTOCOL = "/hexbeacon/sync/1";

const ReceiptSsz = new ContainerType(
  {
    round: Uint64,
    deadlineRound: Uint64,
    items: new ListCompositeType(new ContainerType({ id: Bytes32, reason: Uint8 }), MAX_ENVELOPES_PER_PARCEL),
  },
  { typeName: "Receipt" },
);
const SignedSsz = new ContainerType(
  { signer: Bytes32, body: new ByteListType(MAX_ENVELOPES_PER_PARCEL * 33 + 64), signature: Bytes64 },
  { typeName: "Signed" },
);
const QuerySsz = new ListCompositeType(Bytes32, MAX_ENVELOPES_PER_PARCEL);
const StatusSsz = new ListCompositeType(
  new ContainerType({
    id: Bytes32,
    state: Uint8,
    round: Uint64,
    verdicts: new ListBasicType(Uint8, MAX_REPORTS_PER_BUNDLE),
  }),
  MAX_ENVELOPES_PER_PARCEL,
);

/**
 * What a validator says of a submitted parcel: one item an envelope, reason null where it was admitted; or one item with
 * the parcel's SHA-256 and the reason for which none of it was read.
 */
export type Receipt = {
  /** The newest round that this validator has finalized. */
  readonly round: number;
  /** The round by which admitted envelopes should be in a cut, by this validator's rounds; a submitter counts by its own. */
  readonly deadlineRound: number;
  readonly items: readonly { readonly id: Uint8Array; readonly reason: Reason | null }[];
};
/** A receipt's body under its validator's signature (domain `receipt`). */
export type SignedReceipt = {
  readonly signer: Uint8Array;
  readonly body: Uint8Array;
  readonly signature: Uint8Array;
};

/** Where an envelope stands. `included`: in a finalized round, verdicts may still be pending. */
export const MESSAGE_STATES = ["unknown", "pending", "included"] as const;
export type MessageState = (typeof MESSAGE_STATES)[number];
/** In place of a verdict that is not known yet. */
export const VERDICT_PENDING = 255;
/** The same for a witness report whose beacon has closed: accepted, and paid or not as is drawn at the epoch's end. */
export const VERDICT_SELECTION_PENDING = 254;
/**
 * State of one envelope id. `verdicts`: one a report, in index order: `VERDICT_PENDING`, `VERDICT_SELECTION_PENDING`, 0
 * for accepted, else the reason's number; empty while not included.
 */
export type MessageStatus = {
  readonly id: Uint8Array;
  readonly state: MessageState;
  readonly round: number;
  readonly verdicts: readonly number[];
};

const RECEIPT_MAX_BYTES = 8 + 8 + 4 + MAX_ENVELOPES_PER_PARCEL * 33;
const STATUS_MAX_BYTES = MAX_ENVELOPES_PER_PARCEL * (4 + 32 + 1 + 8 + 4 + MAX_REPORTS_PER_BUNDLE);
/** The largest answer on the submit stream. */
export const SIGNED_RECEIPT_MAX_BYTES = 32 + 4 + 64 + RECEIPT_MAX_BYTES;
/** The largest question and answer on the receipt stream. */
export const STATUS_QUERY_MAX_BYTES = MAX_ENVELOPES_PER_PARCEL * 32;
export const STATUS_ANSWER_MAX_BYTES = STATUS_MAX_BYTES;

/** Encodes a receipt's body, the bytes that the validator signs under the domain `receipt`. */
export function encodeReceipt(receipt: Receipt): Uint8Array {
  const items = receipt.items.map(({ id, reason }) => ({ id, reason: encodeReason(reason) }));
  return ReceiptSsz.serialize({ round: receipt.round, deadlineRound: receipt.deadlineRound, items });
}

/** Strictly decodes a receipt's body; null where malformed or with a reason that is not on the list. */
export function decodeReceipt(bytes: Uint8Array): Receipt | null {
  const raw = decodeStrict(ReceiptSsz, bytes, RECEIPT_MAX_BYTES);
  if (raw === null) return null;
  const items: { id: Uint8Array; reason: Reason | null }[] = [];
  for (const item of raw.items) {
    const reason = decodeReason(item.reason);
    if (reason === undefined) return null;
    items.push({ id: item.id, reason });
  }
  return { round: raw.round, deadlineRound: raw.deadlineRound, items };
}

/** Encodes a signed receipt. */
export function encodeSignedReceipt(signed: SignedReceipt): Uint8Array {
  return SignedSsz.serialize({ ...signed });
}

/** Strictly decodes a signed receipt; the signature is the caller's to verify. */
export function decodeSignedReceipt(bytes: Uint8Array): SignedReceipt | null {
  return decodeStrict(SignedSsz, bytes, SIGNED_RECEIPT_MAX_BYTES);
}

/** Encodes the question on the receipt stream: at most 64 envelope ids. */
export function encodeStatusQuery(ids: readonly Uint8Array[]): Uint8Array {
  return QuerySsz.serialize(ids as Uint8Array[]);
}

/** Strictly decodes the question on the receipt stream. */
export function decodeStatusQuery(bytes: Uint8Array): Uint8Array[] | null {
  return decodeStrict(QuerySsz, bytes, STATUS_QUERY_MAX_BYTES);
}

/** Encodes the answer on the receipt stream. */
export function encodeStatusAnswer(statuses: readonly MessageStatus[]): Uint8Array {
  return StatusSsz.serialize(
    statuses.map((s) => ({ ...s, state: MESSAGE_STATES.indexOf(s.state), verdicts: [...s.verdicts] })),
  );
}

/** Strictly decodes the answer on the receipt stream; null where malformed or with an unknown state. */
export function decodeStatusAnswer(bytes: Uint8Array): MessageStatus[] | null {
  const raw = decodeStrict(StatusSsz, bytes, STATUS_MAX_BYTES);
  if (raw === null) return null;
  const statuses: MessageStatus[] = [];
  for (const item of raw) {
    const state = MESSAGE_STATES[item.state];
    if (state === undefined) return null;
    statuses.push({ id: item.id, state, round: item.round, verdicts: item.verdicts });
  }
  return statuses;
}
