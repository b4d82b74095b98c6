/**
 * By whom a hotspot is judged: counterparts to which the graph gives enough to be paid, either of which heard the other, and
 * of one owner's the nearest alone. Else whoever invents hotspots could say of anyone that it is heard a hundred kilometres
 * away, and be the majority; or, for a liar, that it is heard next door.
 */
import type { LinkHistory } from "./linkHistory.ts";
import type { LinkRows } from "./linkRows.ts";

export type JudgedBy = {
  /** Places in the rows, counterparts ascending; both are overwritten by the next selection. */
  readonly pairs: Uint32Array;
  readonly counterparts: Uint32Array;
  /** How many are other owners' than the hotspot's: each is another one's. */
  readonly others: number;
  /** How many trusted counterparts were left out, as their owner has a nearer one. */
  readonly dropped: number;
};

export class Judges {
  readonly #links: LinkHistory;
  readonly #rows: LinkRows;
  readonly #owner: Uint32Array;
  readonly #trusted: Uint8Array;
  /** By owner where its pair stands among those selected, if it does: what stands there tells, and nothing is cleared. */
  readonly #placeOf: Uint32Array;
  #pairs = new Uint32Array(64);
  #counterparts = new Uint32Array(64);

  /** @param trusted by hotspot: 1 where the graph gives enough to be paid. */
  constructor(links: LinkHistory, rows: LinkRows, owner: Uint32Array, trusted: Uint8Array) {
    this.#links = links;
    this.#rows = rows;
    this.#owner = owner;
    this.#trusted = trusted;
    this.#placeOf = new Uint32Array(owner.reduce((most, one) => Math.max(most, one + 1), 0));
  }

  /**
   * Selects those by whom a hotspot is judged.
   * @param isHeardOnly whether only counterparts count that the hotspot has validly heard.
   */
  select(hotspot: number, isHeardOnly = false): JudgedBy {
    const { start, neighbour } = this.#rows;
    const [first, end] = [start[hotspot]!, start[hotspot + 1]!];
    if (end - first > this.#pairs.length) {
      this.#pairs = new Uint32Array(2 * (end - first));
      this.#counterparts = new Uint32Array(2 * (end - first));
    }
    let [count, dropped, others] = [0, 0, 0];
    let isInOrder = true;
    for (let pair = first; pair < end; pair++) {
      if (this.#trusted[neighbour[pair]!] === 0) continue;
      if (isHeardOnly && !this.#hasHeard(hotspot, pair)) continue;
      const owner = this.#owner[neighbour[pair]!]!;
      const place = this.#placeOf[owner]!;
      if (place < count && this.#owner[neighbour[this.#pairs[place]!]!] === owner) {
        dropped++;
        if (this.#distanceM(pair) >= this.#distanceM(this.#pairs[place]!)) continue;
        this.#pairs[place] = pair;
        isInOrder = false;
        continue;
      }
      if (owner !== this.#owner[hotspot]) others++;
      this.#placeOf[owner] = count;
      this.#pairs[count++] = pair;
    }
    const pairs = this.#pairs.subarray(0, count);
    if (!isInOrder) pairs.sort();
    for (let i = 0; i < count; i++) this.#counterparts[i] = neighbour[pairs[i]!]!;
    return { pairs, counterparts: this.#counterparts.subarray(0, count), others, dropped };
  }

  #hasHeard(hotspot: number, pair: number): boolean {
    const { row, neighbour } = this.#rows;
    return this.#links.readLastEpoch(row[pair]!, hotspot < neighbour[pair]!) !== -1;
  }

  #distanceM(pair: number): number {
    return this.#links.readDistanceM(this.#rows.row[pair]!);
  }
}
