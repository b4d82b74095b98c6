import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { REASONS } from "../../../protocol/src/evidence/reasons.ts";
import {
  checkLink,
  computeLinkCeilingCentiDbm,
  GATE_REASONS,
  GATES,
  type LinkMeasurement,
} from "../../../protocol/src/radio/gates.ts";
import { REGION_PLANS } from "../../../protocol/src/radio/regions.ts";

/** A reception that passes every gate with room on both sides. */
const HONEST: LinkMeasurement = {
  rssiDeciDbm: -1_100,
  snrCentiDb: 525,
  spreadingFactor: 9,
  bandwidthHz: 125_000,
  eirpCentiDbm: 1_600,
  rxGainCentiDbi: 300,
  distanceM: 3_000,
  freqHz: 867_500_000,
  region: REGION_PLANS.EU868,
  challenge: { freqHz: 867_500_000, spreadingFactor: 9, bandwidthHz: 125_000 },
};
const CEILING_CENTI_DBM = computeLinkCeilingCentiDbm(HONEST)!;

test("each gate has one reason, in the order of the list, known to the whole protocol", () => {
  expect(GATES.map(({ reason }) => reason)).toEqual([...GATE_REASONS]);
  for (const reason of GATE_REASONS) expect(REASONS).toContain(reason);
});

describe("each gate lets its limit pass and stops what is beyond", () => {
  const withoutRegion = { ...HONEST, region: undefined } as unknown as LinkMeasurement;
  test.each<[string, Partial<LinkMeasurement>, string | null]>([
    ["an honest reception", {}, null],
    ["-145 dBm", { rssiDeciDbm: -1_450, snrCentiDb: -1_600 }, "rssi_below_noise"],
    ["-145.1 dBm", { rssiDeciDbm: -1_451 }, "rssi_out_of_range"],
    ["-10 dBm", { rssiDeciDbm: -100 }, "rssi_above_ceiling"],
    ["-9.9 dBm", { rssiDeciDbm: -99 }, "rssi_out_of_range"],
    ["16 dB of SNR", { snrCentiDb: 1_600 }, null],
    ["16.25 dB of SNR", { snrCentiDb: 1_625 }, "snr_out_of_range"],
    ["SF9 at -16.5 dB", { snrCentiDb: -1_650 }, null],
    ["SF9 at -16.75 dB", { snrCentiDb: -1_675 }, "snr_below_demodulation"],
    ["noise at -126 dBm", { rssiDeciDbm: -1_260, snrCentiDb: 0 }, null],
    ["noise at -126.1 dBm", { rssiDeciDbm: -1_261, snrCentiDb: 0 }, "rssi_below_noise"],
    ["at the ceiling", { rssiDeciDbm: Math.floor(CEILING_CENTI_DBM / 10) }, null],
    ["above the ceiling", { rssiDeciDbm: Math.floor(CEILING_CENTI_DBM / 10) + 1 }, "rssi_above_ceiling"],
    ["100 kHz off", { freqHz: 867_600_000 }, null],
    ["100.001 kHz off", { freqHz: 867_600_001 }, "frequency_mismatch"],
    ["another spreading factor", { spreadingFactor: 10 }, "data_rate_mismatch"],
    ["another bandwidth", { bandwidthHz: 250_000 }, "data_rate_mismatch"],
    ["no spreading factor there is", { spreadingFactor: 13 }, "data_rate_mismatch"],
    ["300 m", { distanceM: 300 }, null],
    ["299 m", { distanceM: 299 }, "too_close"],
    ["100 km", { distanceM: 100_000, rssiDeciDbm: -1_200, snrCentiDb: 0 }, null],
    ["100,001 m", { distanceM: 100_001, rssiDeciDbm: -1_200, snrCentiDb: 0 }, "too_far"],
  ])("%s", (_, change, reason) => {
    expect(checkLink({ ...HONEST, ...change })).toBe(reason);
  });

  test("a wider channel holds more noise", () => {
    const challenge = { freqHz: 867_500_000, spreadingFactor: 9, bandwidthHz: 500_000 };
    const wide = { ...withoutRegion, challenge, bandwidthHz: 500_000, snrCentiDb: 0 };
    expect(checkLink({ ...wide, rssiDeciDbm: -1_199 })).toBeNull();
    expect(checkLink({ ...wide, rssiDeciDbm: -1_200 })).toBe("rssi_below_noise");
  });

  test("a region has its bands and data rates, also without a challenge", () => {
    const { challenge: _, ...unchallenged } = HONEST;
    expect(checkLink({ ...unchallenged, freqHz: 869_525_000 })).toBeNull();
    expect(checkLink({ ...unchallenged, freqHz: 915_000_000 })).toBe("frequency_mismatch");
    const us = { ...unchallenged, region: REGION_PLANS.US915, freqHz: 904_100_000 };
    expect(checkLink({ ...us, spreadingFactor: 10 })).toBeNull();
    expect(checkLink({ ...us, spreadingFactor: 11 })).toBe("data_rate_mismatch");
  });
});

test("SNR passes only as quarters of a dB, or as one decimal prints them", () => {
  const passing: number[] = [];
  for (let snrCentiDb = -100; snrCentiDb <= 100; snrCentiDb++) {
    if (checkLink({ ...HONEST, snrCentiDb }) !== "snr_off_grid") passing.push(snrCentiDb);
  }
  expect(passing).toEqual([-100, -80, -75, -50, -25, -20, 0, 20, 25, 50, 75, 80, 100]);
});

describe("what is absent is not judged", () => {
  const bare: LinkMeasurement = {
    rssiDeciDbm: -1_100,
    snrCentiDb: 525,
    spreadingFactor: 9,
    bandwidthHz: 125_000,
    eirpCentiDbm: 1_600,
    rxGainCentiDbi: null,
  };

  test("no distance: neither ceiling nor pay", () => {
    expect(checkLink({ ...bare, rssiDeciDbm: -100 })).toBeNull();
    expect(computeLinkCeilingCentiDbm(bare)).toBeNull();
  });

  test("no frequency: the region's lowest, or the lowest from 800 MHz up, whose ceiling is the highest", () => {
    const far = { ...bare, distanceM: 3_000 };
    expect(computeLinkCeilingCentiDbm(far)).toBe(computeLinkCeilingCentiDbm({ ...far, freqHz: 864_100_000 }));
    expect(computeLinkCeilingCentiDbm({ ...far, region: REGION_PLANS.US915 })).toBe(
      computeLinkCeilingCentiDbm({ ...far, region: REGION_PLANS.US915, freqHz: 903_900_000 }),
    );
  });
});

test("any integers are judged, and a refused power is never helped by more distance", () => {
  const int16 = fc.integer({ min: -0x8000, max: 0x7fff });
  const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });
  const links = fc.record({
    rssiDeciDbm: int16,
    snrCentiDb: int16,
    spreadingFactor: fc.integer({ min: 0, max: 255 }),
    bandwidthHz: uint32,
    eirpCentiDbm: int16,
    rxGainCentiDbi: fc.option(int16),
    distanceM: uint32,
    freqHz: uint32,
  });
  fc.assert(
    fc.property(links, (link) => {
      const reason = checkLink(link);
      if (reason !== null) expect(GATE_REASONS).toContain(reason);
      if (reason === "rssi_above_ceiling")
        expect(checkLink({ ...link, distanceM: link.distanceM * 2 })).toBe(reason);
    }),
  );
});
