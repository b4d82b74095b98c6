/**
 * Memory of four validators over time at 500 reports/s: while all of them run, and while one is stopped (SIGSTOP), so that
 * what is meant for it must go somewhere or nowhere. Minutes by HEXBEACON_BENCH_MINUTES: 3 unless it says 30.
 */
import { setTimeout as delay } from "node:timers/promises";
import { startFleet } from "../devnet/src/fleet/fleet.ts";
import { AS_HOTSPOTS, openLoad } from "../devnet/src/fleet/load.ts";
import { readResidentMiB } from "../devnet/src/fleet/processUsage.ts";
import { atMost, type BenchRow } from "./benchRow.ts";

const VALIDATORS = 4;
const HOTSPOTS = 400;
const REPORTS_PER_SECOND = 500;
const MINUTES = Number(process.env.HEXBEACON_BENCH_MINUTES ?? 3);
/** Four epochs of 30 s: as long as ids of reports are remembered, so that after it nothing has to grow any more. */
const WARM_UP_MS = 120_000;
const SAMPLE_MS = 2_000;
/**
 * V8 grows its heap in steps of some MiB while it finds its pace, which minutes show and an hour does not: the limit is
 * what would be 30 MiB over the time that is measured.
 */
const GROWTH_MIB_MAX = 30;

/** Twice the minutes that were asked for, and four minutes of warming up. */
export async function run(): Promise<BenchRow[]> {
  return [...(await measure(false)), ...(await measure(true))];
}

async function measure(withOneStopped: boolean): Promise<BenchRow[]> {
  const fleet = await startFleet({ validators: VALIDATORS, hotspots: HOTSPOTS, seed: 1, preset: "devnet" });
  const load = await openLoad(fleet);
  try {
    await load.reached(1);
    const running = load.start(REPORTS_PER_SECOND, AS_HOTSPOTS);
    await delay(WARM_UP_MS);
    if (withOneStopped) fleet.validators.at(-1)!.pause();
    const watched = fleet.validators.filter((role) => role.isUp());
    const samples = watched.map((): number[] => []);
    const end = Date.now() + MINUTES * 60_000;
    while (Date.now() < end) {
      for (const [index, role] of watched.entries()) samples[index]!.push(readResidentMiB(role.pid()));
      await delay(SAMPLE_MS);
    }
    fleet.validators.at(-1)!.resume();
    await running.stop();
    const slopes = samples.map((each) => computeSlope(each) * (60_000 / SAMPLE_MS));
    const steepest = Math.max(...slopes);
    const last = samples.map((each) => each.at(-1)!.toFixed(0)).join(", ");
    const name =
      `growth of the validator that grows most over ${MINUTES} minutes at ${REPORTS_PER_SECOND} reports/s` +
      `${withOneStopped ? ", one peer stopped" : ""} (at the end ${last} MiB)`;
    return [atMost(name, steepest, "MiB/min", GROWTH_MIB_MAX / MINUTES)];
  } finally {
    await load.close();
    await fleet.stop();
  }
}

/** Least squares: how much a value grows from one sample to the next. */
function computeSlope(values: readonly number[]): number {
  const middle = (values.length - 1) / 2;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const shared = values.reduce((sum, value, at) => sum + (at - middle) * (value - mean), 0);
  const spread = values.reduce((sum, _, at) => sum + (at - middle) ** 2, 0);
  return shared / spread;
}
