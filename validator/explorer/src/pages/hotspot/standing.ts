/** What a hotspot's trust means for its pay, by what the API says of it. */
import type { TrustHistory, TrustState } from "../../../../client/api.ts";

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
 * @param appeal with the epoch from which the next computation is in force; null of one that is gone.
 */
export function isNewcomer(
  registeredEpoch: number,
  appeal: TrustHistory["appeal"],
  intervalEpochs: number,
): boolean {
  return appeal !== null && registeredEpoch >= appeal.decidedFromEpoch - intervalEpochs;
}
