import fc from "fast-check";
import { cellToChildren, cellToLocalIj, getBaseCellNumber, gridDisk } from "h3-js";
import { describe, expect, test } from "vitest";
import { BASE_CELL_NEIGHBOURS } from "../../../protocol/src/geo/baseCells.ts";
import { cellToHex } from "../../../protocol/src/geo/cell.ts";
import { computeNeighbours, writeNeighbours } from "../../../protocol/src/geo/neighbours.ts";
import { baseCellTexts, cellTexts, mustCell, pentagonTexts } from "./cells.ts";

const around = (text: string): string[] => gridDisk(text, 1).filter((other) => other !== text);
const sorted = (texts: string[]): string[] => texts.toSorted();

function agreesWithH3(text: string): void {
  const ours = computeNeighbours(mustCell(text)).map(cellToHex);
  const theirs = around(text);
  // The bare comparison first: an assertion with a message for each of 100,000 cells would take most of the time.
  if (sorted(ours).join() !== sorted(theirs).join()) expect(sorted(ours), text).toEqual(sorted(theirs));
}

describe("neighbours are those of h3's gridDisk", () => {
  test("of every cell at resolutions 0 to 3", () => {
    for (const base of baseCellTexts) {
      for (const resolution of [0, 1, 2, 3])
        for (const text of cellToChildren(base, resolution)) agreesWithH3(text);
    }
  });

  test("of every cell near a pentagon at resolution 4", () => {
    for (const pentagon of pentagonTexts) {
      for (const base of gridDisk(pentagon, 1)) {
        for (const text of gridDisk(cellToChildren(base, 4)[0]!, 12)) agreesWithH3(text);
      }
    }
  });

  test("of the cells around each pentagon at every resolution", () => {
    for (const pentagon of pentagonTexts) {
      for (let resolution = 1; resolution <= 15; resolution++) {
        let centre = BigInt(`0x${pentagon}`) & ~(15n << 52n);
        centre |= BigInt(resolution) << 52n;
        for (let r = 1; r <= resolution; r++) centre &= ~(7n << BigInt(3 * (15 - r)));
        for (const text of gridDisk(centre.toString(16), 3)) agreesWithH3(text);
      }
    }
  });

  test("of random cells at all resolutions", () => {
    fc.assert(fc.property(cellTexts, agreesWithH3), { numRuns: 5_000 });
  });
});

describe("writing into typed arrays", () => {
  test("keeps to its offset and says how many pairs it wrote", () => {
    const hexagon = mustCell("8c1fb46741ae9ff");
    const pentagon = mustCell(pentagonTexts[0]!);
    const out = new Uint32Array(16).fill(7);
    expect(writeNeighbours(hexagon.hi, hexagon.lo, out, 2)).toBe(6);
    expect([out[0], out[1], out[14], out[15]]).toEqual([7, 7, 7, 7]);
    expect(writeNeighbours(pentagon.hi, pentagon.lo, out, 0)).toBe(5);
    const written = computeNeighbours(pentagon).flatMap(({ hi, lo }) => [hi, lo]);
    expect([...out.subarray(0, 10)]).toEqual(written);
  });

  test("a neighbour's neighbours include the cell itself", () => {
    fc.assert(
      fc.property(cellTexts, (text) => {
        const cell = mustCell(text);
        for (const neighbour of computeNeighbours(cell))
          expect(computeNeighbours(neighbour)).toContainEqual(cell);
      }),
      { numRuns: 300 },
    );
  });
});

test("the table of base cells is what h3's local coordinates say", () => {
  const digitOf: Record<string, number> = { "-1,-1": 1, "0,1": 2, "-1,0": 3, "1,0": 4, "0,-1": 5, "1,1": 6 };
  const derived: number[][] = [];
  for (const base of baseCellTexts) {
    const row = new Array<number>(6).fill(-1);
    for (const neighbour of around(base)) {
      const { i, j } = cellToLocalIj(base, neighbour);
      row[digitOf[`${i},${j}`]! - 1] = getBaseCellNumber(neighbour);
    }
    derived[getBaseCellNumber(base)] = row;
  }
  expect(BASE_CELL_NEIGHBOURS).toEqual(derived);
});
