/**
 * What each hotspot shows as a receiver, over everything that it heard: the sums from which the window tests are
 * computed, and how many beacons it sent. Two windows as in `linkHistory.ts`; a dense table by hotspot, 144 bytes each.
 * Sums are whole numbers in doubles, exact far beyond what a window holds.
 */
import type { HistoryEntry } from "./linkRecord.ts";
import { EMPTY_MOMENTS, type Moments } from "./moments.ts";

/** The sums that the window tests read. */
export const RECEIVER_COLUMNS = [
  "count",
  "rssi",
  "rssiSquare",
  "snr",
  "snrSquare",
  "rssiSnr",
  "belowFloor",
  "offGrid",
] as const satisfies readonly (keyof Moments)[];

const BEACONS = RECEIVER_COLUMNS.length;
const WINDOW_WIDTH = BEACONS + 1;
const WIDTH = 2 * WINDOW_WIDTH;
const LEAST_HOTSPOTS = 64;
/** Bytes of a hotspot in `encode`: its index, then the columns, each in 8 bytes. */
export const RECEIVER_ROW_BYTES = 4 + 8 * WIDTH;

/** Receptions that a window sums at most, so that products of two windows' sums stay below 2^53. */
export const RECEIVER_RECEPTIONS_MAX = 12_500;

export class ReceiverHistory {
  readonly #windowEpochs: number;
  #window = 0;
  #table = new Float64Array(LEAST_HOTSPOTS * WIDTH);

  constructor(windowEpochs: number) {
    this.#windowEpochs = windowEpochs;
  }

  /** Adds what a witness measured. Epochs never decrease from call to call. */
  record({ witness, epoch, moments }: Pick<HistoryEntry, "witness" | "epoch" | "moments">): void {
    this.#advance(epoch);
    const at = this.#reach(witness);
    if (this.#table[at]! >= RECEIVER_RECEPTIONS_MAX) return;
    for (const [column, name] of RECEIVER_COLUMNS.entries()) this.#table[at + column]! += moments[name];
  }

  /** Counts a beacon that was revealed. */
  countBeacon(hotspot: number, epoch: number): void {
    this.#advance(epoch);
    this.#table[this.#reach(hotspot) + BEACONS]! += 1;
  }

  /** Forgets a hotspot. */
  forget(hotspot: number): void {
    const at = this.#reach(hotspot);
    this.#table.fill(0, at, at + WIDTH);
  }

  /** A hotspot's sums over both windows; what a receiver's tests do not read is 0. */
  read(hotspot: number, epoch: number): Moments {
    this.#advance(epoch);
    // Spelt out in the order of `RECEIVER_COLUMNS`: names that are looked up take ten times as long, a million times over.
    return {
      ...EMPTY_MOMENTS,
      count: this.#both(hotspot, 0),
      rssi: this.#both(hotspot, 1),
      rssiSquare: this.#both(hotspot, 2),
      snr: this.#both(hotspot, 3),
      snrSquare: this.#both(hotspot, 4),
      rssiSnr: this.#both(hotspot, 5),
      belowFloor: this.#both(hotspot, 6),
      offGrid: this.#both(hotspot, 7),
    };
  }

  /** Beacons of a hotspot that were revealed, over both windows. */
  countBeacons(hotspot: number, epoch: number): number {
    this.#advance(epoch);
    return this.#both(hotspot, BEACONS);
  }

  /** The canonical bytes of what counts in `epoch`: hotspots of which anything does, ascending. */
  encode(epoch: number): Uint8Array {
    this.#advance(epoch);
    const known: number[] = [];
    for (let at = 0; at < this.#table.length; at += WIDTH) {
      if (this.#table.subarray(at, at + WIDTH).some((sum) => sum !== 0)) known.push(at / WIDTH);
    }
    const bytes = new Uint8Array(known.length * RECEIVER_ROW_BYTES);
    const view = new DataView(bytes.buffer);
    for (const [place, hotspot] of known.entries()) {
      const from = place * RECEIVER_ROW_BYTES;
      view.setUint32(from, hotspot, true);
      for (let column = 0; column < WIDTH; column++) {
        view.setBigInt64(from + 4 + 8 * column, BigInt(this.#table[hotspot * WIDTH + column]!), true);
      }
    }
    return bytes;
  }

  /** The history that `encode` wrote for the same epoch, of `hotspots` hotspots; null where the bytes are another's. */
  static decode(
    bytes: Uint8Array,
    windowEpochs: number,
    epoch: number,
    hotspots: number,
  ): ReceiverHistory | null {
    if (bytes.length % RECEIVER_ROW_BYTES !== 0) return null;
    const history = new ReceiverHistory(windowEpochs);
    history.#advance(epoch);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let before = -1;
    for (let from = 0; from < bytes.length; from += RECEIVER_ROW_BYTES) {
      const hotspot = view.getUint32(from, true);
      if (hotspot <= before || hotspot >= hotspots) return null;
      const at = history.#reach(hotspot);
      for (let column = 0; column < WIDTH; column++) {
        history.#table[at + column] = Number(view.getBigInt64(from + 4 + 8 * column, true));
      }
      before = hotspot;
    }
    return history;
  }

  #both(hotspot: number, column: number): number {
    const at = hotspot * WIDTH + column;
    return (this.#table[at] ?? 0) + (this.#table[at + WINDOW_WIDTH] ?? 0);
  }

  /** Where a hotspot's columns begin, with room made for them. */
  #reach(hotspot: number): number {
    const at = hotspot * WIDTH;
    if (at + WIDTH > this.#table.length) {
      const grown = new Float64Array(Math.max(at + WIDTH, this.#table.length * 2));
      grown.set(this.#table);
      this.#table = grown;
    }
    return at;
  }

  #advance(epoch: number): void {
    const passed = Math.floor(epoch / this.#windowEpochs) - this.#window;
    if (passed <= 0) return;
    this.#window += passed;
    for (let at = 0; at < this.#table.length; at += WIDTH) {
      const before = at + WINDOW_WIDTH;
      if (passed === 1) this.#table.copyWithin(before, at, before);
      else this.#table.fill(0, before, before + WINDOW_WIDTH);
      this.#table.fill(0, at, before);
    }
  }
}
