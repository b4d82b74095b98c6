/** Runs ranges of seeds on a thread of its own: a simulation needs one core, a machine has several. */
import { enableCompileCache } from "node:module";
import { parentPort, workerData } from "node:worker_threads";
import type { StackProfile } from "../stack/scenario.ts";
import type { StackOutcome } from "../stack/simulate.ts";
import type { Profile } from "./scenario.ts";
import type { Outcome } from "./simulate.ts";

/** What a seed runs: one round of agreement alone, or validators with all that they do. */
export type Simulation =
  | { readonly kind: "round"; readonly profile: Profile }
  | { readonly kind: "stack"; readonly profile: StackProfile };

export type SeedRange = {
  readonly first: number;
  readonly count: number;
  readonly validators: number;
  readonly simulation: Simulation;
};

/** What campaigns tell of a seed that failed. */
export type Failure = Pick<Outcome | StackOutcome, "seed" | "violation" | "detail">;

export type RangeReport = {
  readonly range: SeedRange;
  /** The audit hashes, one after the other. */
  readonly audits: string;
  readonly events: number;
  /** How many seeds decided in each view; of the stack nothing. */
  readonly views: readonly number[];
  readonly slowestMs: number;
  readonly failures: readonly Failure[];
};

// Each thread loads what it runs: half a second of stripping and compiling the stack, a quarter of one from the cache.
enableCompileCache();
const runSeed = await loadSimulation(workerData as Simulation["kind"]);
// The first message says that the thread is ready, each other one is a report.
parentPort!.postMessage("ready");

parentPort!.on("message", async (range: SeedRange) => {
  const audits: string[] = [];
  const failures: Failure[] = [];
  const views: number[] = [];
  let [events, slowestMs] = [0, 0];
  for (let seed = range.first; seed < range.first + range.count; seed++) {
    const outcome = await runSeed(seed, range);
    audits.push(outcome.audit);
    events += outcome.events;
    slowestMs = Math.max(slowestMs, outcome.virtualMs);
    if ("decidedView" in outcome) views[outcome.decidedView] = (views[outcome.decidedView] ?? 0) + 1;
    if (outcome.violation !== null) failures.push(outcome);
  }
  const report: RangeReport = { range, audits: audits.join(""), events, views, slowestMs, failures };
  parentPort!.postMessage(report);
});

async function loadSimulation(
  kind: Simulation["kind"],
): Promise<(seed: number, range: SeedRange) => Promise<Outcome | StackOutcome>> {
  if (kind === "stack") {
    const { simulateStack } = await import("../stack/simulate.ts");
    return async (seed, { validators, simulation }) =>
      await simulateStack({ seed, validators, profile: simulation.profile as StackProfile });
  }
  const { CORE_URL, loadCore } = await import("./core.ts");
  const { simulate } = await import("./simulate.ts");
  const core = await loadCore(CORE_URL);
  return async (seed, { validators, simulation }) =>
    simulate({ core, seed, validators, profile: simulation.profile as Profile });
}
