import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { armBeacon } from "../../../node/src/hotspot/beaconRecord.ts";
import { loadBeaconState, saveBeaconState } from "../../../node/src/hotspot/beaconState.ts";
import type { TransmitResult } from "../../../node/src/radio/radio.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { sha256 } from "../../../protocol/src/crypto/sha256.ts";
import { computeChallenge } from "../../../protocol/src/evidence/challenge.ts";
import { PRESETS } from "../../../protocol/src/network/presets.ts";
import { computeDutyUse } from "../../../protocol/src/radio/dutyCycle.ts";
import { REGION_PLANS } from "../../../protocol/src/radio/regions.ts";
import { createWorld, Life, NETWORK_ID, queued, type World } from "./beaconerLife.ts";

/** Called before and after each write of the state. */
const onSave = vi.hoisted(() => ({ step: async (): Promise<void> => undefined }));
vi.mock("../../../node/src/hotspot/beaconState.ts", async (original) => {
  const real = await original<typeof import("../../../node/src/hotspot/beaconState.ts")>();
  return {
    ...real,
    saveBeaconState: async (...args: Parameters<typeof real.saveBeaconState>) => {
      await onSave.step();
      await real.saveBeaconState(...args);
      await onSave.step();
    },
  };
});

const parameters = PRESETS.test;
const plan = REGION_PLANS.EU868;
// A key and a seed with a slot early in epoch 0, and none in epoch 1, so that one beacon is all there is to send.
const { hotspot, seed, challenge } = findQuietKey();
const lastAttempt = challenge.slotRound + parameters.beaconToleranceRounds - 2;
const end = challenge.slotRound + 30;

function findQuietKey() {
  for (let i = 0; ; i++) {
    const key = sha256(Uint8Array.of(i & 255, i >> 8));
    const epochSeed = new Uint8Array(32).fill(1);
    const found = computeChallenge(parameters, epochSeed, key, 0, plan)!;
    if (found.slotRound >= 2 && found.slotRound <= 5)
      return { hotspot: key, seed: epochSeed, challenge: found };
  }
}

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "hexbeacon-beaconer-"));
  onSave.step = async () => undefined;
});

const surroundings = { plan, gainCentiDbi: 0, hotspot, seed, parameters };
const beginLife = (world: World): Promise<Life> => {
  onSave.step = () => world.step();
  return Life.begin(world, { home, ...surroundings });
};

const never = new Promise<void>(() => undefined);
const kindsSent = (world: World) => world.sentInRound.map(({ kind }) => kind);

describe("a beacon", () => {
  test("goes out in its slot, and its reveal when the window has closed", async () => {
    const world = createWorld();
    const life = await beginLife(world);
    for (let round = 0; round <= end; round++) {
      if (round === challenge.slotRound + 2) world.includedRound = round - 1;
      await life.hear(round, never);
    }
    expect(world.transmitted).toHaveLength(1);
    const windowEnd = challenge.slotRound + 1 + parameters.witnessWindowRounds;
    expect(world.sentInRound).toEqual([
      { kind: "beacon", round: challenge.slotRound - 1 },
      { kind: "reveal", round: windowEnd },
    ]);
    expect(life.beaconer.beacons()).toMatchObject([{ phase: "ended", end: "complete" }]);
  });

  test("is revealed neither early nor never, whatever a validator says, and as late as need be when nobody says", async () => {
    for (const [said, revealRound] of [
      [0, challenge.slotRound + parameters.witnessWindowRounds],
      [null, challenge.slotRound + parameters.beaconToleranceRounds + parameters.witnessWindowRounds],
      [2 ** 40, challenge.slotRound + parameters.beaconToleranceRounds + parameters.witnessWindowRounds],
    ] as const) {
      await rm(join(home, "beacons.json"), { force: true });
      const world = createWorld();
      world.includedRound = said;
      const life = await beginLife(world);
      for (let round = 0; round <= end; round++) await life.hear(round, never);
      expect(world.sentInRound.at(-1)).toEqual({ kind: "reveal", round: revealRound });
    }
  });

  test("is revealed no earlier for a restart, after which an earlier round is named", async () => {
    const world = createWorld();
    const tolerated = challenge.slotRound + parameters.beaconToleranceRounds;
    const revealRound = tolerated + parameters.witnessWindowRounds;
    let life = await beginLife(world);
    world.includedRound = tolerated;
    for (let round = 0; round <= tolerated + 1; round++) await life.hear(round, never);
    expect(life.beaconer.beacons()).toMatchObject([{ includedRound: tolerated }]);
    life = await beginLife(world);
    world.includedRound = challenge.slotRound + 1;
    for (let round = tolerated + 2; round <= end; round++) await life.hear(round, never);
    expect(world.sentInRound.at(-1)).toEqual({ kind: "reveal", round: revealRound });
  });

  test("is tried again with the same frame while its tolerance lasts, and then missed", async () => {
    const world = createWorld();
    const refused: TransmitResult = { status: "failed", reason: "no_forwarder", onAir: "no" };
    world.transmit = async () => refused;
    const life = await beginLife(world);
    for (let round = 0; round <= end; round++) await life.hear(round, never);
    expect(world.transmitted).toHaveLength(lastAttempt - (challenge.slotRound - 1) + 1);
    expect(new Set(world.transmitted.map(({ payload }) => encodeHex(payload))).size).toBe(1);
    expect(world.sent.size).toBe(0);
    expect(life.beaconer.beacons()).toMatchObject([{ phase: "ended", end: "missed" }]);
    expect(life.beaconer.lastFailure()).toBe("no_forwarder");
    // What was not on air has used no budget.
    expect(life.beaconer.transmissions()).toEqual([]);
  });

  test("counts what may have been on air against the duty cycle", async () => {
    const world = createWorld();
    world.transmit = async () => ({ status: "failed", reason: "no_answer", onAir: "possible" });
    const life = await beginLife(world);
    for (let round = 0; round <= end; round++) await life.hear(round, never);
    expect(life.beaconer.transmissions()).toHaveLength(world.transmitted.length);
  });

  test("that was sent at a power which nobody tells ends there: it is on air, and cannot be reported", async () => {
    const world = createWorld();
    world.transmit = async () => ({ status: "failed", reason: "power_unknown", onAir: "possible" });
    const life = await beginLife(world);
    for (let round = 0; round <= end; round++) await life.hear(round, never);
    expect(world.transmitted).toHaveLength(1);
    expect(world.sent.size).toBe(0);
    expect(life.beaconer.beacons()).toMatchObject([{ phase: "ended", end: "power_unknown" }]);
    expect(life.beaconer.transmissions()).toHaveLength(1);
  });

  test("is not sent when rounds were out of reach during its slot", async () => {
    const world = createWorld();
    const life = await beginLife(world);
    await life.hear(0, never);
    await life.hear(lastAttempt + 1, never);
    expect(world.transmitted).toEqual([]);
  });

  test("waits until the network knows the hotspot, and goes out if that is in time", async () => {
    for (const knownFrom of [Number.POSITIVE_INFINITY, lastAttempt]) {
      await rm(join(home, "beacons.json"), { force: true });
      const world = createWorld();
      const life = await beginLife(world);
      for (let round = 0; round <= end; round++) {
        world.knowsHotspot = round >= knownFrom;
        await life.hear(round, never);
        if (round < knownFrom) expect([world.transmitted, life.beaconer.next()]).toEqual([[], null]);
      }
      expect(world.transmitted).toHaveLength(knownFrom > end ? 0 : 1);
    }
  });

  test("is armed on the disk, with its secret, before it is on air", async () => {
    const world = createWorld();
    world.transmit = async (request) => {
      const state = JSON.parse(await readFile(join(home, "beacons.json"), "utf8"));
      expect(state.beacons[0].phase).toBe("armed");
      expect(encodeHex(request.payload)).toContain(state.beacons[0].secret);
      expect(state.transmissions).toHaveLength(1);
      return queued(request);
    };
    const life = await beginLife(world);
    for (let round = 0; round <= challenge.slotRound; round++) await life.hear(round, never);
    expect(world.transmitted).toHaveLength(1);
  });

  test("whose writing fails once it is on air is sent no second time, and reported and revealed all the same", async () => {
    const world = createWorld();
    const life = await beginLife(world);
    let isFull = false;
    world.transmit = async (request) => {
      isFull = true;
      return queued(request);
    };
    onSave.step = async () => {
      if (isFull) throw new Error("no space left on device");
    };
    for (let round = 0; round <= end; round++) await life.hear(round, never);
    expect(world.transmitted).toHaveLength(1);
    expect(kindsSent(world)).toEqual(["beacon", "reveal"]);
    expect(life.beaconer.beacons()).toMatchObject([{ phase: "ended", end: "complete", attempts: 1 }]);
    // The disk takes it when it can.
    expect((await loadBeaconState(home, hotspot))!.beacons).toMatchObject([{ phase: "armed" }]);
    isFull = false;
    await life.hear(end + 1, never);
    expect((await loadBeaconState(home, hotspot))!.beacons).toMatchObject([{ end: "complete" }]);
  });

  test("that cannot be armed on a full disk is not on air, uses no budget, and goes out when there is room", async () => {
    const world = createWorld();
    const life = await beginLife(world);
    let isFull = true;
    onSave.step = async () => {
      if (isFull) throw new Error("no space left on device");
    };
    for (let round = 0; round < lastAttempt; round++) await life.hear(round, never);
    expect(world.transmitted).toEqual([]);
    expect(life.beaconer.transmissions()).toEqual([]);
    isFull = false;
    await life.hear(lastAttempt, never);
    expect(world.transmitted).toHaveLength(1);
    expect(life.beaconer.transmissions()).toHaveLength(1);
    expect(life.beaconer.beacons()).toMatchObject([{ phase: "reported", attempts: 1 }]);
  });

  test("whose report a full disk has kept out of the spool is reported anew by the next process", async () => {
    const world = createWorld();
    const first = await beginLife(world);
    for (let round = 0; round < challenge.slotRound; round++) await first.hear(round, never);
    expect(kindsSent(world)).toEqual(["beacon"]);
    // The spool is empty: nothing is followed in the second life before the beaconer says it again.
    const second = await beginLife(world);
    for (let round = challenge.slotRound; round <= end; round++) await second.hear(round, never);
    expect(kindsSent(world)).toEqual(["beacon", "beacon", "reveal"]);
    expect(world.sent.size).toBe(2);
  });
});

describe("a record that cannot be understood", () => {
  test.each(["", "{", "{}", '{"version":1,"beacons":[{}],"transmissions":[]}', "[]", "null"])(
    "is set aside, and none is sent in an epoch that one may have been sent in: %j",
    async (text) => {
      await writeFile(join(home, "beacons.json"), text);
      const world = createWorld();
      // Also where the first process ends before it has heard anything.
      await beginLife(world);
      const life = await beginLife(world);
      const transmissions = life.beaconer.transmissions();
      expect(computeDutyUse(plan, transmissions, Date.now()).every((use) => use.usedUs === use.limitUs)).toBe(
        true,
      );
      for (let round = 0; round <= end; round++) await life.hear(round, never);
      expect(world.transmitted).toEqual([]);
      expect(await readFile(join(home, "challenged-from"), "utf8")).toBe(`2 ${encodeHex(NETWORK_ID)}\n`);
      expect(await readFile(join(home, "beacons.json.damaged"), "utf8")).toBe(text);
      // The next process knows as much.
      const next = await beginLife(world);
      for (let round = 0; round <= end; round++) await next.hear(round, never);
      expect(world.transmitted).toEqual([]);
      expect(next.beaconer.transmissions()).toHaveLength(transmissions.length);
    },
  );

  test("is told from a whole one whichever byte is another", async () => {
    const world = createWorld();
    const life = await beginLife(world);
    for (let round = 0; round <= end; round++) await life.hear(round, never);
    const path = join(home, "beacons.json");
    const whole = await loadBeaconState(home, hotspot);
    expect(whole!.beacons).toMatchObject([{ end: "complete" }]);
    const bytes = await readFile(path);
    for (let i = 0; i < bytes.length; i++) {
      const damaged = Buffer.from(bytes);
      damaged[i]! ^= 1;
      await writeFile(path, damaged);
      const read = await loadBeaconState(home, hotspot);
      // Where the checksum's own name is another, the rest is as it was.
      if (read !== null) expect(read).toEqual(whole);
    }
  });
});

describe("a home that is moved to another network", () => {
  const ended = { phase: "ended", end: "complete", revealEpoch: 50_000 } as const;
  const elsewhere = [49_998, 49_999, 50_000, 50_001].map((epoch) => ({
    ...armBeacon({ ...challenge, slotRound: 720 * epoch }, epoch, hotspot, randomBytes(16)),
    ...ended,
  }));
  const sent = { freqHz: 868_100_000, startMs: Date.now(), airtimeUs: 1_000, eirpCentiDbm: 1_400 };

  test.each([
    ["whose file names it", NETWORK_ID.map(() => 1)],
    ["whose file is of before that", null],
  ])("beacons there once an epoch, and reveals it: %s", async (_, networkId) => {
    await saveBeaconState(home, { networkId, beacons: elsewhere, transmissions: [sent], powerFloors: [] });
    const world = createWorld();
    for (let round = 0; round <= end; round++) {
      // Each round is another process's, if it is not the one in which it beacons.
      const life = await beginLife(world);
      await life.hear(round, never);
      if (round === challenge.slotRound - 1) expect(life.beaconer.transmissions()).toHaveLength(2);
    }
    expect(world.transmitted).toHaveLength(1);
    expect([...world.sent.values()].map(({ reveals }) => reveals.length)).toEqual([0, 1]);
    const kept = await loadBeaconState(home, hotspot);
    expect(Uint8Array.from(kept!.networkId!)).toEqual(NETWORK_ID);
    expect(kept!.beacons.at(-1)).toMatchObject({ epoch: 0, end: "complete" });
    expect(kept!.beacons).toHaveLength(networkId === null ? 4 : 1);
  });
});

describe("a crash", () => {
  test("at any step, in any life, never makes a second beacon, nor a second report or reveal of one", async () => {
    let steps = 0;
    for (let crashAt = 1; ; crashAt++) {
      await rm(join(home, "beacons.json"), { force: true });
      const world = createWorld();
      let count = 0;
      const { promise: crash, resolve } = Promise.withResolvers<void>();
      world.step = async () => {
        if (++count !== crashAt) return;
        resolve();
        await never;
      };
      let crashed = false;
      void crash.then(() => {
        crashed = true;
      });
      const first = await beginLife(world);
      let round = 0;
      for (; round <= end && !crashed; round++) await first.hear(round, crash);
      steps = count;
      if (!crashed) break;

      world.step = async () => undefined;
      const sentBefore = world.transmitted.length;
      const second = await beginLife(world);
      for (round -= 1; round <= end; round++) await second.hear(round, never);
      expect(world.transmitted.length, `crash at step ${crashAt}`).toBeLessThanOrEqual(1);
      const ids = [...world.sent.values()];
      expect(ids.filter(({ beacons }) => beacons.length > 0).length).toBeLessThanOrEqual(1);
      expect(ids.filter(({ reveals }) => reveals.length > 0).length).toBeLessThanOrEqual(1);
      // Once the power really used is on the disk, nothing is lost any more.
      const [beacon] = second.beaconer.beacons();
      if (beacon?.powerCentiDbm !== null && beacon !== undefined) {
        expect(sentBefore).toBeLessThanOrEqual(1);
        expect(kindsSent(world)).toEqual(expect.arrayContaining(["beacon", "reveal"]));
      }
    }
    // Writes before and after for armed, sent, reported, revealed and complete, two sends, one transmission.
    expect(steps).toBeGreaterThanOrEqual(15);
  });
});
