/** Runs ranges of seeds on a thread of its own: a simulation needs one core, a machine has several. */
import { parentPort } from "node:worker_threads";
import { CORE_URL, loadCore } from "./core.ts";
import type { Profile } from "./scenario.ts";
import { type Outcome, simulate } from "./simulate.ts";

export type SeedRange = {
  readonly first: number;
  readonly count: number;
  readonly validators: number;
  readonly profile: Profile;
};

export type RangeReport = {
  readonly range: SeedRange;
  /** The audit hashes, one after the other. */
  readonly audits: string;
  readonly events: number;
  /** How many seeds decided in each view. */
  readonly views: readonly number[];
  readonly slowestMs: number;
  readonly failures: readonly Outcome[];
};

const core = await loadCore(CORE_URL);

parentPort!.on("message", (range: SeedRange) => {
  const audits: string[] = [];
  const failures: Outcome[] = [];
  const views: number[] = [];
  let [events, slowestMs] = [0, 0];
  for (let seed = range.first; seed < range.first + range.count; seed++) {
    const outcome = simulate({ core, seed, validators: range.validators, profile: range.profile });
    audits.push(outcome.audit);
    events += outcome.events;
    slowestMs = Math.max(slowestMs, outcome.virtualMs);
    views[outcome.decidedView] = (views[outcome.decidedView] ?? 0) + 1;
    if (outcome.violation !== null) failures.push(outcome);
  }
  const report: RangeReport = { range, audits: audits.join(""), events, views, slowestMs, failures };
  parentPort!.postMessage(report);
});
