/** A validator's metrics as anybody reads them: sums of counters and gauges, and quantiles of histograms. */
import type { ValidatorRole } from "../validators.ts";

export type MetricsPage = {
  /** The sum of a metric's series; 0 where there are none. */
  readonly sum: (name: string) => number;
  /** How many observations of a histogram lie at or below each of its buckets' bounds, in the order of the bounds. */
  readonly buckets: (name: string) => readonly Bucket[];
};
export type Bucket = { readonly bound: number; readonly count: number };

const SERIES = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/;

export async function readMetrics(role: ValidatorRole): Promise<MetricsPage> {
  const text = await (await fetch(`${role.ready().http}/metrics`)).text();
  const series = text.split("\n").flatMap((line) => {
    const match = SERIES.exec(line);
    return match === null ? [] : [{ name: match[1]!, labels: match[2] ?? "", value: Number(match[3]) }];
  });
  const of = (name: string) => series.filter((each) => each.name === name);
  return {
    sum: (name) => of(name).reduce((sum, { value }) => sum + value, 0),
    buckets: (name) =>
      of(`${name}_bucket`).map(({ labels, value }) => {
        const bound = /le="([^"]+)"/.exec(labels)![1]!;
        return { bound: bound === "+Inf" ? Number.POSITIVE_INFINITY : Number(bound), count: value };
      }),
  };
}

/**
 * A quantile of what several histograms counted between two looks, linear within a bucket as Prometheus has it; the
 * bound below the last bucket where it lies in that.
 */
export function computeQuantile(
  share: number,
  before: readonly (readonly Bucket[])[],
  after: readonly (readonly Bucket[])[],
): number {
  const bounds = after[0]!.map(({ bound }) => bound);
  const countsOf = (pages: readonly (readonly Bucket[])[], at: number): number =>
    pages.reduce((sum, buckets) => sum + (buckets[at]?.count ?? 0), 0);
  const counts = bounds.map((_, at) => countsOf(after, at) - countsOf(before, at));
  const rank = share * (counts.at(-1) ?? 0);
  const at = counts.findIndex((count) => count >= rank);
  const [low, below] = at <= 0 ? [0, 0] : [bounds[at - 1]!, counts[at - 1]!];
  if (at === -1 || bounds[at] === Number.POSITIVE_INFINITY) return low;
  const inside = counts[at]! - below;
  return inside === 0 ? low : low + ((bounds[at]! - low) * (rank - below)) / inside;
}
