import { expect, test } from "vitest";
import type { MapCell } from "../../../validator/client/api.ts";
import { createScale } from "../../../validator/explorer/src/map/colours.ts";

const cellPaid = (paid: string): MapCell => ({
  cell: "881f90d24bfffff",
  cells: 1,
  gaps: 0,
  hotspots: 1,
  counterpartsMax: 3,
  coveragePpm: 1_000_000,
  paid,
});

test("pay has five steps below the best paid, and one before anybody was paid", () => {
  const cells = ["0", "81", "243", "8100"].map(cellPaid);
  const paid = createScale("rewards", cells);
  expect(cells.map(paid.stepOf)).toEqual([0, 0, 1, 4]);
  expect(new Set(paid.steps.map(({ label }) => label)).size).toBe(5);
  for (const none of [[], [cellPaid("0"), cellPaid("0")]]) {
    const scale = createScale("rewards", none);
    expect(scale.steps.map(({ label }) => label)).toEqual(["nothing yet"]);
    expect(none.map(scale.stepOf)).toEqual(none.map(() => 0));
  }
});
