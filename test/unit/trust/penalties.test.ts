/** Every penalty on either side of its threshold, by cases worked out by hand. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PPM } from "../../../protocol/src/network/parameters.ts";
import {
  computeFactorPpm,
  createFinding,
  EVIDENCE_MAX,
  FACTOR_MIN_PPM,
  type Finding,
} from "../../../protocol/src/trust/finding.ts";
import { computeHotspotTrust } from "../../../protocol/src/trust/hotspotTrust.ts";
import { computeSpread, type Reception, sumReceptions } from "../../../protocol/src/trust/moments.ts";
import { checkOwnerCap, checkPlaceCap } from "../../../protocol/src/trust/penalties/caps.ts";
import { checkConstantWindow } from "../../../protocol/src/trust/penalties/constantWindow.ts";
import {
  checkDistanceInsensitivity,
  computeTrendMilliT,
} from "../../../protocol/src/trust/penalties/distanceInsensitivity.ts";
import {
  checkDistanceProfile,
  computeDistanceProfileOctaves,
} from "../../../protocol/src/trust/penalties/distanceProfile.ts";
import { checkFloorWindow } from "../../../protocol/src/trust/penalties/floorWindow.ts";
import {
  checkMissingReverse,
  computeMissingReversePpm,
  type TwoWay,
} from "../../../protocol/src/trust/penalties/missingReverse.ts";
import { checkPowerSlope, computePowerSlopeMilli } from "../../../protocol/src/trust/penalties/powerSlope.ts";
import { checkSnrGrid } from "../../../protocol/src/trust/penalties/snrGrid.ts";
import { checkUnexplainedRssi } from "../../../protocol/src/trust/penalties/unexplainedRssi.ts";
import { RAMPS } from "../../../protocol/src/trust/thresholds.ts";

const TERM = { epoch: 100, penaltyEpochs: 7 };
const LINKS = [4, 9];

const receptions = (count: number, at: (i: number) => Partial<Reception>): Reception[] =>
  Array.from({ length: count }, (_, i) => ({
    rssiDeciDbm: -1_000,
    rssiKind: "signal",
    snrCentiDb: 500,
    bandwidthHz: 125_000,
    powerStepDb: 0,
    ...at(i),
  }));
const window = (count: number, at: (i: number) => Partial<Reception>) => sumReceptions(receptions(count, at));
/** -1, 1, -1, 1: of standard deviation 1. */
const sign = (i: number): number => (i % 2 === 0 ? -1 : 1);

describe("a finding", () => {
  const ramp = { from: 10, to: 20 };

  test("begins past its threshold, falls in a straight line, and leaves a quarter", () => {
    expect(computeFactorPpm(10, ramp)).toBe(1_000_000);
    expect(computeFactorPpm(15, ramp)).toBe(625_000);
    expect(computeFactorPpm(20, ramp)).toBe(FACTOR_MIN_PPM);
    expect(computeFactorPpm(1_000, ramp)).toBe(FACTOR_MIN_PPM);
    expect(computeFactorPpm(5, { from: 10, to: 0 })).toBe(625_000);
  });

  test("names its reason, its evidence and its end", () => {
    const evidence = Array.from({ length: 30 }, (_, i) => i);
    expect(createFinding("snr_grid", 10, ramp, evidence, TERM)).toBeNull();
    expect(createFinding("snr_grid", 20, ramp, evidence, TERM)).toEqual({
      reason: "snr_grid",
      factorPpm: FACTOR_MIN_PPM,
      evidence: evidence.slice(0, EVIDENCE_MAX),
      endsEpoch: 107,
    });
  });

  test("counts once a reason, and not once it has ended", () => {
    const finding = (reason: Finding["reason"], factorPpm: number, endsEpoch: number): Finding => ({
      reason,
      factorPpm,
      evidence: [],
      endsEpoch,
    });
    const findings = [
      finding("snr_grid", 500_000, 107),
      finding("snr_grid", 400_000, 107),
      finding("owner_cap", 500_000, 107),
      finding("place_cap", 250_000, 100),
    ];
    expect(computeHotspotTrust(900_000, findings, 100, 100_000)).toEqual({
      ...{ graphPpm: 900_000, beliefPpm: 360_000, trustPpm: 180_000, creditPpm: 180_000, isSuspended: false },
    });
    expect(computeHotspotTrust(900_000, findings, 107, 100_000).trustPpm).toBe(900_000);
  });

  test("the caps suspend nobody, and hold while pay is withheld for what accuses", () => {
    const finding = (reason: Finding["reason"], factorPpm: number) => ({ reason, factorPpm, endsEpoch: 107 });
    const farm = [finding("owner_cap", 363_636), finding("place_cap", 272_727)];
    expect(computeHotspotTrust(1_000_000, farm, 100, 100_000)).toEqual({
      ...{
        graphPpm: 1_000_000,
        beliefPpm: 1_000_000,
        trustPpm: 99_173,
        creditPpm: 99_173,
        isSuspended: false,
      },
    });
    const accused = [finding("snr_grid", 250_000), finding("constant_window", 250_000), ...farm];
    expect(computeHotspotTrust(1_000_000, accused, 100, 100_000)).toEqual({
      ...{ graphPpm: 1_000_000, beliefPpm: 62_500, trustPpm: 6_198, creditPpm: 99_173, isSuspended: true },
    });
  });

  test("never raises trust, and never takes more than its quarter", () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.integer({ min: 0, max: 1_000 }),
        fc.integer({ min: 1, max: 1_000 }),
        (value, from, length) => {
          const factor = computeFactorPpm(value, { from, to: from + length });
          expect(factor).toBeGreaterThanOrEqual(FACTOR_MIN_PPM);
          expect(factor).toBeLessThanOrEqual(1_000_000);
        },
      ),
    );
  });
});

describe("windows", () => {
  test("spread: what moves together is explained", () => {
    const together = window(20, (i) => ({
      rssiDeciDbm: -1_000 + 30 * sign(i),
      snrCentiDb: 500 + 300 * sign(i),
    }));
    expect(computeSpread(together)).toEqual({ rssiCentiDb: 300, snrCentiDb: 300, unexplainedCentiDb: 0 });
    const apart = window(20, (i) => ({
      rssiDeciDbm: -1_000 + 30 * sign(i),
      snrCentiDb: 500 + 300 * sign(i >> 1),
    }));
    expect(computeSpread(apart)).toEqual({ rssiCentiDb: 300, snrCentiDb: 300, unexplainedCentiDb: 300 });
  });

  test("constant: 0.98 dB of scatter is penalised, 1 dB is not", () => {
    const scatter = (rssiDeciDb: number, snrCentiDb: number) =>
      window(20, (i) => ({
        rssiDeciDbm: -1_400 + rssiDeciDb * sign(i),
        snrCentiDb: -2_000 + snrCentiDb * sign(i),
      }));
    expect(checkConstantWindow(scatter(5, 50), LINKS, TERM)).toBeNull();
    expect(checkConstantWindow(scatter(4, 58), LINKS, TERM)).toMatchObject({
      reason: "constant_window",
      evidence: LINKS,
    });
    expect(checkConstantWindow(scatter(0, 0), LINKS, TERM)?.factorPpm).toBe(FACTOR_MIN_PPM);
    expect(
      checkConstantWindow(
        window(9, () => ({})),
        LINKS,
        TERM,
      ),
    ).toBeNull();
  });

  test("unexplained RSSI: 8.5 dB is left alone, 8.6 is not", () => {
    const apart = (deciDb: number) =>
      window(20, (i) => ({ rssiDeciDbm: -1_000 + deciDb * sign(i), snrCentiDb: 500 + 300 * sign(i >> 1) }));
    expect(checkUnexplainedRssi(apart(85), LINKS, TERM)).toBeNull();
    expect(checkUnexplainedRssi(apart(86), LINKS, TERM)?.reason).toBe("unexplained_rssi");
  });

  test("floor: a fifth of a window below thermal noise is left alone, more is not", () => {
    const below = (count: number) =>
      window(20, (i) => (i < count ? { rssiDeciDbm: -1_220, snrCentiDb: 500 } : {}));
    expect(checkFloorWindow(below(4), LINKS, TERM)).toBeNull();
    expect(checkFloorWindow(below(5), LINKS, TERM)?.reason).toBe("floor_window");
  });

  test("grid: one value in twenty that no modem prints is left alone, two are not", () => {
    const off = (count: number) => window(20, (i) => (i < count ? { snrCentiDb: -547 } : {}));
    expect(checkSnrGrid(off(1), LINKS, TERM)).toBeNull();
    expect(checkSnrGrid(off(2), LINKS, TERM)?.reason).toBe("snr_grid");
  });
});

describe("distance profile", () => {
  test("is log2 of the nearest plus of the median distance, and asks for three", () => {
    expect(computeDistanceProfileOctaves(Int32Array.of(1_024, 65_536, 2_048))).toBe((10 + 11) * 1_024);
    expect(computeDistanceProfileOctaves(Int32Array.of(1_024, 2_048))).toBeNull();
  });

  test("13 km to all is left alone, 14 km is not", () => {
    expect(checkDistanceProfile(Int32Array.of(13_000, 13_000, 13_000), TERM)).toBeNull();
    expect(checkDistanceProfile(Int32Array.of(30_000, 14_000, 14_000), TERM)).toMatchObject({
      reason: "distance_profile",
      evidence: [1, 2, 0],
    });
  });
});

describe("distance insensitivity", () => {
  const pairs = (signal: (i: number) => number, receptions = 16) =>
    Array.from({ length: 20 }, (_, i) => ({
      receptions,
      signalCentiDbm: signal(i),
      distanceM: 300 + 500 * i,
    }));

  test("spares signals that fall with distance and finds those that do not", () => {
    expect(
      checkDistanceInsensitivity(
        pairs((i) => -8_000 - 200 * i),
        TERM,
      ),
    ).toBeNull();
    expect(
      checkDistanceInsensitivity(
        pairs((i) => -9_000 + 300 * sign(i)),
        TERM,
      )?.reason,
    ).toBe("distance_insensitive");
    expect(computeTrendMilliT(pairs(() => -9_000))).toBe(0);
  });

  test("says nothing of single receptions, of few pairs or of pairs equally far", () => {
    expect(computeTrendMilliT(pairs(() => -9_000, 15))).toBeNull();
    expect(computeTrendMilliT(pairs(() => -9_000).slice(1))).toBeNull();
    expect(computeTrendMilliT(pairs(() => -9_000).map((pair) => ({ ...pair, distanceM: 1_000 })))).toBeNull();
  });

  test("Student's t of a known sample", () => {
    // Signals 1, 2, 3, 5 against log distances 10, 11, 12, 13 octaves: r = 0.98270, t = 7.506 (by hand).
    const sample = [1, 2, 3, 5].map((signal, i) => ({
      receptions: 16,
      signalCentiDbm: signal,
      distanceM: 2 ** (10 + i),
    }));
    expect(computeTrendMilliT(sample, 4)).toBe(7_505);
  });
});

describe("missing reverse direction", () => {
  const link = (heard: number, heardBy: number, owner = 0): TwoWay => ({
    owner,
    heard,
    heardBy,
    counterpartBeacons: 20,
    ownBeacons: 20,
    marginCentiDb: 2_000,
  });

  test("three one-way counterparts of five are left alone, four are not", () => {
    const oneWay = (count: number) =>
      Array.from({ length: 5 }, (_, i) => (i < count ? link(12, 0, i) : link(9, 8, i)));
    expect(checkMissingReverse(oneWay(3), TERM)).toBeNull();
    expect(checkMissingReverse(oneWay(4), TERM)).toMatchObject({
      reason: "missing_reverse",
      evidence: [0, 1, 2, 3],
    });
  });

  test("nothing is due of weak links, or where the other had no beacons to be heard by", () => {
    const weak = Array.from({ length: 5 }, (_, i) => ({ ...link(12, 0, i), marginCentiDb: 1_000 }));
    const mute = Array.from({ length: 5 }, (_, i) => ({ ...link(12, 0, i), ownBeacons: 7 }));
    expect(checkMissingReverse(weak, TERM)).toBeNull();
    expect(checkMissingReverse(mute, TERM)).toBeNull();
  });

  test("twenty of one owner's say as much as one, and two owners say nothing", () => {
    const strangers = Array.from({ length: 20 }, () => link(12, 0, 9));
    const neighbours = [0, 1, 2].map((owner) => link(9, 8, owner));
    expect(computeMissingReversePpm([...strangers, ...neighbours])).toBe(250_000);
    expect(computeMissingReversePpm([...strangers, link(12, 0, 8)])).toBeNull();
    expect(computeMissingReversePpm([link(12, 0, 7), link(9, 8, 7), link(12, 0, 8), link(12, 0, 9)])).toBe(
      833_333,
    );
  });
});

describe("power slope", () => {
  const link = (slope: number, level: number, count = 16) =>
    window(count, (i) => {
      const powerStepDb = i % 2 === 0 ? 0 : 6;
      return { powerStepDb, rssiDeciDbm: level - slope * powerStepDb * 10 + 5 * sign(i >> 1) };
    });

  test("follows power within links, whatever lies between them", () => {
    expect(computePowerSlopeMilli([link(1, -900), link(1, -1_100)])).toBeGreaterThan(1_000);
    expect(checkPowerSlope([link(0.5, -900), link(0.5, -1_100), link(0.5, -1_000)], TERM)).toBeNull();
    expect(checkPowerSlope([link(0, -900), link(0, -1_100), link(0, -1_000)], TERM)).toMatchObject({
      reason: "power_insensitive",
    });
  });

  test("leaves out one that contradicts all others, however much was received of it", () => {
    const contrary = link(-1, -1_000, 48);
    const others = [link(0.9, -900), link(0.9, -1_100)];
    expect(computePowerSlopeMilli([contrary, ...others])).toBeLessThan(RAMPS.powerSlopeMilli.from);
    expect(checkPowerSlope([contrary, ...others], TERM)).toBeNull();
    // Nor does it say anything where the others have too little to say without it.
    const fewer = [link(0.9, -900, 8), link(0.9, -1_100, 8)];
    expect(computePowerSlopeMilli([contrary, ...fewer])).toBeLessThan(RAMPS.powerSlopeMilli.from);
    expect(checkPowerSlope([contrary, ...fewer], TERM)).toBeNull();
  });

  test.each([
    ["three that have little each", [11, 11, 11]],
    ["one that has most", [60, 10, 10]],
  ])("leaves nobody out for being the least: a forger's %s", (_, sizes) => {
    const forged = sizes.map((size, i) => link(0.05 * i, -1_000, size));
    expect(checkPowerSlope(forged, TERM)).not.toBeNull();
  });

  test("says nothing of few receptions or of constant power", () => {
    expect(computePowerSlopeMilli([link(0, -900)])).toBeNull();
    expect(computePowerSlopeMilli([window(40, () => ({}))])).toBeNull();
  });
});

describe("caps", () => {
  const hotspots = (count: number) => Array.from({ length: count }, (_, i) => i);
  const whole = new Uint32Array(100).fill(PPM);

  test("four of an owner in a neighbourhood count whole, more count for four together", () => {
    expect(checkOwnerCap(hotspots(4), whole, TERM)).toBeNull();
    expect(checkOwnerCap(hotspots(5), whole, TERM)?.factorPpm).toBe(800_000);
    expect(checkOwnerCap(hotspots(100), whole, TERM)?.factorPpm).toBe(FACTOR_MIN_PPM);
  });

  test("three on a roof count whole, more count for three together", () => {
    expect(checkPlaceCap(hotspots(3), whole, TERM)).toBeNull();
    expect(checkPlaceCap(hotspots(6), whole, TERM)).toMatchObject({
      ...{ reason: "place_cap", factorPpm: 500_000 },
    });
  });

  test("each counts for what the graph gives it", () => {
    const half = whole.map((ppm) => ppm / 2);
    expect(checkPlaceCap(hotspots(6), half, TERM)).toBeNull();
    expect(checkPlaceCap(hotspots(8), half, TERM)?.factorPpm).toBe(750_000);
  });
});

test("every ramp has a length, and its numbers are whole", () => {
  for (const { from, to } of Object.values(RAMPS)) {
    expect(Number.isInteger(from) && Number.isInteger(to)).toBe(true);
    expect(from).not.toBe(to);
  }
});
