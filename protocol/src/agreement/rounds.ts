/**
 * What a round is made of on the wire: batches in lanes, tips, the value that a round decides, its certificate, and the
 * announcement that hotspots follow. The rules of agreement stand beside these forms; a network of one uses the same.
 */
import { ByteListType, ContainerType, ListCompositeType, type ValueOf } from "@chainsafe/ssz";
import { sha256 } from "../crypto/sha256.ts";
import { MAX_VALIDATORS } from "../network/parameters.ts";
import { MAX_ENVELOPE_BYTES } from "../wire/envelope.ts";
import { Bytes32, Bytes64, decodeStrict, Uint32, Uint64 } from "../wire/ssz.ts";

/** A batch is one durable write and one transfer between validators: large enough to amortise both. */
export const MAX_BATCH_BYTES = 262_144;
/** No envelope is shorter than its 101 bytes of overhead. */
export const MAX_BATCH_MESSAGES = Math.floor(MAX_BATCH_BYTES / 105);
const MAX_BITMAP_BYTES = Math.ceil(MAX_VALIDATORS / 8);

const BatchSsz = new ContainerType(
  {
    lane: Bytes32,
    seq: Uint64,
    prev: Bytes32,
    messages: new ListCompositeType(new ByteListType(MAX_ENVELOPE_BYTES), MAX_BATCH_MESSAGES),
  },
  { typeName: "Batch" },
);
const CertificateSsz = {
  bitmap: new ByteListType(MAX_BITMAP_BYTES),
  signatures: new ListCompositeType(Bytes64, MAX_VALIDATORS),
};
export const AvailabilityCertSsz = new ContainerType(
  { lane: Bytes32, seq: Uint64, digest: Bytes32, epoch: Uint64, ...CertificateSsz },
  { typeName: "AvailabilityCert" },
);
const LaneTipSsz = new ContainerType(
  { lane: Bytes32, seq: Uint64, digest: Bytes32 },
  { typeName: "LaneTip" },
);
const TipsSsz = new ContainerType(
  {
    round: Uint64,
    validator: Bytes32,
    timeMs: Uint64,
    tips: new ListCompositeType(LaneTipSsz, MAX_VALIDATORS),
    executedRound: Uint64,
    executedDigest: Bytes32,
  },
  { typeName: "Tips" },
);
export const SignedTipsSsz = new ContainerType(
  { tips: TipsSsz, signature: Bytes64 },
  { typeName: "SignedTips" },
);
const FinalCertSsz = new ContainerType(
  { round: Uint64, view: Uint32, value: Bytes32, ...CertificateSsz },
  { typeName: "FinalCert" },
);
const ValueSsz = new ContainerType(
  {
    round: Uint64,
    tips: new ListCompositeType(SignedTipsSsz, MAX_VALIDATORS),
    cut: new ListCompositeType(AvailabilityCertSsz, MAX_VALIDATORS),
    previousFinal: new ListCompositeType(FinalCertSsz, 1),
  },
  { typeName: "Value" },
);
const VoteBodySsz = new ContainerType(
  { round: Uint64, view: Uint32, value: Bytes32 },
  { typeName: "VoteBody" },
);
export const AckBodySsz = new ContainerType(
  { lane: Bytes32, seq: Uint64, digest: Bytes32, epoch: Uint64 },
  { typeName: "AckBody" },
);
const RoundAnnouncementSsz = new ContainerType(
  { round: Uint64, timeMs: Uint64, epoch: Uint64, seed: Bytes32, final: FinalCertSsz },
  { typeName: "RoundAnnouncement" },
);
const SignedAnnouncementSsz = new ContainerType(
  { validator: Bytes32, announcement: RoundAnnouncementSsz, signature: Bytes64 },
  { typeName: "SignedAnnouncement" },
);

/** One author's next batch: `prev` is the digest of its own batch before (32 zero bytes for seq 1). */
export type Batch = {
  readonly lane: Uint8Array;
  readonly seq: number;
  readonly prev: Uint8Array;
  readonly messages: readonly Uint8Array[];
};
export type AvailabilityCert = ValueOf<typeof AvailabilityCertSsz>;
export type LaneTip = ValueOf<typeof LaneTipSsz>;
export type Tips = ValueOf<typeof TipsSsz>;
export type SignedTips = ValueOf<typeof SignedTipsSsz>;
export type FinalCert = ValueOf<typeof FinalCertSsz>;
/** What a round decides. `tips`: exactly Q, one a validator. `cut`: one certified entry a lane, sorted by lane key. */
export type Value = ValueOf<typeof ValueSsz>;
/**
 * The newest finalized round as hotspots hear it: the round's time, the epoch that the NEXT round belongs to with that
 * epoch's seed (so that a hotspot knows an epoch's challenges when the epoch begins), and the round's certificate.
 */
export type RoundAnnouncement = ValueOf<typeof RoundAnnouncementSsz>;
export type SignedAnnouncement = ValueOf<typeof SignedAnnouncementSsz>;

/** The largest value: Q tips that each name every lane, and a certificate with every signature for every lane. */
export const MAX_VALUE_BYTES =
  MAX_VALIDATORS * (MAX_VALIDATORS * 72 + 256) + MAX_VALIDATORS * (MAX_VALIDATORS * 64 + 128) + 16_384;
/** The largest announcement: fixed fields and a certificate with every signature. */
export const MAX_ANNOUNCEMENT_BYTES = 512 + MAX_VALIDATORS * 64;

export const encodeBatch = (batch: Batch): Uint8Array =>
  BatchSsz.serialize({ ...batch, messages: batch.messages as Uint8Array[] });
/** Strictly decodes a batch; null where malformed or oversized. */
export const decodeBatch = (bytes: Uint8Array): Batch | null =>
  decodeStrict(BatchSsz, bytes, MAX_BATCH_BYTES);
/** A batch's digest: SHA-256 of its encoding. */
export const computeBatchDigest = (encoded: Uint8Array): Uint8Array => sha256(encoded);

/** The bytes of an acknowledgement, signed under the domain `ack`. */
export const encodeAckBody = (body: ValueOf<typeof AckBodySsz>): Uint8Array => AckBodySsz.serialize(body);
/** The bytes by which an author signs its batch, under the domain `batch`: two digests of one number convict it. */
export const encodeBatchBody = (body: LaneTip): Uint8Array => LaneTipSsz.serialize(body);
/** The bytes of a vote, signed under the domain `notarize` or `finalize`. */
export const encodeVoteBody = (body: ValueOf<typeof VoteBodySsz>): Uint8Array => VoteBodySsz.serialize(body);
/** The bytes of tips, signed under the domain `tips`. */
export const encodeTips = (tips: Tips): Uint8Array => TipsSsz.serialize(tips);

export const encodeValue = (value: Value): Uint8Array => ValueSsz.serialize(value);
/** Strictly decodes a value; null where malformed or oversized. */
export const decodeValue = (bytes: Uint8Array): Value | null =>
  decodeStrict(ValueSsz, bytes, MAX_VALUE_BYTES);
/** x = H(Value): SHA-256 of its encoding. */
export const computeValueDigest = (encoded: Uint8Array): Uint8Array => sha256(encoded);

export const encodeFinalCert = (cert: FinalCert): Uint8Array => FinalCertSsz.serialize(cert);
/** Strictly decodes a final certificate; null where malformed. */
export const decodeFinalCert = (bytes: Uint8Array): FinalCert | null =>
  decodeStrict(FinalCertSsz, bytes, MAX_ANNOUNCEMENT_BYTES);

/** The bytes of an announcement, signed under the domain `round`. */
export const encodeAnnouncement = (a: RoundAnnouncement): Uint8Array => RoundAnnouncementSsz.serialize(a);
export const encodeSignedAnnouncement = (s: SignedAnnouncement): Uint8Array =>
  SignedAnnouncementSsz.serialize(s);
/** Strictly decodes an announcement; null where malformed. Signature and certificate are the caller's to verify. */
export const decodeSignedAnnouncement = (bytes: Uint8Array): SignedAnnouncement | null =>
  decodeStrict(SignedAnnouncementSsz, bytes, MAX_ANNOUNCEMENT_BYTES);

/** The quorum of n validators of equal weight: n - floor((n - 1) / 3). */
export function computeQuorum(validators: number): number {
  return validators - Math.floor((validators - 1) / 3);
}

/** The positions of the set bits of a certificate's bitmap, or null where a bit lies beyond the set. */
export function decodeBitmap(bitmap: Uint8Array, validators: number): number[] | null {
  if (bitmap.length !== Math.ceil(validators / 8)) return null;
  const members: number[] = [];
  for (let position = 0; position < bitmap.length * 8; position++) {
    if (((bitmap[position >> 3]! >> (position & 7)) & 1) === 0) continue;
    if (position >= validators) return null;
    members.push(position);
  }
  return members;
}

/** A bitmap with these positions set. */
export function encodeBitmap(members: readonly number[], validators: number): Uint8Array {
  const bitmap = new Uint8Array(Math.ceil(validators / 8));
  for (const position of members) bitmap[position >> 3]! |= 1 << (position & 7);
  return bitmap;
}
