/** The columns of a pair's row in the link history, and how a report is added to them: counts and sums packed into 32 bits. */
import type { HistoryEntry, LinkRecord } from "./linkRecord.ts";
import { addToSlope } from "./penalties/powerSlope.ts";

/** Receptions of one direction and window that are summed; later ones in the same window add nothing new. */
export const LINK_RECEPTIONS_MAX = 255;

/** Lower and higher index, first epoch of the acquaintance, distance, who opened it, newest valid epoch each way. */
export const [LOW, HIGH, FIRST_EPOCH, DISTANCE, OPENER, LAST_EPOCH] = [0, 1, 2, 3, 4, 5] as const;
export const SUMS = 7;
/** Of a direction and window: counts; powers and their squares; signals and margins; products; squares of signals. */
export const [COUNTS, POWERS, SIGNALS, POWER_SIGNALS, SIGNAL_SQUARES] = [0, 1, 2, 3, 4] as const;
export const SUM_COLUMNS = 5;
export const DIRECTION_COLUMNS = 2 * SUM_COLUMNS;
export const WIDTH = SUMS + 2 * DIRECTION_COLUMNS;
/** Bytes of a pair in memory and in `encode`. */
export const LINK_ROW_BYTES = WIDTH * 4;

/** Counts take 8 bits each: receptions, epochs with a valid report, reports that a gate refused. */
export const EPOCHS_UNIT = 1 << 8;
export const REFUSED_UNIT = 1 << 16;
export const COUNT_MAX = 255;
/** 255 steps of at most 30 dB take 13 bits, their squares 18. */
export const POWER_SQUARE_UNIT = 1 << 13;
/** 255 margins of at most 31 dB take 13 bits; the signals' sum, of either sign, stands above them. */
export const SIGNAL_UNIT = 1 << 13;
export const MARGIN_MAX_DB = 31;
export const POWER_MASK = POWER_SQUARE_UNIT - 1;
export const MARGIN_MASK = SIGNAL_UNIT - 1;

/** Adds one to a count of a direction's running window, up to its most. */
export function addCount(table: Int32Array, sums: number, unit: number): void {
  const counts = table[sums + COUNTS]!;
  if (Math.floor(counts / unit) % (COUNT_MAX + 1) < COUNT_MAX) table[sums + COUNTS] = counts + unit;
}

/** Adds a reception to a direction's running window, as long as it holds fewer than its most. */
export function addReception(
  table: Int32Array,
  sums: number,
  { moments, marginCentiDb }: HistoryEntry,
): void {
  if ((table[sums + COUNTS]! & COUNT_MAX) >= LINK_RECEPTIONS_MAX) return;
  const marginDb = Math.min(Math.max(Math.floor(marginCentiDb / 100), 0), MARGIN_MAX_DB);
  table[sums + COUNTS]! += 1;
  table[sums + POWERS]! += moments.powerSquare * POWER_SQUARE_UNIT - moments.power;
  table[sums + SIGNALS]! += moments.signal * SIGNAL_UNIT + marginDb;
  table[sums + POWER_SIGNALS]! += moments.powerSignal;
  table[sums + SIGNAL_SQUARES]! += moments.signalSquare;
}

/** Where the running window of a direction stands; the one before follows it. */
const runningOf = (at: number, isLowWitness: boolean): number =>
  at + SUMS + (isLowWitness ? 0 : DIRECTION_COLUMNS);

/** Epochs with a valid report in one direction of the row at `at`, over both windows. */
export function readEpochs(table: Int32Array, at: number, isLowWitness: boolean): number {
  return readBoth(table, runningOf(at, isLowWitness) + COUNTS, 8);
}

/** Receptions in one direction of the row at `at`, over both windows. */
export function readCount(table: Int32Array, at: number, isLowWitness: boolean): number {
  return readBoth(table, runningOf(at, isLowWitness) + COUNTS, 0);
}

/** All that one direction of the row at `at` holds, over both windows. */
export function readRecord(table: Int32Array, at: number, isLowWitness: boolean): LinkRecord {
  const running = runningOf(at, isLowWitness);
  const before = running + SUM_COLUMNS;
  const [powers, powersBefore] = [table[running + POWERS]!, table[before + POWERS]!];
  const [signals, signalsBefore] = [table[running + SIGNALS]!, table[before + SIGNALS]!];
  return {
    firstEpoch: table[at + FIRST_EPOCH]!,
    lastEpoch: table[at + LAST_EPOCH + (isLowWitness ? 0 : 1)]!,
    distanceM: table[at + DISTANCE]!,
    count: readBoth(table, running + COUNTS, 0),
    epochs: readBoth(table, running + COUNTS, 8),
    refused: readBoth(table, running + COUNTS, 16),
    power: 0 - (powers & POWER_MASK) - (powersBefore & POWER_MASK),
    powerSquare: (powers >> 13) + (powersBefore >> 13),
    // A shift rounds down, also below zero.
    signal: (signals >> 13) + (signalsBefore >> 13),
    marginsDb: (signals & MARGIN_MASK) + (signalsBefore & MARGIN_MASK),
    powerSignal: table[running + POWER_SIGNALS]! + table[before + POWER_SIGNALS]!,
    signalSquare: table[running + SIGNAL_SQUARES]! + table[before + SIGNAL_SQUARES]!,
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
  const before = running + SUM_COLUMNS;
  const [powers, powersBefore] = [table[running + POWERS]!, table[before + POWERS]!];
  addToSlope(
    sums,
    to,
    readBoth(table, running + COUNTS, 0),
    0 - (powers & POWER_MASK) - (powersBefore & POWER_MASK),
    (powers >> 13) + (powersBefore >> 13),
    (table[running + SIGNALS]! >> 13) + (table[before + SIGNALS]! >> 13),
    table[running + POWER_SIGNALS]! + table[before + POWER_SIGNALS]!,
    table[running + SIGNAL_SQUARES]! + table[before + SIGNAL_SQUARES]!,
  );
}

/** One of the counts of both windows together. */
function readBoth(table: Int32Array, counts: number, shift: number): number {
  return ((table[counts]! >> shift) & COUNT_MAX) + ((table[counts + SUM_COLUMNS]! >> shift) & COUNT_MAX);
}

/** A pair's place in an index, to be masked. Indexes are small and dense: odd multipliers (Knuth's and Murmur's) spread them over the table. */
export function mix(low: number, high: number): number {
  const mixed = Math.imul(low, 0x9e37_79b1) ^ Math.imul(high, 0x85eb_ca6b);
  return mixed ^ (mixed >>> 15);
}
