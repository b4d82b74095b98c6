/** The order in which an epoch's reward lines are shown. */
import type { EpochLine } from "../../../protocol/src/reward/epochRecord.ts";
import type { RankedLine } from "./store.ts";

/** Lines by what they were paid in all, the most first; equal ones stay in the record's order. */
export function rankLines(lines: readonly EpochLine[]): RankedLine[] {
  return lines
    .map((line) => ({ ...line, paid: line.beaconPaid + line.witnessPaid }))
    .sort((a, b) => (b.paid > a.paid ? 1 : b.paid < a.paid ? -1 : 0))
    .map((line, index) => ({ ...line, rank: index + 1 }));
}
