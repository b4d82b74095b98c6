/** The coverage map by example, and against sets kept a cell. */
import fc from "fast-check";
import { cellToChildren, cellToParent, latLngToCell } from "h3-js";
import { describe, expect, test } from "vitest";
import { computeCoverage } from "../../../protocol/src/score/coverage.ts";
import { anyEvidence, createEvidence } from "./evidence.ts";

const vienna = latLngToCell(48.2, 16.37, 8);
const [near, nearer] = cellToChildren(vienna, 12);
const berlin = latLngToCell(52.5, 13.4, 12);
const graz = latLngToCell(47.07, 15.44, 12);

describe("coverage map", () => {
  test("counts each counterpart of a cell once, whichever side it was on", () => {
    const evidence = createEvidence(
      [near!, nearer!, berlin, graz],
      [
        [0, [2, 3]],
        [2, [0, 1]],
        [1, [2]],
      ],
    );
    const rows = computeCoverage(evidence);
    expect(rows.map((row) => row.cell)).toEqual(
      rows.map((row) => row.cell).toSorted((a, b) => (a < b ? -1 : 1)),
    );
    const row = rows.find(({ cell }) => cell === BigInt(`0x${vienna}`));
    expect(row).toEqual({
      cell: BigInt(`0x${vienna}`),
      hotspots: [0, 1],
      counterparts: 2,
      coveragePpm: 666_666,
    });
    expect(rows.find(({ hotspots }) => hotspots[0] === 3)).toMatchObject({
      counterparts: 1,
      coveragePpm: 333_333,
    });
  });

  test("leaves out hotspots that are not asked for, but counts them as counterparts", () => {
    const rows = computeCoverage(
      createEvidence([near!, berlin, graz], [[0, [1, 2]]]),
      Uint8Array.of(1, 0, 0),
    );
    expect(rows).toEqual([
      { cell: BigInt(`0x${vienna}`), hotspots: [0], counterparts: 2, coveragePpm: 666_666 },
    ]);
  });

  test("is empty for nobody and zero for a loner", () => {
    expect(computeCoverage(createEvidence([], []))).toEqual([]);
    expect(computeCoverage(createEvidence([graz], []))[0]).toMatchObject({ counterparts: 0, coveragePpm: 0 });
  });

  test("matches sets kept a cell", () => {
    fc.assert(
      fc.property(anyEvidence, ({ cells, links }) => {
        const counterparts = new Map<string, Set<number>>();
        const meet = (one: number, other: number) =>
          counterparts.get(cellToParent(cells[one]!, 8))!.add(other);
        for (const cell of cells) counterparts.set(cellToParent(cell, 8), new Set());
        for (const [beaconer, witnesses] of links) {
          for (const witness of witnesses) {
            meet(beaconer, witness);
            meet(witness, beaconer);
          }
        }
        const expected = [...counterparts].toSorted(([a], [b]) => (a < b ? -1 : 1));
        const rows = computeCoverage(createEvidence(cells, links));
        expect(rows.map(({ cell, counterparts: count }) => [cell.toString(16), count])).toEqual(
          expected.map(([cell, others]) => [cell, others.size]),
        );
        for (const row of rows) {
          expect(row.coveragePpm).toBe(Math.min(1_000_000, Math.floor((row.counterparts * 1_000_000) / 3)));
        }
      }),
      { numRuns: 50 },
    );
  });
});
