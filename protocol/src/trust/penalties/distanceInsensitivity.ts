/**
 * Distance insensitivity: strength falls with distance. Over a hotspot's counterparts, each with its mean signal over
 * several receptions, the correlation with log distance is negative wherever places are true; radios in one room whose
 * places are asserted over a city show none. Student's t of that correlation makes counts comparable.
 * Evaded by forging strengths with the right trend.
 */
import { PPM } from "../../network/parameters.ts";
import { computeFactorPpm, createFinding, type Finding, type FindingTerm } from "../finding.ts";
import { computeLogOctaves } from "../fixed.ts";
import { RAMPS } from "../thresholds.ts";

/** Pairs from which the trend is judged: with ten, honest stations and rooms overlap; with twenty, they part. */
export const TREND_PAIRS_MIN = 20;
/** Receptions that make a pair's mean: single ones scatter by 6 dB, and sixteen bring that down to a quarter. */
export const TREND_RECEPTIONS_MIN = 16;

/** Nearer counterparts count as this near: there walls decide and not distance. */
const NEAREST_M = 100;
/** t is meaningless where all points lie on a line; no measured one is this large. */
const MILLI_T_MAX = 100_000;

/** One counterpart: how many receptions, the mean signal in hundredths of a dBm at equal power, the distance. */
export type TrendPair = {
  readonly receptions: number;
  readonly signalCentiDbm: number;
  readonly distanceM: number;
};

/**
 * t x 1,000 of signal against log distance, rounded down; null with fewer than `pairsMin` usable pairs or where all
 * stand equally far. Equal signals everywhere give 0. Sums stay below 2^53 for 1,000 pairs.
 */
export function computeTrendMilliT(
  pairs: readonly TrendPair[],
  pairsMin: number = TREND_PAIRS_MIN,
): number | null {
  let [n, x, xx, y, yy, xy] = [0, 0, 0, 0, 0, 0];
  for (const { receptions, signalCentiDbm, distanceM } of pairs) {
    if (receptions < TREND_RECEPTIONS_MIN) continue;
    const distance = computeLogOctaves(Math.max(distanceM, NEAREST_M));
    n++;
    x += distance;
    xx += distance * distance;
    y += signalCentiDbm;
    yy += signalCentiDbm * signalCentiDbm;
    xy += distance * signalCentiDbm;
  }
  if (n < pairsMin) return null;
  const distanceSquares = n * xx - x * x;
  const signalSquares = n * yy - y * y;
  if (distanceSquares === 0) return null;
  if (signalSquares === 0) return 0;
  const covariance = n * xy - x * y;
  // t = r sqrt((n - 2) / (1 - r^2)); each operation is rounded by IEEE 754, in this order.
  const square = (covariance / distanceSquares) * (covariance / signalSquares);
  const size = 1 - square <= 0 ? MILLI_T_MAX : 1_000 * Math.sqrt((square * (n - 2)) / (1 - square));
  const milliT = Math.min(MILLI_T_MAX, Math.floor(size));
  return covariance < 0 ? -milliT : milliT;
}

/** Judges a hotspot by its pairs; evidence: those with the most receptions. */
export function checkDistanceInsensitivity(pairs: readonly TrendPair[], term: FindingTerm): Finding | null {
  const milliT = computeTrendMilliT(pairs);
  if (milliT === null || computeFactorPpm(milliT, RAMPS.distanceInsensitivityMilliT) === PPM) return null;
  const mostFirst = Array.from(pairs.keys()).sort(
    (a, b) => pairs[b]!.receptions - pairs[a]!.receptions || a - b,
  );
  return createFinding("distance_insensitive", milliT, RAMPS.distanceInsensitivityMilliT, mostFirst, term);
}
