/**
 * The division behind a pool's split, for a million lines: floor(amount * weight / total) and the exact rest of each,
 * then one base unit more for the largest rests. `bigint` takes some 0.5 us a line for it and a sort of the rests 1 us
 * more; here doubles estimate the quotient, 64-bit arithmetic on 32-bit halves proves it, and the rests are ranked by
 * counting: 0.1 us in all.
 *
 * Why it is exact: with amount < 2^50 and total < 2^62, three roundings of 2^-53 each move the estimate by less than
 * 0.4, so its floor is the quotient or one off. The rest then lies between -total and 2 * total, inside (-2^62, 2^63),
 * so its value modulo 2^64 tells it whole, and one step corrects both.
 */

/** Amounts and totals must stay below these; the second is reached by a million beacons of five whole units each. */
export const SHARE_AMOUNT_LIMIT = 1n << 50n;
export const SHARE_TOTAL_LIMIT = 1n << 62n;

/** Quotients, below 2^50, and rests, in two unsigned halves, line by line. */
type Shares = { quotients: Float64Array; restHi: Uint32Array; restLo: Uint32Array };

/**
 * Splits an amount by weights, the largest rests first, equal ones by `keyRank`.
 * @param amount below 2^50.
 * @param weights whole numbers below 2^53.
 * @param total their sum, above 0 and below 2^62.
 * @param keyRank place of each line in the order of keys, each once; absent where that is the lines' own order.
 * @returns whole numbers that make exactly `amount` together.
 */
export function divideByShare(
  amount: bigint,
  weights: Float64Array,
  total: bigint,
  keyRank?: Uint32Array,
): Float64Array {
  if (amount >= SHARE_AMOUNT_LIMIT || total >= SHARE_TOTAL_LIMIT || total <= 0n) {
    throw new RangeError("This amount or total needs the split in bigint");
  }
  const shares = computeShares(amount, weights, total);
  const { quotients } = shares;
  let left = Number(amount);
  for (let line = 0; line < quotients.length; line++) left -= quotients[line]!;
  if (left > 0) raiseLargestRests(shares, left, keyRank);
  return quotients;
}

function computeShares(amount: bigint, weights: Float64Array, total: bigint): Shares {
  const quotients = new Float64Array(weights.length);
  const restHi = new Uint32Array(weights.length);
  const restLo = new Uint32Array(weights.length);
  const ratio = Number(amount) / Number(total);
  const amountHi = Number(amount >> 32n);
  const amountLo = Number(amount & 0xffff_ffffn);
  const totalHi = Number(total >> 32n);
  const totalLo = Number(total & 0xffff_ffffn);
  const due = new Uint32Array(2);
  const given = new Uint32Array(2);
  for (let line = 0; line < weights.length; line++) {
    const weight = weights[line]!;
    let quotient = Math.floor(weight * ratio);
    writeProductLow64(amountHi, amountLo, Math.floor(weight / 2 ** 32), weight >>> 0, due);
    writeProductLow64(totalHi, totalLo, Math.floor(quotient / 2 ** 32), quotient >>> 0, given);
    let lo = due[1]! - given[1]!;
    let hi = due[0]! - given[0]!;
    if (lo < 0) {
      lo += 2 ** 32;
      hi--;
    }
    // Only the value modulo 2^64 is meant: as a signed number it is the rest, which may be one total off.
    hi |= 0;
    if (hi < 0) {
      quotient--;
      lo += totalLo;
      hi += totalHi + (lo >= 2 ** 32 ? 1 : 0);
    } else if (hi > totalHi || (hi === totalHi && lo >= totalLo)) {
      quotient++;
      lo -= totalLo;
      hi -= totalHi + (lo < 0 ? 1 : 0);
    }
    quotients[line] = quotient;
    restHi[line] = hi;
    restLo[line] = lo;
  }
  return { quotients, restHi, restLo };
}

/** The low 64 bits of a product of two unsigned 64-bit numbers, each in halves, written as (high, low). */
function writeProductLow64(aHi: number, aLo: number, bHi: number, bLo: number, out: Uint32Array): void {
  const a0 = aLo & 0xffff;
  const a1 = aLo >>> 16;
  const b0 = bLo & 0xffff;
  const b1 = bLo >>> 16;
  const low = a0 * b0;
  const middle = a1 * b0 + (low >>> 16);
  const crossed = a0 * b1 + (middle & 0xffff);
  const carried = a1 * b1 + (middle >>> 16) + (crossed >>> 16);
  out[0] = carried + Math.imul(aHi, bLo) + Math.imul(aLo, bHi);
  out[1] = (crossed << 16) | (low & 0xffff);
}

/** Adds one to the quotients of the `left` largest rests, equal ones by rank. */
function raiseLargestRests(shares: Shares, left: number, keyRank: Uint32Array | undefined): void {
  const { quotients, restHi, restLo } = shares;
  const { hi, lo, above } = findRestAtPlace(restHi, restLo, left);
  const equal: number[] = [];
  for (let line = 0; line < quotients.length; line++) {
    if (restHi[line]! > hi || (restHi[line] === hi && restLo[line]! > lo)) quotients[line]!++;
    else if (restHi[line] === hi && restLo[line] === lo) equal.push(keyRank?.[line] ?? line);
  }
  // Of the lines with this very rest, those up to the last rank that still gets one.
  const ranks = Uint32Array.from(equal).sort();
  const lastRank = ranks[left - above - 1]!;
  for (let line = 0; line < quotients.length; line++) {
    if (restHi[line] !== hi || restLo[line] !== lo) continue;
    if ((keyRank?.[line] ?? line) <= lastRank) quotients[line]!++;
  }
}

/**
 * The rest at a place (1 is the largest) and how many are above it, by counting: each pass fixes 16 more bits of it.
 * There are more rests than places, as `left` totals are the sum of rests that are each below one total.
 */
function findRestAtPlace(
  restHi: Uint32Array,
  restLo: Uint32Array,
  place: number,
): { hi: number; lo: number; above: number } {
  let above = 0;
  const prefix = [0, 0, 0, 0];
  const counts = new Uint32Array(1 << 16);
  for (let pass = 0; pass < 4; pass++) {
    const halves = pass < 2 ? restHi : restLo;
    const shift = pass % 2 === 0 ? 16 : 0;
    const prefixHi = pass < 2 ? prefix[0]! : prefix[0]! * 2 ** 16 + prefix[1]!;
    counts.fill(0);
    for (let line = 0; line < halves.length; line++) {
      if (pass === 1 && restHi[line]! >>> 16 !== prefixHi) continue;
      if (pass >= 2 && restHi[line] !== prefixHi) continue;
      if (pass === 3 && restLo[line]! >>> 16 !== prefix[2]) continue;
      counts[(halves[line]! >>> shift) & 0xffff]!++;
    }
    let bits = 0xffff;
    while (above + counts[bits]! < place) above += counts[bits--]!;
    prefix[pass] = bits;
  }
  return { hi: prefix[0]! * 2 ** 16 + prefix[1]!, lo: prefix[2]! * 2 ** 16 + prefix[3]!, above };
}
