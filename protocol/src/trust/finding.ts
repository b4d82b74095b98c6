/**
 * What a detector says: a named, numbered, evidenced and ending penalty. A finding lowers trust to no less than a
 * quarter by itself, so that no single detector, each of which errs on some honest hotspot, decides alone.
 */
import { PPM } from "../network/parameters.ts";

/** Every penalty there is, in the order of their numbers on the wire, which start at 1. The list only grows at its end. */
export const PENALTY_REASONS = [
  "distance_profile",
  "edge_implausible",
  "constant_window",
  "unexplained_rssi",
  "floor_window",
  "snr_grid",
  "distance_insensitive",
  "missing_reverse",
  "power_insensitive",
  "owner_cap",
  "place_cap",
] as const;
export type PenaltyReason = (typeof PENALTY_REASONS)[number];

/**
 * Whether a penalty is about who stands where, and accuses nobody: the surplus of a crowd counts for nothing.
 * @param reason its name, or one that this release does not know.
 */
export const isCap = (reason: string): boolean => reason === "owner_cap" || reason === "place_cap";

/** The least that one finding leaves of trust. */
export const FACTOR_MIN_PPM = 250_000;

/** References that a finding names at most: as many as a beacon has paid witnesses, enough to show and to contest. */
export const EVIDENCE_MAX = 14;

export type Finding = {
  readonly reason: PenaltyReason;
  /** What trust is multiplied by, from `FACTOR_MIN_PPM` to 1,000,000. */
  readonly factorPpm: number;
  /** Indexes into the list that the detector was given, weightiest first. */
  readonly evidence: readonly number[];
  /** The epoch from whose start the finding no longer counts, if it does not recur. */
  readonly endsEpoch: number;
};

/** When a finding is made, and how long it lasts. */
export type FindingTerm = { readonly epoch: number; readonly penaltyEpochs: number };

/** A straight line of severity: `from` is where the penalty begins, `to` where it is largest; `to` may lie below. */
export type Ramp = { readonly from: number; readonly to: number };

/** The factor for a value on a ramp, in parts per million, rounded up (in favour of the hotspot); 1,000,000 before it. */
export function computeFactorPpm(value: number, { from, to }: Ramp): number {
  const passed = to > from ? value - from : from - value;
  if (passed <= 0) return PPM;
  const length = Math.abs(to - from);
  if (passed >= length) return FACTOR_MIN_PPM;
  return PPM - Math.floor(((PPM - FACTOR_MIN_PPM) * passed) / length);
}

/**
 * The finding for a value on a ramp, or null where the penalty has not begun.
 * @param evidence weightiest first; what exceeds `EVIDENCE_MAX` is left out.
 */
export function createFinding(
  reason: PenaltyReason,
  value: number,
  ramp: Ramp,
  evidence: readonly number[],
  { epoch, penaltyEpochs }: FindingTerm,
): Finding | null {
  const factorPpm = computeFactorPpm(value, ramp);
  if (factorPpm === PPM) return null;
  return {
    reason,
    factorPpm,
    evidence: evidence.slice(0, EVIDENCE_MAX),
    endsEpoch: epoch + penaltyEpochs,
  };
}
