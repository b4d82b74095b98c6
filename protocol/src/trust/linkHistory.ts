/**
 * What the ledger remembers of every link for trust: who heard whom, how often, how strongly, at which power steps, and in
 * how many epochs. A table of directed pairs of hotspot indexes in open addressing, all in 32-bit integers.
 *
 * Time is kept in two windows of `windowEpochs` each, the running one and the one before. Evidence therefore counts for
 * at least one window and at most two, and forgetting costs nothing until a pair is touched or the table grows.
 *
 * Bound: `PAIRS_PER_WITNESS_MAX` pairs for each witness; beyond, a new counterpart is not remembered until an old one
 * has expired (and is paid all the same). 148 bytes a pair, so at most 9.5 kB a hotspot and usually a quarter of it.
 */
import { MOMENT_COLUMNS, type Moments, RECEPTIONS_MAX } from "./moments.ts";

/** Four times the witnesses that a beacon is paid for: no antenna hears more neighbours often enough to be judged by. */
export const PAIRS_PER_WITNESS_MAX = 64;

/** What one window holds besides the moments. */
const WINDOW_COLUMNS = ["epochs", "lastEpoch", "refused", ...MOMENT_COLUMNS] as const;
const WINDOW_WIDTH = WINDOW_COLUMNS.length;
/** Pair: witness, beaconer, first epoch and distance; then the running window and its number; then the one before. */
const PAIR_COLUMNS = 5;
const WIDTH = PAIR_COLUMNS + 2 * WINDOW_WIDTH;
const [WITNESS, BEACONER, FIRST_EPOCH, DISTANCE, WINDOW] = [0, 1, 2, 3, 4] as const;
const EPOCHS = WINDOW_COLUMNS.indexOf("epochs");
const LAST_EPOCH = WINDOW_COLUMNS.indexOf("lastEpoch");
const REFUSED = WINDOW_COLUMNS.indexOf("refused");
const MOMENTS_FROM = WINDOW_COLUMNS.length - MOMENT_COLUMNS.length;
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
};

/** What is remembered of a directed pair, over both windows. */
export type LinkRecord = {
  readonly witness: number;
  readonly beaconer: number;
  /** Of the time that the pair has been known without a gap longer than the history. */
  readonly firstEpoch: number;
  readonly lastEpoch: number;
  /** Epochs with a valid report. */
  readonly epochs: number;
  readonly refused: number;
  /** By the newest valid report: asserted places move. */
  readonly distanceM: number;
  /** Of valid reports and of those that a gate on the measurement refused. */
  readonly moments: Moments;
};

export class LinkHistory {
  readonly #windowEpochs: number;
  #slots = LEAST_SLOTS;
  #count = 0;
  #expiredEpoch = -1;
  #table = new Int32Array(LEAST_SLOTS * WIDTH).fill(FREE);
  /** Pairs of each witness. */
  readonly #pairsOf = new Map<number, number>();

  /** @param windowEpochs half of what is kept at most; two-sided evidence within 14 days makes it 7 days. */
  constructor(windowEpochs: number) {
    this.#windowEpochs = windowEpochs;
  }

  /** Pairs in the table, some of which may have expired. */
  get size(): number {
    return this.#count;
  }

  /**
   * Adds a judged report. Epochs never decrease from call to call.
   * @returns false where the witness has its most pairs already, and nothing was added.
   */
  record(entry: HistoryEntry): boolean {
    const { witness, beaconer, epoch, verdict, distanceM, moments } = entry;
    let at = this.#locate(witness, beaconer);
    if (this.#table[at + WITNESS] === FREE) {
      if ((this.#pairsOf.get(witness) ?? 0) >= PAIRS_PER_WITNESS_MAX) {
        this.#expire(epoch);
        if ((this.#pairsOf.get(witness) ?? 0) >= PAIRS_PER_WITNESS_MAX) return false;
      }
      // Above half full, probing slows down.
      if ((this.#count + 1) * 2 > this.#slots) this.#rebuild(epoch, this.#slots * 2);
      at = this.#locate(witness, beaconer);
      this.#insert(at, witness, beaconer, epoch, distanceM);
    }
    const table = this.#table;
    // Known again after a gap: acquaintance begins anew.
    if (this.#read(at, epoch) === null) table[at + FIRST_EPOCH] = epoch;
    const running = at + PAIR_COLUMNS;
    if (verdict === "refused") table[running + REFUSED]! += 1;
    else {
      const isFirst = table[running + EPOCHS] === 0 || table[running + LAST_EPOCH] !== epoch;
      if (isFirst) table[running + EPOCHS]! += 1;
      table[running + LAST_EPOCH] = epoch;
      table[at + DISTANCE] = distanceM;
    }
    if (table[running + MOMENTS_FROM]! + moments.count > RECEPTIONS_MAX) return true;
    for (const [column, name] of MOMENT_COLUMNS.entries())
      table[running + MOMENTS_FROM + column]! += moments[name];
    return true;
  }

  /**
   * Forgets every link of a hotspot: after it asserts another place, antenna or owner, what was heard before says nothing
   * about it. Goes through the whole table; an assertion costs a fee.
   */
  forget(hotspot: number): void {
    for (let at = 0; at < this.#table.length; at += WIDTH) {
      if (this.#table[at + WITNESS] === FREE) continue;
      if (this.#table[at + WITNESS] !== hotspot && this.#table[at + BEACONER] !== hotspot) continue;
      this.#table.fill(0, at + PAIR_COLUMNS, at + WIDTH);
    }
    this.#expiredEpoch = -1;
  }

  /** What is remembered of a directed pair in `epoch`, or null. */
  find(witness: number, beaconer: number, epoch: number): LinkRecord | null {
    const at = this.#locate(witness, beaconer);
    return this.#table[at + WITNESS] === FREE ? null : this.#read(at, epoch);
  }

  /** All pairs that count in `epoch`, by witness, then beaconer: the same for the same reports. */
  listSorted(epoch: number): LinkRecord[] {
    const records: LinkRecord[] = [];
    for (let at = 0; at < this.#table.length; at += WIDTH) {
      if (this.#table[at + WITNESS] === FREE) continue;
      const record = this.#read(at, epoch);
      if (record !== null) records.push(record);
    }
    return records.sort((a, b) => a.witness - b.witness || a.beaconer - b.beaconer);
  }

  /**
   * The canonical bytes of what counts in `epoch`: pairs in order, each as its columns in little-endian 32-bit integers
   * with both windows brought up to date, so that equal histories are equal bytes whatever the table looks like inside.
   */
  encode(epoch: number): Uint8Array {
    this.#rebuild(epoch, this.#slots);
    const places: number[] = [];
    for (let at = 0; at < this.#table.length; at += WIDTH) {
      if (this.#table[at + WITNESS] !== FREE) places.push(at);
    }
    const table = this.#table;
    places.sort(
      (a, b) => table[a + WITNESS]! - table[b + WITNESS]! || table[a + BEACONER]! - table[b + BEACONER]!,
    );
    const bytes = new Uint8Array(places.length * WIDTH * 4);
    const view = new DataView(bytes.buffer);
    for (const [place, at] of places.entries()) {
      for (let column = 0; column < WIDTH; column++) {
        view.setInt32((place * WIDTH + column) * 4, table[at + column]!, true);
      }
    }
    return bytes;
  }

  /** The history that `encode` wrote; null where the bytes are not whole pairs in ascending order. */
  static decode(bytes: Uint8Array, windowEpochs: number): LinkHistory | null {
    if (bytes.length % (WIDTH * 4) !== 0) return null;
    const history = new LinkHistory(windowEpochs);
    const count = bytes.length / (WIDTH * 4);
    while (history.#slots < count * 2) history.#slots *= 2;
    history.#table = new Int32Array(history.#slots * WIDTH).fill(FREE);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let [witnessBefore, beaconerBefore] = [-1, -1];
    for (let place = 0; place < count; place++) {
      const row = Int32Array.from({ length: WIDTH }, (_, column) =>
        view.getInt32((place * WIDTH + column) * 4, true),
      );
      const [witness, beaconer] = [row[WITNESS]!, row[BEACONER]!];
      const ascends = witness > witnessBefore || (witness === witnessBefore && beaconer > beaconerBefore);
      const pairs = history.#pairsOf.get(witness) ?? 0;
      if (!ascends || beaconer < 0 || pairs >= PAIRS_PER_WITNESS_MAX) return null;
      history.#table.set(row, history.#locate(witness, beaconer));
      history.#pairsOf.set(witness, pairs + 1);
      history.#count++;
      [witnessBefore, beaconerBefore] = [witness, beaconer];
    }
    return history;
  }

  #insert(at: number, witness: number, beaconer: number, epoch: number, distanceM: number): void {
    this.#table.fill(0, at, at + WIDTH);
    this.#table[at + WITNESS] = witness;
    this.#table[at + BEACONER] = beaconer;
    this.#table[at + FIRST_EPOCH] = epoch;
    this.#table[at + DISTANCE] = distanceM;
    this.#table[at + WINDOW] = this.#windowOf(epoch);
    this.#pairsOf.set(witness, (this.#pairsOf.get(witness) ?? 0) + 1);
    this.#count++;
  }

  #windowOf(epoch: number): number {
    return Math.floor(epoch / this.#windowEpochs);
  }

  /** Brings a pair's windows up to date: what was running becomes the one before, or is forgotten. */
  #turn(at: number, epoch: number): void {
    const table = this.#table;
    const passed = this.#windowOf(epoch) - table[at + WINDOW]!;
    if (passed <= 0) return;
    const running = at + PAIR_COLUMNS;
    const before = running + WINDOW_WIDTH;
    if (passed === 1) table.copyWithin(before, running, before);
    else table.fill(0, before, before + WINDOW_WIDTH);
    table.fill(0, running, before);
    table[at + WINDOW]! += passed;
  }

  /** null where nothing of the pair counts any more. */
  #read(at: number, epoch: number): LinkRecord | null {
    this.#turn(at, epoch);
    const table = this.#table;
    const running = at + PAIR_COLUMNS;
    const before = running + WINDOW_WIDTH;
    const both = (column: number): number => table[running + column]! + table[before + column]!;
    const epochs = both(EPOCHS);
    const refused = both(REFUSED);
    if (epochs + refused === 0) return null;
    const moments = Object.fromEntries(
      MOMENT_COLUMNS.map((name, column) => [name, both(MOMENTS_FROM + column)]),
    ) as Moments;
    return {
      witness: table[at + WITNESS]!,
      beaconer: table[at + BEACONER]!,
      firstEpoch: table[at + FIRST_EPOCH]!,
      lastEpoch: Math.max(table[running + LAST_EPOCH]!, table[before + LAST_EPOCH]!),
      epochs,
      refused,
      distanceM: table[at + DISTANCE]!,
      moments,
    };
  }

  /** The place of a pair in the table, or the free one where it belongs. */
  #locate(witness: number, beaconer: number): number {
    const mask = this.#slots - 1;
    // Indexes are small and dense: odd multipliers (Knuth's and Murmur's) spread them over the table.
    const mixed = Math.imul(witness, 0x9e37_79b1) ^ Math.imul(beaconer, 0x85eb_ca6b);
    for (let slot = (mixed ^ (mixed >>> 15)) & mask; ; slot = (slot + 1) & mask) {
      const at = slot * WIDTH;
      if (this.#table[at + WITNESS] === FREE) return at;
      if (this.#table[at + WITNESS] === witness && this.#table[at + BEACONER] === beaconer) return at;
    }
  }

  /** Drops what has expired, once an epoch: nothing expires within one, and a busy witness must not make it cost again. */
  #expire(epoch: number): void {
    if (this.#expiredEpoch === epoch) return;
    this.#expiredEpoch = epoch;
    this.#rebuild(epoch, this.#slots);
  }

  /** Drops what has expired and gives the rest at most `slots` places, as few as leave the table half empty. */
  #rebuild(epoch: number, slots: number): void {
    const old = this.#table;
    const live: number[] = [];
    for (let at = 0; at < old.length; at += WIDTH) {
      if (old[at + WITNESS] !== FREE && this.#read(at, epoch) !== null) live.push(at);
    }
    this.#slots = LEAST_SLOTS;
    while (this.#slots < slots && this.#slots < (live.length + 1) * 4) this.#slots *= 2;
    this.#table = new Int32Array(this.#slots * WIDTH).fill(FREE);
    this.#count = live.length;
    this.#pairsOf.clear();
    for (const at of live) {
      const witness = old[at + WITNESS]!;
      this.#table.set(old.subarray(at, at + WIDTH), this.#locate(witness, old[at + BEACONER]!));
      this.#pairsOf.set(witness, (this.#pairsOf.get(witness) ?? 0) + 1);
    }
  }
}
