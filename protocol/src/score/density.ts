/**
 * The density scale of Helium's HIP-17 with the parameters of HIP-104: what a hotspot earns is scaled down where more
 * hotspots stand than coverage needs. From resolution 10 to 4, every cell's hotspots are counted, cut to a limit that
 * grows with its occupied neighbours, and what is left is handed to the parent; a hotspot's scale is the product over
 * the resolutions of (count after the cut / count before it).
 *
 * The arithmetic is exact: a scale is a fraction of whole numbers, rounded once, half to even. Doubles hold those
 * numbers without loss. Counts from resolution 9 to 4 are at most 7, 7, 7, 49, 343 and 1,400 (seven children, each
 * within its own limit), so the denominator is below 8.1e9 times the hotspots of one resolution-10 cell, which stays
 * under 2^53 up to 1,000,000 of them; beyond, `bigint` divides. A second implementation may use any exact integers.
 */
import type { Cell } from "../geo/cell.ts";
import { NEIGHBOURS_MAX, writeNeighbours } from "../geo/neighbours.ts";
import { PPM } from "../network/parameters.ts";
import { type CellLevel, findCell, groupCells, sortByCell } from "./cellOrder.ts";

/** One resolution's rule: how many cells of a neighbourhood must be occupied before the limit grows, and how far. */
export type DensityLevel = {
  readonly resolution: number;
  /** N: occupied cells among the cell itself and its neighbours from which on each adds `target` to the limit. */
  readonly occupiedFull: number;
  /** Hotspots with which a cell counts as occupied, and the limit's step. */
  readonly target: number;
  /** The limit never passes this. */
  readonly max: number;
};

/** HIP-104's parameters, finest resolution first: github.com/helium/HIP, 0104-change-poc-density-parameters. */
export const HIP104_LEVELS: readonly DensityLevel[] = [
  { resolution: 10, occupiedFull: 2, target: 1, max: 1 },
  { resolution: 9, occupiedFull: 2, target: 1, max: 1 },
  { resolution: 8, occupiedFull: 2, target: 1, max: 1 },
  { resolution: 7, occupiedFull: 4, target: 5, max: 10 },
  { resolution: 6, occupiedFull: 4, target: 25, max: 50 },
  { resolution: 5, occupiedFull: 4, target: 100, max: 200 },
  { resolution: 4, occupiedFull: 2, target: 500, max: 1_000 },
];

/** Decimals with which Helium's oracles published a scale, and with which the calculator prints one. */
const PUBLISHED_STEPS = 10_000;

/** The largest count in one resolution-10 cell with which the denominator stays below 2^53; see the file's head. */
const EXACT_COUNT_MAX = 1_000_000;

/**
 * The scale of every hotspot, in parts per million, rounded half to even.
 * @param hi high halves of the hotspots' H3 cells, one entry a hotspot, each of resolution 10 or finer.
 * @param lo low halves, as many.
 * @returns as many scales in the same order; 0 to 1,000,000.
 */
export function computeDensityScalesPpm(hi: Uint32Array, lo: Uint32Array): Uint32Array {
  return computeScales(hi, lo, PPM);
}

/**
 * The scale of every hotspot as Helium published it: a number from 0 to 1 of four decimals, rounded half to even from
 * the exact fraction (never from parts per million, which would round twice).
 */
export function computeDensityScales(cells: readonly Cell[]): number[] {
  const hi = Uint32Array.from(cells, (cell) => cell.hi);
  const lo = Uint32Array.from(cells, (cell) => cell.lo);
  return Array.from(computeScales(hi, lo, PUBLISHED_STEPS), (scale) => scale / PUBLISHED_STEPS);
}

/** A level of the hierarchy with its hotspots before and after the cut. */
type CountedLevel = CellLevel & {
  readonly unclipped: Float64Array;
  readonly clipped: Float64Array;
};

function computeScales(hi: Uint32Array, lo: Uint32Array, steps: number): Uint32Array {
  const order = sortByCell(hi, lo);
  const levels = countLevels(hi, lo, order);
  const finest = levels[0]!;
  const parents = levels[1]!;
  const { numerators, denominators } = computeRatios(levels);
  const scales = new Uint32Array(hi.length);
  for (let parent = 0; parent < parents.count; parent++) {
    for (let cell = parents.start[parent]!; cell < parents.start[parent + 1]!; cell++) {
      const numerator = numerators[parent]! * finest.clipped[cell]!;
      const scale = roundScale(numerator, denominators[parent]!, finest.unclipped[cell]!, steps);
      for (let i = finest.start[cell]!; i < finest.start[cell + 1]!; i++) scales[order[i]!] = scale;
    }
  }
  return scales;
}

/** The levels from fine to coarse, counted and cut. A cell's count is the sum of what its children keep. */
function countLevels(hi: Uint32Array, lo: Uint32Array, order: Uint32Array): CountedLevel[] {
  let finerHi: Uint32Array = new Uint32Array(order.length);
  let finerLo: Uint32Array = new Uint32Array(order.length);
  for (let i = 0; i < order.length; i++) {
    finerHi[i] = hi[order[i]!]!;
    finerLo[i] = lo[order[i]!]!;
  }
  let kept: Float64Array = new Float64Array(order.length).fill(1);
  const levels: CountedLevel[] = [];
  for (const rule of HIP104_LEVELS) {
    const level = groupCells(finerHi, finerLo, rule.resolution);
    const unclipped = new Float64Array(level.count);
    for (let cell = 0; cell < level.count; cell++) {
      for (let i = level.start[cell]!; i < level.start[cell + 1]!; i++) unclipped[cell]! += kept[i]!;
    }
    const clipped = clipCounts(level, unclipped, rule);
    levels.push({ ...level, unclipped, clipped });
    finerHi = level.hi;
    finerLo = level.lo;
    kept = clipped;
  }
  return levels;
}

/**
 * Cuts each cell's count to `min(max, target * (1 + surplus))`, where the surplus is how many cells of its
 * neighbourhood, itself included, hold at least the target, less N, and not below 0. A cut never brings a cell below
 * its target, so it is the same whether neighbours are asked before or after theirs.
 */
function clipCounts(level: CellLevel, unclipped: Float64Array, rule: DensityLevel): Float64Array {
  const clipped = new Float64Array(level.count);
  const ring = new Uint32Array(2 * NEIGHBOURS_MAX);
  for (let cell = 0; cell < level.count; cell++) {
    const count = unclipped[cell]!;
    // Up to the target no limit cuts, and where target and maximum are one no neighbour can lift it.
    const limit =
      count <= rule.target || rule.target === rule.max
        ? rule.target
        : computeLimit(countOccupied(level, unclipped, cell, rule.target, ring), rule);
    clipped[cell] = Math.min(count, limit);
  }
  return clipped;
}

function computeLimit(occupied: number, rule: DensityLevel): number {
  return Math.min(rule.max, rule.target * (1 + Math.max(0, occupied - rule.occupiedFull)));
}

/** How many cells of a neighbourhood, the cell itself included, hold at least `target`. `ring` is room to work in. */
function countOccupied(
  level: CellLevel,
  counts: Float64Array,
  cell: number,
  target: number,
  ring: Uint32Array,
): number {
  const neighbours = writeNeighbours(level.hi[cell]!, level.lo[cell]!, ring, 0);
  let occupied = counts[cell]! >= target ? 1 : 0;
  for (let i = 0; i < neighbours; i++) {
    const neighbour = findCell(level, ring[2 * i]!, ring[2 * i + 1]!);
    if (neighbour !== -1 && counts[neighbour]! >= target) occupied++;
  }
  return occupied;
}

/** For each resolution-9 cell, the product of kept over counted of itself and its ancestors, as one fraction. */
function computeRatios(levels: readonly CountedLevel[]): {
  numerators: Float64Array;
  denominators: Float64Array;
} {
  const coarsest = levels.at(-1)!;
  let numerators = coarsest.clipped;
  let denominators = coarsest.unclipped;
  for (let depth = levels.length - 1; depth > 1; depth--) {
    const { count, start } = levels[depth]!;
    const { clipped, unclipped, count: childCount } = levels[depth - 1]!;
    const childNumerators = new Float64Array(childCount);
    const childDenominators = new Float64Array(childCount);
    for (let cell = 0; cell < count; cell++) {
      for (let child = start[cell]!; child < start[cell + 1]!; child++) {
        childNumerators[child] = numerators[cell]! * clipped[child]!;
        childDenominators[child] = denominators[cell]! * unclipped[child]!;
      }
    }
    numerators = childNumerators;
    denominators = childDenominators;
  }
  return { numerators, denominators };
}

/** `numerator / (denominator * count)` in so many steps, half to even; exact as the file's head shows. */
function roundScale(numerator: number, denominator: number, count: number, steps: number): number {
  if (count <= EXACT_COUNT_MAX) return divideHalfToEven(numerator * steps, denominator * count);
  const divisor = BigInt(denominator) * BigInt(count);
  const dividend = BigInt(numerator) * BigInt(steps);
  const quotient = dividend / divisor;
  const twiceRest = 2n * (dividend - quotient * divisor);
  const up = twiceRest > divisor || (twiceRest === divisor && quotient % 2n === 1n);
  return Number(quotient) + (up ? 1 : 0);
}

/** The quotient of two whole numbers below 2^53, rounded half to even. Their floored double quotient is exact. */
function divideHalfToEven(dividend: number, divisor: number): number {
  const quotient = Math.floor(dividend / divisor);
  const rest = dividend - quotient * divisor;
  const gap = divisor - rest;
  return rest > gap || (rest === gap && quotient % 2 === 1) ? quotient + 1 : quotient;
}
