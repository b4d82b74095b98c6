/** Emission: the halving, the four pools, and that they make the emission to the unit. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PRESETS } from "../../../protocol/src/network/presets.ts";
import {
  computeEmission,
  computePoolEmission,
  type RewardParameters,
} from "../../../protocol/src/reward/emission.ts";
import { POOL_NAMES } from "../../../protocol/src/reward/pools.ts";

const mainnet = PRESETS.mainnet;
const TOKEN = 100_000_000n;

/** Parameters with any emission and any four pools that make a million. */
const anyParameters = fc
  .tuple(
    fc.bigInt(0n, 1n << 60n),
    fc.integer({ min: 1, max: 20_000 }),
    fc.array(fc.nat(1_000_000), { minLength: 3, maxLength: 3 }),
  )
  .map(([epochEmission, halvingEpochs, cuts]): RewardParameters => {
    const [first, second, third] = cuts.toSorted((a, b) => a - b) as [number, number, number];
    return {
      epochEmission,
      halvingEpochs,
      beaconsPoolPpm: first,
      witnessesPoolPpm: second - first,
      dataPoolPpm: third - second,
      validatorsPoolPpm: 1_000_000 - third,
      maxPayPerUnit: TOKEN,
    };
  });

describe("emission", () => {
  test("halves after each period, rounding down", () => {
    expect(computeEmission(mainnet, 0)).toBe(1_000n * TOKEN);
    expect(computeEmission(mainnet, 17_519)).toBe(1_000n * TOKEN);
    expect(computeEmission(mainnet, 17_520)).toBe(500n * TOKEN);
    expect(computeEmission(mainnet, 17_520 * 12)).toBe(24_414_062n);
    expect(computeEmission(mainnet, 17_520 * 64)).toBe(0n);
  });

  test("hands what data transfer leaves to beacons and witnesses, 20 to 80", () => {
    expect(computePoolEmission(mainnet, 0)).toEqual({
      beacons: 180n * TOKEN,
      witnesses: 720n * TOKEN,
      data: 0n,
      validators: 100n * TOKEN,
    });
    expect(computePoolEmission(mainnet, 0, 100n * TOKEN)).toEqual({
      beacons: 160n * TOKEN,
      witnesses: 640n * TOKEN,
      data: 100n * TOKEN,
      validators: 100n * TOKEN,
    });
  });

  test("goes to the pools to the unit, whatever they are", () => {
    fc.assert(
      fc.property(anyParameters, fc.nat(100_000), fc.nat(100), (parameters, epoch, usedPercent) => {
        const dataPool = (computeEmission(parameters, epoch) * BigInt(parameters.dataPoolPpm)) / 1_000_000n;
        const dataUsed = (dataPool * BigInt(usedPercent)) / 100n;
        const pools = computePoolEmission(parameters, epoch, dataUsed);
        expect(POOL_NAMES.reduce((sum, name) => sum + pools[name], 0n)).toBe(
          computeEmission(parameters, epoch),
        );
        expect(pools.data).toBe(dataUsed);
      }),
    );
  });

  test("refuses pools that are not a million together and more data than its pool", () => {
    expect(() => computePoolEmission({ ...mainnet, dataPoolPpm: 1 }, 0)).toThrow(RangeError);
    expect(() => computePoolEmission(mainnet, 0, 301n * TOKEN)).toThrow(RangeError);
  });
});
