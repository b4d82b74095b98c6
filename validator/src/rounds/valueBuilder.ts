/** A leader's fresh value: from a quorum's tips, with the certificates that they name (rule B1). */
import { requireSet } from "../../../protocol/src/agreement/certificates.ts";
import { computeCut, createLaneFilter } from "../../../protocol/src/agreement/cut.ts";
import {
  computeValueDigest,
  decodeValue,
  type Evidence,
  encodeValue,
  type FinalCert,
  type LaneTip,
  type SignedTips,
  type Value,
} from "../../../protocol/src/agreement/rounds.ts";
import {
  checkValue,
  type ValueContext,
  type ValueReason,
} from "../../../protocol/src/agreement/valueRules.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { epochOfRound } from "../../../protocol/src/network/parameters.ts";
import type { AvailabilityBook } from "../lanes/availability.ts";

/** `fault` is the rule that the value would break: a bug here, and nothing to send. */
export type BuiltValue = {
  readonly bytes: Uint8Array;
  readonly digest: Uint8Array;
  readonly fault: ValueReason | "malformed" | null;
};

/**
 * Builds from the first quorum of usable tips; null while there are too few.
 * @param tips verified, one a validator, of the round.
 */
export function buildValue(
  tips: readonly SignedTips[],
  context: ValueContext,
  availability: AvailabilityBook,
  previousFinal: FinalCert | null,
  evidence: readonly Evidence[],
): BuiltValue | null {
  const { round, parameters, sets, previous } = context;
  const epoch = epochOfRound(parameters, round);
  const set = requireSet(sets, epoch);
  const usable = tips.filter((signed) => isUsable(signed, context, availability)).slice(0, set.quorum);
  if (usable.length < set.quorum) return null;
  const isInCut = createLaneFilter(sets, epoch);
  const certificateOf = (tip: LaneTip) => availability.certificateOf(tip, epoch);
  const cut = computeCut(usable, previous?.cut ?? [], isInCut, certificateOf);
  if (cut === null || (previous !== null && previousFinal === null)) return null;
  const value: Value = {
    round,
    tips: usable,
    cut: [...cut],
    previousFinal: previousFinal === null ? [] : [previousFinal],
    evidence: [...evidence],
  };
  const bytes = encodeValue(value);
  // As everybody else will read it: a leader's own idea of it may be longer than what fits.
  const read = decodeValue(bytes);
  const fault = read === null ? "malformed" : checkValue(read, context);
  return { bytes, digest: computeValueDigest(bytes), fault };
}

/** Whether a value may hold these tips: executed far enough, and every certificate is here and not too old. */
function isUsable(signed: SignedTips, context: ValueContext, availability: AvailabilityBook): boolean {
  return (
    isExecutedFarEnough(signed, context) && listWithoutCertificate(signed, context, availability).length === 0
  );
}

function isExecutedFarEnough({ tips }: SignedTips, { round, parameters }: ValueContext): boolean {
  const lagRounds = round - tips.executedRound;
  return lagRounds >= 0 && lagRounds <= parameters.execLagRounds + 1;
}

/** Batches that tips name and whose certificates are all that is missing for a value to hold these tips. */
export function listUncertified(
  signed: SignedTips,
  context: ValueContext,
  availability: AvailabilityBook,
): LaneTip[] {
  return isExecutedFarEnough(signed, context) ? listWithoutCertificate(signed, context, availability) : [];
}

/** The batches that tips name, which the round's cut would newly take in, without a certificate for it. */
function listWithoutCertificate(
  { tips }: SignedTips,
  { round, parameters, sets, previous }: ValueContext,
  availability: AvailabilityBook,
): LaneTip[] {
  const epoch = epochOfRound(parameters, round);
  const isInCut = createLaneFilter(sets, epoch);
  const cut = new Map(previous?.cut.map(({ lane, seq }) => [encodeHex(lane), seq]));
  // As `computeCut` sees it: in a lane that the cut before does not have, as its author had no seat, every tip is new.
  const isNew = ({ lane, seq }: LaneTip) => seq > (cut.get(encodeHex(lane)) ?? 0);
  return tips.tips.filter(
    (tip) => isInCut(tip.lane) && isNew(tip) && availability.certificateOf(tip, epoch) === null,
  );
}
