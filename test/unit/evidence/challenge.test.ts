/** Challenges: golden draws, fair draws, and powers that never break a plan. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Challenge,
  computeChallenge,
  computeChallengePowerCentiDbm,
  MAX_CONDUCTED_CENTI_DBM,
  STEP_FLOOR_CENTI_DBM,
} from "../../../protocol/src/evidence/challenge.ts";
import { PRESETS } from "../../../protocol/src/network/presets.ts";
import { computeAirtimeUs } from "../../../protocol/src/radio/airtime.ts";
import { FRAME_BYTES } from "../../../protocol/src/radio/frame.ts";
import { REGION_NAMES, REGION_PLANS } from "../../../protocol/src/radio/regions.ts";
import { keyOf } from "../../sim/ledgerWorld.ts";

const HOTSPOT = Uint8Array.from({ length: 32 }, (_, i) => i);
const seedOf = (value: number) => new Uint8Array(32).fill(value);
const EU868 = REGION_PLANS.EU868;

describe("golden challenges", () => {
  // The words of SHA-256("hexbeacon/challenge\0" || seed || hotspot) were drawn with Python 3's hashlib and struct.
  test("follow from seed and hotspot", () => {
    expect(computeChallenge(PRESETS.test, seedOf(9), HOTSPOT, 5, EU868)).toEqual({
      slotRound: 5 * 20 + 3,
      freqHz: EU868.beaconFreqsHz[5],
      spreadingFactor: 8,
      bandwidthHz: 125_000,
      powerStepDb: 6,
    });
    expect(computeChallenge(PRESETS.mainnet, seedOf(8), HOTSPOT, 2, EU868)).toEqual({
      slotRound: 2 * 720 + 40,
      freqHz: EU868.beaconFreqsHz[7],
      spreadingFactor: 12,
      bandwidthHz: 125_000,
      powerStepDb: 0,
    });
    expect(computeChallenge(PRESETS.mainnet, seedOf(9), HOTSPOT, 2, EU868)).toBeNull();
  });
});

describe("draws", () => {
  const draw = (count: number, parameters = PRESETS.mainnet): Challenge[] =>
    Array.from({ length: count }, (_, i) =>
      computeChallenge(parameters, seedOf(1), keyOf(`hotspot ${i}`), 0, EU868),
    ).filter((challenge) => challenge !== null);

  test("one in six is challenged, and every choice comes up about equally often", () => {
    const challenges = draw(12_000);
    // 2,000 are expected; the standard deviation is 41.
    expect(Math.abs(challenges.length - 2_000)).toBeLessThan(200);
    for (const [pick, choices] of [
      [(c: Challenge) => c.freqHz, 8],
      [(c: Challenge) => c.spreadingFactor, 6],
      [(c: Challenge) => c.powerStepDb, 2],
      [(c: Challenge) => Math.floor(c.slotRound / 90), 8],
    ] as const) {
      const counts = new Map<number, number>();
      for (const challenge of challenges) counts.set(pick(challenge), (counts.get(pick(challenge)) ?? 0) + 1);
      const expected = challenges.length / choices;
      expect(counts.size).toBe(choices);
      for (const count of counts.values())
        expect(Math.abs(count - expected)).toBeLessThan(5 * Math.sqrt(expected));
    }
  });

  test("the beacon stays under the airtime limit and the plan's dwell, in every region", () => {
    for (const name of REGION_NAMES) {
      const plan = REGION_PLANS[name];
      for (let i = 0; i < 200; i++) {
        const challenge = computeChallenge(PRESETS.mainnet, seedOf(i), HOTSPOT, 0, plan);
        if (challenge === null) continue;
        const { spreadingFactor, bandwidthHz, freqHz } = challenge;
        const airtimeUs = computeAirtimeUs({ spreadingFactor, bandwidthHz, payloadBytes: FRAME_BYTES });
        expect(airtimeUs).toBeLessThanOrEqual(Math.min(1_500, plan.dwellMs ?? 1_500) * 1_000);
        expect(plan.beaconFreqsHz).toContain(freqHz);
      }
    }
  });

  test("a plan that has no spreading factor under the limit is not challenged", () => {
    const parameters = { ...PRESETS.test, challengeAirtimeMaxMs: 1 };
    expect(computeChallenge(parameters, seedOf(9), HOTSPOT, 5, EU868)).toBeNull();
  });
});

describe("power", () => {
  test("a step never asks stock hardware for less than its gain table has", () => {
    // 16 dBm EIRP at 2.15 dBi: 13 dBm at most; 6 dB less would be 7, which a table from 12 dBm on answers with 12.
    const asked = (gainCentiDbi: number, step: number) =>
      computeChallengePowerCentiDbm(EU868, gainCentiDbi, step);
    expect(asked(215, 0)).toBe(1_300);
    expect(asked(215, 6)).toBe(1_200);
    // An antenna that leaves less than the table has is asked for just that, at every step.
    expect(asked(580, 0)).toBe(1_000);
    expect(asked(580, 6)).toBe(1_000);
    expect(computeChallengePowerCentiDbm(REGION_PLANS.US915, 580, 6)).toBe(2_100);
  });

  test("is whole dB, and within a dB under what plan and concentrator allow, less the step", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...REGION_NAMES),
        fc.integer({ min: -1_000, max: 3_000 }),
        fc.constantFrom(0, 6),
        (name, gainCentiDbi, powerStepDb) => {
          const plan = REGION_PLANS[name];
          const power = computeChallengePowerCentiDbm(plan, gainCentiDbi, powerStepDb);
          const highest = Math.min(plan.maxEirpCentiDbm - gainCentiDbi, MAX_CONDUCTED_CENTI_DBM);
          const asked = Math.max(highest - powerStepDb * 100, Math.min(highest, STEP_FLOOR_CENTI_DBM));
          const short = asked - power;
          expect(Math.abs(power % 100)).toBe(0);
          expect(short).toBeGreaterThanOrEqual(0);
          expect(short).toBeLessThan(100);
        },
      ),
    );
  });
});
