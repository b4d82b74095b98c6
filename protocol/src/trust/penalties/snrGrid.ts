/**
 * SNR grid: modems measure SNR in quarters of a dB, and forwarders print them in full or with one decimal. The known
 * packet-rewriting tool adds tenths at random, so three in four of its values are ones that no modem prints.
 * Evaded by rounding to quarters.
 */
import { PPM } from "../../network/parameters.ts";
import { createFinding, type Finding, type FindingTerm } from "../finding.ts";
import type { Moments } from "../moments.ts";
import { RAMPS, WINDOW_MIN } from "../thresholds.ts";

/** The share of SNR values off the grid in parts per million, rounded down; null below `WINDOW_MIN` receptions. */
export function computeOffGridPpm({ count, offGrid }: Moments): number | null {
  return count < WINDOW_MIN ? null : Math.floor((offGrid * PPM) / count);
}

/** Judges one witness's window; see `checkConstantWindow` for the arguments. */
export function checkSnrGrid(window: Moments, links: readonly number[], term: FindingTerm): Finding | null {
  const share = computeOffGridPpm(window);
  if (share === null) return null;
  return createFinding("snr_grid", share, RAMPS.snrGridPpm, links, term);
}
