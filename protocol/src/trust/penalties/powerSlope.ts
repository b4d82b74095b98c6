/**
 * Power slope: the challenge draws the transmit power at random, and only who really receives the beacon knows what
 * arrived. Over many receptions the signal follows the power step, dB for dB on good links and less near the floor; what
 * is made up does not. Links are compared each with itself (their means are taken out), so that far and near do not mix.
 * Evaded by having the real packet.
 */
import { PPM } from "../../network/parameters.ts";
import { computeFactorPpm, createFinding, type Finding, type FindingTerm } from "../finding.ts";
import type { LinkSums } from "../linkHistory.ts";
import { RAMPS } from "../thresholds.ts";

/** Receptions from which the slope is judged: with 16 an ignorant forger is caught 9-25 % of the time, with 32 half. */
export const SLOPE_RECEPTIONS_MIN = 32;
/** Standard errors added in favour of the hotspot: one-sided, one honest station in forty lies beyond. */
const STANDARD_ERRORS = 2;

/**
 * The slope of signal over power in thousandths (dB per dB), plus two standard errors, rounded down: the most that the
 * evidence allows. Null below `SLOPE_RECEPTIONS_MIN` receptions or where the power never changed.
 * @param links sums of each counterpart's receptions by this hotspot.
 */
export function computePowerSlopeMilli(links: readonly LinkSums[]): number | null {
  let [receptions, used, power, cross, signal] = [0, 0, 0, 0, 0];
  for (const link of links) {
    if (link.count < 2) continue;
    receptions += link.count;
    used++;
    // Sums of squares around the link's mean, each rounded by IEEE 754 in this order.
    power += link.powerSquare - (link.power * link.power) / link.count;
    cross += link.powerSignal - (link.power * link.signal) / link.count;
    signal += link.signalSquare - (link.signal * link.signal) / link.count;
  }
  if (receptions < SLOPE_RECEPTIONS_MIN || power <= 0) return null;
  // Signals are in tenths of a dB, powers in dB.
  const slope = cross / power;
  const freedom = Math.max(1, receptions - used - 1);
  const error = Math.sqrt(Math.max(0, signal - slope * cross) / freedom / power);
  return Math.floor((slope + STANDARD_ERRORS * error) * 100);
}

/**
 * Judges a witness by its links; evidence: those with the most receptions.
 * @param links sums of each counterpart's receptions by this hotspot.
 */
export function checkPowerSlope(links: readonly LinkSums[], term: FindingTerm): Finding | null {
  const slope = computePowerSlopeMilli(links);
  if (slope === null || computeFactorPpm(slope, RAMPS.powerSlopeMilli) === PPM) return null;
  const mostFirst = Array.from(links.keys()).sort((a, b) => links[b]!.count - links[a]!.count || a - b);
  return createFinding("power_insensitive", slope, RAMPS.powerSlopeMilli, mostFirst, term);
}
