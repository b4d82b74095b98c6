/** What Prometheus reads of a validator. */
import { execFileSync, spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { ADMISSION_REASONS } from "../../../protocol/src/evidence/reasons.ts";
import { createValidatorMetrics } from "../../../validator/src/metrics.ts";

const createMetrics = () =>
  createValidatorMetrics({
    inboxDepth: () => ({ parcels: 1, bytes: 2 }),
    verifier: () => ({ pending: 3, threads: 2, restarts: 0 }),
    batchesInFlight: () => 0,
    executionBacklog: () => 0,
    peers: () => 5,
    storeBytes: async () => 4_096,
    booksBalanced: () => true,
  });

const hasPromtool = spawnSync("promtool", ["--version"]).status === 0;

describe("the validator's metrics", () => {
  test("name counters, and only counters, _total", async () => {
    const { text } = await createMetrics().expose();
    const types = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => ({
      name: name!,
      type: type!,
    }));
    expect(types.length).toBeGreaterThan(20);
    for (const { name, type } of types)
      expect([name, name.endsWith("_total")]).toEqual([name, type === "counter"]);
  });

  test("have a series for every reason from the start, and ask their sources when they are read", async () => {
    const { text } = await createMetrics().expose();
    for (const reason of ADMISSION_REASONS) {
      expect(text).toContain(`hexbeacon_messages_refused_total{kind="submission",reason="${reason}"} 0`);
    }
    expect(text).toMatch(/^hexbeacon_peers 5$/m);
    expect(text).toMatch(/^hexbeacon_store_bytes 4096$/m);
    expect(text).toMatch(/^hexbeacon_inbox_bytes\{kind="reports"\} 2$/m);
  });

  test.skipIf(!hasPromtool)("pass Prometheus's own check (needs promtool)", async () => {
    const { text } = await createMetrics().expose();
    expect(execFileSync("promtool", ["check", "metrics"], { input: text }).toString()).toBe("");
  });
});
