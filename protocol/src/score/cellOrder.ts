/**
 * The order of H3 cells, and the grouping that follows from it. In an H3 index the digits stand from coarse to fine,
 * so sorting once by the prefix down to resolution 10 puts the children of every coarser cell side by side, and each
 * coarser level is one pass over the finer one: no hash table, no string.
 * Cells are the high and low halves of geo/cell.ts, in typed arrays.
 */
import { parentHi, parentLo, resolutionOfHi } from "../geo/cell.ts";

/** The finest resolution that is ordered: what is finer in a cell does not part it from its neighbours here. */
export const ORDERED_RESOLUTION = 10;

/** Cells of one resolution in ascending order, each with the run of finer entries that lie in it. */
export type CellLevel = {
  readonly resolution: number;
  readonly count: number;
  readonly hi: Uint32Array;
  readonly lo: Uint32Array;
  /** Entries `start[i]` to `start[i + 1]` (exclusive) of the finer level lie in cell i; length count + 1. */
  readonly start: Uint32Array;
};

/**
 * Indexes of the cells in ascending order by their prefix down to resolution 10; cells that are the same there keep
 * the order they came in. A radix sort: linear, and the same on every machine.
 * @param hi high halves of cells of resolution 10 or finer; a coarser one is a bug of the caller and throws.
 * @param lo low halves, as many.
 */
export function sortByCell(hi: Uint32Array, lo: Uint32Array): Uint32Array {
  const count = hi.length;
  if (lo.length !== count) throw new RangeError("Every cell needs both of its halves");
  let order = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    if (resolutionOfHi(hi[i]!) < ORDERED_RESOLUTION)
      throw new RangeError("A cell is coarser than resolution 10");
    order[i] = i;
  }
  // Digits 5 (two bits) to 10 are bits 15-31 of the low half; base cell and digits before them bits 0-19 of the high.
  let spare = new Uint32Array(count);
  for (const [halves, shift, bits] of [
    [lo, 15, 9],
    [lo, 24, 8],
    [hi, 0, 10],
    [hi, 10, 10],
  ] as const) {
    sortByBits(halves, shift, bits, order, spare);
    [order, spare] = [spare, order];
  }
  return order;
}

/** One stable counting pass: writes `from` into `to`, ordered by `bits` bits of each entry's half above `shift`. */
function sortByBits(
  halves: Uint32Array,
  shift: number,
  bits: number,
  from: Uint32Array,
  to: Uint32Array,
): void {
  const buckets = 1 << bits;
  const mask = buckets - 1;
  const next = new Uint32Array(buckets + 1);
  for (let i = 0; i < halves.length; i++) next[((halves[i]! >>> shift) & mask) + 1]!++;
  for (let bucket = 0; bucket < buckets; bucket++) next[bucket + 1]! += next[bucket]!;
  for (let i = 0; i < from.length; i++) {
    const entry = from[i]!;
    to[next[(halves[entry]! >>> shift) & mask]!++] = entry;
  }
}

/**
 * The ancestors at one resolution of cells that stand in ascending order.
 * @param hi high halves in ascending order of the cells, each at `resolution` or finer.
 * @param lo low halves, as many.
 * @param resolution 0 to 10.
 */
export function groupCells(hi: Uint32Array, lo: Uint32Array, resolution: number): CellLevel {
  const ancestorHi = new Uint32Array(hi.length);
  const ancestorLo = new Uint32Array(hi.length);
  const start = new Uint32Array(hi.length + 1);
  let count = 0;
  for (let i = 0; i < hi.length; i++) {
    const nextHi = parentHi(hi[i]!, resolution);
    const nextLo = parentLo(lo[i]!, resolution);
    if (count > 0 && ancestorHi[count - 1] === nextHi && ancestorLo[count - 1] === nextLo) continue;
    ancestorHi[count] = nextHi;
    ancestorLo[count] = nextLo;
    start[count] = i;
    count++;
  }
  start[count] = hi.length;
  return {
    resolution,
    count,
    hi: ancestorHi.slice(0, count),
    lo: ancestorLo.slice(0, count),
    start: start.slice(0, count + 1),
  };
}

/** Index of a cell in its level, or -1 where no entry lies in it. */
export function findCell(level: CellLevel, hi: number, lo: number): number {
  let low = 0;
  let high = level.count - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const middleHi = level.hi[middle]!;
    const middleLo = level.lo[middle]!;
    if (middleHi === hi && middleLo === lo) return middle;
    if (middleHi < hi || (middleHi === hi && middleLo < lo)) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}
