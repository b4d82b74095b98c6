import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  computeBandwidthNoiseCentiDb,
  computeCeilingCentiDbm,
  computeFreeSpaceLossCentiDb,
} from "../../../protocol/src/radio/pathLoss.ts";
import { REGION_PLANS } from "../../../protocol/src/radio/regions.ts";

const LIGHT_M_PER_S = 299_792_458;
const exactCentiDb = (distanceM: number, freqHz: number): number =>
  2_000 * Math.log10((4 * Math.PI * distanceM * freqHz) / LIGHT_M_PER_S);

describe("free-space loss", () => {
  const freqs = fc.integer({ min: 100_000_000, max: 4_294_967_295 });
  // Whatever the last bit of the host's logarithm: rounding costs 0.5, the integer logarithm less than 0.02.
  test("is within 0.52 hundredths of a dB of the true value", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20_100_000 }), freqs, (distanceM, freqHz) => {
        const error = computeFreeSpaceLossCentiDb(distanceM, freqHz) - exactCentiDb(distanceM, freqHz);
        expect(Math.abs(error)).toBeLessThan(0.52);
      }),
      { numRuns: 5_000 },
    );
  });

  test("never falls with distance or frequency", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20_100_000 }), freqs, (distanceM, freqHz) => {
        const loss = computeFreeSpaceLossCentiDb(distanceM, freqHz);
        expect(computeFreeSpaceLossCentiDb(distanceM + 1, freqHz)).toBeGreaterThanOrEqual(loss);
        expect(computeFreeSpaceLossCentiDb(distanceM, freqHz - 1)).toBeLessThanOrEqual(loss);
      }),
    );
  });

  // Frozen: a second implementation must give the same integers.
  test.each([
    [30, 868_100_000, 6_076],
    [300, 867_100_000, 8_075],
    [1_000, 868_100_000, 9_122],
    [5_000, 903_900_000, 10_555],
    [100_000, 865_062_500, 13_119],
    [20_015_109, 924_600_000, 17_779],
  ])("%i m at %i Hz: %i hundredths of a dB", (distanceM, freqHz, loss) => {
    expect(computeFreeSpaceLossCentiDb(distanceM, freqHz)).toBe(loss);
  });

  test("is finite for any integers", () => {
    const any = fc.integer({ min: -0x8000_0000, max: 2 ** 40 });
    fc.assert(
      fc.property(any, any, (distanceM, freqHz) => {
        expect(Number.isSafeInteger(computeFreeSpaceLossCentiDb(distanceM, freqHz))).toBe(true);
      }),
    );
  });
});

test.each([
  [125_000, 0],
  [250_000, 301],
  [500_000, 602],
  [62_500, -301],
  [203_125, 211],
])("noise in %i Hz is %i hundredths of a dB above that in 125 kHz", (bandwidthHz, centiDb) => {
  expect(computeBandwidthNoiseCentiDb(bandwidthHz)).toBe(centiDb);
});

describe("ceiling", () => {
  const link = {
    eirpCentiDbm: 1_600,
    rxGainCentiDbi: 300,
    distanceM: 1_000,
    freqHz: 868_100_000,
    plan: null,
  };

  test("is EIRP and gain less loss, and 6 dB; 9 dB where the gain is unknown", () => {
    expect(computeCeilingCentiDbm(link)).toBe(1_600 + 300 - 9_122 + 600);
    expect(computeCeilingCentiDbm({ ...link, rxGainCentiDbi: null })).toBe(1_600 - 9_122 + 900);
  });

  test("counts no more power and gain than the region allows", () => {
    const plan = REGION_PLANS.EU868;
    const loud = { ...link, eirpCentiDbm: 3_000, rxGainCentiDbi: 3_000 };
    expect(computeCeilingCentiDbm({ ...loud, plan })).toBe(1_600 + 1_500 - 9_122 + 600);
    expect(computeCeilingCentiDbm(loud)).toBe(3_000 + 3_000 - 9_122 + 600);
    expect(computeCeilingCentiDbm({ ...link, plan })).toBe(computeCeilingCentiDbm(link));
  });

  test("does not rise further within 30 m", () => {
    expect(computeCeilingCentiDbm({ ...link, distanceM: 0 })).toBe(
      computeCeilingCentiDbm({ ...link, distanceM: 30 }),
    );
  });
});
