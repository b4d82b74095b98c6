/** `npm start` as its user runs it: what it prints, what it writes, how it ends, and that it leaves nothing behind. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { beforeAll, describe, expect, test } from "vitest";
import type { Summary } from "../devnet/src/summary.ts";

const MAIN = join(import.meta.dirname, "../devnet/src/main.ts");
/** Each process cuts itself off after 4 s and ends with 1; the rest is for a machine that is slow to let them. */
const STOP_LIMIT_MS = 15_000;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "hexbeacon-e2e-"));
});

function start(...args: string[]): ChildProcess {
  return spawn(process.execPath, [MAIN, ...args], { stdio: ["ignore", "pipe", "pipe"] });
}

async function finish(child: ChildProcess): Promise<{ code: number | null; stdout: string; stderr: string }> {
  let stdout = "";
  let stderr = "";
  child.stdout!.on("data", (chunk) => {
    stdout += chunk;
  });
  child.stderr!.on("data", (chunk) => {
    stderr += chunk;
  });
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout, stderr };
}

/** All processes below a process, from /proc. */
function descendantsOf(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const entry of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, "utf8");
      parents.set(Number(entry), Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]));
    } catch {
      // It ended while we looked.
    }
  }
  const found: number[] = [];
  for (const queue = [pid]; queue.length > 0; ) {
    const parent = queue.pop()!;
    for (const [child, itsParent] of parents) {
      if (itsParent !== parent) continue;
      found.push(child);
      queue.push(child);
    }
  }
  return found;
}

describe("npm start", () => {
  test("pays epochs that balance and replay, and writes the summary", async () => {
    const file = join(folder, "summary.json");
    const data = join(folder, "data");
    const args = ["--preset", "test", "--hotspots", "8", "--isolate", "1", "--port", "0"];
    const faults = ["--kill", "1@2", "--restart", "1@4"];
    const { code, stdout, stderr } = await finish(
      start(...args, ...faults, "--epochs", "3", "--summary", file, "--data", data),
    );
    expect(stderr).toBe("");
    expect(code, stdout).toBe(0);
    expect(stdout).toContain("HTTP API at http://127.0.0.1:");
    expect(stdout).toContain("All epochs replayed to equal roots.");
    expect(stdout).toMatch(/killed validator 1\n[\s\S]*restarted validator 1\n/);
    expect(stdout).toContain("4 validators, 0 of them down: reward roots equal");

    const summary = JSON.parse(await readFile(file, "utf8")) as Summary;
    expect(summary).toMatchObject({ network: "hexbeacon-test-1", validators: 4, hotspots: 8 });
    expect(summary).toMatchObject({ rewardRootsEqual: true, validatorsDown: 0 });
    expect(summary.finalizedRounds).toBeGreaterThanOrEqual(60);
    expect(summary.viewChanges).toBeGreaterThanOrEqual(0);
    expect(summary.roots).toBe("all replayed equal");
    expect(summary.epochs.map(({ epoch }) => epoch)).toEqual([0, 1, 2]);
    expect(summary.rounds).toBeGreaterThanOrEqual(60);
    let carried = 0n;
    for (const epoch of summary.epochs) {
      expect(BigInt(epoch.carriedIn)).toBe(carried + BigInt(epoch.escrowReturned));
      carried = BigInt(epoch.carried);
      expect(BigInt(epoch.emitted) + BigInt(epoch.carriedIn)).toBe(BigInt(epoch.paid) + carried);
      expect(epoch.rewardRoot).toMatch(/^0x[0-9a-f]{64}$/);
    }
    // More than the validators' pool: hotspots were paid for beacons that others witnessed.
    const paid = summary.epochs.reduce((sum, epoch) => sum + BigInt(epoch.paid), 0n);
    const emitted = summary.epochs.reduce((sum, epoch) => sum + BigInt(epoch.emitted), 0n);
    expect(paid).toBeGreaterThan(emitted / 10n);
    expect(summary.epochs.reduce((sum, epoch) => sum + epoch.witnesses.accepted, 0)).toBeGreaterThan(0);

    // The folder goes on where it was, with the same network, and only with that.
    const again = join(folder, "again.json");
    const resumed = await finish(start(...args, "--epochs", "1", "--summary", again, "--data", data));
    expect(resumed.code, resumed.stderr).toBe(0);
    const { epochs } = JSON.parse(await readFile(again, "utf8")) as Summary;
    expect(epochs.length).toBeGreaterThanOrEqual(4);
    expect(epochs.slice(0, 3)).toEqual(summary.epochs);
    const other = await finish(start(...args, "--seed", "2", "--data", data));
    expect(other.code).toBe(2);
    expect(other.stderr).toContain("holds another network");
  });

  test("Ctrl-C stops everything within 5 s and leaves no process and no folder", async () => {
    const child = start("--preset", "test", "--hotspots", "4", "--isolate", "2", "--port", "0");
    const lines = createInterface({ input: child.stdout! });
    let dataDir = "";
    for await (const line of lines) {
      if (line.startsWith("data in ")) dataDir = line.slice("data in ".length);
      if (line.startsWith("round ")) break;
    }
    const processes = descendantsOf(child.pid!);
    // Four validators, and two hotspots of their own.
    expect(processes.length).toBeGreaterThanOrEqual(6);
    expect(existsSync(dataDir)).toBe(true);
    child.stdout!.resume();
    const askedMs = Date.now();
    child.kill("SIGINT");
    const [code] = (await once(child, "exit")) as [number | null];
    expect(Date.now() - askedMs).toBeLessThan(STOP_LIMIT_MS);
    expect(code).toBe(0);
    expect(processes.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([]);
    expect(existsSync(dataDir)).toBe(false);
  });

  test("says everything that is wrong with its options at once, and exits with 2", async () => {
    const { code, stderr } = await finish(
      start("--hotspots", "0", "--port", "99999", "--preset", "moon", "--epochs", "x", "surplus"),
    );
    expect(code).toBe(2);
    for (const word of ["--hotspots", "--port", "--preset", "--epochs", "surplus"])
      expect(stderr).toContain(word);
  });
});
