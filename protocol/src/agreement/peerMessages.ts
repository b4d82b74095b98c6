/**
 * What validators say to each other over their direct streams, on the wire: one byte of kind, then an SSZ body. A
 * validator is named by its position in the round's set, so that a decoder is told the set's size and refuses what no
 * position can be.
 */
import { ByteListType, ContainerType, ListCompositeType, type Type, type ValueOf } from "@chainsafe/ssz";
import { concatBytes } from "../bytes/bytes.ts";
import { decodeHex, encodeHex } from "../bytes/hex.ts";
import { MAX_VALIDATORS } from "../network/parameters.ts";
import { Bytes32, Bytes64, decodeStrict, Uint8, Uint32, Uint64 } from "../wire/ssz.ts";
import { type RewardCert, RewardCertSsz, type SignedAttest, SignedAttestSsz } from "./attest.ts";
import {
  AckBodySsz,
  type AvailabilityCert,
  AvailabilityCertSsz,
  decodeBitmap,
  type Evidence,
  EvidenceSsz,
  encodeBitmap,
  type FinalCert,
  MAX_BATCH_BYTES,
  MAX_VALUE_BYTES,
  type SignedTips,
  SignedTipsSsz,
} from "./rounds.ts";
import { type Certificate, type Proposal, type SignedVote, VOTE_KINDS } from "./simplex/index.ts";

/**
 * Certificates that may justify a proposal. The leader's peers hold those of older views from every standstill (B7), so
 * after hours without a decision only the newest need to travel with it.
 */
export const MAX_JUSTIFICATION = 256;

const VoteSsz = new ContainerType(
  { round: Uint64, view: Uint32, kind: Uint8, value: Bytes32, validator: Uint8, signature: Bytes64 },
  { typeName: "Vote" },
);
const CertSsz = new ContainerType(
  {
    view: Uint32,
    kind: Uint8,
    value: Bytes32,
    bitmap: new ByteListType(Math.ceil(MAX_VALIDATORS / 8)),
    signatures: new ListCompositeType(Bytes64, MAX_VALIDATORS),
  },
  { typeName: "Cert" },
);
const CertMessageSsz = new ContainerType({ round: Uint64, cert: CertSsz }, { typeName: "CertMessage" });
const ProposeSsz = new ContainerType(
  {
    round: Uint64,
    view: Uint32,
    parent: Uint32,
    value: Bytes32,
    validator: Uint8,
    signature: Bytes64,
    justification: new ListCompositeType(CertSsz, MAX_JUSTIFICATION),
    valueBytes: new ByteListType(MAX_VALUE_BYTES),
  },
  { typeName: "Propose" },
);
/** `rounds` counts what its author has decided: one more than the newest round, so that none is 0. */
const StatusSsz = new ContainerType(
  { round: Uint64, view: Uint32, rounds: Uint64 },
  { typeName: "RoundStatus" },
);
const BatchMessageSsz = new ContainerType(
  { epoch: Uint64, batch: new ByteListType(MAX_BATCH_BYTES), signature: Bytes64 },
  { typeName: "SignedBatch" },
);
const AckSsz = new ContainerType(
  { ack: AckBodySsz, validator: Uint8, signature: Bytes64 },
  { typeName: "Ack" },
);

export type RoundStatus = ValueOf<typeof StatusSsz>;
/** A batch as its author sends it. `epoch`: whose set it asks for acknowledgements; `signature`: over the digest. */
export type SignedBatch = ValueOf<typeof BatchMessageSsz>;
/** That a validator holds a batch, and all of its lane between the last cut and it. */
export type Ack = ValueOf<typeof AckSsz>;

export type PeerMessage =
  | { readonly type: "tips"; readonly signed: SignedTips }
  /** `value`: the proposed value's encoding, where it is a fresh one. */
  | {
      readonly type: "proposal";
      readonly round: number;
      readonly proposal: Proposal;
      readonly value: Uint8Array | null;
    }
  | { readonly type: "vote"; readonly round: number; readonly vote: SignedVote }
  | { readonly type: "certificate"; readonly round: number; readonly certificate: Certificate }
  | { readonly type: "status"; readonly status: RoundStatus }
  | { readonly type: "batch"; readonly signed: SignedBatch }
  | { readonly type: "ack"; readonly ack: Ack }
  | { readonly type: "availability"; readonly cert: AvailabilityCert }
  | { readonly type: "attest"; readonly signed: SignedAttest }
  | { readonly type: "rewardCert"; readonly cert: RewardCert }
  /** What convicts a validator, passed on so that whoever leads next may put it into its value. */
  | { readonly type: "evidence"; readonly evidence: Evidence };

/** The first byte of each kind, never given to another. */
const KIND_BYTES = {
  tips: 1,
  proposal: 2,
  vote: 3,
  certificate: 4,
  status: 5,
  batch: 6,
  ack: 7,
  availability: 8,
  attest: 9,
  rewardCert: 10,
  evidence: 11,
} as const satisfies Record<PeerMessage["type"], number>;

export type PeerMessageType = PeerMessage["type"];
export const PEER_MESSAGE_TYPES = Object.keys(KIND_BYTES) as PeerMessageType[];

const MAX_CERT_BYTES = 64 + Math.ceil(MAX_VALIDATORS / 8) + MAX_VALIDATORS * 64;
/** The largest message is a proposal with a value and every certificate that may justify it. */
export const MAX_PEER_MESSAGE_BYTES = 1 + 256 + MAX_VALUE_BYTES + MAX_JUSTIFICATION * (MAX_CERT_BYTES + 4);

/** The epoch, or the round, whose set a message's positions and bitmaps are of. */
export type SetPlace = { readonly round: number } | { readonly epoch: number };
/** How many seats the set has that a message speaks of. */
export type SeatsOf = (place: SetPlace) => number;

const NO_VALUE = new Uint8Array(32);
const NO_BYTES = new Uint8Array(0);

type RawCert = ValueOf<typeof CertSsz>;

/** Encodes a message. @param validators the size of the set, or what tells it where sets change. */
export function encodePeerMessage(message: PeerMessage, validators: number | SeatsOf): Uint8Array {
  const seatsOf: SeatsOf = typeof validators === "number" ? () => validators : validators;
  return concatBytes(Uint8Array.of(KIND_BYTES[message.type]), encodeBody(message, seatsOf));
}

function encodeBody(message: PeerMessage, seatsOf: SeatsOf): Uint8Array {
  switch (message.type) {
    case "tips":
      return SignedTipsSsz.serialize(message.signed);
    case "proposal":
      return ProposeSsz.serialize(toRawProposal(message, seatsOf(message)));
    case "vote": {
      const { view, kind, value, validator, signature } = message.vote;
      const raw = { round: message.round, view, kind: VOTE_KINDS.indexOf(kind), value: toRawValue(value) };
      return VoteSsz.serialize({ ...raw, validator, signature: signature as Uint8Array });
    }
    case "certificate":
      return CertMessageSsz.serialize({
        round: message.round,
        cert: toRawCert(message.certificate, seatsOf(message)),
      });
    case "status":
      return StatusSsz.serialize(message.status);
    case "batch":
      return BatchMessageSsz.serialize(message.signed);
    case "ack":
      return AckSsz.serialize(message.ack);
    case "availability":
      return AvailabilityCertSsz.serialize(message.cert);
    case "attest":
      return SignedAttestSsz.serialize(message.signed);
    case "rewardCert":
      return RewardCertSsz.serialize(message.cert);
    case "evidence":
      return EvidenceSsz.serialize(message.evidence);
  }
}

/**
 * Strictly decodes a message: null where it is malformed, of no known kind, or names what no set of its size has.
 * Signatures are the caller's to verify.
 * @param validators the size of the set, or what tells it where sets change from epoch to epoch.
 */
export function decodePeerMessage(bytes: Uint8Array, validators: number | SeatsOf): PeerMessage | null {
  const seatsOf: SeatsOf = typeof validators === "number" ? () => validators : validators;
  const body = bytes.subarray(1);
  const read = <V>(type: Type<V>): V | null => decodeStrict(type, body, MAX_PEER_MESSAGE_BYTES);
  switch (bytes[0]) {
    case KIND_BYTES.tips: {
      const signed = read(SignedTipsSsz);
      return signed && { type: "tips", signed };
    }
    case KIND_BYTES.proposal:
      return fromRawProposal(read(ProposeSsz), seatsOf);
    case KIND_BYTES.vote:
      return fromRawVote(read(VoteSsz), seatsOf);
    case KIND_BYTES.certificate: {
      const raw = read(CertMessageSsz);
      const certificate = raw && fromRawCert(raw.cert, seatsOf(raw));
      return certificate && { type: "certificate", round: raw.round, certificate };
    }
    case KIND_BYTES.status: {
      const status = read(StatusSsz);
      return status && { type: "status", status };
    }
    case KIND_BYTES.batch: {
      const signed = read(BatchMessageSsz);
      return signed && { type: "batch", signed };
    }
    case KIND_BYTES.ack: {
      const ack = read(AckSsz);
      return ack !== null && ack.validator < seatsOf(ack.ack) ? { type: "ack", ack } : null;
    }
    case KIND_BYTES.availability: {
      const cert = read(AvailabilityCertSsz);
      return cert && { type: "availability", cert };
    }
    case KIND_BYTES.attest: {
      const signed = read(SignedAttestSsz);
      return signed !== null && signed.validator < seatsOf(signed.attest) ? { type: "attest", signed } : null;
    }
    case KIND_BYTES.rewardCert: {
      const cert = read(RewardCertSsz);
      return cert && { type: "rewardCert", cert };
    }
    case KIND_BYTES.evidence: {
      const evidence = read(EvidenceSsz);
      return evidence && { type: "evidence", evidence };
    }
    default:
      return null;
  }
}

/** The certificate that decided a round, in the form in which values and announcements carry it. */
export function toFinalCert(round: number, certificate: Certificate, validators: number): FinalCert {
  const { view, value, bitmap, signatures } = toRawCert(certificate, validators);
  return { round, view, value, bitmap, signatures };
}

const toRawValue = (name: string | null): Uint8Array => (name === null ? NO_VALUE : decodeHex(name, 32)!);

function toRawCert({ view, kind, value, signers, proof }: Certificate, validators: number): RawCert {
  return {
    view,
    kind: VOTE_KINDS.indexOf(kind),
    value: toRawValue(value),
    bitmap: encodeBitmap(signers, validators),
    signatures: proof as Uint8Array[],
  };
}

/** A NULLIFY names no value: its 32 bytes are zeros, and nothing else is one encoding of it. */
function readVote(raw: { kind: number; value: Uint8Array }): Pick<SignedVote, "kind" | "value"> | null {
  const kind = VOTE_KINDS[raw.kind];
  if (kind === undefined) return null;
  if (kind !== "nullify") return { kind, value: encodeHex(raw.value) };
  return raw.value.every((byte) => byte === 0) ? { kind, value: null } : null;
}

function fromRawCert(raw: RawCert, validators: number): Certificate | null {
  const vote = readVote(raw);
  const signers = decodeBitmap(raw.bitmap, validators);
  if (vote === null || signers === null || signers.length !== raw.signatures.length) return null;
  return { ...vote, view: raw.view, signers, proof: raw.signatures };
}

function fromRawVote(raw: ValueOf<typeof VoteSsz> | null, seatsOf: SeatsOf): PeerMessage | null {
  const said = raw && readVote(raw);
  if (raw === null || said === null || raw.validator >= seatsOf(raw)) return null;
  const { round, view, validator, signature } = raw;
  return { type: "vote", round, vote: { ...said, view, validator, signature } };
}

function toRawProposal(
  { round, proposal, value }: Extract<PeerMessage, { type: "proposal" }>,
  validators: number,
): ValueOf<typeof ProposeSsz> {
  return {
    round,
    view: proposal.view,
    parent: proposal.parent,
    value: toRawValue(proposal.value),
    validator: proposal.validator,
    signature: proposal.signature as Uint8Array,
    justification: proposal.justification
      .slice(0, MAX_JUSTIFICATION)
      .map((certificate) => toRawCert(certificate, validators)),
    valueBytes: value ?? NO_BYTES,
  };
}

function fromRawProposal(raw: ValueOf<typeof ProposeSsz> | null, seatsOf: SeatsOf): PeerMessage | null {
  if (raw === null) return null;
  const validators = seatsOf(raw);
  if (raw.validator >= validators) return null;
  const justification: Certificate[] = [];
  for (const cert of raw.justification) {
    const certificate = fromRawCert(cert, validators);
    if (certificate === null) return null;
    justification.push(certificate);
  }
  const { round, view, parent, validator, signature } = raw;
  const statement = { kind: "propose", view, parent, value: encodeHex(raw.value) } as const;
  return {
    type: "proposal",
    round,
    proposal: { ...statement, validator, signature, justification },
    value: raw.valueBytes.length === 0 ? null : raw.valueBytes,
  };
}
