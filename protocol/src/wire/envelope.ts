/**
 * Envelopes and parcels. An envelope holds kind, sender, the body's exact bytes and one signature over domain and body;
 * a parcel is one gossip message or submission with up to 64 envelopes. An envelope's id is SHA-256 over domain, sender
 * and body, never over the signature; the sender is in it because a copycat who signs somebody else's body would
 * otherwise take that somebody's id, and the honest report would count as the duplicate.
 */
import { ByteListType, ContainerType, ListCompositeType } from "@chainsafe/ssz";
import { type SignedKind, type SigningDomains, signingMessage } from "../crypto/domain.ts";
import { sha256 } from "../crypto/sha256.ts";
import { MAX_REPORT_BUNDLE_BYTES } from "./reports.ts";
import { Bytes32, Bytes64, decodeStrict, Uint8 } from "./ssz.ts";
import { MAX_TRANSACTION_BYTES } from "./transactions.ts";

/** The kinds that travel in envelopes from hotspots and accounts, with their numbers on the wire. */
export const ENVELOPE_KINDS = {
  reports: 1,
  register: 2,
  assert: 3,
  transfer: 4,
  deregister: 5,
  stake: 6,
  unstake: 7,
  appeal: 8,
  rotate: 9,
  bind: 10,
  unbind: 11,
} as const satisfies Partial<Record<SignedKind, number>>;
export type EnvelopeKind = keyof typeof ENVELOPE_KINDS;

/** The largest body of each kind, in bytes. */
export const MAX_BODY_BYTES: Readonly<Record<EnvelopeKind, number>> = {
  reports: MAX_REPORT_BUNDLE_BYTES,
  register: MAX_TRANSACTION_BYTES,
  assert: MAX_TRANSACTION_BYTES,
  transfer: MAX_TRANSACTION_BYTES,
  deregister: MAX_TRANSACTION_BYTES,
  stake: MAX_TRANSACTION_BYTES,
  unstake: MAX_TRANSACTION_BYTES,
  appeal: MAX_TRANSACTION_BYTES,
  rotate: MAX_TRANSACTION_BYTES,
  bind: MAX_TRANSACTION_BYTES,
  unbind: MAX_TRANSACTION_BYTES,
};
const LARGEST_BODY_BYTES = Math.max(...Object.values(MAX_BODY_BYTES));

/** Kind, sender, offset of the body and signature. */
const ENVELOPE_OVERHEAD_BYTES = 1 + 32 + 4 + 64;
/** The largest envelope of any kind. */
export const MAX_ENVELOPE_BYTES = ENVELOPE_OVERHEAD_BYTES + LARGEST_BODY_BYTES;
/** Envelopes in a parcel: enough to amortise gossip's cost a message over the reports of a round's gathering. */
export const MAX_ENVELOPES_PER_PARCEL = 64;
/** A frame of gossip is bounded at 128 KiB with its control messages; half of it for one parcel leaves room for them. */
export const MAX_PARCEL_BYTES = 64_000;

const EnvelopeSsz = new ContainerType(
  { kind: Uint8, sender: Bytes32, body: new ByteListType(LARGEST_BODY_BYTES), signature: Bytes64 },
  { typeName: "Envelope" },
);
const ParcelSsz = new ListCompositeType(new ByteListType(MAX_ENVELOPE_BYTES), MAX_ENVELOPES_PER_PARCEL);

/** A decoded envelope; its signature has been checked by nobody yet. */
export type Envelope = {
  readonly kind: EnvelopeKind;
  readonly sender: Uint8Array;
  readonly body: Uint8Array;
  readonly signature: Uint8Array;
};

const KIND_OF_NUMBER = new Map<number, EnvelopeKind>(
  (Object.entries(ENVELOPE_KINDS) as [EnvelopeKind, number][]).map(([kind, number]) => [number, kind]),
);

/** The envelope's id: 32 bytes, SHA-256 over domain, sender and body. */
export function computeEnvelopeId(
  domains: SigningDomains,
  envelope: Omit<Envelope, "signature">,
): Uint8Array {
  return sha256(domains[envelope.kind], envelope.sender, envelope.body);
}

/** The bytes that the envelope's signature covers. */
export function envelopeSigningMessage(
  domains: SigningDomains,
  envelope: Omit<Envelope, "signature">,
): Uint8Array {
  return signingMessage(domains, envelope.kind, envelope.body);
}

/** Encodes an envelope. */
export function encodeEnvelope(envelope: Envelope): Uint8Array {
  return EnvelopeSsz.serialize({ ...envelope, kind: ENVELOPE_KINDS[envelope.kind] });
}

/** What became of decoding an envelope. */
export type DecodedEnvelope =
  | { readonly ok: true; readonly envelope: Envelope }
  | { readonly ok: false; readonly reason: "oversized" | "malformed" | "unknown_kind" };

/** Strictly decodes an envelope and checks the size limit of its kind. */
export function decodeEnvelope(bytes: Uint8Array): DecodedEnvelope {
  if (bytes.length > MAX_ENVELOPE_BYTES) return { ok: false, reason: "oversized" };
  const raw = decodeStrict(EnvelopeSsz, bytes, MAX_ENVELOPE_BYTES);
  if (raw === null) return { ok: false, reason: "malformed" };
  const kind = KIND_OF_NUMBER.get(raw.kind);
  if (kind === undefined) return { ok: false, reason: "unknown_kind" };
  if (raw.body.length > MAX_BODY_BYTES[kind]) return { ok: false, reason: "oversized" };
  return { ok: true, envelope: { kind, sender: raw.sender, body: raw.body, signature: raw.signature } };
}

/** Encodes encoded envelopes as one parcel; the caller keeps count and size within the limits. */
export function encodeParcel(envelopes: readonly Uint8Array[]): Uint8Array {
  return ParcelSsz.serialize(envelopes as Uint8Array[]);
}

/** Strictly decodes a parcel into its encoded envelopes, at least one; null where malformed or over a limit. */
export function decodeParcel(bytes: Uint8Array): Uint8Array[] | null {
  const envelopes = decodeStrict(ParcelSsz, bytes, MAX_PARCEL_BYTES);
  return envelopes === null || envelopes.length === 0 ? null : envelopes;
}

/** How long an offset is: a list of elements of variable size begins with one for each of them. */
const OFFSET_BYTES = 4;

/**
 * How many envelopes a parcel says that it has, read from its first offset alone: what decoding it can cost is known
 * before it is decoded. Null only where `decodeParcel` gives null; what it decodes has as many.
 */
export function peekParcelCount(bytes: Uint8Array): number | null {
  if (bytes.length < OFFSET_BYTES || bytes.length > MAX_PARCEL_BYTES) return null;
  const firstOffset = new DataView(bytes.buffer, bytes.byteOffset, OFFSET_BYTES).getUint32(0, true);
  const count = firstOffset / OFFSET_BYTES;
  const isList = Number.isInteger(count) && count > 0 && firstOffset <= bytes.length;
  return isList && count <= MAX_ENVELOPES_PER_PARCEL ? count : null;
}
