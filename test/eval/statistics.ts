/** Rates with their uncertainty: Wilson intervals for shares, ROC figures with bootstrapped intervals from a fixed seed. */
import { createRandom } from "../bench/population.ts";

/** A value between 95 % confidence bounds. */
export type Estimate = {
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly n: number;
};

/** What there is to say of nothing. */
export const UNMEASURED: Estimate = { value: Number.NaN, low: Number.NaN, high: Number.NaN, n: 0 };

/** 97.5 % of a normal distribution lie below so many standard deviations. */
const Z = 1.959964;

/** A share of `n` trials with its Wilson interval (Wilson 1927); NaN of none. */
export function estimateShare(hits: number, n: number): Estimate {
  if (n === 0) return UNMEASURED;
  const share = hits / n;
  const centre = (share + Z ** 2 / (2 * n)) / (1 + Z ** 2 / n);
  const half = (Z * Math.sqrt((share * (1 - share)) / n + Z ** 2 / (4 * n ** 2))) / (1 + Z ** 2 / n);
  return { value: share, low: Math.max(0, centre - half), high: Math.min(1, centre + half), n };
}

/** The share of `guilty` scores above the lowest threshold that at most `falseRate` of `honest` ones exceed. */
export function computeTpr(honest: ArrayLike<number>, guilty: ArrayLike<number>, falseRate: number): number {
  const sorted = Float64Array.from(honest).sort();
  const threshold =
    sorted[sorted.length - 1 - Math.floor(falseRate * sorted.length)] ?? Number.NEGATIVE_INFINITY;
  return Array.from(guilty).filter((score) => score > threshold).length / guilty.length;
}

/** The area under the ROC curve: how often a guilty score exceeds an honest one, equal ones counting half. */
export function computeAuc(honest: ArrayLike<number>, guilty: ArrayLike<number>): number {
  const sorted = Float64Array.from(honest).sort();
  let wins = 0;
  for (let i = 0; i < guilty.length; i++) {
    wins += (countBelow(sorted, guilty[i]!, false) + countBelow(sorted, guilty[i]!, true)) / 2;
  }
  return wins / guilty.length / sorted.length;
}

/** How many of the sorted values are below (or, with `orEqual`, at most) a value. */
function countBelow(sorted: Float64Array, value: number, orEqual: boolean): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < value || (orEqual && sorted[middle]! === value)) low = middle + 1;
    else high = middle;
  }
  return low;
}

const RESAMPLES = 400;

/** A ROC figure with the interval in which 95 % of resampled data have it. Resamples come from a fixed seed. */
export function bootstrap(
  honest: readonly number[],
  guilty: readonly number[],
  measure: (honest: ArrayLike<number>, guilty: ArrayLike<number>) => number,
): Estimate {
  const n = guilty.length;
  if (n === 0 || honest.length === 0) return UNMEASURED;
  const random = createRandom(1);
  const draw = (values: readonly number[]): Float64Array =>
    Float64Array.from({ length: values.length }, () => values[Math.floor(random() * values.length)]!);
  const values = Float64Array.from({ length: RESAMPLES }, () => measure(draw(honest), draw(guilty))).sort();
  return {
    value: measure(honest, guilty),
    low: values[Math.floor(RESAMPLES * 0.025)]!,
    high: values[Math.ceil(RESAMPLES * 0.975) - 1]!,
    n,
  };
}

/** A quantile of values, bootstrapped. */
export function estimateQuantile(values: readonly number[], share: number): Estimate {
  const quantile = (list: ArrayLike<number>): number => {
    const sorted = Float64Array.from(list).sort();
    return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
  };
  return bootstrap(values, values, quantile);
}
