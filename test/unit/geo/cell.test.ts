import fc from "fast-check";
import {
  cellToParent,
  getBaseCellNumber,
  getIndexDigit,
  getResolution,
  isValidCell as isValidInH3,
} from "h3-js";
import { describe, expect, test } from "vitest";
import {
  baseCellOfHi,
  cellFromBigint,
  cellFromDecimal,
  cellFromHex,
  cellFromText,
  cellToBigint,
  cellToHex,
  digitAt,
  isValidCell,
  parentOf,
  resolutionOf,
} from "../../../protocol/src/geo/cell.ts";
import { baseCellTexts, cellTexts, mustCell, pentagonTexts } from "./cells.ts";

describe("text and number forms", () => {
  test("return what they were given", () => {
    fc.assert(
      fc.property(cellTexts, (text) => {
        const cell = mustCell(text);
        expect(cellToHex(cell)).toBe(text);
        expect(cellFromHex(`0${text.toUpperCase()}`)).toEqual(cell);
        const index = BigInt(`0x${text}`);
        expect(cellToBigint(cell)).toBe(index);
        expect(cellFromBigint(index)).toEqual(cell);
        expect(cellFromDecimal(index.toString())).toEqual(cell);
        expect(cellFromText(text)).toEqual(cell);
        expect(cellFromText(index.toString())).toEqual(cell);
      }),
    );
  });

  test("every base cell has 18 decimal digits, so the two texts cannot be confused", () => {
    const least = BigInt(`0x${baseCellTexts[0]}`);
    expect(least.toString()).toHaveLength(18);
    expect(0x8fff_ffff_ffff_fffn.toString()).toHaveLength(18);
  });

  test.each([
    "",
    "8c1fb46741ae9f",
    "8c1fb46741ae9ff0",
    "0x8c1fb46741ae9ff",
    "8c1fb46741ae9fg",
    " 8c1fb46741ae9ff",
    "-631210990515536895",
    "18446744073709551616",
    "63121099051553689.",
    "000000000000000",
  ])("refuse %j", (text) => {
    expect(cellFromText(text)).toBeNull();
    expect(cellFromDecimal(text)).toBeNull();
  });
});

describe("fields", () => {
  test("resolution, base cell, digits and parents are h3's", () => {
    fc.assert(
      fc.property(cellTexts, (text) => {
        const cell = mustCell(text);
        const resolution = getResolution(text);
        expect(resolutionOf(cell)).toBe(resolution);
        expect(baseCellOfHi(cell.hi)).toBe(getBaseCellNumber(text));
        for (let r = 1; r <= resolution; r++)
          expect(digitAt(cell.hi, cell.lo, r)).toBe(getIndexDigit(text, r));
        for (let r = 0; r <= resolution; r++)
          expect(cellToHex(parentOf(cell, r))).toBe(cellToParent(text, r));
      }),
    );
  });

  test("a parent finer than the cell is a bug", () => {
    expect(() => parentOf(mustCell("881fb46741fffff"), 9)).toThrow(RangeError);
    expect(() => parentOf(mustCell("881fb46741fffff"), -1)).toThrow(RangeError);
  });
});

describe("validity", () => {
  const judgesAsH3 = (index: bigint): void => {
    const cell = { hi: Number(index >> 32n), lo: Number(index & 0xffff_ffffn) };
    expect(isValidCell(cell), index.toString(16)).toBe(isValidInH3(index.toString(16)));
  };

  test("is h3's for any 64 bits", () => {
    fc.assert(fc.property(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), judgesAsH3));
  });

  test("is h3's for cells with one to three bits turned over", () => {
    const bits = fc.array(fc.bigInt({ min: 0n, max: 63n }), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(cellTexts, bits, (text, flips) =>
        judgesAsH3(flips.reduce((index, bit) => index ^ (1n << bit), BigInt(`0x${text}`))),
      ),
      { numRuns: 2_000 },
    );
  });

  test("is h3's inside pentagons, whose K subtree does not exist", () => {
    const digits = fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 15 });
    const leadingZeros = fc.integer({ min: 0, max: 14 });
    let refused = 0;
    fc.assert(
      fc.property(fc.constantFrom(...pentagonTexts), leadingZeros, digits, (text, zeros, tail) => {
        const all = [...new Array<number>(zeros).fill(0), ...tail].slice(0, 15);
        let index = (BigInt(`0x${text}`) & ~(15n << 52n)) | (BigInt(all.length) << 52n);
        for (const [i, digit] of all.entries()) index ^= BigInt(digit ^ 7) << BigInt(3 * (14 - i));
        judgesAsH3(index);
        if (cellFromBigint(index) === null) refused++;
      }),
      { numRuns: 1_000 },
    );
    expect(refused).toBeGreaterThan(50);
  });

  test("halves that are no unsigned 32-bit integers are no cell", () => {
    const { hi, lo } = mustCell("8c1fb46741ae9ff");
    for (const half of [-1, 0.5, 2 ** 32, Number.NaN]) {
      expect(isValidCell({ hi: half, lo })).toBe(false);
      expect(isValidCell({ hi, lo: half })).toBe(false);
    }
  });
});
