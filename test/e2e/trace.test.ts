/** One report followed by the command, from the hotspot's disk through validators to its verdict and what it paid. */
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { HotspotStatus } from "../../node/src/hotspot/status.ts";
import type { MessageTraceJson } from "../../validator/src/api/schemas/messages.ts";
import { type Devnet, startDevnet } from "../devnet/src/devnet.ts";
import { runHexbeacon } from "../devnet/src/processes.ts";
import { ask, waitFor } from "./validatorApi.ts";

let folder: string;
let devnet: Devnet;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "hexbeacon-trace-"));
  const options = { hotspots: 6, isolate: 1, seed: 20, port: 0, epochs: null, summaryFile: null };
  const several = { validators: 2, faults: [] };
  devnet = await startDevnet({ ...options, ...several, dataDir: folder, preset: "test" }, () => {});
});
afterAll(() => devnet?.stop());

test("a report is followed through processes of a hotspot and two validators", async () => {
  const page = devnet.readHotspots()[0]!.http!;
  const [first, second] = devnet.validators.map((role) => role.ready().http) as [string, string];
  // One that is judged and paid: its epoch has ended.
  const { id, trace } = await waitFor(devnet.validators[0]!, async () => {
    const { reports } = (await (await fetch(`${page}/v1/status`)).json()) as HotspotStatus;
    for (const report of reports.filter(({ kind, state }) => kind !== "reveal" && state === "judged")) {
      const envelope = report.id.slice(0, 64);
      const response = await fetch(`${first}/v1/messages/${envelope}`);
      const found = response.ok ? ((await response.json()) as MessageTraceJson) : null;
      if (found?.reports.some(({ paid }) => paid !== null)) return { id: report.id, trace: found };
    }
    return null;
  });
  expect(trace).toMatchObject({ state: "included", batch: { seq: expect.any(Number) } });
  const { round } = trace.round!;
  const stored = await ask<{ round: number }>(devnet.validators[0]!, `/v1/rounds/${round}`);
  expect(stored.round).toBe(round);

  const { code, stdout, stderr } = await runHexbeacon([
    ...["trace", id, "--validator", first, "--validator", second, "--hotspot", page],
  ]);
  expect([code, stderr]).toEqual([0, ""]);
  const lines = stdout.split("\n");
  const at = (words: RegExp): number => lines.findIndex((line) => words.test(line));
  const way = [
    /hotspot +signed, and on its disk/,
    /hotspot +receipt of did:key:z\w+, which knew round \d+: (taken|duplicate_message)/,
    new RegExp(`hotspot +hears that it is in round ${round}$`),
    /hotspot +hears of report \d+ \(\w+\): \w+/,
  ].map(at);
  expect(way).toEqual(way.toSorted((a, b) => a - b));
  expect(way).not.toContain(-1);
  for (const { host } of [new URL(first), new URL(second)])
    expect(at(new RegExp(`${host} +has executed and stored round ${round}$`))).toBeGreaterThan(0);
  expect(at(/in batch \d+ of the lane of did:key:z/)).toBeGreaterThan(0);
  expect(stdout).toMatch(/report [0-9a-f]{64}-\d+ \(\w+\) of did:key:z\w+: (accepted|refused)/);
  expect(stdout).toMatch(/its beacon closed in round \d+ of epoch \d+/);
  expect(stdout).toMatch(/the hotspot was paid \d+ base units for epoch \d+/);

  const unknown = await runHexbeacon(["trace", "00".repeat(32), "--validator", first]);
  expect([unknown.code, unknown.stdout]).toEqual([1, expect.stringContaining("knows nothing of it")]);
  const away = await runHexbeacon(["trace", id, "--validator", "http://127.0.0.1:1", "--validator", second]);
  expect([away.code, away.stdout]).toEqual([0, expect.stringContaining("127.0.0.1:1: no validator answers")]);
  expect((await runHexbeacon(["trace", "xyz"])).code).toBe(2);
});
