/**
 * Who has validly witnessed whom, and in which epoch last: what reciprocity is judged by. A table of pairs of hotspot
 * indexes in open addressing, 12 bytes a pair.
 *
 * Bound: a hotspot adds at most `reportsPerEpoch` pairs an epoch and each counts for `reciprocityEpochs`, so there are
 * at most hotspots x reportsPerEpoch x reciprocityEpochs; in the field, hotspots x neighbours. Pairs that have expired
 * are dropped whenever the table would grow, and are never seen before that.
 */
export type Link = { readonly witness: number; readonly beaconer: number; readonly epoch: number };

const LEAST_SLOTS = 64;
/** In the column of epochs, which otherwise holds the epoch plus one. */
const FREE = 0;

export class Links {
  readonly #reciprocityEpochs: number;
  #count = 0;
  #witness = new Uint32Array(LEAST_SLOTS);
  #beaconer = new Uint32Array(LEAST_SLOTS);
  #epochPlusOne = new Uint32Array(LEAST_SLOTS);

  constructor(reciprocityEpochs: number) {
    this.#reciprocityEpochs = reciprocityEpochs;
  }

  /** Whether the pair was linked at most `reciprocityEpochs` before `epoch`. */
  isLinked(witness: number, beaconer: number, epoch: number): boolean {
    const epochPlusOne = this.#epochPlusOne[this.#locate(witness, beaconer)]!;
    return epochPlusOne !== FREE && epochPlusOne - 1 >= epoch - this.#reciprocityEpochs;
  }

  /** Notes a valid witness report. Epochs never decrease from call to call. */
  link(witness: number, beaconer: number, epoch: number): void {
    // Above half full, probing slows down.
    if ((this.#count + 1) * 2 > this.#epochPlusOne.length) this.#rebuild(epoch);
    const slot = this.#locate(witness, beaconer);
    if (this.#epochPlusOne[slot] === FREE) {
      this.#witness[slot] = witness;
      this.#beaconer[slot] = beaconer;
      this.#count++;
    }
    this.#epochPlusOne[slot] = epoch + 1;
  }

  /** The pairs that still count in `epoch`, by witness, then beaconer: the same for the same history. */
  listSorted(epoch: number): Link[] {
    const links: Link[] = [];
    for (let slot = 0; slot < this.#epochPlusOne.length; slot++) {
      const linkedEpoch = this.#epochPlusOne[slot]! - 1;
      if (this.#epochPlusOne[slot] === FREE || linkedEpoch < epoch - this.#reciprocityEpochs) continue;
      links.push({ witness: this.#witness[slot]!, beaconer: this.#beaconer[slot]!, epoch: linkedEpoch });
    }
    return links.sort((a, b) => a.witness - b.witness || a.beaconer - b.beaconer);
  }

  #locate(witness: number, beaconer: number): number {
    const mask = this.#epochPlusOne.length - 1;
    // Indexes are small and dense: odd multipliers (Knuth's and Murmur's) spread them over the table.
    const mixed = Math.imul(witness, 0x9e37_79b1) ^ Math.imul(beaconer, 0x85eb_ca6b);
    for (let slot = (mixed ^ (mixed >>> 15)) & mask; ; slot = (slot + 1) & mask) {
      if (this.#epochPlusOne[slot] === FREE) return slot;
      if (this.#witness[slot] === witness && this.#beaconer[slot] === beaconer) return slot;
    }
  }

  /** Drops what has expired, and doubles the table where more than a quarter of it is left. */
  #rebuild(epoch: number): void {
    const live = this.listSorted(epoch);
    const slots = this.#epochPlusOne.length * (live.length * 4 > this.#epochPlusOne.length ? 2 : 1);
    this.#witness = new Uint32Array(slots);
    this.#beaconer = new Uint32Array(slots);
    this.#epochPlusOne = new Uint32Array(slots);
    this.#count = live.length;
    for (const { witness, beaconer, epoch: linkedEpoch } of live) {
      const slot = this.#locate(witness, beaconer);
      this.#witness[slot] = witness;
      this.#beaconer[slot] = beaconer;
      this.#epochPlusOne[slot] = linkedEpoch + 1;
    }
  }
}
