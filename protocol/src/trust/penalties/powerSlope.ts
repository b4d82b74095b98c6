/**
 * Power slope: the challenge draws the transmit power at random, and only who really receives the beacon knows what
 * arrived. Over many receptions the signal follows the power step, dB for dB on good links and less near the floor; what
 * is made up does not. Links are compared each with itself (their means are taken out), so that far and near do not mix.
 * One counterpart that sends weaker where it was to send stronger bends the slope of whoever hears it, so that the one
 * which speaks most against a hotspot is left out, where that is in its favour. Evaded by having the real packet.
 */
import { PPM } from "../../network/parameters.ts";
import { computeFactorPpm, createFinding, type Finding, type FindingTerm } from "../finding.ts";
import type { LinkSums } from "../linkRecord.ts";
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
  const sums = new Float64Array(SLOPE_COLUMNS);
  for (const { count, power, powerSquare, signal, powerSignal, signalSquare } of links) {
    addToSlope(sums, 0, count, power, powerSquare, signal, powerSignal, signalSquare);
  }
  return computeSlopeMilli(sums, 0);
}

/** Receptions, links, and sums of squares of power, of products and of squares of signal around each link's mean. */
export const SLOPE_COLUMNS = 5;

/** Adds one link's sums, whose names are those of `LinkSums`, to the columns from `to` on. */
export function addToSlope(
  sums: Float64Array,
  to: number,
  count: number,
  power: number,
  powerSquare: number,
  signal: number,
  powerSignal: number,
  signalSquare: number,
): void {
  if (count < 2) return;
  sums[to]! += count;
  sums[to + 1]! += 1;
  // Each rounded by IEEE 754 in this order.
  sums[to + 2]! += powerSquare - (power * power) / count;
  sums[to + 3]! += powerSignal - (power * signal) / count;
  sums[to + 4]! += signalSquare - (signal * signal) / count;
}

/** What `computePowerSlopeMilli` gives for the links whose sums stand in the columns from `from` on. */
export function computeSlopeMilli(sums: Float64Array, from: number): number | null {
  const [receptions, used, power] = [sums[from]!, sums[from + 1]!, sums[from + 2]!];
  const [cross, signal] = [sums[from + 3]!, sums[from + 4]!];
  if (receptions < SLOPE_RECEPTIONS_MIN || power <= 0) return null;
  // Signals are in tenths of a dB, powers in dB.
  const slope = cross / power;
  const freedom = Math.max(1, receptions - used - 1);
  const error = Math.sqrt(Math.max(0, signal - slope * cross) / freedom / power);
  return Math.floor((slope + STANDARD_ERRORS * error) * 100);
}

/**
 * Judges a witness by its links, all of them and all but the one that lowers the slope most; evidence: those with the most
 * receptions.
 * @param links sums of each counterpart's receptions by this hotspot.
 */
export function checkPowerSlope(links: readonly LinkSums[], term: FindingTerm): Finding | null {
  const ofAll = computePowerSlopeMilli(links);
  if (ofAll === null || computeFactorPpm(ofAll, RAMPS.powerSlopeMilli) === PPM) return null;
  const lowest = findLowest(links);
  const ofOthers = computePowerSlopeMilli(links.filter((_, i) => i !== lowest));
  if (ofOthers === null) return null;
  const slope = Math.max(ofAll, ofOthers);
  if (computeFactorPpm(slope, RAMPS.powerSlopeMilli) === PPM) return null;
  const mostFirst = Array.from(links.keys()).sort((a, b) => links[b]!.count - links[a]!.count || a - b);
  return createFinding("power_insensitive", slope, RAMPS.powerSlopeMilli, mostFirst, term);
}

/** The link whose signal and power move together least, the first of equal ones. */
function findLowest(links: readonly LinkSums[]): number {
  let [lowest, least] = [-1, Number.POSITIVE_INFINITY];
  for (const [i, { count, power, signal, powerSignal }] of links.entries()) {
    if (count < 2) continue;
    const together = powerSignal - (power * signal) / count;
    if (together >= least) continue;
    least = together;
    lowest = i;
  }
  return lowest;
}
