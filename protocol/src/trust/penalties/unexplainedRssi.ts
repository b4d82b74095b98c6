/**
 * Unexplained RSSI: one receiver's strength and SNR rise and fall together, because both follow the same signal. Where
 * the RSSI scatters widely and the SNR explains none of it, the two were drawn apart.
 * Evaded by forging them together (SNR = RSSI - noise), which no signal test sees.
 */
import { createFinding, type Finding, type FindingTerm } from "../finding.ts";
import { computeSpread, type Moments } from "../moments.ts";
import { RAMPS, WINDOW_MIN } from "../thresholds.ts";

/** sd(RSSI) x sqrt(1 - rho^2) in hundredths of a dB; null below `WINDOW_MIN` receptions. */
export function computeUnexplainedCentiDb(window: Moments): number | null {
  return window.count < WINDOW_MIN ? null : computeSpread(window).unexplainedCentiDb;
}

/** Judges one witness's window; see `checkConstantWindow` for the arguments. */
export function checkUnexplainedRssi(
  window: Moments,
  links: readonly number[],
  term: FindingTerm,
): Finding | null {
  const unexplained = computeUnexplainedCentiDb(window);
  if (unexplained === null) return null;
  return createFinding("unexplained_rssi", unexplained, RAMPS.unexplainedRssiCentiDb, links, term);
}
