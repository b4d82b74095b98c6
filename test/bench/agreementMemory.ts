/**
 * Memory of four validators over time at 500 reports/s: while all of them run, and while one is stopped (SIGSTOP), so that
 * what is meant for it must go somewhere or nowhere. Minutes by HEXBEACON_BENCH_MINUTES: 3 unless it says 30.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type Fleet, startFleet } from "../devnet/src/fleet/fleet.ts";
import { AS_HOTSPOTS, openLoad } from "../devnet/src/fleet/load.ts";
import { atMost, type BenchRow } from "./benchRow.ts";
import { LOOK_SECONDS, MEMORY_FOLDER_VARIABLE, type MemorySample } from "./memoryProbe.ts";

const VALIDATORS = 4;
const HOTSPOTS = 400;
const REPORTS_PER_SECOND = 500;
const MINUTES = Number(process.env.HEXBEACON_BENCH_MINUTES ?? 3);
/** Four epochs of 30 s: as long as ids of reports are remembered, so that after it nothing alive has to grow any more. */
const WARM_UP_MS = 120_000;
const MIB = 1_048_576;
/**
 * Over all of the time that is measured. What is alive goes up and down by some MiB with what happens to be on its way.
 * Resident memory has SQLite's pages in it, which fill 64 MiB as the store grows, and what the collector keeps at hand.
 */
const LIVE_MIB_MAX = 10;
const RESIDENT_MIB_MAX = 30;

/** Twice the minutes that were asked for, and four minutes of warming up. */
export async function run(): Promise<BenchRow[]> {
  return [...(await measure(false)), ...(await measure(true))];
}

async function measure(withOneStopped: boolean): Promise<BenchRow[]> {
  const folder = await mkdtemp(join(tmpdir(), "hexbeacon-memory-"));
  const fleet = await startProbedFleet(folder);
  const load = await openLoad(fleet);
  try {
    await load.reached(1);
    const running = load.start(REPORTS_PER_SECOND, AS_HOTSPOTS);
    await delay(WARM_UP_MS);
    if (withOneStopped) fleet.validators.at(-1)!.pause();
    const pids = fleet.validators.filter((role) => role.isUp()).map((role) => role.pid());
    await delay(MINUTES * 60_000);
    const samples = await Promise.all(pids.map((pid) => readSamples(folder, pid)));
    fleet.validators.at(-1)!.resume();
    await running.stop();
    return (["live", "resident"] as const).map((kind) => judge(kind, samples, withOneStopped));
  } finally {
    await load.close();
    await fleet.stop();
    await rm(folder, { recursive: true });
  }
}

/** Validators that write what is alive in them: they have their parent's environment. */
async function startProbedFleet(folder: string): Promise<Fleet> {
  const { env } = process;
  const before = env.NODE_OPTIONS;
  env.NODE_OPTIONS = `${before ?? ""} --expose-gc --import ${new URL("./memoryProbe.ts", import.meta.url)}`;
  env[MEMORY_FOLDER_VARIABLE] = folder;
  try {
    return await startFleet({ validators: VALIDATORS, hotspots: HOTSPOTS, seed: 1, preset: "devnet" });
  } finally {
    delete env[MEMORY_FOLDER_VARIABLE];
    if (before === undefined) delete env.NODE_OPTIONS;
    else env.NODE_OPTIONS = before;
  }
}

/** Of the last half of the time that is measured: whoever only fills up has come to an end by then. */
async function readSamples(folder: string, pid: number): Promise<MemorySample[]> {
  const lines = (await readFile(join(folder, String(pid)), "utf8")).trim().split("\n");
  const samples = lines.map((line) => JSON.parse(line) as MemorySample);
  return samples.slice(-Math.floor((MINUTES * 60) / LOOK_SECONDS / 2));
}

function judge(
  kind: keyof MemorySample,
  samples: readonly (readonly MemorySample[])[],
  withOneStopped: boolean,
): BenchRow {
  const series = samples.map((each) => each.map((sample) => sample[kind] / MIB));
  const steepest = Math.max(...series.map((each) => computeSlope(each) * (60 / LOOK_SECONDS)));
  const last = series.map((each) => each.at(-1)!.toFixed(0)).join(", ");
  const what = kind === "live" ? "what a collection leaves" : "resident memory, collected every 10 s,";
  const name =
    `growth of ${what} in the validator that grows most, last half of ${MINUTES} minutes at ` +
    `${REPORTS_PER_SECOND} reports/s${withOneStopped ? ", one peer stopped" : ""} (at the end ${last} MiB)`;
  const mibMax = kind === "live" ? LIVE_MIB_MAX : RESIDENT_MIB_MAX;
  return atMost(name, steepest, "MiB/min", mibMax / MINUTES);
}

/** Least squares: how much a value grows from one sample to the next. */
function computeSlope(values: readonly number[]): number {
  const middle = (values.length - 1) / 2;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const shared = values.reduce((sum, value, at) => sum + (at - middle) * (value - mean), 0);
  const spread = values.reduce((sum, _, at) => sum + (at - middle) ** 2, 0);
  return shared / spread;
}
