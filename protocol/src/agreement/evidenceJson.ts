/**
 * Evidence as JSON: what `/v1/evidence` gives out and `hexbeacon tool verify-evidence` judges. It needs the network's id
 * and nothing else: no validator set, no history, no word of whoever shows it.
 */
import { decodeHex, encodeHex0x } from "../bytes/hex.ts";
import { decodeDidKey, encodeDidKey } from "../crypto/didKey.ts";
import { NETWORK_ID_BYTES, type SigningDomains } from "../crypto/domain.ts";
import type { VerifySignature } from "./certificates.ts";
import {
  checkEvidence,
  EVIDENCE_KINDS,
  type EvidenceKind,
  type EvidenceReason,
  evidenceKindOf,
} from "./evidence.ts";
import { type Evidence, MAX_EVIDENCE_BYTES } from "./rounds.ts";

/** The offender as did:key, the statements (body, then signature) in 0x-hexadecimal. */
export type EvidenceJson = {
  readonly networkId: string;
  readonly offender: string;
  readonly kind: EvidenceKind;
  readonly first: string;
  readonly second: string;
};

/** What each kind convicts of, in words. */
export const EVIDENCE_SENTENCES: Readonly<Record<EvidenceKind, string>> = {
  double_notarize: "It voted NOTARIZE for two values in one view.",
  double_finalize: "It voted FINALIZE for two values in one view.",
  nullify_and_finalize: "It voted both NULLIFY and FINALIZE in one view.",
  notarize_and_finalize: "It voted NOTARIZE for one value and FINALIZE for another in one view.",
  double_propose: "It proposed two values in one view.",
  double_tips: "It sent two different Tips in one round.",
  double_batch: "It made two different batches of one number in its lane.",
  double_ack: "It acknowledged two different batches of one number in a lane, in the same epoch.",
  double_attest: "It attested two different outcomes of one epoch.",
};

/** Characters of the longest piece, with room for what an API wraps around it. */
export const MAX_EVIDENCE_CHARS = 2 * MAX_EVIDENCE_BYTES + 16_384;

/** Why JSON proves nothing: it has another form, is of another network, or the evidence does not convict. */
export type EvidenceJsonFault = "malformed" | "network_mismatch" | EvidenceReason;

export type EvidenceJsonVerdict =
  | { readonly valid: true; readonly offender: Uint8Array; readonly kind: EvidenceKind }
  | { readonly valid: false; readonly reason: EvidenceJsonFault; readonly detail?: string };

/** Writes a well-formed piece. @param networkId whose domains its statements are signed under. */
export function encodeEvidenceJson(evidence: Evidence, networkId: Uint8Array): EvidenceJson {
  const kind = evidenceKindOf(evidence);
  if (kind === null) throw new RangeError("there is no such kind of evidence");
  return {
    networkId: encodeHex0x(networkId),
    offender: encodeDidKey(evidence.offender),
    kind,
    first: encodeHex0x(evidence.first),
    second: encodeHex0x(evidence.second),
  };
}

/** Reads and judges a piece from parsed JSON of any shape; fields that it does not know are left alone. */
export function verifyEvidenceJson(
  json: unknown,
  networkId: Uint8Array,
  modules: { readonly domains: SigningDomains; readonly verify: VerifySignature },
): EvidenceJsonVerdict {
  const decoded = decodeEvidenceJson(json);
  if ("detail" in decoded) return { valid: false, reason: "malformed", detail: decoded.detail };
  if (decoded.networkId !== encodeHex0x(networkId)) return { valid: false, reason: "network_mismatch" };
  const { evidence } = decoded;
  const reason = checkEvidence(evidence, modules);
  if (reason !== null) return { valid: false, reason };
  return { valid: true, offender: evidence.offender, kind: EVIDENCE_KINDS[evidence.kind]! };
}

function decodeEvidenceJson(
  json: unknown,
): { readonly networkId: string; readonly evidence: Evidence } | { readonly detail: string } {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    return { detail: "evidence is an object" };
  }
  const fields = json as Partial<Record<keyof EvidenceJson, unknown>>;
  const networkId = readBytes(fields.networkId);
  if (networkId?.length !== NETWORK_ID_BYTES)
    return { detail: "networkId must be 32 bytes of 0x-hexadecimal" };
  const offender = typeof fields.offender === "string" ? decodeDidKey(fields.offender) : null;
  if (offender === null) return { detail: "offender must be a did:key of an Ed25519 key" };
  const kind = EVIDENCE_KINDS.indexOf(fields.kind as EvidenceKind);
  if (kind === -1) return { detail: `kind must be one of ${EVIDENCE_KINDS.join(", ")}` };
  const first = readBytes(fields.first);
  const second = readBytes(fields.second);
  if (first === null || second === null) {
    return { detail: "first and second must be signed statements in 0x-hexadecimal" };
  }
  return { networkId: encodeHex0x(networkId), evidence: { offender, kind, first, second } };
}

function readBytes(text: unknown): Uint8Array | null {
  const isHex =
    typeof text === "string" && text.startsWith("0x") && text.length <= 2 + 2 * MAX_EVIDENCE_BYTES;
  return isHex ? decodeHex(text) : null;
}
