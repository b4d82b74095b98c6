/**
 * Judges a round's announcement: signed by a validator with a seat, and carrying the certificate of a quorum, so that an
 * eclipsed hotspot cannot be led to count rounds that never were.
 */

import {
  checkFinalCert,
  type ValidatorSet,
  type ValidatorSets,
} from "../../../protocol/src/agreement/certificates.ts";
import {
  encodeAnnouncement,
  type FinalCert,
  type RoundAnnouncement,
  type SignedAnnouncement,
} from "../../../protocol/src/agreement/rounds.ts";
import { type SigningDomains, signingMessage } from "../../../protocol/src/crypto/domain.ts";
import { epochOfRound, type Parameters } from "../../../protocol/src/network/parameters.ts";
import { verifySignature } from "../host/verify.ts";

export const ANNOUNCEMENT_REASONS = [
  "malformed",
  "epoch_mismatch",
  "unknown_set",
  "unknown_validator",
  "bad_signature",
  "bad_certificate",
  "no_quorum",
] as const;
export type AnnouncementReason = (typeof ANNOUNCEMENT_REASONS)[number];

/** The validators that may certify and announce rounds, and what binds their signatures to the network. */
export type RoundJudge = {
  readonly domains: SigningDomains;
  readonly parameters: Parameters;
  readonly sets: ValidatorSets;
};

/** `validator`: who announces, by its place in `set`, which is that of the announcement's epoch. */
export type JudgedAnnouncement =
  | {
      readonly ok: true;
      readonly validator: number;
      readonly set: ValidatorSet;
      readonly announcement: RoundAnnouncement;
    }
  | { readonly ok: false; readonly reason: AnnouncementReason };

/**
 * Judges a decoded announcement: for which epoch it is, who signed it, and whether a quorum finalized its round. A round
 * is certified by its own epoch's set. It is announced by that of the epoch whose seed it tells, since f + 1 members of
 * one set are what makes a seed true.
 */
export function judgeAnnouncement(judge: RoundJudge, signed: SignedAnnouncement): JudgedAnnouncement {
  const { announcement } = signed;
  const { round, epoch } = announcement;
  if (epoch !== epochOfRound(judge.parameters, round + 1)) return refuse("epoch_mismatch");
  const deciders = judge.sets.setOf(epochOfRound(judge.parameters, round));
  const set = judge.sets.setOf(epoch);
  if (deciders === null || set === null) return refuse("unknown_set");
  const validator = set.positionOf(signed.validator);
  if (validator === undefined) return refuse("unknown_validator");
  const message = signingMessage(judge.domains, "round", encodeAnnouncement(announcement));
  if (!verifySignature(signed.validator, message, signed.signature)) return refuse("bad_signature");
  const reason = checkCertificate(judge, announcement.final, round, deciders);
  return reason === null ? { ok: true, validator, set, announcement } : refuse(reason);
}

const refuse = (reason: AnnouncementReason): JudgedAnnouncement => ({ ok: false, reason });

function checkCertificate(
  { domains }: RoundJudge,
  cert: FinalCert,
  round: number,
  set: ValidatorSet,
): AnnouncementReason | null {
  if (cert.round !== round) return "bad_certificate";
  const reason = checkFinalCert(cert, set, domains, verifySignature);
  if (reason === null) return null;
  return reason === "below_quorum" ? "no_quorum" : "bad_certificate";
}
