/**
 * What the ledger remembers of every pair of hotspots for trust: who heard whom, in how many epochs, how strongly and at
 * which power steps. Both directions of a pair are one row of 32-bit integers, 88 bytes, so that ten million pairs fit
 * 0.9 GB; what a receiver shows over all it heard stands in `receiverHistory.ts`.
 *
 * Time is kept in two windows of `windowEpochs` each, the running one and the one before. Evidence therefore counts for
 * at least one window and at most two, and forgetting is one pass at the turn of a window.
 *
 * Bound: a witness opens at most `PAIRS_PER_WITNESS_MAX` pairs, by valid reports; beyond, a new counterpart is not remembered
 * until an old one has expired, and not paid for, or it would be paid for what nothing is divided by. Pairs that others open
 * with a hotspot do not count against it, or it could be filled up from outside; and half of the places are kept for
 * counterparts that are trusted, as whoever invents hotspots can be heard too.
 */
import {
  addReception,
  countEpoch,
  DIRECTION_COLUMNS,
  DISTANCE,
  FIRST_EPOCH,
  HIGH,
  hasEpochs,
  hasReceptions,
  LAST_EPOCH,
  LINK_ROW_BYTES,
  LOW,
  mix,
  packDistance,
  readCount,
  readDistanceM,
  readOpener,
  readRecord,
  SUM_COLUMNS,
  SUMS,
  WIDTH,
} from "./linkColumns.ts";
import type { HistoryEntry, LinkRecord } from "./linkRecord.ts";
import { createLinkRows, type LinkRows } from "./linkRows.ts";

/** Four times the witnesses that a beacon is paid for: no antenna hears more neighbours often enough to be judged by. */
export const PAIRS_PER_WITNESS_MAX = 64;
/** Pairs up to which a witness opens one with a counterpart that is not trusted. */
export const PAIRS_WITH_UNTRUSTED_MAX = PAIRS_PER_WITNESS_MAX / 2;

/** Rows stand in pieces, so that growing copies nothing. */
const PIECE_BITS = 14;
const PIECE_ROWS = 1 << PIECE_BITS;
const LEAST_SLOTS = 64;
const FREE = -1;

/** A row's columns begin at `at` (linkColumns.ts). */
export type RowVisitor = (row: number, table: Int32Array, at: number) => void;

export class LinkHistory {
  readonly #windowEpochs: number;
  #window = 0;
  #count = 0;
  #pieces: Int32Array[] = [];
  /** Open addressing: the row of each pair. */
  #slots = new Int32Array(LEAST_SLOTS).fill(FREE);
  /** Whose links count for nothing any more, and are to be dropped. */
  readonly #forgotten = new Set<number>();
  /** Pairs that each hotspot has opened. */
  #opened = new Uint8Array(LEAST_SLOTS);

  /** @param windowEpochs half of what is kept at most; two-sided evidence within 14 days makes it 7 days. */
  constructor(windowEpochs: number) {
    this.#windowEpochs = windowEpochs;
  }

  get size(): number {
    this.#dropForgotten();
    return this.#count;
  }

  /**
   * Adds a judged report. Epochs never decrease from call to call.
   * @param pairsMax how many the witness may have opened by this one.
   * @returns false where nothing was added: the pair is not known, and the report was refused or the witness has no place.
   */
  record(entry: HistoryEntry, pairsMax = PAIRS_PER_WITNESS_MAX): boolean {
    const { witness, beaconer, epoch, distanceM } = entry;
    this.#dropForgotten();
    this.#advance(epoch);
    const low = Math.min(witness, beaconer);
    const high = Math.max(witness, beaconer);
    const known = this.#find(low, high);
    const row = known === FREE ? this.#open(low, high, entry, pairsMax) : known;
    if (row === FREE) return false;
    const table = this.#pieceOf(row);
    const at = offsetOf(row);
    const direction = witness === low ? 0 : 1;
    const sums = at + SUMS + direction * DIRECTION_COLUMNS;
    if (entry.verdict === "valid") {
      if (table[at + LAST_EPOCH + direction] !== epoch) countEpoch(table, sums);
      table[at + LAST_EPOCH + direction] = epoch;
      table[at + DISTANCE] = packDistance(distanceM, readOpener(table, at) === high);
    }
    addReception(table, sums, entry);
    return true;
  }

  /**
   * Forgets every link of a hotspot: after it asserts another place or antenna or gets another owner, what was heard
   * before says nothing about it. All who are forgotten before a report is added, or the table is looked at as a whole,
   * share one pass over it.
   */
  forget(hotspot: number): void {
    this.#forgotten.add(hotspot);
  }

  /** What is remembered of what a witness heard of a beaconer in `epoch`, or null where the pair is not known. */
  find(witness: number, beaconer: number, epoch: number): LinkRecord | null {
    // No pass for a single pair: transactions forget and ask by turns, as often as somebody pays for them.
    if (this.#forgotten.has(witness) || this.#forgotten.has(beaconer)) return null;
    this.#advance(epoch);
    const row = this.#find(Math.min(witness, beaconer), Math.max(witness, beaconer));
    return row === FREE ? null : this.readRow(row, witness < beaconer);
  }

  /** One direction of a row that `listRows` gave: what the lower index heard of the higher, or the other way round. */
  readRow(row: number, isLowWitness: boolean): LinkRecord {
    return readRecord(this.#pieceOf(row), offsetOf(row), isLowWitness);
  }

  /** The newest epoch with a valid report in one direction of a row; -1: none. */
  readLastEpoch(row: number, isLowWitness: boolean): number {
    return this.#pieceOf(row)[offsetOf(row) + LAST_EPOCH + (isLowWitness ? 0 : 1)]!;
  }

  /** Metres of a row's pair, by its newest valid report. */
  readDistanceM(row: number): number {
    return readDistanceM(this.#pieceOf(row), offsetOf(row));
  }

  /** Receptions in one direction of a row: what most questions ask, without the rest of the record. */
  readCount(row: number, isLowWitness: boolean): number {
    return readCount(this.#pieceOf(row), offsetOf(row), isLowWitness);
  }

  /** Shows every row in the order in which they stand in memory: many times faster than asking for them by hotspot. */
  visitRows(visit: RowVisitor): void {
    this.#dropForgotten();
    for (let row = 0; row < this.#count; row++) visit(row, this.#pieceOf(row), offsetOf(row));
  }

  /**
   * Every pair that counts in `epoch`, at both of its ends, in time linear in hotspots and pairs: the same rows for the
   * same reports, but for the numbers of the rows themselves.
   * @param count hotspots; every index in the table lies below.
   */
  listRows(count: number, epoch: number): LinkRows {
    this.#dropForgotten();
    this.#advance(epoch);
    const low = new Uint32Array(this.#count);
    const high = new Uint32Array(this.#count);
    this.visitRows((row, table, at) => {
      low[row] = table[at + LOW]!;
      high[row] = table[at + HIGH]!;
    });
    return createLinkRows(count, low, high);
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
      const opener = (view.getInt32(from + 4 * DISTANCE, true) & 1) === 1 ? high : low;
      const ascends = low > lowBefore || (low === lowBefore && high > highBefore);
      if (!ascends || low < 0 || high <= low || high >= hotspots) return null;
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

  #canOpen(witness: number, pairsMax = PAIRS_PER_WITNESS_MAX): boolean {
    return (this.#opened[witness] ?? 0) < pairsMax;
  }

  /** What was refused shows how its receiver works, and that nobody was heard. */
  #open(low: number, high: number, entry: HistoryEntry, pairsMax: number): number {
    const { witness, epoch, distanceM, verdict } = entry;
    if (verdict !== "valid" || !this.#canOpen(witness, pairsMax)) return FREE;
    const row = this.#add(low, high, witness);
    const table = this.#pieceOf(row);
    const at = offsetOf(row);
    table.fill(0, at, at + WIDTH);
    table[at + LOW] = low;
    table[at + HIGH] = high;
    table[at + FIRST_EPOCH] = epoch;
    table[at + DISTANCE] = packDistance(distanceM, witness === high);
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
      let isLeft = false;
      for (let running = at + SUMS; running < at + WIDTH; running += DIRECTION_COLUMNS) {
        const before = running + SUM_COLUMNS;
        if (passed === 1) table.copyWithin(before, running, before);
        else table.fill(0, before, before + SUM_COLUMNS);
        table.fill(0, running, before);
        isLeft ||= hasReceptions(table, before);
        // A direction of which nothing is left was never heard, as far as anyone can tell.
        if (!hasEpochs(table, before)) {
          table[at + LAST_EPOCH + (running === at + SUMS ? 0 : 1)] = -1;
        }
      }
      return isLeft;
    });
  }

  /** From the last row on, as a dropped one is filled with the last. */
  #dropForgotten(): void {
    if (this.#forgotten.size === 0) return;
    for (let row = this.#count - 1; row >= 0; row--) {
      const table = this.#pieceOf(row);
      const at = offsetOf(row);
      if (this.#forgotten.has(table[at + LOW]!) || this.#forgotten.has(table[at + HIGH]!)) this.#drop(row);
    }
    this.#forgotten.clear();
  }

  /** Drops a row: the last one takes its place, in the table and in the index. */
  #drop(row: number): void {
    const table = this.#pieceOf(row);
    const at = offsetOf(row);
    this.#opened[readOpener(table, at)]!--;
    this.#vacate(this.#slotOf(row));
    const last = --this.#count;
    if (row === last) return;
    this.#slots[this.#slotOf(last)] = row;
    const lastAt = offsetOf(last);
    table.set(this.#pieceOf(last).subarray(lastAt, lastAt + WIDTH), at);
  }

  /** Frees a slot: what probing has put behind it moves up, or it would not be found any more. */
  #vacate(slot: number): void {
    const mask = this.#slots.length - 1;
    let free = slot;
    for (let next = (free + 1) & mask; this.#slots[next] !== FREE; next = (next + 1) & mask) {
      const wanted = this.#firstSlotOf(this.#slots[next]!);
      // Behind the free slot on its way from the wanted one: counted round the table.
      if (((next - wanted) & mask) < ((next - free) & mask)) continue;
      this.#slots[free] = this.#slots[next]!;
      free = next;
    }
    this.#slots[free] = FREE;
  }

  /** The slot in which a row's pair would like to be, and the one in which it is. */
  #firstSlotOf(row: number): number {
    const table = this.#pieceOf(row);
    const at = offsetOf(row);
    return mix(table[at + LOW]!, table[at + HIGH]!) & (this.#slots.length - 1);
  }

  #slotOf(row: number): number {
    const mask = this.#slots.length - 1;
    let slot = this.#firstSlotOf(row);
    while (this.#slots[slot] !== row) slot = (slot + 1) & mask;
    return slot;
  }

  /** Keeps the rows that `isKept` answers for, moved together, with an index as small as they allow. */
  #keep(isKept: (table: Int32Array, at: number) => boolean): void {
    let kept = 0;
    this.#opened.fill(0);
    for (let row = 0; row < this.#count; row++) {
      const table = this.#pieceOf(row);
      const at = offsetOf(row);
      if (!isKept(table, at)) continue;
      this.#opened[readOpener(table, at)]!++;
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
