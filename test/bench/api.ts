/**
 * The API of one validator with 10,000 hotspots and 500 epochs stored, asked by other processes: wrk where questions are
 * many, and a plain reader for the export. The last figures are of a network of four whose first validator's API is asked
 * as fast as it answers: rounds must not wait for that.
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { encodeHex } from "../../protocol/src/bytes/hex.ts";
import { encodeDidKey } from "../../protocol/src/crypto/didKey.ts";
import { PRESETS } from "../../protocol/src/network/presets.ts";
import { startFleet } from "../devnet/src/fleet/fleet.ts";
import { AS_HOTSPOTS, openLoad, type Load as Reporters } from "../devnet/src/fleet/load.ts";
import { readCpuMs } from "../devnet/src/fleet/processUsage.ts";
import type { ValidatorRole } from "../devnet/src/validators.ts";
import { startApiProcess, withApiStore } from "./apiProcess.ts";
import { apiHotspotKey } from "./apiStore.ts";
import { atLeast, atMost, type BenchRow } from "./benchRow.ts";
import { measureDecisions } from "./decisions.ts";

const HOTSPOTS = 10_000;
const EPOCHS = 500;
/** Of each figure the best counts: other work on the machine only ever makes one worse. */
const RUNS = 3;
const SECONDS = 6;
/** Enough that the server never waits for a question, and few enough that waiting in line is no part of the figure. */
const POINT_CONNECTIONS = 32;
const RANGE_CONNECTIONS = 2;
/** A million lines. */
const EXPORT_EPOCHS = 100;
/** Asked beside one of each question that the validator's own thread answers: for a message's way, and for metrics. */
const POINTS_BESIDE = 8;
/** Messages asked for, of rounds of as many as arrive in one: the bodies that a trace looks through. */
const TRACED = 16;
const REPORTS_PER_SECOND = 200;
const NETWORK = {
  validators: 4,
  hotspots: 24,
  warmUpSeconds: 15,
  roundsToExecute: 5,
  seconds: 20,
} as const;

type Load = {
  readonly requests: number;
  readonly perSecond: number;
  readonly p99Ms: number;
  readonly refused: number;
};

/** Asks a server with wrk for one path after another. */
async function askWith(
  script: string,
  { url, connections, seconds }: { url: string; connections: number; seconds: number },
): Promise<Load> {
  const flags = ["-t1", `-c${connections}`, `-d${seconds}s`, "--latency", "-s", script];
  const child = spawn("wrk", [...flags, url], { stdio: ["ignore", "pipe", "inherit"] });
  const [output] = await Promise.all([text(child.stdout), once(child, "exit")]);
  const number = (pattern: RegExp): number => Number(pattern.exec(output)?.[1] ?? 0);
  const [, latency, unit] = /99%\s+([\d.]+)(us|ms|s)/.exec(output)!;
  const toMs = { us: 0.001, ms: 1, s: 1_000 }[unit as "us" | "ms" | "s"];
  return {
    requests: number(/(\d+) requests in/),
    perSecond: number(/Requests\/sec:\s+([\d.]+)/),
    p99Ms: Number(latency) * toMs,
    refused: number(/Non-2xx or 3xx responses: (\d+)/),
  };
}

/** Far from each other in a long list, and no divisor of any list's length here. */
const STEP = 7_919;

/**
 * A script of wrk's that goes through paths, in an order that no cache follows. Requests are written before the first is
 * sent: wrk shares the processors with the server, and what it does for each is taken from the answers.
 */
function writeScript(folder: string, name: string, paths: readonly string[]): string {
  const file = join(folder, `${name}.lua`);
  const lines = [
    `local paths = { ${paths.map((path) => JSON.stringify(path)).join(", ")} }`,
    "local requests = {}",
    "local n = 0",
    'init = function() for i, path in ipairs(paths) do requests[i] = wrk.format("GET", path) end end',
    `request = function() n = (n + ${STEP}) % ${paths.length}; return requests[n + 1] end`,
  ];
  writeFileSync(file, lines.join("\n"));
  return file;
}

async function bestOf<Asked extends Load>(ask: () => Promise<Asked>): Promise<Asked> {
  const loads: Asked[] = [];
  for (let run = 0; run < RUNS; run++) loads.push(await ask());
  return loads.toSorted((a, b) => b.perSecond - a.perSecond)[0]!;
}

/** Lines a second of an export, counted where they arrive. */
async function readExport(url: string): Promise<number> {
  const start = performance.now();
  const reply = await fetch(`${url}/v1/export/rewards?fromEpoch=0&toEpoch=${EXPORT_EPOCHS - 1}`);
  if (!reply.ok) throw new Error(`the export is refused: ${await reply.text()}`);
  let lines = 0;
  for await (const chunk of reply.body!) for (const byte of chunk) if (byte === 0x0a) lines++;
  const seconds = (performance.now() - start) / 1_000;
  if (lines !== EXPORT_EPOCHS * (HOTSPOTS + 1)) throw new Error(`the export has ${lines} lines`);
  return lines / seconds;
}

/** Answers a second of a server that reads a row of the same store, and does nothing else that the API does. */
async function measurePlain(path: string, script: string): Promise<number> {
  const { url, stop } = await startApiProcess(path, new URL("./plainApiServer.ts", import.meta.url));
  try {
    return (await bestOf(() => askWith(script, { url, connections: POINT_CONNECTIONS, seconds: SECONDS })))
      .perSecond;
  } finally {
    await stop();
  }
}

async function measureStore(path: string): Promise<readonly BenchRow[]> {
  const { url, pid, publish, stop } = await startApiProcess(path);
  // Rounds go on, so that nothing that is kept between two of them is kept for longer than in a validator.
  const rounds = setInterval(publish, PRESETS.mainnet.roundMs);
  const folder = dirname(path);
  const paths = Array.from({ length: HOTSPOTS }, (_, n) => `/v1/hotspots/${encodeDidKey(apiHotspotKey(n))}`);
  const point = writeScript(folder, "point", paths);
  const range = `/rewards?bucket=epoch&from=0&to=${EPOCHS - 1}`;
  const month = writeScript(
    folder,
    "month",
    paths.map((path) => path + range),
  );
  const ask = (script: string, connections: number) =>
    bestOf(async () => {
      const beforeMs = readCpuMs(pid);
      const load = await askWith(script, { url, connections, seconds: SECONDS });
      // What other work on the machine takes is none of it.
      return { ...load, cpuUs: (1_000 * (readCpuMs(pid) - beforeMs)) / load.requests };
    });
  try {
    const points = await ask(point, POINT_CONNECTIONS);
    const months = await ask(month, RANGE_CONNECTIONS);
    const plain = Math.round(await measurePlain(path, point)).toLocaleString("en");
    const exported = [];
    for (let run = 0; run < RUNS; run++) exported.push(await readExport(url));
    return [
      atLeast(
        `a hotspot, asked by ${POINT_CONNECTIONS} connections (${Math.round(points.cpuUs)} us of a processor each; ${plain}/s by a bare route of fastify that reads one row)`,
        points.perSecond,
        "1/s",
        15_000,
      ),
      atMost("the slowest but 1 % of them", points.p99Ms, "ms", 20),
      atMost(
        `a month of a hotspot's rewards, ${EPOCHS} lines, asked by ${RANGE_CONNECTIONS} connections (${Math.round(months.perSecond)}/s): the slowest but 1 %`,
        months.p99Ms,
        "ms",
        20,
      ),
      atLeast("bulk export", Math.max(...exported), "lines/s", 100_000),
      atMost("of all these refused", points.refused + months.refused, "", 0),
    ];
  } finally {
    clearInterval(rounds);
    await stop();
  }
}

/** Brings reports, and gives their ids once they are in a round among many others. */
async function bringTraced(load: Reporters): Promise<readonly string[]> {
  const reports = Array.from({ length: TRACED }, () => load.sign(load.newest().epoch));
  if ((await load.bring(reports, AS_HOTSPOTS)) === 0) throw new Error("no validator took the reports");
  await load.reached(load.newest().round + NETWORK.roundsToExecute);
  return reports.map(({ id }) => encodeHex(id));
}

async function measureUnderLoad(folder: string): Promise<readonly BenchRow[]> {
  const fleet = await startFleet({
    ...{ validators: NETWORK.validators, hotspots: NETWORK.hotspots, seed: 1, preset: "devnet" },
    extrasOf: () => ({ flags: ["--requests-per-minute", "1000000"] }),
  });
  const reporters = await openLoad(fleet);
  const points = fleet.world.hotspots
    .slice(0, POINTS_BESIDE)
    .map(({ keys }) => `/v1/hotspots/${encodeDidKey(keys.publicKey)}`);
  const idle = () => delay(1_000 * NETWORK.seconds);
  try {
    const [asked] = fleet.validators as [ValidatorRole];
    const load = { url: asked.ready().http, connections: POINT_CONNECTIONS, seconds: NETWORK.seconds };
    // The first rounds wait for processes that still start and code that still compiles: neither is asked for here.
    const warmUp = writeScript(folder, "warmUp", [...points, "/metrics"]);
    const reporting = reporters.start(REPORTS_PER_SECOND, AS_HOTSPOTS);
    await askWith(warmUp, { ...load, seconds: NETWORK.warmUpSeconds });
    const traced = await bringTraced(reporters);
    await reporting.stop();
    const mixed = traced.flatMap((id) => [...points, `/v1/messages/${id}`, "/metrics"]);
    const all = writeScript(folder, "load", mixed);
    const calm = await measureDecisions(fleet.validators, idle);
    const busy = await measureDecisions(fleet.validators, () => askWith(all, load));
    const rate = Math.round(busy.result.perSecond).toLocaleString("en");
    return [
      atMost(
        `decision of a round, ${NETWORK.validators} validators, one of them asked ${rate} times a second, also for messages' ways and metrics (${Math.round(calm.p99Ms)} ms without): the slowest but 1 %`,
        busy.p99Ms,
        "ms",
        Math.max(300, 1.5 * calm.p99Ms),
      ),
    ];
  } finally {
    await reporters.close();
    await fleet.stop();
  }
}

export async function run(): Promise<readonly BenchRow[]> {
  try {
    execFileSync("wrk", ["-v"], { stdio: "ignore" });
  } catch (cause) {
    // It says its version and ends with 1.
    if ((cause as NodeJS.ErrnoException).code === "ENOENT")
      throw new Error("wrk is missing: apt-get install wrk");
  }
  const folder = mkdtempSync(join(tmpdir(), "hexbeacon-bench-load-"));
  try {
    const stored = await withApiStore({ hotspots: HOTSPOTS, epochs: EPOCHS }, measureStore);
    return [...stored, ...(await measureUnderLoad(folder))];
  } finally {
    rmSync(folder, { recursive: true });
  }
}
