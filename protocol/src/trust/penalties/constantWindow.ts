/**
 * Constant window: a real radio's values move, as the air, the noise and the receiver do. A forger who writes the same
 * RSSI and SNR on everything (witness stuffing, seen on Helium as -140/-20) has no scatter at all.
 * Evaded by adding noise, which then has to pass the other windows.
 */
import { createFinding, type Finding, type FindingTerm } from "../finding.ts";
import { computeSpread, type Moments } from "../moments.ts";
import { RAMPS, WINDOW_MIN } from "../thresholds.ts";

/** sd(RSSI) + sd(SNR) in hundredths of a dB; null below `WINDOW_MIN` receptions, where scatter says nothing. */
export function computeScatterCentiDb(window: Moments): number | null {
  if (window.count < WINDOW_MIN) return null;
  const { rssiCentiDb, snrCentiDb } = computeSpread(window);
  return rssiCentiDb + snrCentiDb;
}

/**
 * Judges one witness's window over all it heard.
 * @param links indexes of the links whose sums are in the window: the finding's evidence.
 */
export function checkConstantWindow(
  window: Moments,
  links: readonly number[],
  term: FindingTerm,
): Finding | null {
  const scatter = computeScatterCentiDb(window);
  if (scatter === null) return null;
  return createFinding("constant_window", scatter, RAMPS.constantWindowCentiDb, links, term);
}
