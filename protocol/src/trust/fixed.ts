/**
 * Logarithms for trust, in integers: every validator must rank the same hotspots the same, and the host's own may differ
 * in the last bit. The unit is 2^-10 of an octave (a doubling), so 1,024 is a factor of two and 3,402 a factor of ten.
 */
import { computeLog2 } from "../radio/pathLoss.ts";

/** Units in an octave. */
export const OCTAVE = 1_024;

/** 10 log10(2), 3.0103 dB: hundredths of a dB in an octave of power, times 100. */
const CENTI_DB_PER_OCTAVE_X100 = 30_103;

/** The binary logarithm of an integer, in 2^-10 octaves, rounded down; below 1 it counts as 1, above 2^32 - 1 as that. */
export function computeLogOctaves(value: number): number {
  return computeLog2(Math.min(Math.max(value, 1), 0xffff_ffff)) >> 10;
}

const scratch = new DataView(new ArrayBuffer(8));
const MANTISSA_BITS = 20;
const EXPONENT_BIAS = 1_023;

/** The binary logarithm of a finite double of at least 1, in 2^-10 octaves, rounded down: by its own exponent and 20 bits. */
export function computeLogOfDouble(value: number): number {
  scratch.setFloat64(0, value);
  const high = scratch.getUint32(0);
  const mantissa = (1 << MANTISSA_BITS) | (high & ((1 << MANTISSA_BITS) - 1));
  return ((high >>> MANTISSA_BITS) - EXPONENT_BIAS - MANTISSA_BITS) * OCTAVE + computeLogOctaves(mantissa);
}

// log2(1 + 2^z) for z = -12 to 12 octaves in eighths. Between entries the chord lies above the curve by at most
// (1/8)^2 / 8 * ln(2) / 4 = 3.4e-4 octaves, a third of a unit.
const STEPS_PER_OCTAVE = 8;
const STEP = OCTAVE / STEPS_PER_OCTAVE;
const RANGE_OCTAVES = 12;
const LOG_SUM_TABLE = createLogSumTable();

function createLogSumTable(): Uint16Array {
  const precision = 64n;
  const one = 1n << precision;
  // The eighth root of 2, by three square roots.
  let root = 2n * one;
  for (let i = 0; i < 3; i++) root = integerSqrt(root << precision);
  const table = new Uint16Array(2 * RANGE_OCTAVES * STEPS_PER_OCTAVE + 1);
  let power = one >> BigInt(RANGE_OCTAVES);
  for (let i = 0; i < table.length; i++) {
    // 1 + 2^12 leaves 19 bits of fraction in 32.
    table[i] = computeLogOctaves(Number((one + power) >> (precision - 19n))) - 19 * OCTAVE;
    power = (power * root) >> precision;
  }
  return table;
}

function integerSqrt(value: bigint): bigint {
  let root = 1n << (BigInt(value.toString(2).length) / 2n + 1n);
  for (;;) {
    const next = (root + value / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

/**
 * log2(1 + 2^z): minus the logarithm of a probability whose log-odds are -z. Takes and gives 2^-10 octaves, within 2
 * of the true value.
 */
export function computeLogSumOctaves(z: number): number {
  const shifted = z + RANGE_OCTAVES * OCTAVE;
  if (shifted <= 0) return 0;
  if (shifted >= 2 * RANGE_OCTAVES * OCTAVE) return z;
  const index = Math.floor(shifted / STEP);
  const low = LOG_SUM_TABLE[index]!;
  return low + Math.floor(((LOG_SUM_TABLE[index + 1]! - low) * (shifted - index * STEP)) / STEP);
}

/** An integer number of hundredths of a dB of power as 2^-10 octaves, rounded down. */
export function centiDbToOctaves(centiDb: number): number {
  return Math.floor((centiDb * OCTAVE * 100) / CENTI_DB_PER_OCTAVE_X100);
}

/** 2^-10 octaves of power as hundredths of a dB, rounded down. */
export function octavesToCentiDb(octaves: number): number {
  return Math.floor((octaves * CENTI_DB_PER_OCTAVE_X100) / (OCTAVE * 100));
}

/** The largest integer whose square is at most a non-negative integer below 2^52 (IEEE 754 rounds square roots exactly). */
export function computeRoot(value: number): number {
  const root = Math.floor(Math.sqrt(value));
  return root * root > value ? root - 1 : root;
}

/** Up to this length insertion sorts faster than the engine's own sort is called. */
const SHORT = 64;

/**
 * The lower middle one of the first so many; 0 of none. Sorts these in place, which must hold no NaN.
 * @param count all of them if left out.
 */
export function takeMedian(values: Int32Array | Float64Array, count: number = values.length): number {
  if (count === 0) return 0;
  if (count > SHORT) values.subarray(0, count).sort();
  else sortShort(values, count);
  return values[(count - 1) >> 1]!;
}

function sortShort(values: Int32Array | Float64Array, count: number): void {
  for (let i = 1; i < count; i++) {
    const value = values[i]!;
    let place = i;
    for (; place > 0 && values[place - 1]! > value; place--) values[place] = values[place - 1]!;
    values[place] = value;
  }
}
