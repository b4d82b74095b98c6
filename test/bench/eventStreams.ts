/**
 * What 10,000 listeners to a validator's events cost: every one must hear of every round, at the devnet's pace of one a
 * second, and the validator's one thread must stay free for rounds meanwhile. Listeners are a process of their own.
 */
import { spawn } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { readCpuMs, readResidentMiB } from "../devnet/src/fleet/processUsage.ts";
import { firstLine, startApiProcess, withApiStore } from "./apiProcess.ts";
import { atMost, type BenchRow } from "./benchRow.ts";
import type { ListenersReport } from "./eventListeners.ts";

const LISTENERS = 10_000;
const ROUNDS = 20;
const ROUND_MS = 1_000;

export function run(): Promise<readonly BenchRow[]> {
  return withApiStore({ hotspots: 10, epochs: 1 }, measure);
}

async function measure(path: string): Promise<readonly BenchRow[]> {
  const api = await startApiProcess(path);
  const idleMiB = readResidentMiB(api.pid);
  const program = new URL("./eventListeners.ts", import.meta.url).pathname;
  const listeners = spawn(process.execPath, [program, api.url, String(LISTENERS)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  try {
    await firstLine(listeners);
    const before = readCpuMs(api.pid);
    for (let round = 0; round < ROUNDS; round++) {
      api.publish();
      await delay(ROUND_MS);
    }
    const busy = (readCpuMs(api.pid) - before) / (ROUNDS * ROUND_MS);
    const memoryMiB = readResidentMiB(api.pid) - idleMiB;
    const told = firstLine(listeners);
    listeners.stdin.end();
    const report = JSON.parse(await told) as ListenersReport;
    return [
      atMost(
        `rounds missed by ${LISTENERS.toLocaleString("en")} listeners, of ${report.rounds} each`,
        report.missed + LISTENERS * (ROUNDS - report.rounds),
        "rounds",
        0,
      ),
      atMost("listeners that were cut off", report.closed, "", 0),
      atMost("from a round to the listener who hears of it last but 1 %", report.delayP99Ms, "ms", 1_000),
      atMost("of a core, with a round a second", 100 * busy, "%", 50),
      atMost("memory of a listener", (1_024 * memoryMiB) / LISTENERS, "KiB", 40),
    ];
  } finally {
    listeners.kill();
    await api.stop();
  }
}
