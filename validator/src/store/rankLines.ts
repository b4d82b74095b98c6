/** The order in which an epoch's reward lines are shown. */
import type { RewardLine } from "../../../protocol/src/ledger/types.ts";

/** Lines by what they were paid in all, the most first; equal ones stay in the record's order. */
export function rankLines(lines: readonly RewardLine[]): RewardLine[] {
  const total = (line: RewardLine) => line.beaconPaid + line.witnessPaid;
  return [...lines].sort((a, b) => (total(b) > total(a) ? 1 : total(b) < total(a) ? -1 : 0));
}
