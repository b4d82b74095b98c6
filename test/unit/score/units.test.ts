/** HIP-15's units against every published row, and what must hold for any number of witnesses. */
import { describe, expect, test } from "vitest";
import {
  BEACON_UNITS_FULL_PPM,
  computeUnits,
  UNITS_WITNESSES_MAX,
} from "../../../protocol/src/score/units.ts";
import { HIP15_UNITS } from "../../vectors/hip15Units.ts";

const fourDecimals = (ppm: number) => Number((ppm / 1e6).toFixed(4));

describe("units of a beacon", () => {
  test.each(HIP15_UNITS)("with %i witnesses are as published", (witnesses, perWitness, beaconer) => {
    const units = computeUnits(witnesses);
    expect(fourDecimals(units.perWitnessPpm)).toBe(perWitness);
    expect(fourDecimals(units.beaconerPpm)).toBe(beaconer);
  });

  test("are nothing without a witness", () => {
    expect(computeUnits(0)).toEqual({ perWitnessPpm: 0, beaconerPpm: 0 });
  });

  test("are five altogether from four witnesses up, however many there are", () => {
    for (let witnesses = 4; witnesses <= UNITS_WITNESSES_MAX; witnesses++) {
      const { perWitnessPpm, beaconerPpm } = computeUnits(witnesses);
      expect(witnesses * perWitnessPpm + beaconerPpm).toBe(BEACON_UNITS_FULL_PPM);
      expect(Number.isInteger(perWitnessPpm)).toBe(true);
    }
  });

  test("stay within half a part per million a witness of the fraction 2 - 0.8^(w-4)", () => {
    for (let witnesses = 4; witnesses <= UNITS_WITNESSES_MAX; witnesses++) {
      const exact = (2 - 0.8 ** (witnesses - 4)) * 1e6;
      expect(Math.abs(computeUnits(witnesses).beaconerPpm - exact)).toBeLessThanOrEqual(witnesses / 2 + 1e-6);
    }
  });

  test("fall for each witness, and never rise, as witnesses join", () => {
    for (let witnesses = 2; witnesses <= UNITS_WITNESSES_MAX; witnesses++) {
      expect(computeUnits(witnesses).perWitnessPpm).toBeLessThanOrEqual(
        computeUnits(witnesses - 1).perWitnessPpm,
      );
    }
  });

  test.each([-1, 0.5, UNITS_WITNESSES_MAX + 1, Number.NaN])("refuse %d witnesses", (witnesses) => {
    expect(() => computeUnits(witnesses)).toThrow(RangeError);
  });
});
