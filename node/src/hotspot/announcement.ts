/**
 * Judges a round's announcement: signed by a validator of the set, and carrying the certificate of a quorum, so that an
 * eclipsed hotspot cannot be led to count rounds that never were.
 */

import { checkFinalCert, createValidatorSet } from "../../../protocol/src/agreement/certificates.ts";
import {
  encodeAnnouncement,
  type FinalCert,
  type RoundAnnouncement,
  type SignedAnnouncement,
} from "../../../protocol/src/agreement/rounds.ts";
import { equalBytes } from "../../../protocol/src/bytes/bytes.ts";
import { type SigningDomains, signingMessage } from "../../../protocol/src/crypto/domain.ts";
import { epochOfRound, type Parameters } from "../../../protocol/src/network/parameters.ts";
import { verifySignature } from "../host/verify.ts";

export const ANNOUNCEMENT_REASONS = [
  "malformed",
  "unknown_validator",
  "bad_signature",
  "epoch_mismatch",
  "bad_certificate",
  "no_quorum",
] as const;
export type AnnouncementReason = (typeof ANNOUNCEMENT_REASONS)[number];

/** The validators that may certify rounds, in the set's order, and what binds their signatures to the network. */
export type RoundJudge = {
  readonly domains: SigningDomains;
  readonly parameters: Parameters;
  readonly validators: readonly Uint8Array[];
};

export type JudgedAnnouncement =
  | { readonly ok: true; readonly validator: number; readonly announcement: RoundAnnouncement }
  | { readonly ok: false; readonly reason: AnnouncementReason };

/** Judges a decoded announcement: who signed it, for which epoch, and whether a quorum finalized its round. */
export function judgeAnnouncement(judge: RoundJudge, signed: SignedAnnouncement): JudgedAnnouncement {
  const { announcement } = signed;
  const validator = judge.validators.findIndex((key) => equalBytes(key, signed.validator));
  if (validator === -1) return { ok: false, reason: "unknown_validator" };
  if (announcement.epoch !== epochOfRound(judge.parameters, announcement.round + 1)) {
    return { ok: false, reason: "epoch_mismatch" };
  }
  const message = signingMessage(judge.domains, "round", encodeAnnouncement(announcement));
  if (!verifySignature(signed.validator, message, signed.signature)) {
    return { ok: false, reason: "bad_signature" };
  }
  const reason = checkCertificate(judge, announcement.final, announcement.round);
  return reason === null ? { ok: true, validator, announcement } : { ok: false, reason };
}

function checkCertificate(judge: RoundJudge, cert: FinalCert, round: number): AnnouncementReason | null {
  if (cert.round !== round) return "bad_certificate";
  const set = createValidatorSet(judge.validators);
  const reason = checkFinalCert(cert, set, judge.domains, verifySignature);
  if (reason === null) return null;
  return reason === "below_quorum" ? "no_quorum" : "bad_certificate";
}
