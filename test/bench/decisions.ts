/** How long validators took to decide rounds while something went on, by their own histograms. */
import { computeQuantile, readMetrics } from "../devnet/src/fleet/metricsPage.ts";
import type { ValidatorRole } from "../devnet/src/validators.ts";

/** `p99Ms`: the slowest but 1 % of all their decisions; `result`: what went on gave. */
export type Decisions<Result> = {
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly result: Result;
};

export async function measureDecisions<Result>(
  roles: readonly ValidatorRole[],
  during: () => Promise<Result>,
): Promise<Decisions<Result>> {
  const read = () =>
    Promise.all(
      roles.map(async (role) => (await readMetrics(role)).buckets("hexbeacon_round_decision_seconds")),
    );
  const before = await read();
  const result = await during();
  const after = await read();
  const quantileMs = (share: number): number => 1_000 * computeQuantile(share, before, after);
  return { result, medianMs: quantileMs(0.5), p99Ms: quantileMs(0.99) };
}
