/**
 * What a round is made of on the wire: batches in lanes, tips, the value that a round decides, its certificate, and the
 * announcement that hotspots follow. The rules of agreement stand beside these forms; a network of one uses the same.
 */
import { ByteListType, ContainerType, ListCompositeType, type ValueOf } from "@chainsafe/ssz";
import { sha256 } from "../crypto/sha256.ts";
import { MAX_LANES, MAX_VALIDATORS } from "../network/parameters.ts";
import { MAX_ENVELOPE_BYTES } from "../wire/envelope.ts";
import { Bytes32, Bytes64, decodeStrict, Uint8, Uint32, Uint64 } from "../wire/ssz.ts";

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
export const LaneTipSsz = new ContainerType(
  { lane: Bytes32, seq: Uint64, digest: Bytes32 },
  { typeName: "LaneTip" },
);
const TipsSsz = new ContainerType(
  {
    round: Uint64,
    validator: Bytes32,
    timeMs: Uint64,
    tips: new ListCompositeType(LaneTipSsz, MAX_LANES),
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
/** The longest body that can convict somebody: tips that name every lane. */
const MAX_STATEMENT_BYTES = TipsSsz.maxSize + 64;
export const EvidenceSsz = new ContainerType(
  {
    offender: Bytes32,
    kind: Uint8,
    first: new ByteListType(MAX_STATEMENT_BYTES),
    second: new ByteListType(MAX_STATEMENT_BYTES),
  },
  { typeName: "Evidence" },
);
/**
 * Pieces of evidence in a value. More than a third of the validators caught at once is beyond what any rule can mend;
 * fewer wait some rounds for their turn, and values stay small.
 */
export const MAX_VALUE_EVIDENCE = 4;

const ValueSsz = new ContainerType(
  {
    round: Uint64,
    tips: new ListCompositeType(SignedTipsSsz, MAX_VALIDATORS),
    cut: new ListCompositeType(AvailabilityCertSsz, MAX_LANES),
    previousFinal: new ListCompositeType(FinalCertSsz, 1),
    evidence: new ListCompositeType(EvidenceSsz, MAX_VALUE_EVIDENCE),
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
export type AckBody = ValueOf<typeof AckBodySsz>;
export type VoteBody = ValueOf<typeof VoteBodySsz>;
export type LaneTip = ValueOf<typeof LaneTipSsz>;
export type Tips = ValueOf<typeof TipsSsz>;
export type SignedTips = ValueOf<typeof SignedTipsSsz>;
export type FinalCert = ValueOf<typeof FinalCertSsz>;
/**
 * Two statements that one validator signed and that no honest one signs both. `kind`: a place in `EVIDENCE_KINDS`;
 * `first` and `second`: each a body's exact bytes and the 64 bytes of its signature after them (see `evidence.ts`).
 */
export type Evidence = ValueOf<typeof EvidenceSsz>;
/**
 * What a round decides. `tips`: exactly Q, one a validator. `cut`: one certified entry a lane, sorted by lane key.
 * `evidence`: at most one piece for an offender, sorted by offender.
 */
export type Value = ValueOf<typeof ValueSsz>;
/**
 * The newest finalized round as hotspots hear it: the round's time, the epoch that the NEXT round belongs to with that
 * epoch's seed (so that a hotspot knows an epoch's challenges when the epoch begins), and the round's certificate.
 */
export type RoundAnnouncement = ValueOf<typeof RoundAnnouncementSsz>;
export type SignedAnnouncement = ValueOf<typeof SignedAnnouncementSsz>;

/** The largest piece of evidence: two statements of the longest kind. */
export const MAX_EVIDENCE_BYTES = EvidenceSsz.maxSize;
/**
 * The largest value: Q tips that each name every lane, a certificate with every signature for every lane, and as much
 * evidence as fits.
 */
export const MAX_VALUE_BYTES =
  MAX_VALIDATORS * (MAX_LANES * 72 + 256) +
  MAX_LANES * (MAX_VALIDATORS * 64 + 128) +
  MAX_VALUE_EVIDENCE * (MAX_EVIDENCE_BYTES + 4) +
  16_384;
/** The largest announcement: fixed fields and a certificate with every signature. */
export const MAX_ANNOUNCEMENT_BYTES = 512 + MAX_VALIDATORS * 64;

export const encodeBatch = (batch: Batch): Uint8Array =>
  BatchSsz.serialize({ ...batch, messages: batch.messages as Uint8Array[] });
/** Strictly decodes a batch; null where malformed or oversized. */
export const decodeBatch = (bytes: Uint8Array): Batch | null =>
  decodeStrict(BatchSsz, bytes, MAX_BATCH_BYTES);
/** Where a batch says that it stands, read before its messages are; null only where `decodeBatch` gives null. */
export function peekBatchPlace(bytes: Uint8Array): Omit<Batch, "messages"> | null {
  if (bytes.length < BatchSsz.minSize || bytes.length > MAX_BATCH_BYTES) return null;
  const seq = decodeStrict(Uint64, bytes.subarray(32, 40), 8);
  return seq === null ? null : { lane: bytes.slice(0, 32), seq, prev: bytes.slice(40, 72) };
}
/** A batch's digest: SHA-256 of its encoding. */
export const computeBatchDigest = (encoded: Uint8Array): Uint8Array => sha256(encoded);

export const encodeAvailabilityCert = (cert: AvailabilityCert): Uint8Array =>
  AvailabilityCertSsz.serialize(cert);
/** Strictly decodes a certificate of availability; null where malformed. Its signatures are the caller's to verify. */
export const decodeAvailabilityCert = (bytes: Uint8Array): AvailabilityCert | null =>
  decodeStrict(AvailabilityCertSsz, bytes, AvailabilityCertSsz.maxSize);

/** The bytes of an acknowledgement, signed under the domain `ack`. */
export const encodeAckBody = (body: AckBody): Uint8Array => AckBodySsz.serialize(body);
/** The bytes by which an author signs its batch, under the domain `batch`: two digests of one number convict it. */
export const encodeBatchBody = (body: LaneTip): Uint8Array => LaneTipSsz.serialize(body);
/** The bytes of a vote, signed under the domain `notarize` or `finalize`. */
export const encodeVoteBody = (body: VoteBody): Uint8Array => VoteBodySsz.serialize(body);
/** The bytes of tips, signed under the domain `tips`. */
export const encodeTips = (tips: Tips): Uint8Array => TipsSsz.serialize(tips);

/** Strict decoding of what is signed, for those who judge evidence; null where malformed. */
export const decodeAckBody = (bytes: Uint8Array): AckBody | null =>
  decodeStrict(AckBodySsz, bytes, AckBodySsz.maxSize);
export const decodeBatchBody = (bytes: Uint8Array): LaneTip | null =>
  decodeStrict(LaneTipSsz, bytes, LaneTipSsz.maxSize);
export const decodeVoteBody = (bytes: Uint8Array): VoteBody | null =>
  decodeStrict(VoteBodySsz, bytes, VoteBodySsz.maxSize);
export const decodeTips = (bytes: Uint8Array): Tips | null => decodeStrict(TipsSsz, bytes, TipsSsz.maxSize);

export const encodeEvidence = (evidence: Evidence): Uint8Array => EvidenceSsz.serialize(evidence);
/** Strictly decodes a piece of evidence; null where malformed or oversized. What it proves is `checkEvidence`'s. */
export const decodeEvidence = (bytes: Uint8Array): Evidence | null =>
  decodeStrict(EvidenceSsz, bytes, MAX_EVIDENCE_BYTES);

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
