/** Whether a hotspot is ready follows what it receives and what comes of it; over HTTP, as a supervisor asks. */
import { randomBytes } from "node:crypto";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { createSystemClock } from "../../../node/src/host/clock.ts";
import { createSilentLog } from "../../../node/src/host/log.ts";
import { type AttemptFailure, findLastingFailure } from "../../../node/src/hotspot/guard.ts";
import { createHotspot, type Hotspot } from "../../../node/src/hotspot/hotspot.ts";
import { findGenesisPlacement } from "../../../node/src/hotspot/placement.ts";
import {
  computeSpoolPatienceMs,
  findClockSkewMs,
  findProblems,
  REPORT_SILENCE_MS,
} from "../../../node/src/hotspot/problems.ts";
import type { ForwarderTiming } from "../../../node/src/radio/radio.ts";
import { encodeFrame } from "../../../protocol/src/radio/frame.ts";
import { REGION_PLANS } from "../../../protocol/src/radio/regions.ts";
import { eventually } from "../host/eventually.ts";
import { createForwarderStatus, FakeRadio } from "./fakeRadio.ts";
import { createTestGenesis, FakeValidator, newKey } from "./fakeValidator.ts";

const validatorKey = newKey();
const keyPair = newKey();
const genesis = createTestGenesis([validatorKey], [keyPair]);
const radio = new FakeRadio();
let home: string;
let validator: FakeValidator;
let hotspot: Hotspot;
/** What the hotspot's clock is ahead of the real one. */
let aheadMs = 0;
let round = 0;
const nowMs = () => Date.now() + aheadMs;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "hexbeacon-health-"));
  radio.onTransmit = () => ({ status: "failed", reason: "no_forwarder", onAir: "no" });
  validator = await FakeValidator.start(validatorKey, genesis);
  hotspot = createHotspot(
    {
      home,
      genesis,
      keyPair,
      radio,
      validators: [validator.address],
      placement: findGenesisPlacement(genesis, keyPair.publicKey)!,
      http: { host: "127.0.0.1", port: 0 },
    },
    {
      clock: { ...createSystemClock(), nowMs, elapsedMs: nowMs },
      log: createSilentLog(),
      random: randomBytes,
    },
  );
  await hotspot.start();
  await vi.waitUntil(() => hotspot.status().validators[0]!.connected, { timeout: 20_000 });
});
afterAll(async () => {
  await hotspot.stop();
  await validator.stop();
});

/** A validator whose rounds go on, and a forwarder that pulls and reports. */
beforeEach(async () => {
  await nextRound();
  radio.forwarders = [reporting()];
  expect(await readiness()).toEqual({ status: 200, problems: [] });
});

const reporting = () => createForwarderStatus({ lastPullMs: nowMs(), lastPushMs: nowMs() });

async function nextRound(): Promise<void> {
  await validator.advanceTo(++round);
  await eventually(() => hotspot.status().rounds?.round).toBe(round);
}

async function readiness(): Promise<{ status: number; problems: readonly string[] }> {
  const response = await fetch(`${hotspot.httpAddress()}/readyz`);
  const { problems } = (await response.json()) as { problems: string[] };
  return { status: response.status, problems };
}

async function readMetric(name: string): Promise<number> {
  const text = await (await fetch(`${hotspot.httpAddress()}/metrics`)).text();
  return Number(new RegExp(`^hexbeacon_hotspot_${name} (.*)$`, "m").exec(text)![1]);
}

describe("a hotspot is not ready", () => {
  test("while its forwarder only says hello: reports and statistics count", async () => {
    for (const lastPushMs of [nowMs() - REPORT_SILENCE_MS - 1_000, null]) {
      const firstSeenMs = nowMs() - REPORT_SILENCE_MS - 1_000;
      radio.forwarders = [createForwarderStatus({ lastPullMs: nowMs(), lastPushMs, firstSeenMs })];
      const { status, problems } = await readiness();
      expect([status, problems]).toEqual([503, [expect.stringContaining("has reported nothing for")]]);
      expect(await readMetric("ready")).toBe(0);
    }
    // One that has just come has its time; of two one is enough.
    radio.forwarders = [createForwarderStatus({ lastPushMs: null, firstSeenMs: nowMs() })];
    expect((await readiness()).status).toBe(200);
    radio.forwarders = [createForwarderStatus({ lastPushMs: 0, firstSeenMs: 0 }), reporting()];
    expect((await readiness()).status).toBe(200);
  });

  test("without a forwarder, or with one that is gone", async () => {
    radio.forwarders = [];
    expect((await readiness()).problems[0]).toContain("No packet forwarder has spoken yet");
    radio.forwarders = [createForwarderStatus({ alive: false })];
    expect(await readiness()).toEqual({ status: 503, problems: ["The packet forwarder has fallen silent."] });
  });

  test("while only forwarders speak that may not, or its disk takes nothing", () => {
    const status = radio.status();
    const spoken = {
      ...status,
      forwarders: [],
      datagrams: { ...status.datagrams, eui_not_allowed: 1 },
    };
    const problems = findProblems({
      nowMs: nowMs(),
      parameters: genesis.parameters,
      radio: spoken,
      validators: [],
      follower: null as never,
      standing: "known",
      oldestReportMs: null,
      spoolFault: "ENOSPC",
      beaconFailure: null,
    });
    expect(problems).toEqual([
      expect.stringContaining("does not name have spoken"),
      expect.stringContaining("The disk cannot be written (ENOSPC)"),
      expect.stringContaining("No validator's address is known"),
    ]);
  });

  test("while none of its beacons can leave, from the first second on, or the last one met what stays", async () => {
    const asked = { plan: REGION_PLANS.EU868, gainCentiDbi: 580, powerFloors: [], run: null };
    const { parameters } = genesis;
    const judge = (lowestPowerDbm: number | null, lastFailure: AttemptFailure | null) => {
      const beaconFailure = findLastingFailure({ ...asked, lowestPowerDbm }, lastFailure);
      return findProblems({
        nowMs: nowMs(),
        parameters,
        radio: radio.status(),
        validators: hotspot.status().validators,
        follower: { newest: () => null, isFresh: () => true, ageMs: () => 0, lacksSet: () => false },
        standing: "known",
        oldestReportMs: null,
        spoolFault: null,
        beaconFailure,
      }).filter((problem) => problem.startsWith("Beacons fail: "));
    };
    expect(judge(null, null)).toEqual([expect.stringContaining("set antenna.lowestPowerDbm")]);
    expect(judge(12, null)).toEqual([expect.stringContaining("gain table begins too high")]);
    expect(judge(10, null)).toEqual([]);
    // What a table was once is known by now, and what frees itself is no problem.
    for (const passing of ["power_floor", "over_duty_cycle", "busy"] as const) {
      expect(judge(10, passing)).toEqual([]);
    }
    expect(judge(10, "tx_freq")).toEqual([expect.stringContaining("not set up for this channel")]);
    expect(judge(10, "no_cosignature")).toEqual([expect.stringContaining("secure element")]);
  });

  test("while its clock differs from the forwarder's GPS", async () => {
    const timing = (gpsSkewMs: number | null): ForwarderTiming => ({
      source: "gps",
      latencyMs: 12,
      driftPpm: null,
      gpsSkewMs,
      restarts: 0,
    });
    for (const [gpsSkewMs, problem] of [
      [1_900, null],
      [-4_000, "This machine's clock is 4 s behind GPS."],
      [300_000, "This machine's clock is 5 min ahead of GPS."],
    ] as const) {
      radio.forwarders = [createForwarderStatus({ lastPushMs: nowMs(), timing: timing(gpsSkewMs) })];
      expect((await readiness()).problems).toEqual(problem === null ? [] : [problem]);
      expect(await readMetric("clock_ahead_of_gps_seconds")).toBe(gpsSkewMs / 1_000);
    }
    expect(await readMetric("reception_delay_seconds")).toBe(0.012);
    const gone = createForwarderStatus({ alive: false, timing: timing(9_000) });
    expect(findClockSkewMs([gone, createForwarderStatus({ timing: timing(null) })])).toBeNull();
  });

  test("while no rounds are heard", async () => {
    aheadMs += 20_000;
    radio.forwarders = [reporting()];
    expect((await readiness()).problems[0]).toMatch(/^No new round has been heard for 2\d s\.$/);
  });

  test("while a report waits longer than any could, although rounds are heard", async () => {
    validator.answer = () => ({ state: "pending", round: 0, verdicts: [] });
    radio.hear(encodeFrame({ tag: randomBytes(6), secret: randomBytes(16) }), { receivedAtMs: nowMs() });
    await eventually(() => hotspot.status().spool.entries).toBe(1);
    expect((await readiness()).status).toBe(200);
    aheadMs += computeSpoolPatienceMs(genesis.parameters) + 1_000;
    radio.forwarders = [reporting()];
    // Waiting without rounds is what the spool is for, and is told as that.
    expect((await readiness()).problems).toEqual([expect.stringContaining("No new round")]);
    await nextRound();
    radio.forwarders = [reporting()];
    expect((await readiness()).problems).toEqual([expect.stringContaining("A report has waited")]);
    expect(await readMetric("spool_oldest_seconds")).toBeGreaterThan(120);
    validator.answer = () => ({ state: "included", round, verdicts: [0] });
    await eventually(() => hotspot.status().spool.entries).toBe(0);
  });
});
