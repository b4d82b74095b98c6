/**
 * Four validators under load, of which one with a large store is backed up: what that does to how long a decision takes.
 * The store is made large by a table that no program reads: what is copied are pages, whatever is in them.
 */
import { randomFillSync } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";
import { homePaths } from "../../validator/src/home.ts";
import { type Fleet, startFleet } from "../devnet/src/fleet/fleet.ts";
import { AS_HOTSPOTS, openLoad } from "../devnet/src/fleet/load.ts";
import { runHexbeacon } from "../devnet/src/processes.ts";
import { validatorName } from "../devnet/src/validators.ts";
import { atMost, type BenchRow } from "./benchRow.ts";
import { measureDecisions } from "./decisions.ts";

const VALIDATORS = 4;
const HOTSPOTS = 200;
const ROUND_MS = 500;
const REPORTS_PER_SECOND = 200;
/** As much as is copied in the seconds below at a disk of the plainer kind. */
const STORE_BYTES = 1_000_000_000;
const SECONDS = 30;
const BLOB_BYTES = 1_000_000;
/** A decision may take this part longer while a copy is made, and on a quick network no less than this. */
const SLOWER_MAX = 1.5;
const P99_MS_FLOOR = 300;

/** About 2 minutes on a quiet machine, and 3 GB of the disk. */
export async function run(): Promise<BenchRow[]> {
  const fleet = await startFleet({
    ...{ validators: VALIDATORS, hotspots: HOTSPOTS, seed: 1, preset: "devnet" },
    parameters: { roundMs: ROUND_MS },
  });
  const load = await openLoad(fleet);
  try {
    await enlarge(fleet);
    const running = load.start(REPORTS_PER_SECOND, AS_HOTSPOTS);
    await load.reached(load.newest().round + 10);
    const calm = await measureDecisions(fleet.validators, () => delay(1_000 * SECONDS));
    const busy = await measureDecisions(fleet.validators, () => backUpFor(fleet, SECONDS));
    await running.stop();
    const { bytes, milliseconds } = busy.result;
    return [
      atMost(
        `decision of a round, while a store is copied at ${Math.round(bytes / milliseconds / 1_000)} MB/s (${Math.round(calm.p99Ms)} ms without): the slowest but 1 %`,
        busy.p99Ms,
        "ms",
        Math.max(P99_MS_FLOOR, SLOWER_MAX * calm.p99Ms),
      ),
      atMost(
        `the same, half of them (${Math.round(calm.medianMs)} ms without)`,
        busy.medianMs,
        "ms",
        Math.max(P99_MS_FLOOR, SLOWER_MAX * calm.medianMs),
      ),
    ];
  } finally {
    await load.close();
    await fleet.stop();
  }
}

const homeOf = ({ folder }: Fleet): string => join(folder, validatorName(0));

/** Makes the first validator's store as large as one that has run for long. */
async function enlarge(fleet: Fleet): Promise<void> {
  const [first] = fleet.validators;
  await first!.stop();
  const db = new DatabaseSync(homePaths(homeOf(fleet)).store);
  db.exec("CREATE TABLE filling (bytes BLOB)");
  const insert = db.prepare("INSERT INTO filling VALUES (?)");
  for (let bytes = 0; bytes < STORE_BYTES; bytes += BLOB_BYTES)
    insert.run(randomFillSync(new Uint8Array(BLOB_BYTES)));
  db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  db.close();
  await first!.start();
}

/** One backup after another, for at least so long. */
async function backUpFor(fleet: Fleet, seconds: number): Promise<{ bytes: number; milliseconds: number }> {
  const home = homeOf(fleet);
  const untilMs = performance.now() + 1_000 * seconds;
  const copied = { bytes: 0, milliseconds: 0 };
  do {
    const copy = join(fleet.folder, "copy");
    const { code, stdout, stderr } = await runHexbeacon([
      "validator",
      "backup",
      copy,
      "--home",
      home,
      "--json",
    ]);
    if (code !== 0) throw new Error(stderr);
    const { bytes, milliseconds } = JSON.parse(stdout) as typeof copied;
    copied.bytes += bytes;
    copied.milliseconds += milliseconds;
    await rm(copy, { recursive: true });
  } while (performance.now() < untilMs);
  return copied;
}
