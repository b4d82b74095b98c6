/** Density scales against the published population and against the rule written plainly, over real H3 cells. */
import fc from "fast-check";
import { cellToChildren, cellToParent, getPentagons, gridDisk, latLngToCell } from "h3-js";
import { describe, expect, test } from "vitest";
import {
  computeDensityScales,
  computeDensityScalesPpm,
  HIP104_LEVELS,
} from "../../../protocol/src/score/density.ts";
import { HIP17_POPULATION } from "../../vectors/hip17Density.ts";

const fromIndex = (index: string) => ({
  hi: Number.parseInt(index.slice(0, -8), 16),
  lo: Number.parseInt(index.slice(-8), 16),
});

function scalesPpm(cells: readonly string[]): number[] {
  const words = cells.map(fromIndex);
  const hi = Uint32Array.from(words, (word) => word.hi);
  return [
    ...computeDensityScalesPpm(
      hi,
      Uint32Array.from(words, (word) => word.lo),
    ),
  ];
}

/** The rule as its text has it, on maps of strings, in exact fractions: slow, and written apart from the code. */
function referenceScalesPpm(cells: readonly string[]): number[] {
  let counts = new Map<string, number>();
  for (const cell of cells) {
    const parent = cellToParent(cell, 11);
    counts.set(parent, (counts.get(parent) ?? 0) + 1);
  }
  const ratios: Map<string, [kept: number, counted: number]>[] = [];
  for (const { resolution, occupiedFull, target, max } of HIP104_LEVELS) {
    const counted = new Map<string, number>();
    for (const [cell, count] of counts) {
      const parent = cellToParent(cell, resolution);
      counted.set(parent, (counted.get(parent) ?? 0) + count);
    }
    const ratio = new Map<string, [number, number]>();
    counts = new Map();
    for (const [cell, count] of counted) {
      const occupied = gridDisk(cell, 1).filter((near) => (counted.get(near) ?? 0) >= target).length;
      const kept = Math.min(count, max, target * (Math.max(0, occupied - occupiedFull) + 1));
      counts.set(cell, kept);
      ratio.set(cell, [kept, count]);
    }
    ratios.push(ratio);
  }
  return cells.map((cell) => {
    let numerator = 1_000_000n;
    let denominator = 1n;
    for (const [depth, { resolution }] of HIP104_LEVELS.entries()) {
      const [kept, counted] = ratios[depth]!.get(cellToParent(cell, resolution))!;
      numerator *= BigInt(kept);
      denominator *= BigInt(counted);
    }
    const floor = numerator / denominator;
    const twiceRest = 2n * (numerator % denominator);
    const up = twiceRest > denominator || (twiceRest === denominator && floor % 2n === 1n);
    return Number(floor) + (up ? 1 : 0);
  });
}

/** A crowd of cells around a place: each picks a resolution and lies within so many degrees. */
const crowd = fc
  .tuple(
    fc.double({ min: -80, max: 80, noNaN: true }),
    fc.double({ min: -179, max: 179, noNaN: true }),
    fc.constantFrom(0.002, 0.02, 0.2),
    fc.array(
      fc.tuple(fc.double({ min: -1, max: 1, noNaN: true }), fc.double({ min: -1, max: 1, noNaN: true })),
      {
        minLength: 1,
        maxLength: 300,
        size: "max",
      },
    ),
  )
  .map(([lat, lng, spread, offsets]) =>
    offsets.map(([north, east], i) => latLngToCell(lat + north * spread, lng + east * spread, 11 + (i % 3))),
  );

describe("density scales", () => {
  test("of a published population match every published row", () => {
    const cells = HIP17_POPULATION.flatMap(([cell, hotspots]) =>
      Array<string>(hotspots).fill(cell.toString(16)),
    );
    const expected = HIP17_POPULATION.flatMap(([, hotspots, scale]) => Array<number>(hotspots).fill(scale));
    expect(computeDensityScales(cells.map(fromIndex))).toEqual(expected);
  });

  test("are whole for one who stands alone, and empty for nobody", () => {
    expect(scalesPpm([latLngToCell(60.1, 24.9, 12)])).toEqual([1_000_000]);
    expect(scalesPpm([])).toEqual([]);
  });

  test("match the rule written plainly, in every order", () => {
    fc.assert(
      fc.property(crowd, (cells) => {
        const expected = referenceScalesPpm(cells);
        expect(scalesPpm(cells)).toEqual(expected);
        expect(scalesPpm(cells.toReversed())).toEqual(expected.toReversed());
      }),
      { numRuns: 60 },
    );
  });

  test("lift the limit of a resolution-7 cell as its neighbours fill", () => {
    // Seven occupied children a cell: alone each keeps 5 of 7; in the middle of four neighbours more.
    const centre = latLngToCell(48.2, 16.37, 7);
    const fill = (cell: string) => cellToChildren(cell, 8).map((child) => cellToChildren(child, 12)[0]!);
    const ring = gridDisk(centre, 1).filter((cell) => cell !== centre);
    const alone = scalesPpm(fill(centre));
    const among = scalesPpm([...fill(centre), ...ring.slice(0, 4).flatMap(fill)]);
    expect(alone[0]).toBe(714_286);
    expect(among[0]).toBe(referenceScalesPpm([...fill(centre), ...ring.slice(0, 4).flatMap(fill)])[0]);
    expect(among[0]).toBeGreaterThan(alone[0]!);
  });

  test("hold across the twelve pentagons, which have five neighbours", () => {
    for (const pentagon of getPentagons(7).slice(0, 4)) {
      const cells = gridDisk(pentagon, 1).flatMap((cell) =>
        cellToChildren(cell, 8).map((child) => cellToChildren(child, 11)[1]!),
      );
      expect(scalesPpm(cells)).toEqual(referenceScalesPpm(cells));
    }
  });

  test("stay exact where a million and more stand in one cell", () => {
    const { hi, lo } = fromIndex(latLngToCell(52.5, 13.4, 12));
    const count = 1_300_000;
    const scales = computeDensityScalesPpm(new Uint32Array(count).fill(hi), new Uint32Array(count).fill(lo));
    // 1 / 1,300,000 is 0.77 parts per million.
    expect(scales[0]).toBe(1);
    expect(scales[count - 1]).toBe(1);
  });

  test("refuse a cell coarser than resolution 10", () => {
    expect(() => scalesPpm([latLngToCell(52.5, 13.4, 9)])).toThrow(RangeError);
  });
});
