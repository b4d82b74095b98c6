/**
 * An H3 cell as two unsigned 32-bit halves, and everything about it that bits alone decide: text forms, resolution,
 * parents, validity. Typed arrays hold such halves by the million, and no step needs trigonometry, so every machine
 * agrees. Layout (H3 documentation, "H3Index Bit Layout"), from the top: 1 reserved bit, 4 of mode, 3 reserved,
 * 4 of resolution, 7 of base cell, then fifteen 3-bit digits, resolution 1 first; unused digits are 7.
 */

/** The high and the low 32 bits of an H3 index, each an unsigned integer. */
export type Cell = { readonly hi: number; readonly lo: number };

export const RESOLUTION_MAX = 15;
export const BASE_CELL_COUNT = 122;

/** The twelve base cells with five sides: one at each vertex of the icosahedron (H3 documentation, "Base Cells"). */
export const PENTAGON_BASE_CELLS: readonly number[] = [4, 14, 24, 38, 49, 58, 63, 72, 83, 97, 107, 117];

/** A pentagon has no children towards its K axis: the subtree whose first digit other than 0 is this one. */
export const DELETED_DIGIT = 1;

const UNUSED_DIGIT = 7;
const MODE_CELL = 1;
const RESOLUTION_FIELD_HI = 0x00f0_0000;

const isPentagon = new Uint8Array(BASE_CELL_COUNT);
for (const baseCell of PENTAGON_BASE_CELLS) isPentagon[baseCell] = 1;

// At resolution r the digits of r+1..15 are unused: the lowest 3 * (15 - r) bits are ones, split over both halves.
const unusedBitsHi = new Uint32Array(RESOLUTION_MAX + 1);
const unusedBitsLo = new Uint32Array(RESOLUTION_MAX + 1);
for (let resolution = 0; resolution <= RESOLUTION_MAX; resolution++) {
  const unused = (1n << BigInt(3 * (RESOLUTION_MAX - resolution))) - 1n;
  unusedBitsHi[resolution] = Number(unused >> 32n);
  unusedBitsLo[resolution] = Number(unused & 0xffff_ffffn);
}

/** The resolution field of a cell's high half: 0 to 15. */
export function resolutionOfHi(hi: number): number {
  return (hi >>> 20) & 15;
}

/** The base-cell field of a cell's high half: 0 to 121 in a valid cell, up to 127 in others. */
export function baseCellOfHi(hi: number): number {
  return (hi >>> 13) & 127;
}

/** Whether a base cell has five sides. */
export function isPentagonBaseCell(baseCell: number): boolean {
  return isPentagon[baseCell] === 1;
}

/** The digit (0 to 7) of one resolution, 1 to 15. The digit of resolution 5 lies across the two halves. */
export function digitAt(hi: number, lo: number, resolution: number): number {
  const shift = 3 * (RESOLUTION_MAX - resolution);
  if (shift > 30) return (hi >>> (shift - 32)) & 7;
  if (shift === 30) return ((hi & 1) << 2) | (lo >>> 30);
  return (lo >>> shift) & 7;
}

/** The high half of the parent at `resolution`, which must not be finer than the cell's own. */
export function parentHi(hi: number, resolution: number): number {
  return ((hi & ~RESOLUTION_FIELD_HI) | (resolution << 20) | unusedBitsHi[resolution]!) >>> 0;
}

/** The low half of the parent at `resolution`, which must not be finer than the cell's own. */
export function parentLo(lo: number, resolution: number): number {
  return (lo | unusedBitsLo[resolution]!) >>> 0;
}

/** The resolution of a cell: 0 to 15. */
export function resolutionOf(cell: Cell): number {
  return resolutionOfHi(cell.hi);
}

/**
 * The ancestor of a valid cell at a resolution, which may be the cell's own.
 * @throws RangeError where `resolution` is finer than the cell's: a caller's bug.
 */
export function parentOf(cell: Cell, resolution: number): Cell {
  if (!(resolution >= 0 && resolution <= resolutionOf(cell))) {
    throw new RangeError(`a parent at resolution ${resolution} of a cell at ${resolutionOf(cell)}`);
  }
  return { hi: parentHi(cell.hi, resolution), lo: parentLo(cell.lo, resolution) };
}

/**
 * Whether the halves are an H3 cell index (mode 1), strictly: reserved bits zero, a real base cell, digits 0 to 6 down
 * to the resolution and 7 below it, and nothing inside the wedge a pentagon lacks. The same set as h3's `isValidCell`.
 */
export function isValidCell(cell: Cell): boolean {
  const { hi, lo } = cell;
  if (hi >>> 0 !== hi || lo >>> 0 !== lo) return false;
  // The top eight bits together: reserved 0, mode 0001, reserved 000.
  if (hi >>> 24 !== MODE_CELL << 3) return false;
  const baseCell = baseCellOfHi(hi);
  if (baseCell >= BASE_CELL_COUNT) return false;
  const resolution = resolutionOfHi(hi);
  const unusedHi = unusedBitsHi[resolution]!;
  const unusedLo = unusedBitsLo[resolution]!;
  if ((hi & unusedHi) >>> 0 !== unusedHi || (lo & unusedLo) >>> 0 !== unusedLo) return false;
  let leading = 0;
  for (let r = 1; r <= resolution; r++) {
    const digit = digitAt(hi, lo, r);
    if (digit === UNUSED_DIGIT) return false;
    if (leading === 0) leading = digit;
  }
  return !(leading === DELETED_DIGIT && isPentagonBaseCell(baseCell));
}

/** The index as one 64-bit integer, the form on the wire. */
export function cellToBigint(cell: Cell): bigint {
  return (BigInt(cell.hi) << 32n) | BigInt(cell.lo);
}

/** A valid cell from its 64-bit index, else null. */
export function cellFromBigint(index: bigint): Cell | null {
  if (index < 0n || index >> 64n !== 0n) return null;
  const cell = { hi: Number(index >> 32n), lo: Number(index & 0xffff_ffffn) };
  return isValidCell(cell) ? cell : null;
}

/** The text h3 itself prints: lower-case hexadecimal without leading zeros, which is 15 digits for every cell. */
export function cellToHex(cell: Cell): string {
  return cell.hi.toString(16) + cell.lo.toString(16).padStart(8, "0");
}

/** A valid cell from 15 hexadecimal digits (16 with a leading zero), either case, without `0x`; else null. */
export function cellFromHex(text: string): Cell | null {
  if (!/^0?[0-9a-fA-F]{15}$/.test(text)) return null;
  const digits = text.slice(-15);
  const cell = { hi: Number.parseInt(digits.slice(0, 7), 16), lo: Number.parseInt(digits.slice(7), 16) };
  return isValidCell(cell) ? cell : null;
}

/** A valid cell from its index in decimal (18 digits for every cell), else null. */
export function cellFromDecimal(text: string): Cell | null {
  return /^[1-9][0-9]{17}$/.test(text) ? cellFromBigint(BigInt(text)) : null;
}

/** Either text form: cells have 18 digits in decimal and 15 or 16 in hexadecimal, so none reads as both. */
export function cellFromText(text: string): Cell | null {
  return text.length === 18 ? cellFromDecimal(text) : cellFromHex(text);
}
