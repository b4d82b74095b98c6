/**
 * The five or six cells that share an edge with a cell, at its own resolution, by integer arithmetic on the two halves
 * of its index. Density needs them for every hotspot's cell at seven resolutions, and validators must agree on them.
 *
 * A cell's digits are positions in ever finer hexagonal lattices, so one step to a side is an addition with carry.
 * What leaves a base cell is turned into the neighbouring base cell's orientation; what falls into the wedge that a
 * pentagon lacks is turned out of it, to the side it would have reached had the wedge's two edges been glued.
 */
import { BASE_CELL_NEIGHBOURS } from "./baseCells.ts";
import {
  BASE_CELL_COUNT,
  baseCellOfHi,
  type Cell,
  DELETED_DIGIT,
  digitAt,
  isPentagonBaseCell,
  RESOLUTION_MAX,
  resolutionOfHi,
} from "./cell.ts";

/** The most neighbours a cell has, and the pairs of halves that `writeNeighbours` needs room for. */
export const NEIGHBOURS_MAX = 6;

// H3's digits in counter-clockwise order from the I axis: digit DIRECTIONS[k] points k sixths of a turn from it.
const DIRECTIONS = [4, 6, 2, 3, 1, 5] as const;
const SIXTHS = 6;
const DIGITS = 7;

/** For each digit its angle in sixths of a turn; the centre's, 0, has none. */
const angleOf = new Int8Array(DIGITS).fill(-1);
for (const [angle, digit] of DIRECTIONS.entries()) angleOf[digit] = angle;

/** ROTATED[turns * 7 + digit]: the digit turned counter-clockwise by that many sixths. */
const ROTATED = new Uint8Array(SIXTHS * DIGITS);
for (let turns = 0; turns < SIXTHS; turns++) {
  for (const [angle, digit] of DIRECTIONS.entries()) {
    ROTATED[turns * DIGITS + digit] = DIRECTIONS[(angle + turns) % SIXTHS]!;
  }
}

// The wedge that pentagons lack lies between these two; glued, they are neighbours.
const BEFORE_WEDGE = DIRECTIONS[(angleOf[DELETED_DIGIT]! + SIXTHS - 1) % SIXTHS]!;
const AFTER_WEDGE = DIRECTIONS[(angleOf[DELETED_DIGIT]! + 1) % SIXTHS]!;
const TURN_FORWARD = 1;
const TURN_BACK = SIXTHS - 1;

/** A point x + y*w of the hexagonal lattice, w being one sixth of a turn: an Eisenstein integer, with w*w = w - 1. */
type LatticePoint = readonly [x: number, y: number];
const multiply = ([a, b]: LatticePoint, [c, d]: LatticePoint): LatticePoint => [
  a * c - b * d,
  a * d + b * c + b * d,
];
const SIXTH_TURN: LatticePoint = [0, 1];
const UNIT_POINTS: LatticePoint[] = Array.from({ length: DIGITS }, () => [0, 0]);
let unit: LatticePoint = [1, 0];
for (const digit of DIRECTIONS) {
  UNIT_POINTS[digit] = unit;
  unit = multiply(unit, SIXTH_TURN);
}

// One step of a parent is sqrt(7) of its child's steps, turned to one side at odd resolutions and to the other at even
// ones ("Class III" and "Class II"): 3 + w^4 and 3 + w^2, the two Eisenstein integers of norm 7 nearest the I axis.
const PARENT_STEP: readonly LatticePoint[] = [
  [2, 1],
  [3, -1],
];

/**
 * CARRIES[(odd * 7 + digit) * 7 + step]: a step added to a digit, as `carry * 8 + digit`. The seven digits represent
 * every residue modulo the parent's step once, so there is exactly one answer.
 */
const CARRIES = new Uint8Array(2 * DIGITS * DIGITS);
for (let odd = 0; odd < 2; odd++) {
  for (let digit = 0; digit < DIGITS; digit++) {
    for (let step = 0; step < DIGITS; step++)
      CARRIES[(odd * DIGITS + digit) * DIGITS + step] = addStep(odd, digit, step);
  }
}

function addStep(odd: number, digit: number, step: number): number {
  const x = UNIT_POINTS[digit]![0] + UNIT_POINTS[step]![0];
  const y = UNIT_POINTS[digit]![1] + UNIT_POINTS[step]![1];
  for (let carry = 0; carry < DIGITS; carry++) {
    const [carryX, carryY] = multiply(PARENT_STEP[odd]!, UNIT_POINTS[carry]!);
    for (let sum = 0; sum < DIGITS; sum++) {
      const [sumX, sumY] = UNIT_POINTS[sum]!;
      if (carryX + sumX === x && carryY + sumY === y) return carry * 8 + sum;
    }
  }
  throw new Error("the digits are no residue system of the parent's step");
}

/**
 * BACK[base * 7 + d]: the digit that points from the neighbour in direction d back to this base cell. Seen from the two
 * sides the same edge lies half a turn apart, which gives the turn between their orientations.
 */
const BACK = new Uint8Array(BASE_CELL_COUNT * DIGITS);
/** TURNS[base * 7 + d]: sixths of a turn from this base cell's orientation to that neighbour's. */
const TURNS = new Uint8Array(BASE_CELL_COUNT * DIGITS);
for (let base = 0; base < BASE_CELL_COUNT; base++) {
  for (let direction = 1; direction < DIGITS; direction++) {
    const neighbour = BASE_CELL_NEIGHBOURS[base]![direction - 1]!;
    if (neighbour < 0) continue;
    const back = BASE_CELL_NEIGHBOURS[neighbour]!.indexOf(base) + 1;
    BACK[base * DIGITS + direction] = back;
    TURNS[base * DIGITS + direction] = (angleOf[back]! - angleOf[direction]! + SIXTHS / 2 + SIXTHS) % SIXTHS;
  }
}

/** The neighbours of a valid cell, by direction (K, J, JK, I, IK, IJ): six, or five of a pentagon. */
export function computeNeighbours(cell: Cell): Cell[] {
  const halves = new Uint32Array(2 * NEIGHBOURS_MAX);
  const count = writeNeighbours(cell.hi, cell.lo, halves, 0);
  const neighbours: Cell[] = [];
  for (let i = 0; i < count; i++) neighbours.push({ hi: halves[2 * i]!, lo: halves[2 * i + 1]! });
  return neighbours;
}

/**
 * Writes the neighbours' halves as (hi, lo) pairs, for callers that hold cells in typed arrays; allocates nothing.
 * @param out room for `2 * NEIGHBOURS_MAX` entries from `offset`.
 * @returns how many pairs were written: 5 or 6.
 */
export function writeNeighbours(hi: number, lo: number, out: Uint32Array, offset: number): number {
  let at = offset;
  for (let direction = 1; direction < DIGITS; direction++) {
    if (writeStep(hi, lo, direction, out, at)) at += 2;
  }
  return (at - offset) / 2;
}

/** Writes the neighbour in one direction; false where there is none: a pentagon towards its K axis. */
function writeStep(hi: number, lo: number, direction: number, out: Uint32Array, at: number): boolean {
  const resolution = resolutionOfHi(hi);
  let newHi = hi;
  let newLo = lo;
  let step = direction;
  for (let r = resolution; r > 0 && step !== 0; r--) {
    const digit = digitAt(hi, lo, r);
    const sum = CARRIES[((r & 1) * DIGITS + digit) * DIGITS + step]!;
    const changed = digit ^ (sum & 7);
    const shift = 3 * (RESOLUTION_MAX - r);
    if (shift > 30) newHi ^= changed << (shift - 32);
    else newLo ^= changed << shift;
    if (shift === 30) newHi ^= changed >>> 2;
    step = sum >>> 3;
  }
  out[at] = newHi;
  out[at + 1] = newLo;

  const base = baseCellOfHi(hi);
  if (isPentagonBaseCell(base)) {
    // Past the pentagon's own edge or inside it, what points into the missing wedge came from one of its two sides.
    const towards = step === 0 ? leadingDigit(out, at) : step;
    if (towards === DELETED_DIGIT) {
      const from = leadingDigitOf(hi, lo, resolution);
      if (from === 0) return false;
      const turns = turnOutOfWedge(from);
      rotateDigits(out, at, turns);
      step = ROTATED[turns * DIGITS + step]!;
    }
  }
  if (step !== 0) enterBaseCell(base, step, out, at);
  return true;
}

/** Turns the digits at `at` into the orientation of the base cell on that side of `base`, and names it. */
function enterBaseCell(base: number, direction: number, out: Uint32Array, at: number): void {
  const entry = BASE_CELL_NEIGHBOURS[base]![direction - 1]!;
  rotateDigits(out, at, TURNS[base * DIGITS + direction]!);
  out[at] = (out[at]! & ~(127 << 13)) | (entry << 13);
  if (isPentagonBaseCell(entry) && leadingDigit(out, at) === DELETED_DIGIT) {
    rotateDigits(out, at, turnOutOfWedge(BACK[base * DIGITS + direction]!));
  }
}

/** Sixths of a turn that carry a point across the missing wedge, away from the side it came from. */
function turnOutOfWedge(from: number): number {
  if (from === BEFORE_WEDGE) return TURN_FORWARD;
  if (from === AFTER_WEDGE) return TURN_BACK;
  throw new Error(`no step leads from digit ${from} into a pentagon's missing wedge`);
}

function leadingDigit(out: Uint32Array, at: number): number {
  return leadingDigitOf(out[at]!, out[at + 1]!, resolutionOfHi(out[at]!));
}

/** The first digit other than 0: the sixth of its base cell that a cell lies in; 0 at the centre. */
function leadingDigitOf(hi: number, lo: number, resolution: number): number {
  for (let r = 1; r <= resolution; r++) {
    const digit = digitAt(hi, lo, r);
    if (digit !== 0) return digit;
  }
  return 0;
}

/** Turns a cell about the centre of its base cell, counter-clockwise. */
function rotateDigits(out: Uint32Array, at: number, turns: number): void {
  if (turns === 0) return;
  const hi = out[at]!;
  const lo = out[at + 1]!;
  let newHi = hi;
  let newLo = lo;
  for (let r = resolutionOfHi(hi); r > 0; r--) {
    const digit = digitAt(hi, lo, r);
    const changed = digit ^ ROTATED[turns * DIGITS + digit]!;
    const shift = 3 * (RESOLUTION_MAX - r);
    if (shift > 30) newHi ^= changed << (shift - 32);
    else newLo ^= changed << shift;
    if (shift === 30) newHi ^= changed >>> 2;
  }
  out[at] = newHi;
  out[at + 1] = newLo;
}
