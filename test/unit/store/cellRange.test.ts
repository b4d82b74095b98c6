/** Cells as ranges of integers, held against H3's own library at random places. */
import fc from "fast-check";
import { cellToParent, getResolution, isValidCell, latLngToCell } from "h3-js";
import { expect, test } from "vitest";
import {
  cellAtResolution,
  computeCellRange,
  computeCoverageLevels,
  computeWholeRange,
  resolutionOfIndex,
} from "../../../validator/src/store/cellRange.ts";

const places = fc.tuple(
  fc.double({ min: -90, max: 90, noNaN: true }),
  fc.double({ min: -180, max: 180, noNaN: true }),
);
const index = (cell: string) => BigInt(`0x${cell}`);

test("parents and resolutions are those of H3", () => {
  fc.assert(
    fc.property(places, fc.nat(15), fc.nat(15), ([lat, lng], fine, coarse) => {
      const cell = latLngToCell(lat, lng, fine);
      expect(resolutionOfIndex(index(cell))).toBe(getResolution(cell));
      if (coarse <= fine)
        expect(cellAtResolution(index(cell), coarse)).toBe(index(cellToParent(cell, coarse)));
    }),
  );
});

test("a range holds exactly the cells whose parent is the cell", () => {
  fc.assert(
    fc.property(places, places, fc.nat(12), ([latA, lngA], [latB, lngB], resolution) => {
      const cell = latLngToCell(latA, lngA, resolution);
      const { from, to } = computeCellRange(index(cell), 12);
      // A second place near the first is as often in the cell as not.
      for (const [lat, lng] of [
        [latA, lngA],
        [latB, lngB],
        [latA, lngA + 0.01],
        [latA + 0.5, lngA],
      ] as const) {
        if (lat > 90 || lng > 180) continue;
        const fine = latLngToCell(lat, lng, 12);
        const isWithin = index(fine) >= from && index(fine) <= to;
        expect(isWithin).toBe(cellToParent(fine, resolution) === cell);
      }
      const whole = computeWholeRange(12);
      expect(whole.from <= from && to <= whole.to).toBe(true);
      expect(isValidCell(from.toString(16))).toBe(true);
    }),
  );
});

test("every level of a map sums up the finest", () => {
  fc.assert(
    fc.property(fc.uniqueArray(places, { minLength: 1, maxLength: 40 }), fc.nat(3), (spots, counterparts) => {
      const cells = [...new Set(spots.map(([lat, lng]) => latLngToCell(lat, lng, 8)))].map(index);
      cells.sort((a, b) => (a < b ? -1 : 1));
      const rows = cells.map((cell, i) => ({ cell, hotspots: [i], counterparts, coveragePpm: 1_000 * i }));
      const levels = computeCoverageLevels(rows);
      expect(levels).toHaveLength(9);
      for (const [resolution, level] of levels.entries()) {
        expect(level.map((row) => row.cell)).toEqual([
          ...new Set(cells.map((cell) => cellAtResolution(cell, resolution))),
        ]);
        expect(level.reduce((sum, row) => sum + row.cells, 0)).toBe(cells.length);
        expect(Math.max(...level.map((row) => row.coveragePpmMax))).toBe(1_000 * (cells.length - 1));
      }
    }),
  );
});
