/**
 * Floor window: strength less SNR is the noise in the channel, and no receiver has less than thermal noise. Who lowers
 * the RSSI of real packets, to claim them from farther away, and keeps their SNR, ends up with noise below physics.
 * Single reports are refused by the noise gate; a fifth of a window shows that it is no accident.
 */
import { PPM } from "../../network/parameters.ts";
import { createFinding, type Finding, type FindingTerm } from "../finding.ts";
import type { Moments } from "../moments.ts";
import { RAMPS, WINDOW_MIN } from "../thresholds.ts";

/** The share of receptions below the noise floor in parts per million, rounded down; null below `WINDOW_MIN`. */
export function computeBelowFloorPpm({ count, belowFloor }: Moments): number | null {
  return count < WINDOW_MIN ? null : Math.floor((belowFloor * PPM) / count);
}

/** Judges one witness's window; see `checkConstantWindow` for the arguments. */
export function checkFloorWindow(
  window: Moments,
  links: readonly number[],
  term: FindingTerm,
): Finding | null {
  const share = computeBelowFloorPpm(window);
  if (share === null) return null;
  return createFinding("floor_window", share, RAMPS.floorWindowPpm, links, term);
}
