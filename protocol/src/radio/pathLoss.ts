/**
 * Free-space loss and the ceiling it puts on a received strength, in hundredths of a dB and in integers only: the
 * host's logarithm may differ in its last bit between machines, and a rounding would turn that into a verdict.
 */
import type { RegionPlan } from "./regions.ts";

// log2(1 + i / STEPS) in units of 2^-20, for linear interpolation. Between two entries the chord lies below the curve
// by at most (1 / STEPS)^2 / 8 * log2(e) = 2.8e-6, which is 0.002 hundredths of a dB; rounding entries adds 0.001.
const STEP_BITS = 8;
const STEPS = 1 << STEP_BITS;
const FRACTION_BITS = 20;
const ONE = 1 << FRACTION_BITS;
const LOG2_TABLE = Uint32Array.from({ length: STEPS + 1 }, (_, i) => computeLog2Entry(i));

/** log2(1 + i / STEPS) * 2^20, rounded half up, bit by bit: squaring a number doubles its logarithm. */
function computeLog2Entry(i: number): number {
  const precision = 64n;
  const two = 2n << precision;
  if (i === STEPS) return ONE;
  let value = (BigInt(STEPS + i) << precision) >> BigInt(STEP_BITS);
  let log = 0;
  // One bit more than is kept, for the rounding.
  for (let bit = 0; bit <= FRACTION_BITS; bit++) {
    value = (value * value) >> precision;
    log *= 2;
    if (value >= two) {
      log += 1;
      value >>= 1n;
    }
  }
  return (log + 1) >> 1;
}

/** The binary logarithm of an integer from 1 to 2^32 - 1, in units of 2^-20. */
export function computeLog2(value: number): number {
  const exponent = 31 - Math.clz32(value);
  // The bits below the leading one, aligned to the left of 31.
  const mantissa = (value << (31 - exponent)) & 0x7fff_ffff;
  const index = mantissa >>> (31 - STEP_BITS);
  const rest = mantissa & ((1 << (31 - STEP_BITS)) - 1);
  const low = LOG2_TABLE[index]!;
  const rise = LOG2_TABLE[index + 1]! - low;
  return exponent * ONE + low + Math.floor((rise * rest) / (1 << (31 - STEP_BITS)));
}

// 20 log10(2) dB is 602.06 hundredths; 602.05999 is the true value, which over any Earthly sum differs by 0.0005.
const PER_DOUBLING_CENTI_DB_X100 = 60_206;
// 20 log10(4 pi / c) with c in m/s: -147.5522 dB (ITU-R P.525, isotropic antennas).
const CONSTANT_CENTI_DB_X100 = -1_475_522;

/**
 * Free-space loss in hundredths of a dB, within 1 of the true value after rounding half up: 20 log10(d) + 20 log10(f)
 * - 147.5522 dB. Distance and frequency are integers; below 1 each counts as 1, above 2^32 - 1 as that.
 */
export function computeFreeSpaceLossCentiDb(distanceM: number, freqHz: number): number {
  const doublings = computeLog2(clampToUint32(distanceM)) + computeLog2(clampToUint32(freqHz));
  const scaled = doublings * PER_DOUBLING_CENTI_DB_X100 + CONSTANT_CENTI_DB_X100 * ONE;
  return Math.floor(scaled / (100 * ONE) + 0.5);
}

/** 10 log10(bandwidth / 125 kHz) in hundredths of a dB, rounded half up: how much more noise a wider channel has. */
export function computeBandwidthNoiseCentiDb(bandwidthHz: number): number {
  const doublings = computeLog2(clampToUint32(bandwidthHz)) - computeLog2(125_000);
  return Math.floor((doublings * (PER_DOUBLING_CENTI_DB_X100 / 2)) / (100 * ONE) + 0.5);
}

function clampToUint32(value: number): number {
  return Math.min(Math.max(value, 1), 0xffff_ffff);
}

/** Nearer than this the far-field formula, and a position asserted as a cell of that size, say little. */
const NEAREST_M = 30;
const MARGIN_CENTI_DB = 600;
const MARGIN_GAIN_UNKNOWN_CENTI_DB = 900;

/** One direction of a link. Powers and gains count no higher than the plan allows, where there is one. */
export type LinkBudget = {
  /** Conducted power and transmit antenna together. */
  readonly eirpCentiDbm: number;
  /** null: unknown, which widens the margin. */
  readonly rxGainCentiDbi: number | null;
  readonly distanceM: number;
  readonly freqHz: number;
  readonly plan: RegionPlan | null;
};

/**
 * The strongest plausible reception in hundredths of a dBm: EIRP and receive gain less free-space loss, and 6 dB more
 * (9 dB where the gain is unknown). Real links, from balloons and mountain tops too, stay below it.
 */
export function computeCeilingCentiDbm({
  eirpCentiDbm,
  rxGainCentiDbi,
  distanceM,
  freqHz,
  plan,
}: LinkBudget): number {
  const eirp = plan === null ? eirpCentiDbm : Math.min(eirpCentiDbm, plan.maxEirpCentiDbm);
  const loss = computeFreeSpaceLossCentiDb(Math.max(distanceM, NEAREST_M), freqHz);
  if (rxGainCentiDbi === null) return eirp - loss + MARGIN_GAIN_UNKNOWN_CENTI_DB;
  const gain = plan === null ? rxGainCentiDbi : Math.min(rxGainCentiDbi, plan.maxGainCentiDbi);
  return eirp + gain - loss + MARGIN_CENTI_DB;
}
