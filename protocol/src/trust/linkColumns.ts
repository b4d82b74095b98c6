/** The columns of a pair's row in the link history, and how a report is added to them: counts and sums packed into 32 bits. */
import { PAID_DISTANCE_MAX_M } from "../radio/gates.ts";
import type { HistoryEntry, LinkRecord } from "./linkRecord.ts";
import { addToSlope } from "./penalties/powerSlope.ts";

/** Receptions of one direction and window that are summed; on average a window has up to 60 (`BEACONS_PER_WINDOW_MAX`). */
export const LINK_RECEPTIONS_MAX = 63;

/** Lower and higher index, first epoch of the acquaintance, distance and opener, newest valid epoch each way. */
export const [LOW, HIGH, FIRST_EPOCH, DISTANCE, LAST_EPOCH] = [0, 1, 2, 3, 4] as const;
export const SUMS = 6;
/** Of a direction and window: signals and powers; squares of powers and margins; products and epochs; squares of signals and receptions. */
const [SIGNALS, POWER_SQUARES, PRODUCTS, SIGNAL_SQUARES] = [0, 1, 2, 3] as const;
export const SUM_COLUMNS = 4;
export const DIRECTION_COLUMNS = 2 * SUM_COLUMNS;
export const WIDTH = SUMS + 2 * DIRECTION_COLUMNS;
/** Bytes of a pair in memory and in `encode`. */
export const LINK_ROW_BYTES = WIDTH * 4;

/** The smaller of a column's two sums stands in the low bits: 63 steps of at most 30 dB or margins of at most 31 take 11. */
const SUM_BITS = 11;
/** Counts of up to 63. Above them 63 squares of signals of at most 700 tenths of a dB take 25, and products with steps 22. */
const COUNT_BITS = 6;
const SUM_MASK = (1 << SUM_BITS) - 1;
const COUNT_MASK = (1 << COUNT_BITS) - 1;
const MARGIN_MAX_DB = 31;

/** Metres of the pair at `at`, by the newest valid report, up to the farthest that is paid. */
export const readDistanceM = (table: Int32Array, at: number): number => table[at + DISTANCE]! >> 1;

/** The end of the pair at `at` that opened it. */
export const readOpener = (table: Int32Array, at: number): number =>
  table[at + ((table[at + DISTANCE]! & 1) === 1 ? HIGH : LOW)]!;

/**
 * Distance and opener as a column holds them. What lies farther than is paid lies as far as that: left out, a place would be the
 * safer the longer the lie, and with its whole length one that asserts the other end of the world would outweigh neighbours.
 */
export const packDistance = (distanceM: number, isHighOpener: boolean): number =>
  2 * Math.min(distanceM, PAID_DISTANCE_MAX_M) + (isHighOpener ? 1 : 0);

/** Counts an epoch with a valid report in a direction's running window, up to the most that there can be. */
export function countEpoch(table: Int32Array, sums: number): void {
  if ((table[sums + PRODUCTS]! & COUNT_MASK) < COUNT_MASK) table[sums + PRODUCTS]! += 1;
}

/** Adds a reception to a direction's running window, as long as it holds fewer than its most. */
export function addReception(
  table: Int32Array,
  sums: number,
  { moments, marginCentiDb }: HistoryEntry,
): void {
  if ((table[sums + SIGNAL_SQUARES]! & COUNT_MASK) >= LINK_RECEPTIONS_MAX) return;
  const marginDb = Math.min(Math.max(Math.floor(marginCentiDb / 100), 0), MARGIN_MAX_DB);
  table[sums + SIGNALS]! += (moments.signal << SUM_BITS) - moments.power;
  table[sums + POWER_SQUARES]! += (moments.powerSquare << SUM_BITS) + marginDb;
  table[sums + PRODUCTS]! += moments.powerSignal << COUNT_BITS;
  table[sums + SIGNAL_SQUARES]! += (moments.signalSquare << COUNT_BITS) + 1;
}

/** Whether a direction's window holds any reception, refused ones among them. */
export const hasReceptions = (table: Int32Array, sums: number): boolean => table[sums + SIGNAL_SQUARES] !== 0;

/** Whether a direction's window holds any epoch with a valid report. */
export const hasEpochs = (table: Int32Array, sums: number): boolean =>
  (table[sums + PRODUCTS]! & COUNT_MASK) !== 0;

/** Where the running window of a direction stands; the one before follows it. */
const runningOf = (at: number, isLowWitness: boolean): number =>
  at + SUMS + (isLowWitness ? 0 : DIRECTION_COLUMNS);

/** Epochs with a valid report in one direction of the row at `at`, over both windows. */
export function readEpochs(table: Int32Array, at: number, isLowWitness: boolean): number {
  return sumLow(table, runningOf(at, isLowWitness) + PRODUCTS, COUNT_MASK);
}

/** Receptions in one direction of the row at `at`, over both windows. */
export function readCount(table: Int32Array, at: number, isLowWitness: boolean): number {
  return sumLow(table, runningOf(at, isLowWitness) + SIGNAL_SQUARES, COUNT_MASK);
}

/** All that one direction of the row at `at` holds, over both windows. */
export function readRecord(table: Int32Array, at: number, isLowWitness: boolean): LinkRecord {
  const running = runningOf(at, isLowWitness);
  return {
    firstEpoch: table[at + FIRST_EPOCH]!,
    lastEpoch: table[at + LAST_EPOCH + (isLowWitness ? 0 : 1)]!,
    distanceM: readDistanceM(table, at),
    count: sumLow(table, running + SIGNAL_SQUARES, COUNT_MASK),
    epochs: sumLow(table, running + PRODUCTS, COUNT_MASK),
    power: 0 - sumLow(table, running + SIGNALS, SUM_MASK),
    powerSquare: sumHigh(table, running + POWER_SQUARES, SUM_BITS),
    signal: sumHigh(table, running + SIGNALS, SUM_BITS),
    marginsDb: sumLow(table, running + POWER_SQUARES, SUM_MASK),
    powerSignal: sumHigh(table, running + PRODUCTS, COUNT_BITS),
    signalSquare: sumHigh(table, running + SIGNAL_SQUARES, COUNT_BITS),
  };
}

/** Adds one direction of the row at `at` to the sums of a slope, as `LinkRecord` would be, without making one. */
export function addSlopeSums(
  table: Int32Array,
  at: number,
  isLowWitness: boolean,
  sums: Float64Array,
  to: number,
): void {
  const running = runningOf(at, isLowWitness);
  addToSlope(
    sums,
    to,
    sumLow(table, running + SIGNAL_SQUARES, COUNT_MASK),
    0 - sumLow(table, running + SIGNALS, SUM_MASK),
    sumHigh(table, running + POWER_SQUARES, SUM_BITS),
    sumHigh(table, running + SIGNALS, SUM_BITS),
    sumHigh(table, running + PRODUCTS, COUNT_BITS),
    sumHigh(table, running + SIGNAL_SQUARES, COUNT_BITS),
  );
}

/** What stands in a column's low bits, of both windows together. */
const sumLow = (table: Int32Array, column: number, mask: number): number =>
  (table[column]! & mask) + (table[column + SUM_COLUMNS]! & mask);

/** What stands above them: a shift rounds down, also below zero. */
const sumHigh = (table: Int32Array, column: number, bits: number): number =>
  (table[column]! >> bits) + (table[column + SUM_COLUMNS]! >> bits);

/** A pair's place in an index, to be masked. Indexes are small and dense: odd multipliers (Knuth's and Murmur's) spread them over the table. */
export function mix(low: number, high: number): number {
  const mixed = Math.imul(low, 0x9e37_79b1) ^ Math.imul(high, 0x85eb_ca6b);
  return mixed ^ (mixed >>> 15);
}
