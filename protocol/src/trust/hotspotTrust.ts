/**
 * What findings leave of a hotspot's trust. Those that accuse it lower what is believed of it, by which it is told whether it
 * is paid. The caps accuse nobody: they lower what it counts for, also while its pay is withheld, and put nobody out of pay.
 */
import { PPM } from "../network/parameters.ts";
import { type Finding, isCap, PENALTY_REASONS, type PenaltyReason } from "./finding.ts";

/** One hotspot's trust, in parts per million. */
export type HotspotTrust = {
  /** What the graph alone gives. */
  readonly graphPpm: number;
  /** The graph's part times what accuses it. */
  readonly beliefPpm: number;
  /** Belief times the caps: what it counts for with others. */
  readonly trustPpm: number;
  /** By what its own earnings are reckoned: its trust, but while its pay is withheld the graph's part times the caps. */
  readonly creditPpm: number;
  /** Whether what accuses it has brought it below what is paid: its pay is withheld. Who is not reached by the graph is not. */
  readonly isSuspended: boolean;
};

type Weighed = Pick<Finding, "reason" | "factorPpm" | "endsEpoch">;

/**
 * A hotspot's trust from what the graph gives it and its findings, those left out that have ended in `epoch`.
 * @param paidMinPpm the least belief that is paid.
 */
export function computeHotspotTrust(
  graphPpm: number,
  findings: readonly Weighed[],
  epoch: number,
  paidMinPpm: number,
): HotspotTrust {
  const inForce = findings.filter(({ endsEpoch }) => endsEpoch > epoch);
  const beliefPpm = applyFactors(graphPpm, inForce, (reason) => !isCap(reason));
  const isSuspended = isSuspendedFromPay(graphPpm, beliefPpm, paidMinPpm);
  const trustPpm = applyFactors(beliefPpm, inForce, isCap);
  const creditPpm = isSuspended ? applyFactors(graphPpm, inForce, isCap) : trustPpm;
  return { graphPpm, beliefPpm, trustPpm, creditPpm, isSuspended };
}

/** Whether a hotspot that the graph would have paid is believed too little to be. */
export const isSuspendedFromPay = (graphPpm: number, beliefPpm: number, paidMinPpm: number): boolean =>
  beliefPpm < paidMinPpm && graphPpm >= paidMinPpm;

/** Times the factors in the order of their numbers, rounded down each time; of one reason the lowest counts, once. */
function applyFactors(
  ppm: number,
  findings: readonly Weighed[],
  counts: (reason: PenaltyReason) => boolean,
): number {
  let left = ppm;
  for (const reason of PENALTY_REASONS) {
    if (!counts(reason)) continue;
    let factorPpm = PPM;
    for (const finding of findings) {
      if (finding.reason === reason) factorPpm = Math.min(factorPpm, finding.factorPpm);
    }
    left = Math.floor((left * factorPpm) / PPM);
  }
  return left;
}
