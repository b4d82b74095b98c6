/**
 * What the ledger remembers of every pair of hotspots for trust: who heard whom, in how many epochs, how strongly and at
 * which power steps. Both directions of a pair are one row of 32-bit integers, 108 bytes, so that ten million pairs fit
 * 1.1 GB; what a receiver shows over all it heard stands in `receiverHistory.ts`.
 *
 * Time is kept in two windows of `windowEpochs` each, the running one and the one before. Evidence therefore counts for
 * at least one window and at most two, and forgetting is one pass at the turn of a window.
 *
 * Bound: a witness opens at most `PAIRS_PER_WITNESS_MAX` pairs; beyond, a new counterpart is not remembered until an old
 * one has expired (and is paid all the same). Pairs that others open with a hotspot do not count against it, or it could
 * be filled up from outside.
 */
import {
  addCount,
  addReception,
  COUNT_MAX,
  COUNTS,
  DIRECTION_COLUMNS,
  DISTANCE,
  EPOCHS_UNIT,
  FIRST_EPOCH,
  HIGH,
  LAST_EPOCH,
  LINK_ROW_BYTES,
  LOW,
  MARGIN_MASK,
  mix,
  OPENER,
  POWER_MASK,
  POWER_SIGNALS,
  POWERS,
  REFUSED_UNIT,
  SIGNAL_SQUARES,
  SIGNALS,
  SUM_COLUMNS,
  SUMS,
  WIDTH,
} from "./linkColumns.ts";
import { type LinkRows, sortRows } from "./linkRows.ts";
import type { Moments } from "./moments.ts";

/** Four times the witnesses that a beacon is paid for: no antenna hears more neighbours often enough to be judged by. */
export const PAIRS_PER_WITNESS_MAX = 64;

/** Rows stand in pieces, so that growing copies nothing. */
const PIECE_BITS = 14;
const PIECE_ROWS = 1 << PIECE_BITS;
const LEAST_SLOTS = 64;
const FREE = -1;

/** How a witness report ended: valid, or refused by a gate on its measurement, which still says how it was made. */
export type HistoryVerdict = "valid" | "refused";

/** One judged report: who heard whom, how it ended and what was measured. */
export type HistoryEntry = {
  readonly witness: number;
  readonly beaconer: number;
  readonly epoch: number;
  readonly verdict: HistoryVerdict;
  readonly distanceM: number;
  readonly moments: Moments;
  /** SNR over the demodulation limit. */
  readonly marginCentiDb: number;
};

/** Sums over what one end of a pair heard of the other: what the slope and the trend are computed from. */
export type LinkSums = Pick<
  Moments,
  "count" | "signal" | "power" | "powerSquare" | "powerSignal" | "signalSquare"
>;

/** What is remembered of one direction of a pair, over both windows. */
export type LinkRecord = LinkSums & {
  /** Of the time that the pair has been known without a gap longer than the history, either way. */
  readonly firstEpoch: number;
  /** Newest epoch with a valid report this way; -1: none. */
  readonly lastEpoch: number;
  /** Epochs with a valid report this way. */
  readonly epochs: number;
  readonly refused: number;
  /** By the newest valid report of either direction: asserted places move. */
  readonly distanceM: number;
  /** Sum of margins over the demodulation limit, each rounded down to whole dB from 0 to 31. */
  readonly marginsDb: number;
};

export class LinkHistory {
  readonly #windowEpochs: number;
  #window = 0;
  #count = 0;
  #pieces: Int32Array[] = [];
  /** Open addressing: the row of each pair. */
  #slots = new Int32Array(LEAST_SLOTS).fill(FREE);
  /** Pairs that each hotspot has opened. */
  #opened = new Uint8Array(LEAST_SLOTS);

  /** @param windowEpochs half of what is kept at most; two-sided evidence within 14 days makes it 7 days. */
  constructor(windowEpochs: number) {
    this.#windowEpochs = windowEpochs;
  }

  get size(): number {
    return this.#count;
  }

  /**
   * Adds a judged report. Epochs never decrease from call to call.
   * @returns false where the witness has opened its most pairs already, and nothing was added.
   */
  record(entry: HistoryEntry): boolean {
    const { witness, beaconer, epoch, distanceM } = entry;
    this.#advance(epoch);
    const low = Math.min(witness, beaconer);
    const high = Math.max(witness, beaconer);
    const known = this.#find(low, high);
    const row = known === FREE ? this.#open(low, high, entry) : known;
    if (row === FREE) return false;
    const table = this.#pieceOf(row);
    const at = offsetOf(row);
    const direction = witness === low ? 0 : 1;
    const sums = at + SUMS + direction * DIRECTION_COLUMNS;
    if (entry.verdict === "refused") addCount(table, sums, REFUSED_UNIT);
    else {
      if (table[at + LAST_EPOCH + direction] !== epoch) addCount(table, sums, EPOCHS_UNIT);
      table[at + LAST_EPOCH + direction] = epoch;
      table[at + DISTANCE] = distanceM;
    }
    addReception(table, sums, entry);
    return true;
  }

  /**
   * Forgets every link of a hotspot: after it asserts another place or antenna or gets another owner, what was heard
   * before says nothing about it. Goes through the whole table; an assertion costs a fee.
   */
  forget(hotspot: number): void {
    this.#keep((table, at) => table[at + LOW] !== hotspot && table[at + HIGH] !== hotspot);
  }

  /** What is remembered of what a witness heard of a beaconer in `epoch`, or null where the pair is not known. */
  find(witness: number, beaconer: number, epoch: number): LinkRecord | null {
    this.#advance(epoch);
    const row = this.#find(Math.min(witness, beaconer), Math.max(witness, beaconer));
    return row === FREE ? null : this.readRow(row, witness < beaconer);
  }

  /** One direction of a row that `listRows` gave: what the lower index heard of the higher, or the other way round. */
  readRow(row: number, isLowWitness: boolean): LinkRecord {
    const table = this.#pieceOf(row);
    const at = offsetOf(row);
    const direction = isLowWitness ? 0 : 1;
    const running = at + SUMS + direction * DIRECTION_COLUMNS;
    const before = running + SUM_COLUMNS;
    const [counts, countsBefore] = [table[running + COUNTS]!, table[before + COUNTS]!];
    const [powers, powersBefore] = [table[running + POWERS]!, table[before + POWERS]!];
    const [signals, signalsBefore] = [table[running + SIGNALS]!, table[before + SIGNALS]!];
    return {
      firstEpoch: table[at + FIRST_EPOCH]!,
      lastEpoch: table[at + LAST_EPOCH + direction]!,
      distanceM: table[at + DISTANCE]!,
      count: (counts & COUNT_MAX) + (countsBefore & COUNT_MAX),
      epochs: ((counts >> 8) & COUNT_MAX) + ((countsBefore >> 8) & COUNT_MAX),
      refused: ((counts >> 16) & COUNT_MAX) + ((countsBefore >> 16) & COUNT_MAX),
      power: 0 - (powers & POWER_MASK) - (powersBefore & POWER_MASK),
      powerSquare: (powers >> 13) + (powersBefore >> 13),
      // A shift rounds down, also below zero.
      signal: (signals >> 13) + (signalsBefore >> 13),
      marginsDb: (signals & MARGIN_MASK) + (signalsBefore & MARGIN_MASK),
      powerSignal: table[running + POWER_SIGNALS]! + table[before + POWER_SIGNALS]!,
      signalSquare: table[running + SIGNAL_SQUARES]! + table[before + SIGNAL_SQUARES]!,
    };
  }

  /** Epochs with a valid report in one direction of a row: what most questions ask, without the rest of the record. */
  readEpochs(row: number, isLowWitness: boolean): number {
    const table = this.#pieceOf(row);
    const running = offsetOf(row) + SUMS + (isLowWitness ? 0 : DIRECTION_COLUMNS);
    const before = running + SUM_COLUMNS;
    return ((table[running + COUNTS]! >> 8) & COUNT_MAX) + ((table[before + COUNTS]! >> 8) & COUNT_MAX);
  }

  /** Receptions in one direction of a row. */
  readCount(row: number, isLowWitness: boolean): number {
    const table = this.#pieceOf(row);
    const running = offsetOf(row) + SUMS + (isLowWitness ? 0 : DIRECTION_COLUMNS);
    return (table[running + COUNTS]! & COUNT_MAX) + (table[running + SUM_COLUMNS + COUNTS]! & COUNT_MAX);
  }

  /** First epoch of a row's acquaintance. */
  readFirstEpoch(row: number): number {
    return this.#pieceOf(row)[offsetOf(row) + FIRST_EPOCH]!;
  }

  /** Distance of a row's pair by the newest valid report. */
  readDistanceM(row: number): number {
    return this.#pieceOf(row)[offsetOf(row) + DISTANCE]!;
  }

  /**
   * Every pair that counts in `epoch`, at both of its ends, in time linear in hotspots and pairs: the same rows for the
   * same reports, but for the numbers of the rows themselves.
   * @param count hotspots; every index in the table lies below.
   */
  listRows(count: number, epoch: number): LinkRows {
    this.#advance(epoch);
    const start = new Uint32Array(count + 1);
    for (let row = 0; row < this.#count; row++) {
      const table = this.#pieceOf(row);
      const at = offsetOf(row);
      start[table[at + LOW]! + 1]!++;
      start[table[at + HIGH]! + 1]!++;
    }
    for (let hotspot = 0; hotspot < count; hotspot++) start[hotspot + 1]! += start[hotspot]!;
    const rows = new Uint32Array(2 * this.#count);
    const next = start.slice();
    for (let row = 0; row < this.#count; row++) {
      const table = this.#pieceOf(row);
      const at = offsetOf(row);
      rows[next[table[at + LOW]!]!++] = row;
      rows[next[table[at + HIGH]!]!++] = row;
    }
    return sortRows(start, rows, (row, hotspot) => {
      const table = this.#pieceOf(row);
      const at = offsetOf(row);
      return table[at + LOW]! === hotspot ? table[at + HIGH]! : table[at + LOW]!;
    });
  }

  /**
   * The canonical bytes of what counts in `epoch`: pairs ascending, each as its columns in little-endian 32-bit integers,
   * so that equal histories are equal bytes whatever the table looks like inside.
   */
  encode(epoch: number): Uint8Array {
    const rows = this.listRows(this.#countHotspots(), epoch);
    const bytes = new Uint8Array(this.#count * LINK_ROW_BYTES);
    const view = new DataView(bytes.buffer);
    let written = 0;
    for (let hotspot = 0; hotspot + 1 < rows.start.length; hotspot++) {
      for (let i = rows.start[hotspot]!; i < rows.start[hotspot + 1]!; i++) {
        if (rows.neighbour[i]! < hotspot) continue;
        const table = this.#pieceOf(rows.row[i]!);
        const at = offsetOf(rows.row[i]!);
        for (let column = 0; column < WIDTH; column++, written += 4) {
          view.setInt32(written, table[at + column]!, true);
        }
      }
    }
    return bytes;
  }

  /**
   * The history that `encode` wrote for the same epoch; null where the bytes are not whole pairs in ascending order, or
   * name hotspots that are not below `hotspots`.
   */
  static decode(
    bytes: Uint8Array,
    windowEpochs: number,
    epoch: number,
    hotspots = Number.MAX_SAFE_INTEGER,
  ): LinkHistory | null {
    if (bytes.length % LINK_ROW_BYTES !== 0) return null;
    const history = new LinkHistory(windowEpochs);
    history.#advance(epoch);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let [lowBefore, highBefore] = [-1, -1];
    for (let from = 0; from < bytes.length; from += LINK_ROW_BYTES) {
      const low = view.getInt32(from + 4 * LOW, true);
      const high = view.getInt32(from + 4 * HIGH, true);
      const opener = view.getInt32(from + 4 * OPENER, true);
      const ascends = low > lowBefore || (low === lowBefore && high > highBefore);
      if (!ascends || low < 0 || high <= low || high >= hotspots) return null;
      if (opener !== low && opener !== high) return null;
      if (!history.#canOpen(opener)) return null;
      const row = history.#add(low, high, opener);
      const table = history.#pieceOf(row);
      for (let column = 0; column < WIDTH; column++) {
        table[offsetOf(row) + column] = view.getInt32(from + 4 * column, true);
      }
      [lowBefore, highBefore] = [low, high];
    }
    return history;
  }

  #countHotspots(): number {
    let count = 0;
    for (let row = 0; row < this.#count; row++)
      count = Math.max(count, this.#pieceOf(row)[offsetOf(row) + HIGH]! + 1);
    return count;
  }

  #pieceOf(row: number): Int32Array {
    return this.#pieces[row >> PIECE_BITS]!;
  }

  #canOpen(witness: number): boolean {
    return (this.#opened[witness] ?? 0) < PAIRS_PER_WITNESS_MAX;
  }

  #open(low: number, high: number, { witness, epoch, distanceM }: HistoryEntry): number {
    if (!this.#canOpen(witness)) return FREE;
    const row = this.#add(low, high, witness);
    const table = this.#pieceOf(row);
    const at = offsetOf(row);
    table.fill(0, at, at + WIDTH);
    table[at + LOW] = low;
    table[at + HIGH] = high;
    table[at + FIRST_EPOCH] = epoch;
    table[at + DISTANCE] = distanceM;
    table[at + OPENER] = witness;
    table.fill(-1, at + LAST_EPOCH, at + SUMS);
    return row;
  }

  /** Makes room for a pair and notes who opened it; the caller fills in the row. */
  #add(low: number, high: number, opener: number): number {
    const row = this.#count++;
    if (row >> PIECE_BITS === this.#pieces.length) this.#pieces.push(new Int32Array(PIECE_ROWS * WIDTH));
    // Above two thirds full, probing slows down.
    if (this.#count * 3 > this.#slots.length * 2) this.#index(this.#slots.length * 2, row);
    this.#place(low, high, row);
    if (opener >= this.#opened.length) {
      const grown = new Uint8Array(Math.max(opener + 1, this.#opened.length * 2));
      grown.set(this.#opened);
      this.#opened = grown;
    }
    this.#opened[opener]!++;
    return row;
  }

  #find(low: number, high: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = mix(low, high) & mask; ; slot = (slot + 1) & mask) {
      const row = this.#slots[slot]!;
      if (row === FREE) return FREE;
      const table = this.#pieceOf(row);
      const at = offsetOf(row);
      if (table[at + LOW] === low && table[at + HIGH] === high) return row;
    }
  }

  #place(low: number, high: number, row: number): void {
    const mask = this.#slots.length - 1;
    let slot = mix(low, high) & mask;
    while (this.#slots[slot] !== FREE) slot = (slot + 1) & mask;
    this.#slots[slot] = row;
  }

  /** Makes the index anew for the first `rows` rows. */
  #index(slots: number, rows: number): void {
    this.#slots = new Int32Array(slots).fill(FREE);
    for (let row = 0; row < rows; row++) {
      const table = this.#pieceOf(row);
      this.#place(table[offsetOf(row) + LOW]!, table[offsetOf(row) + HIGH]!, row);
    }
  }

  /** At the turn of a window what was running becomes the one before, and pairs of which nothing is left go. */
  #advance(epoch: number): void {
    const passed = Math.floor(epoch / this.#windowEpochs) - this.#window;
    if (passed <= 0) return;
    this.#window += passed;
    this.#keep((table, at) => {
      let left = 0;
      for (let running = at + SUMS; running < at + WIDTH; running += DIRECTION_COLUMNS) {
        const before = running + SUM_COLUMNS;
        if (passed === 1) table.copyWithin(before, running, before);
        else table.fill(0, before, before + SUM_COLUMNS);
        table.fill(0, running, before);
        left |= table[before + COUNTS]!;
        // A direction of which nothing is left was never heard, as far as anyone can tell.
        if (((table[before + COUNTS]! >> 8) & COUNT_MAX) === 0) {
          table[at + LAST_EPOCH + (running === at + SUMS ? 0 : 1)] = -1;
        }
      }
      return left !== 0;
    });
  }

  /** Keeps the rows that `isKept` answers for, moved together, with an index as small as they allow. */
  #keep(isKept: (table: Int32Array, at: number) => boolean): void {
    let kept = 0;
    this.#opened.fill(0);
    for (let row = 0; row < this.#count; row++) {
      const table = this.#pieceOf(row);
      const at = offsetOf(row);
      if (!isKept(table, at)) continue;
      this.#opened[table[at + OPENER]!]!++;
      if (kept !== row) this.#pieceOf(kept).set(table.subarray(at, at + WIDTH), offsetOf(kept));
      kept++;
    }
    this.#count = kept;
    this.#pieces.length = Math.ceil(kept / PIECE_ROWS);
    let slots = LEAST_SLOTS;
    while (kept * 3 > slots * 2) slots *= 2;
    this.#index(slots, kept);
  }
}

const offsetOf = (row: number): number => (row & (PIECE_ROWS - 1)) * WIDTH;
