/** What a hotspot's trust means for its pay, by what the API says of it. */
import type { TrustState } from "../../../../client/api.ts";

/** `unreached`: who trusts whom does not lead to it, so that nothing is paid, and nothing held either. */
export type Standing = "paid" | "suspended" | "unreached";

/** How a hotspot stands by a computation of trust. @param paidMinPpm the least that pay is for. */
export function judgeStanding(
  { suspended, graphPpm }: Pick<TrustState, "suspended" | "graphPpm">,
  paidMinPpm: number,
): Standing {
  if (suspended) return "suspended";
  return graphPpm < paidMinPpm ? "unreached" : "paid";
}

/**
 * Whether a hotspot of which no computation tells came after the newest of them: it is whole only where no seeds decide yet.
 * @param nextEpoch from which the next computation is in force.
 */
export const isNewcomer = (registeredEpoch: number, nextEpoch: number, intervalEpochs: number): boolean =>
  registeredEpoch >= nextEpoch - intervalEpochs;
