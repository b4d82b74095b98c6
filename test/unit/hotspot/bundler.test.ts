/** When reports are signed together: soon when little is heard, seldom when much is, and always in time for their window. */
import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { createSilentLog } from "../../../node/src/host/log.ts";
import { Bundler } from "../../../node/src/hotspot/bundler.ts";
import type { Parameters } from "../../../protocol/src/network/parameters.ts";
import { PRESET_NAMES, PRESETS } from "../../../protocol/src/network/presets.ts";
import {
  MAX_REPORTS_PER_BUNDLE,
  type ReportBundle,
  type WitnessReport,
} from "../../../protocol/src/wire/reports.ts";
import { ManualClock } from "../validator/support/manualClock.ts";

const START_MS = 1_790_000_000_000;

function createBundler(parameters: Parameters) {
  const clock = new ManualClock(START_MS);
  const sent: { readonly atMs: number; readonly bundle: ReportBundle }[] = [];
  const world = { epoch: 0 as number | null };
  const bundler = new Bundler(parameters, {
    clock,
    log: createSilentLog(),
    onReported: () => undefined,
    outbox: {
      send: async (bundle) => {
        sent.push({ atMs: clock.nowMs() - START_MS, bundle });
        return new Uint8Array(32);
      },
    },
    follower: { estimateEpoch: () => world.epoch },
  });
  const hear = () => bundler.add({ tag: randomBytes(6) } as unknown as WitnessReport, randomBytes(16));
  return { bundler, clock, sent, world, hear };
}

describe("reports are gathered", () => {
  test("for two seconds where little is heard", () => {
    const { clock, sent, hear } = createBundler(PRESETS.mainnet);
    for (let i = 0; i < 5; i++) {
      hear();
      clock.advance(1_000);
      hear();
      clock.advance(60_000);
    }
    expect(sent.map(({ atMs }) => atMs)).toEqual([0, 1, 2, 3, 4].map((i) => i * 61_000 + 2_000));
    expect(sent.every(({ bundle }) => bundle.witnesses.length === 2)).toBe(true);
  });

  test("into one envelope every 15 s at most at a report a second, so that an SD card lasts", () => {
    const { clock, sent, hear } = createBundler(PRESETS.mainnet);
    for (let second = 0; second < 240; second++) {
      expect(hear()).toBeNull();
      clock.advance(1_000);
    }
    expect(sent.length).toBeLessThanOrEqual(17);
    const pauses = sent.slice(1).map(({ atMs }, i) => atMs - sent[i]!.atMs);
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(14_000);
    const reports = sent.reduce((sum, { bundle }) => sum + bundle.witnesses.length, 0);
    expect(reports).toBeGreaterThanOrEqual(225);
  });

  test("no longer than an eighth of their window, in any network", () => {
    for (const name of PRESET_NAMES) {
      const parameters = PRESETS[name];
      const { bundler, clock, hear } = createBundler(parameters);
      for (let i = 0; i < 10; i++) {
        expect(bundler.gatherMs).toBeLessThanOrEqual(
          (parameters.witnessWindowRounds * parameters.roundMs) / 8,
        );
        hear();
        clock.advance(bundler.gatherMs);
      }
    }
  });

  test("and sent at once where an envelope is full", () => {
    const { sent, hear } = createBundler(PRESETS.mainnet);
    for (let i = 0; i < MAX_REPORTS_PER_BUNDLE; i++) hear();
    expect(sent.map(({ atMs, bundle }) => [atMs, bundle.witnesses.length])).toEqual([[0, 16]]);
  });

  test("and no longer where the clock has been set back", () => {
    const { bundler, clock, hear } = createBundler(PRESETS.mainnet);
    hear();
    clock.advance(7_000);
    clock.set(-86_400_000);
    // Five of the fifteen seconds since the last ones went have passed.
    expect(bundler.gatherMs).toBe(10_000);
  });

  test("within the quota of the epoch, and not before any round was ever heard", () => {
    const { world, hear } = createBundler(PRESETS.mainnet);
    world.epoch = null;
    expect(hear()).toBe("no_rounds");
    world.epoch = 3;
    const { reportsPerEpoch } = PRESETS.mainnet;
    // Its own beacon and reveal are kept room for.
    for (let i = 0; i < reportsPerEpoch - 2; i++) expect(hear()).toBeNull();
    expect(hear()).toBe("over_quota");
    world.epoch = 4;
    expect(hear()).toBeNull();
  });
});
