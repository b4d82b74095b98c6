import { describe, expect, test } from "vitest";
import {
  beaconSpreadingFactors,
  findDutyBands,
  findRegionPlan,
  findRegionPlanById,
  REGION_NAMES,
  REGION_PLANS,
} from "../../../protocol/src/radio/regions.ts";

describe("region plans", () => {
  // Helium's lorawan-h3: first and last beacon channel, how many, and the number of the region in its enumeration.
  test.each([
    ["EU868", 1, 8, 867_100_000, 868_500_000],
    ["US915", 0, 8, 903_900_000, 905_300_000],
    ["AU915", 5, 8, 916_800_000, 918_200_000],
    ["AS923-1", 6, 8, 923_200_000, 924_600_000],
    ["IN865", 8, 3, 865_062_500, 865_985_000],
  ] as const)("%s", (name, id, count, first, last) => {
    const plan = REGION_PLANS[name];
    expect(plan.id).toBe(id);
    expect(plan.beaconFreqsHz).toHaveLength(count);
    expect([plan.beaconFreqsHz[0], plan.beaconFreqsHz.at(-1)]).toEqual([first, last]);
    expect(findRegionPlan(name)).toBe(plan);
    expect(findRegionPlanById(id)).toBe(plan);
  });

  test("are found by their own names and numbers only", () => {
    for (const name of ["", "EU", "eu868", "__proto__", "toString"]) expect(findRegionPlan(name)).toBeNull();
    for (const id of [-1, 2, 99, 1.5, Number.NaN]) expect(findRegionPlanById(id)).toBeNull();
    expect(Object.keys(REGION_PLANS)).toEqual([...REGION_NAMES]);
  });

  test("Europe's beacon channels lie in two bands of their own budgets", () => {
    const bands = REGION_PLANS.EU868.beaconFreqsHz.map(
      (freqHz) => findDutyBands(REGION_PLANS.EU868, freqHz)[0]!.name,
    );
    expect(bands).toEqual(["L", "L", "L", "L", "L", "M", "M", "M"]);
  });
});

describe("spreading factors of beacons", () => {
  test("keep 24 bytes under the challenge's limit", () => {
    expect(beaconSpreadingFactors(REGION_PLANS.EU868, 400)).toEqual([7, 8, 9, 10]);
    expect(beaconSpreadingFactors(REGION_PLANS.EU868, 1_500)).toEqual([7, 8, 9, 10, 11, 12]);
    expect(beaconSpreadingFactors(REGION_PLANS.EU868, 100)).toEqual([7]);
    expect(beaconSpreadingFactors(REGION_PLANS.EU868, 61)).toEqual([]);
  });

  test("never break a dwell limit, however long the challenge may be", () => {
    for (const name of ["US915", "AU915", "AS923-1"] as const) {
      expect(beaconSpreadingFactors(REGION_PLANS[name], 1_500)).toEqual([7, 8, 9, 10]);
    }
    expect(beaconSpreadingFactors(REGION_PLANS.IN865, 1_500)).toEqual([7, 8, 9, 10, 11, 12]);
  });
});
