/** Logarithms in integers, against the host's in doubles. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  centiDbToOctaves,
  computeLogOctaves,
  computeLogOfDouble,
  computeLogSumOctaves,
  computeRoot,
  OCTAVE,
  octavesToCentiDb,
  takeMedian,
} from "../../../protocol/src/trust/fixed.ts";

describe("logarithms in octaves", () => {
  test("of powers of two are exact", () => {
    for (let power = 0; power < 32; power++) expect(computeLogOctaves(2 ** power)).toBe(power * OCTAVE);
  });

  test("of any integer lie at most a unit under the true value", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 0xffff_ffff }), (value) => {
        const error = Math.log2(value) * OCTAVE - computeLogOctaves(value);
        expect(error).toBeGreaterThan(-0.01);
        expect(error).toBeLessThan(1.01);
      }),
    );
  });

  test("of doubles lie at most a unit under the true value", () => {
    fc.assert(
      fc.property(fc.double({ min: 1, max: 1e300, noNaN: true }), (value) => {
        const error = Math.log2(value) * OCTAVE - computeLogOfDouble(value);
        expect(error).toBeGreaterThan(-0.01);
        expect(error).toBeLessThan(1.01);
      }),
    );
  });

  test("of 1 + 2^z are within two units, and exact beyond the table", () => {
    fc.assert(
      fc.property(fc.integer({ min: -20 * OCTAVE, max: 20 * OCTAVE }), (z) => {
        const truth = Math.log2(1 + 2 ** (z / OCTAVE)) * OCTAVE;
        expect(Math.abs(truth - computeLogSumOctaves(z))).toBeLessThanOrEqual(2);
      }),
    );
    expect(computeLogSumOctaves(-30 * OCTAVE)).toBe(0);
    expect(computeLogSumOctaves(30 * OCTAVE)).toBe(30 * OCTAVE);
  });

  test("turn into decibels and back", () => {
    expect(centiDbToOctaves(1_000)).toBe(3_401);
    expect(octavesToCentiDb(OCTAVE)).toBe(301);
  });
});

test("a root is the largest integer whose square fits", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 26 - 1 }), (root) => {
      expect(computeRoot(root * root)).toBe(root);
      if (root > 0) expect(computeRoot(root * root - 1)).toBe(root - 1);
    }),
  );
});

test("a median is the lower middle one", () => {
  expect(takeMedian(Int32Array.of())).toBe(0);
  expect(takeMedian(Int32Array.of(5, -1, 3))).toBe(3);
  expect(takeMedian(Int32Array.of(4, 1, 3, 2))).toBe(2);
});
