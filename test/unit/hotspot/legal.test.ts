/** What stands between a challenge and the air, limit by limit: a beacon that would break one is not sent, and says why. */
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { sha256 } from "../../../protocol/src/crypto/sha256.ts";
import { type Challenge, computeChallenge } from "../../../protocol/src/evidence/challenge.ts";
import { PRESETS } from "../../../protocol/src/network/presets.ts";
import { computeAirtimeUs } from "../../../protocol/src/radio/airtime.ts";
import { computeDutyUse } from "../../../protocol/src/radio/dutyCycle.ts";
import { FRAME_BYTES } from "../../../protocol/src/radio/frame.ts";
import {
  beaconSpreadingFactors,
  findDutyBands,
  REGION_NAMES,
  REGION_PLANS,
  type RegionPlan,
} from "../../../protocol/src/radio/regions.ts";
import { createWorld, Life, type Surroundings, type World } from "./beaconerLife.ts";
import { createForwarderStatus } from "./fakeRadio.ts";

const parameters = PRESETS.mainnet;
const seed = new Uint8Array(32).fill(9);
const NOW_MS = 1_790_000_000_000;
const never = new Promise<void>(() => undefined);

/** A key that is challenged in epoch 0 as the test wants it. */
function findKey(plan: RegionPlan, fits: (challenge: Challenge) => boolean = () => true) {
  for (let i = 0; ; i++) {
    const hotspot = sha256(Uint8Array.of(i & 255, i >> 8));
    const challenge = computeChallenge(parameters, seed, hotspot, 0, plan);
    if (challenge !== null && fits(challenge)) return { hotspot, challenge };
  }
}

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "hexbeacon-legal-"));
});

type Place = Omit<Surroundings, "home" | "seed" | "parameters">;
const begin = (world: World, place: Place): Promise<Life> =>
  Life.begin(world, { home, seed, parameters, ...place });

/** A beaconer that hears the round of its slot, on a clock that stands. */
async function beaconOnce(place: Place, challenge: Challenge, world = createWorld()): Promise<Life> {
  world.nowMs = () => NOW_MS;
  const life = await begin(world, place);
  await life.hear(challenge.slotRound - 1, never);
  return life;
}

const createForwarder = (port: number) => createForwarderStatus({ downlinkAddress: `127.0.0.1:${port}` });

describe.each(REGION_NAMES)("in %s", (name) => {
  const plan = REGION_PLANS[name];

  test.each([-200, 0, 215, 580, 800, 1_500])(
    "with %d cdBi a beacon keeps within the plan",
    async (gainCentiDbi) => {
      const { hotspot, challenge } = findKey(plan);
      const world = createWorld();
      const place = { plan, gainCentiDbi, hotspot, lowestPowerDbm: -20 };
      const life = await beaconOnce(place, challenge, world);
      expect(life.beaconer.lastFailure()).toBeNull();
      const [request] = world.transmitted;
      const { freqHz, spreadingFactor, bandwidthHz, powerDbm, payload } = request!;
      expect(plan.beaconFreqsHz).toContain(freqHz);
      const bands = findDutyBands(plan, freqHz);
      const eirpCentiDbm = powerDbm * 100 + gainCentiDbi;
      expect(eirpCentiDbm).toBeLessThanOrEqual(plan.maxEirpCentiDbm);
      expect(Math.max(...bands.map((band) => band.maxEirpCentiDbm))).toBeGreaterThanOrEqual(eirpCentiDbm);
      expect(Number.isInteger(powerDbm)).toBe(true);
      const airtimeUs = computeAirtimeUs({ spreadingFactor, bandwidthHz, payloadBytes: payload.length });
      if (plan.dwellMs !== null) expect(airtimeUs).toBeLessThanOrEqual(plan.dwellMs * 1_000);
      expect(beaconSpreadingFactors(plan, parameters.challengeAirtimeMaxMs)).toContain(spreadingFactor);
      expect(life.beaconer.transmissions()).toEqual([{ freqHz, startMs: NOW_MS, airtimeUs, eirpCentiDbm }]);
    },
  );
});

describe("a plan that a beacon would break", () => {
  const base = REGION_PLANS.EU868;
  test.each([
    ["out_of_band", { dutyBands: [{ ...base.dutyBands[0]!, fromHz: 1, toHz: 2 }] }],
    ["over_eirp", { dutyBands: base.dutyBands.map((band) => ({ ...band, maxEirpCentiDbm: 0 })) }],
    ["over_dwell", { dwellMs: 20 }],
    ["over_duty_cycle", { dutyBands: base.dutyBands.map((band) => ({ ...band, dutyPpm: 1 })) }],
  ])("is kept: %s", async (reason, change) => {
    const plan = { ...base, ...change };
    const { hotspot, challenge } = findKey(plan);
    const world = createWorld();
    const life = await beaconOnce({ plan, gainCentiDbi: 0, hotspot }, challenge, world);
    expect(world.transmitted).toEqual([]);
    expect(life.beaconer.lastFailure()).toBe(reason);
    // Nothing was armed: the next round may try again.
    expect(life.beaconer.beacons()).toEqual([]);
  });
});

describe("the budget", () => {
  const plan = REGION_PLANS.EU868;
  const isInBand = (band: string) => (challenge: Challenge) =>
    findDutyBands(plan, challenge.freqHz)[0]!.name === band;

  test("of a band that earlier lives have used up holds the beacon back until the window has moved on", async () => {
    const { hotspot, challenge } = findKey(plan, isInBand("L"));
    const world = createWorld();
    let nowMs = NOW_MS;
    world.nowMs = () => nowMs;
    // Whatever is asked may have been on air: each try costs, over all lives.
    world.transmit = async () => ({ status: "failed", reason: "no_answer", onAir: "possible" });
    const airtimeUs = computeAirtimeUs({ ...challenge, payloadBytes: FRAME_BYTES });
    const tries = Math.floor(36_000_000 / airtimeUs);
    const life = await begin(world, { plan, gainCentiDbi: 0, hotspot });
    const lastRound = challenge.slotRound + parameters.beaconToleranceRounds - 2;
    let round = challenge.slotRound - 1;
    for (; round <= lastRound && life.beaconer.lastFailure() !== "over_duty_cycle"; round++) {
      await life.hear(round, never);
      nowMs += 1_000;
    }
    const isUsedUp = tries < parameters.beaconToleranceRounds;
    expect(world.transmitted.length).toBe(isUsedUp ? tries : parameters.beaconToleranceRounds);
    const use = computeDutyUse(plan, life.beaconer.transmissions(), nowMs);
    const [left] = use.filter(({ band }) => band === "L");
    expect(left!.usedUs).toBe(world.transmitted.length * airtimeUs);
    expect(left!.usedUs).toBeLessThanOrEqual(left!.limitUs);
    // The other band's is its own.
    expect(use.find(({ band }) => band === "M")!.usedUs).toBe(0);
    // Another process reads the same budget.
    const state = JSON.parse(await readFile(join(home, "beacons.json"), "utf8"));
    expect(state.transmissions).toHaveLength(world.transmitted.length);
  });
});

describe("a clock that is set", () => {
  const DAY_MS = 86_400_000;
  const base = REGION_PLANS.EU868;
  const { hotspot, challenge } = findKey(base);
  const airtimeUs = computeAirtimeUs({ ...challenge, payloadBytes: FRAME_BYTES });
  // A budget of one beacon and a half an hour.
  const dutyPpm = Math.ceil((1.5 * airtimeUs) / 3_600);
  const plan = { ...base, dutyBands: base.dutyBands.map((band) => ({ ...band, dutyPpm })) };

  /** A world whose time passes, and whose wall clock is ahead of it, as a test says. */
  function createSetWorld() {
    const world = createWorld();
    const clock = { elapsedMs: 0, aheadMs: NOW_MS };
    world.elapsedMs = () => clock.elapsedMs;
    world.nowMs = () => clock.elapsedMs + clock.aheadMs;
    world.transmit = async () => ({ status: "failed", reason: "no_answer", onAir: "possible" });
    return { world, clock };
  }
  const place = { plan, gainCentiDbi: 0, hotspot };
  const STEPS_MS = [-2 * DAY_MS, -10_000, 10_000, 2 * DAY_MS];

  test.each(STEPS_MS)("by %d ms forgets nothing of what was sent", async (setByMs) => {
    const { world, clock } = createSetWorld();
    const life = await begin(world, place);
    await life.hear(challenge.slotRound - 1, never);
    expect(world.transmitted).toHaveLength(1);
    clock.aheadMs += setByMs;
    clock.elapsedMs = 3_599_000;
    // Seen before its end, as rounds are heard all the time.
    await life.hear(challenge.slotRound, never);
    expect(life.beaconer.lastFailure()).toBe("over_duty_cycle");
    clock.elapsedMs = 7_200_000;
    await life.hear(challenge.slotRound + 1, never);
    expect(world.transmitted).toHaveLength(2);
  });

  test.each(STEPS_MS)(
    "by %d ms is followed at once in what is shown, and with a round on the disk",
    async (setByMs) => {
      const { world, clock } = createSetWorld();
      const countUsedUs = ({ beaconer }: Life) => {
        const use = computeDutyUse(plan, beaconer.transmissions(), world.nowMs());
        return use.reduce((sum, { usedUs }) => sum + usedUs, 0);
      };
      const life = await begin(world, place);
      await life.hear(challenge.slotRound - 1, never);
      clock.aheadMs += setByMs;
      clock.elapsedMs = 1_800_000;
      expect(countUsedUs(life)).toBe(airtimeUs);
      await life.hear(challenge.slotRound, never);
      clock.elapsedMs = 3_599_000;
      expect(countUsedUs(await begin(world, place))).toBe(airtimeUs);
      clock.elapsedMs = 7_200_000;
      expect(countUsedUs(await begin(world, place))).toBe(0);
    },
  );
});

describe("a concentrator's gain table", () => {
  const plan = REGION_PLANS.EU868;
  // 16 dBm less 5.8 dBi: 10 dBm, where the reference table begins at 12.
  const gainCentiDbi = 580;
  const { hotspot, challenge } = findKey(plan);

  test("that cannot go low enough is refused with the reason, without a byte on air", async () => {
    const world = createWorld();
    const life = await beaconOnce({ plan, gainCentiDbi, hotspot, lowestPowerDbm: 12 }, challenge, world);
    expect(world.transmitted).toEqual([]);
    expect(life.beaconer.lastFailure()).toBe("power_floor");
  });

  test.each([
    ["as low as is asked", 580, 10],
    // 16 dBm less 4.3 dBi is 11.7, asked for as 11: 12 would be 0.3 dB over the plan.
    ["lower", 430, -6],
  ])("that goes %s is used", async (_, gain, lowestPowerDbm) => {
    const world = createWorld();
    await beaconOnce({ plan, gainCentiDbi: gain, hotspot, lowestPowerDbm }, challenge, world);
    expect(world.transmitted).toHaveLength(1);
  });

  test("is its forwarder's: the beacon is for the one that was judged, whoever takes over meanwhile", async () => {
    const world = createWorld();
    const takeOver = [createForwarderStatus({ eui: "00000000000000b0" })];
    let looks = 0;
    const first = [createForwarder(40_000)];
    Object.defineProperty(world, "forwarders", { get: () => (looks++ === 0 ? first : takeOver) });
    await beaconOnce({ plan, gainCentiDbi: 0, hotspot }, challenge, world);
    expect(world.transmitted).toMatchObject([{ forwarderEui: first[0]!.eui }]);
  });

  test("that is a dB above what is asked, and over the plan, is refused", async () => {
    const world = createWorld();
    const place = { plan, gainCentiDbi: 430, hotspot, lowestPowerDbm: 12 };
    expect((await beaconOnce(place, challenge, world)).beaconer.lastFailure()).toBe("power_floor");
    expect(world.transmitted).toEqual([]);
  });

  test("of which nothing is known is taken to begin at 12 dBm, so that not even the first beacon is too loud", async () => {
    const world = createWorld();
    const life = await beaconOnce({ plan, gainCentiDbi, hotspot }, challenge, world);
    expect(world.transmitted).toEqual([]);
    expect(life.beaconer.lastFailure()).toBe("floor_unknown");
    expect(life.beaconer.lastingFailure()).toBe("floor_unknown");
    // With 4.15 dBi less than that is asked for only by the tolerance that the plan still has.
    const place = { plan, gainCentiDbi: 400, hotspot };
    expect((await beaconOnce(place, challenge, world)).beaconer.lastFailure()).toBeNull();
    expect(world.transmitted).toMatchObject([{ powerDbm: 12 }]);
  });

  test.each([
    ["unset", {}],
    // An operator's slip, or another concentrator's table: the forwarder knows better.
    ["set too low", { lowestPowerDbm: 0 }],
  ])(
    "is learnt from its first warning, signed as it was used, and kept while that forwarder runs: %s",
    async (_, set) => {
      const world = createWorld();
      world.forwarders = [createForwarder(40_000)];
      world.transmit = async () => ({
        status: "queued",
        forwarderEui: "aa555a0000000000",
        powerDbm: 15,
        acknowledged: true,
        tmstUs: null,
      });
      const place = { plan, gainCentiDbi: 400, hotspot, ...set };
      const life = await beaconOnce(place, challenge, world);
      expect(world.transmitted).toMatchObject([{ powerDbm: 12 }]);
      const [bundle] = [...world.sent.values()];
      expect(bundle!.beacons[0]!.powerCentiDbm).toBe(1_500);
      expect(life.beaconer.transmissions()).toMatchObject([{ eirpCentiDbm: 1_900 }]);

      // The next life, asked by another challenge: it knows before it sends, as long as the same forwarder runs.
      const other = findKey(plan, (c) => c.slotRound > challenge.slotRound + 100);
      for (const [port, transmissions] of [
        [40_000, 1],
        [40_001, 2],
      ] as const) {
        world.forwarders = [createForwarder(port)];
        const state = JSON.parse(await readFile(join(home, "beacons.json"), "utf8"));
        expect(state.powerFloors).toEqual([
          { forwarder: "aa555a0000000000@127.0.0.1:40000", lowestPowerDbm: 15 },
        ]);
        await forgetBeacons(state);
        const next = await beaconOnce({ ...place, hotspot: other.hotspot }, other.challenge, world);
        expect(world.transmitted).toHaveLength(transmissions);
        expect(next.beaconer.lastFailure()).toBe(transmissions === 1 ? "power_floor" : null);
      }
    },
  );

  /** A later epoch's life, as far as the file goes: no beacon of this epoch is known. */
  async function forgetBeacons(state: Record<string, unknown>): Promise<void> {
    const { checksum: _, ...rest } = state;
    await writeFile(join(home, "beacons.json"), JSON.stringify({ ...rest, beacons: [] }));
  }

  test("a file of before floors were kept is read", async () => {
    await writeFile(join(home, "beacons.json"), '{"version":1,"beacons":[],"transmissions":[]}');
    const world = createWorld();
    await beaconOnce({ plan, gainCentiDbi: 0, hotspot }, challenge, world);
    expect(world.transmitted).toHaveLength(1);
  });
});
