/**
 * Power slope: the challenge draws the transmit power at random, and only who really receives the beacon knows what
 * arrived. Over many receptions the signal follows the power step, dB for dB on good links and less near the floor; what
 * is made up does not. Links are compared each with itself (their means are taken out), so that far and near do not mix.
 * One counterpart that sends weaker where it was to send stronger bends the slope of whoever hears it, so that one which
 * contradicts all others is left out. Evaded by having the real packet.
 */
import { PPM } from "../../network/parameters.ts";
import { computeFactorPpm, createFinding, type Finding, type FindingTerm } from "../finding.ts";
import type { LinkSums } from "../linkRecord.ts";
import { RAMPS } from "../thresholds.ts";

/**
 * Receptions from which the slope is judged: with 16 of one counterpart an ignorant forger is caught 9-25 % of the time, with 32
 * of three a third of it (docs/truth.md).
 */
export const SLOPE_RECEPTIONS_MIN = 32;
/** Standard errors added in favour of the hotspot, and that contradict: one-sided, one honest station in forty lies beyond. */
const STANDARD_ERRORS = 2;

/**
 * The slope of signal over power in thousandths (dB per dB), plus two standard errors, rounded down: the most that the
 * evidence allows. Null below `SLOPE_RECEPTIONS_MIN` receptions or where the power never changed.
 * @param links sums of each counterpart's receptions by this hotspot.
 */
export function computePowerSlopeMilli(links: readonly LinkSums[]): number | null {
  return computeSlopeMilli(sumColumns(links), 0);
}

function sumColumns(links: readonly LinkSums[]): Float64Array {
  const sums = new Float64Array(SLOPE_COLUMNS);
  for (const { count, power, powerSquare, signal, powerSignal, signalSquare } of links) {
    addToSlope(sums, 0, count, power, powerSquare, signal, powerSignal, signalSquare);
  }
  return sums;
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
 * Judges a witness by its links, but for one that contradicts all others; evidence: those with the most receptions.
 * @param links sums of each counterpart's receptions by this hotspot.
 */
export function checkPowerSlope(links: readonly LinkSums[], term: FindingTerm): Finding | null {
  const slope = computeJudgedSlopeMilli(links);
  if (slope === null || computeFactorPpm(slope, RAMPS.powerSlopeMilli) === PPM) return null;
  const mostFirst = Array.from(links.keys()).sort((a, b) => links[b]!.count - links[a]!.count || a - b);
  return createFinding("power_insensitive", slope, RAMPS.powerSlopeMilli, mostFirst, term);
}

/**
 * The slope by which a witness is judged: that of all links where it is no reason for a finding or nobody contradicts the
 * others, else that of the others. Null where either has too little to say.
 */
export function computeJudgedSlopeMilli(links: readonly LinkSums[]): number | null {
  const ofAll = computePowerSlopeMilli(links);
  if (ofAll === null || computeFactorPpm(ofAll, RAMPS.powerSlopeMilli) === PPM) return ofAll;
  const contrary = findContrary(links);
  return contrary === null ? ofAll : computePowerSlopeMilli(links.filter((link) => link !== contrary));
}

/**
 * The link without which the slope is highest, the first of equal ones, if it lies farther below what the others predict for
 * it than chance explains; else null. Of what is made up no link says anything else than the others.
 */
function findContrary(links: readonly LinkSums[]): LinkSums | null {
  const all = sumSlopes(links);
  let [lowest, highest]: [LinkSums | null, number] = [null, Number.NEGATIVE_INFINITY];
  for (const link of links) {
    const own = sumSlopes([link]);
    if (own.power <= 0 || all.power <= own.power) continue;
    const without = (all.cross - own.cross) / (all.power - own.power);
    if (without > highest) [lowest, highest] = [link, without];
  }
  if (lowest === null) return null;
  const own = sumSlopes([lowest]);
  const others = sumSlopes(links.filter((link) => link !== lowest));
  if (others.power <= 0) return null;
  const missing = (others.cross / others.power) * own.power - own.cross;
  // Each has its own slope here, so that what contradicts does not pass for scatter.
  const variance = (computeRest(own) + computeRest(others)) / Math.max(1, all.receptions - all.used - 2);
  const error = Math.sqrt(variance * (own.power + (own.power * own.power) / others.power));
  return missing > STANDARD_ERRORS * error ? lowest : null;
}

/** The columns of a slope by name. */
type SlopeSums = Readonly<Record<"receptions" | "used" | "power" | "cross" | "signal", number>>;

function sumSlopes(links: readonly LinkSums[]): SlopeSums {
  const [receptions, used, power, cross, signal] = sumColumns(links);
  return { receptions: receptions!, used: used!, power: power!, cross: cross!, signal: signal! };
}

/** What a slope leaves of the signal's squares; the power has changed. */
const computeRest = ({ power, cross, signal }: SlopeSums): number =>
  Math.max(0, signal - (cross / power) * cross);
