/**
 * H3 indexes as ranges of integers. The descendants of a cell at one resolution share its leading digits, so they lie
 * between two indexes, and an ordered index answers "what is in this cell" for a cell of any size. Bits from the top:
 * 4 of mode, 3 reserved, 4 of resolution (52 up), 7 of base cell, fifteen 3-bit digits, unused ones 7.
 */
import { COVERAGE_RESOLUTION, type CoverageRow } from "../../../protocol/src/score/coverage.ts";
import type { CoverageCell } from "./store.ts";

/** The resolution of asserted places. */
export const ASSERTION_RESOLUTION = 12;

const RESOLUTION_SHIFT = 52n;
const RESOLUTION_MASK = 15n << RESOLUTION_SHIFT;
const RESOLUTION_MAX = 15;

/** The bits of the digits of resolutions above `after` up to and with `until`, all ones. */
const digitsMask = (after: number, until: number): bigint =>
  ((1n << BigInt(3 * (RESOLUTION_MAX - after))) - 1n) ^ ((1n << BigInt(3 * (RESOLUTION_MAX - until))) - 1n);

const withResolution = (cell: bigint, resolution: number): bigint =>
  (cell & ~RESOLUTION_MASK) | (BigInt(resolution) << RESOLUTION_SHIFT);

/** The resolution of an index. */
export function resolutionOfIndex(cell: bigint): number {
  return Number((cell & RESOLUTION_MASK) >> RESOLUTION_SHIFT);
}

/** The ancestor of a cell at a resolution that is not finer than its own. */
export function cellAtResolution(cell: bigint, resolution: number): bigint {
  return withResolution(cell, resolution) | digitsMask(resolution, RESOLUTION_MAX);
}

/** The lowest and highest index that a descendant of `cell` at `resolution` (not coarser than its own) can have. */
export function computeCellRange(
  cell: bigint,
  resolution: number,
): { readonly from: bigint; readonly to: bigint } {
  const digits = digitsMask(resolutionOfIndex(cell), resolution);
  const from = withResolution(cell, resolution) & ~digits;
  // Digits are 0 to 6: the highest is 110 in each, which is all ones less a one in every third bit.
  let lowBits = 0n;
  for (let r = resolutionOfIndex(cell) + 1; r <= resolution; r++)
    lowBits |= 1n << BigInt(3 * (RESOLUTION_MAX - r));
  return { from, to: from | (digits & ~lowBits) };
}

/** The range of every cell of a resolution. */
export function computeWholeRange(resolution: number): { readonly from: bigint; readonly to: bigint } {
  const lowest = withResolution(1n << 59n, resolution);
  return { from: lowest, to: lowest | ((1n << RESOLUTION_SHIFT) - 1n) };
}

/**
 * The coverage map at every resolution from 0 to 8, made once when an epoch closes.
 * @param rows ascending by cell, of resolution 8.
 * @returns for each resolution its cells, ascending.
 */
export function computeCoverageLevels(rows: readonly CoverageRow[]): readonly (readonly CoverageCell[])[] {
  const levels: CoverageCell[][] = [];
  let finer: readonly CoverageCell[] = rows.map((row) => ({
    cell: row.cell,
    cells: 1,
    hotspots: row.hotspots.length,
    counterpartsMax: row.counterparts,
    coveragePpmMax: row.coveragePpm,
  }));
  levels[COVERAGE_RESOLUTION] = [...finer];
  for (let resolution = COVERAGE_RESOLUTION - 1; resolution >= 0; resolution--) {
    finer = levels[resolution] = mergeChildren(finer, resolution);
  }
  return levels;
}

/** Merges neighbouring rows that share a parent; in ascending order siblings always are neighbours. */
function mergeChildren(rows: readonly CoverageCell[], resolution: number): CoverageCell[] {
  const merged: CoverageCell[] = [];
  for (const row of rows) {
    const cell = cellAtResolution(row.cell, resolution);
    const last = merged.at(-1);
    if (last === undefined || last.cell !== cell) {
      merged.push({ ...row, cell });
      continue;
    }
    merged[merged.length - 1] = {
      cell,
      cells: last.cells + row.cells,
      hotspots: last.hotspots + row.hotspots,
      counterpartsMax: Math.max(last.counterpartsMax, row.counterpartsMax),
      coveragePpmMax: Math.max(last.coveragePpmMax, row.coveragePpmMax),
    };
  }
  return merged;
}
