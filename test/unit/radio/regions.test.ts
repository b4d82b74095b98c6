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
    ["AS923-2", 9, 8, 921_400_000, 922_800_000],
    ["AS923-3", 10, 8, 916_600_000, 918_000_000],
    ["AS923-4", 11, 8, 917_300_000, 918_700_000],
    ["KR920", 7, 7, 922_100_000, 923_300_000],
    ["RU864", 14, 7, 864_100_000, 869_100_000],
    ["CN470", 4, 8, 486_300_000, 487_700_000],
    // The table in lorawan-h3 says 43.3175, 43.3375 and 43.3575 MHz; 433.175 to 433.575 are meant.
    ["EU433", 2, 3, 433_175_000, 433_575_000],
    ["AS923-1B", 12, 8, 922_000_000, 923_400_000],
    ["AU915-SB1", 21, 8, 915_200_000, 916_600_000],
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
    for (const id of [-1, 3, 99, 1.5, Number.NaN]) expect(findRegionPlanById(id)).toBeNull();
    expect(Object.keys(REGION_PLANS)).toEqual([...REGION_NAMES]);
  });

  test("Europe's beacon channels lie in two bands of their own budgets", () => {
    const bands = REGION_PLANS.EU868.beaconFreqsHz.map(
      (freqHz) => findDutyBands(REGION_PLANS.EU868, freqHz)[0]!.name,
    );
    expect(bands).toEqual(["L", "L", "L", "L", "L", "M", "M", "M"]);
  });
});

describe("the power that plans leave a concentrator", () => {
  // Conducted dBm at 0, 1.2, 3, 5.8 and 8 dBi, as Helium's gateways computed it from the same limits.
  test.each([
    ["EU868", 16, 14, 13, 10, 8],
    ["AU915", 30, 28, 27, 24, 22],
    ["AU915-SB1", 30, 28, 27, 24, 22],
    ["AS923-1B", 16, 14, 13, 10, 8],
    // RP002-1.0.5's 29.2 dBm, where they went by 30.
    ["IN865", 29, 28, 26, 23, 21],
    ["AS923-2", 16, 14, 13, 10, 8],
    ["RU864", 16, 14, 13, 10, 8],
    ["KR920", 14, 12, 11, 8, 6],
    ["CN470", 19, 17, 16, 13, 11],
    ["EU433", 12, 10, 9, 6, 4],
  ] as const)("%s", (name, ...powersDbm) => {
    const { maxEirpCentiDbm } = REGION_PLANS[name];
    const gains = [0, 120, 300, 580, 800];
    expect(gains.map((gain) => Math.floor((maxEirpCentiDbm - gain) / 100))).toEqual(powersDbm);
  });

  test("Korea is quieter below 922 MHz, where no beacon goes", () => {
    const plan = REGION_PLANS.KR920;
    expect(findDutyBands(plan, 921_900_000).map(({ maxEirpCentiDbm }) => maxEirpCentiDbm)).toEqual([1_000]);
    for (const freqHz of plan.beaconFreqsHz) {
      expect(findDutyBands(plan, freqHz).map(({ maxEirpCentiDbm }) => maxEirpCentiDbm)).toEqual([1_400]);
    }
  });

  test("Japan and Korea ask for listening first", () => {
    const rules = REGION_NAMES.flatMap((name) => REGION_PLANS[name].listenBeforeTalk);
    expect(rules).toEqual([
      { country: "Japan", listenUs: 5_000, thresholdCentiDbm: -8_000 },
      { country: "South Korea", listenUs: 6_000, thresholdCentiDbm: -6_500 },
    ]);
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
    const withDwell = REGION_NAMES.filter((name) => REGION_PLANS[name].dwellMs === 400);
    expect(withDwell).toHaveLength(8);
    for (const name of withDwell) {
      expect(beaconSpreadingFactors(REGION_PLANS[name], 1_500)).toEqual([7, 8, 9, 10]);
    }
    expect(beaconSpreadingFactors(REGION_PLANS.IN865, 1_500)).toEqual([7, 8, 9, 10, 11, 12]);
    // 823 ms at SF11 keep China's second, 1,483 ms at SF12 do not.
    expect(beaconSpreadingFactors(REGION_PLANS.CN470, 1_500)).toEqual([7, 8, 9, 10, 11]);
  });
});
