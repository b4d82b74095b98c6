/**
 * Evidence: two statements signed by one validator that no honest one signs both, whatever it sees and however often it
 * crashes, because what it signed is durable before it leaves. (Whoever loses what was durable is careful, as far as it
 * can be: docs/agreement.md says how far.) A piece stands for itself: anyone who knows the network
 * id can judge it offline, without the validator sets, the round's history or either message's sender.
 *
 * One fact has one encoding: a statement is the exact bytes that were signed and the signature, the two stand in one
 * order, and what neither of them signed (a position in a set, a certificate, a batch's messages) is not carried along.
 */
import { compareBytes, concatBytes, equalBytes } from "../bytes/bytes.ts";
import { encodeHex } from "../bytes/hex.ts";
import { type SignedKind, type SigningDomains, signingMessage } from "../crypto/domain.ts";
import { epochOfRound, type Parameters } from "../network/parameters.ts";
import { decodeAttest } from "./attest.ts";
import type { ValidatorSet, VerifySignature } from "./certificates.ts";
import { decodeAckBody, decodeBatchBody, decodeTips, decodeVoteBody, type Evidence } from "./rounds.ts";
import { decodeProposeBody } from "./simplex/ed25519Scheme.ts";
import {
  CONFLICT_REASONS,
  type Conflict,
  checkConflict,
  encodeStatement,
  type Statement,
} from "./simplex/index.ts";

/** What a pair convicts of. Its number on the wire is its place here, so the list only ever grows at its end. */
export const EVIDENCE_KINDS = [
  ...CONFLICT_REASONS,
  "double_tips",
  "double_batch",
  "double_ack",
  "double_attest",
] as const;
export type EvidenceKind = (typeof EVIDENCE_KINDS)[number];

/** The domains that the first and the second statement of each kind are signed under. */
const DOMAINS_OF: Readonly<Record<EvidenceKind, readonly [SignedKind, SignedKind]>> = {
  double_notarize: ["notarize", "notarize"],
  double_finalize: ["finalize", "finalize"],
  nullify_and_finalize: ["nullify", "finalize"],
  notarize_and_finalize: ["notarize", "finalize"],
  double_propose: ["propose", "propose"],
  double_tips: ["tips", "tips"],
  double_batch: ["batch", "batch"],
  double_ack: ["ack", "ack"],
  double_attest: ["attest", "attest"],
};

/** Why a piece of evidence proves nothing. */
export const EVIDENCE_REASONS = [
  "unknown_kind",
  "malformed",
  "wrong_order",
  "no_conflict",
  "signature_invalid",
] as const;
export type EvidenceReason = (typeof EVIDENCE_REASONS)[number];

/** A statement as it was signed: the domain's kind, the body's exact bytes and 64 bytes of signature. */
export type SignedBody = {
  readonly kind: SignedKind;
  readonly body: Uint8Array;
  readonly signature: Uint8Array;
};

const SIGNATURE_BYTES = 64;
const NO_VALUE = encodeHex(new Uint8Array(32));

/** The kind of a piece, or null where its number is none. */
export function evidenceKindOf({ kind }: Pick<Evidence, "kind">): EvidenceKind | null {
  return EVIDENCE_KINDS[kind] ?? null;
}

/**
 * Why a piece of evidence proves nothing, or null where it convicts its offender. Whether it is too old to be punished,
 * and whether the offender has a stake, is the value's and the ledger's to ask.
 */
export function checkEvidence(
  evidence: Evidence,
  { domains, verify }: { readonly domains: SigningDomains; readonly verify: VerifySignature },
): EvidenceReason | null {
  const kind = evidenceKindOf(evidence);
  if (kind === null) return "unknown_kind";
  const [firstKind, secondKind] = DOMAINS_OF[kind];
  const first = splitStatement(firstKind, evidence.first);
  const second = splitStatement(secondKind, evidence.second);
  const firstClaim = first && readClaim(first);
  const secondClaim = second && readClaim(second);
  if (first === null || second === null || !firstClaim || !secondClaim) return "malformed";
  if (firstKind === secondKind && compareBytes(evidence.first, evidence.second) >= 0) return "wrong_order";
  if (findConflict(evidence.offender, firstClaim, secondClaim) !== kind) return "no_conflict";
  const isSigned = ({ kind: domain, body, signature }: SignedBody) =>
    verify(evidence.offender, signingMessage(domains, domain, body), signature);
  return isSigned(first) && isSigned(second) ? null : "signature_invalid";
}

/**
 * The evidence that two signed statements make, in either order, or null where an honest validator may have signed
 * both. Signatures are the caller's to have verified.
 * @param offender the key that signed both, 32 bytes.
 */
export function createEvidence(offender: Uint8Array, a: SignedBody, b: SignedBody): Evidence | null {
  const claims = [readClaim(a), readClaim(b)] as const;
  if (claims[0] === null || claims[1] === null) return null;
  const kind = findConflict(offender, claims[0], claims[1]);
  if (kind === null) return null;
  const [firstKind, secondKind] = DOMAINS_OF[kind];
  const [left, right] = [joinStatement(a), joinStatement(b)];
  const isOrdered = firstKind === secondKind ? compareBytes(left, right) < 0 : a.kind === firstKind;
  const [first, second] = isOrdered ? [left, right] : [right, left];
  return { offender, kind: EVIDENCE_KINDS.indexOf(kind), first, second };
}

/**
 * The evidence that a conflict within a round makes.
 * @returns null where the scheme's signatures are not the network's, which only a simulation's are.
 */
export function evidenceOfConflict(
  { validator, first, second }: Conflict,
  round: number,
  set: ValidatorSet,
): Evidence | null {
  const offender = set.keys[validator];
  const signedBodyOf = (statement: Statement & { readonly signature: object }): SignedBody | null => {
    const body = encodeStatement(round, statement);
    const { kind, signature } = statement;
    return body === null || !(signature instanceof Uint8Array) ? null : { kind, body, signature };
  };
  const [a, b] = [signedBodyOf(first), signedBodyOf(second)];
  return offender === undefined || a === null || b === null ? null : createEvidence(offender, a, b);
}

/**
 * The newest epoch that a well-formed piece speaks of, by which its age is told; null for two batches, which name no
 * epoch and never grow old.
 */
export function computeEvidenceEpoch(
  evidence: Evidence,
  parameters: Pick<Parameters, "roundsPerEpoch">,
): number | null {
  const kind = evidenceKindOf(evidence);
  if (kind === null) return null;
  const epochs = [evidence.first, evidence.second].map((bytes, place) => {
    const statement = splitStatement(DOMAINS_OF[kind][place as 0 | 1], bytes);
    const claim = statement && readClaim(statement);
    if (claim === null) return null;
    return "round" in claim ? epochOfRound(parameters, claim.round) : claim.epoch;
  });
  const [first, second] = epochs;
  return first == null || second == null ? null : Math.max(first, second);
}

/** Whether a piece may not be brought any more in rounds of this epoch: its offender's stake may be free again. */
export function isEvidenceOld(
  evidence: Evidence,
  parameters: Pick<Parameters, "roundsPerEpoch" | "evidenceMaxAgeEpochs">,
  epoch: number,
): boolean {
  const itsEpoch = computeEvidenceEpoch(evidence, parameters);
  return itsEpoch !== null && itsEpoch < epoch - parameters.evidenceMaxAgeEpochs;
}

/** A statement as evidence carries it: the body, then its signature. */
const joinStatement = ({ body, signature }: SignedBody): Uint8Array => concatBytes(body, signature);

function splitStatement(kind: SignedKind, bytes: Uint8Array): SignedBody | null {
  const end = bytes.length - SIGNATURE_BYTES;
  return end < 0 ? null : { kind, body: bytes.subarray(0, end), signature: bytes.subarray(end) };
}

/** What a statement says: a vote or proposal of a round, or one content for a slot that an honest validator fills once. */
type Claim =
  | { readonly round: number; readonly statement: Statement }
  | {
      readonly round: number;
      readonly kind: "tips";
      /** Whom the body itself names as its author, where it names one. */
      readonly author: Uint8Array;
      readonly slot: string;
      readonly content: Uint8Array;
    }
  | {
      readonly epoch: number | null;
      readonly kind: "batch" | "ack" | "attest";
      readonly author: Uint8Array | null;
      readonly slot: string;
      readonly content: Uint8Array;
    };

/** Reads a body strictly; null where it is malformed, or of a kind of which no two are punishable. */
function readClaim({ kind, body }: SignedBody): Claim | null {
  switch (kind) {
    case "notarize":
    case "nullify":
    case "finalize":
      return readVote(kind, body);
    case "propose": {
      const proposal = decodeProposeBody(body);
      if (proposal === null) return null;
      const { round, view, parent } = proposal;
      return { round, statement: { kind, view, parent, value: encodeHex(proposal.value) } };
    }
    case "tips": {
      const tips = decodeTips(body);
      if (tips === null) return null;
      return { round: tips.round, kind, author: tips.validator, slot: `${tips.round}`, content: body };
    }
    case "batch": {
      const tip = decodeBatchBody(body);
      return tip && { epoch: null, kind, author: tip.lane, slot: `${tip.seq}`, content: tip.digest };
    }
    case "ack": {
      // Once an epoch: who lost what it knew begins anew in one that it had not come to (docs/decisions/validator-set.md).
      const ack = decodeAckBody(body);
      if (ack === null) return null;
      const slot = `${ack.epoch}/${encodeHex(ack.lane)}/${ack.seq}`;
      return { epoch: ack.epoch, kind, author: null, slot, content: ack.digest };
    }
    case "attest": {
      const attest = decodeAttest(body);
      return attest && { epoch: attest.epoch, kind, author: null, slot: `${attest.epoch}`, content: body };
    }
    default:
      return null;
  }
}

/** A NULLIFY names no value: anything but zeros in its place was signed by no rule of this protocol. */
function readVote(kind: "notarize" | "nullify" | "finalize", body: Uint8Array): Claim | null {
  const vote = decodeVoteBody(body);
  if (vote === null) return null;
  const { round, view } = vote;
  const value = encodeHex(vote.value);
  if (kind === "nullify")
    return value === NO_VALUE ? { round, statement: { kind, view, value: null } } : null;
  return { round, statement: { kind, view, value } };
}

/** What two statements by one key convict it of, in either order; null where they do not. */
function findConflict(offender: Uint8Array, a: Claim, b: Claim): EvidenceKind | null {
  if ("statement" in a || "statement" in b) {
    if (!("statement" in a && "statement" in b) || a.round !== b.round) return null;
    return checkConflict(a.statement, b.statement);
  }
  if (a.kind !== b.kind || a.slot !== b.slot || equalBytes(a.content, b.content)) return null;
  const isAuthor = ({ author }: { readonly author: Uint8Array | null }) =>
    author === null || equalBytes(author, offender);
  // A body that names another author is that one's word, however it came to be signed.
  return isAuthor(a) && isAuthor(b) ? `double_${a.kind}` : null;
}
