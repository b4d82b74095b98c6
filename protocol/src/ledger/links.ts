/**
 * Who has validly witnessed whom, and in which epoch last: what reciprocity is judged by. A table of pairs of hotspot
 * indexes in open addressing, 12 bytes a pair.
 *
 * Bound: a hotspot adds at most `reportsPerEpoch` pairs an epoch and each counts for `reciprocityEpochs`, so there are
 * at most hotspots x reportsPerEpoch x reciprocityEpochs; in the field, hotspots x neighbours. Pairs that have expired
 * are dropped whenever the table would grow, and are never seen before that.
 */
const LEAST_SLOTS = 64;
/** In the column of epochs, which otherwise holds the epoch plus one. */
const FREE = 0;
/** More hotspots than any network has; two indexes below it make one exact double. */
const INDEX_LIMIT = 2 ** 26;

export class Links {
  readonly #reciprocityEpochs: number;
  #taken = 0;
  #witness = new Uint32Array(LEAST_SLOTS);
  #beaconer = new Uint32Array(LEAST_SLOTS);
  #epochPlusOne = new Uint32Array(LEAST_SLOTS);

  constructor(reciprocityEpochs: number) {
    this.#reciprocityEpochs = reciprocityEpochs;
  }

  /** Whether the pair was linked at most `reciprocityEpochs` before `epoch`. */
  isLinked(witness: number, beaconer: number, epoch: number): boolean {
    return this.#isLive(this.#locate(witness, beaconer), epoch);
  }

  /** Notes a valid witness report. Epochs never decrease from call to call. */
  link(witness: number, beaconer: number, epoch: number): void {
    // Above half full, probing slows down.
    if ((this.#taken + 1) * 2 > this.#epochPlusOne.length) this.#rebuild(epoch);
    const slot = this.#locate(witness, beaconer);
    if (this.#epochPlusOne[slot] === FREE) {
      this.#witness[slot] = witness;
      this.#beaconer[slot] = beaconer;
      this.#taken++;
    }
    this.#epochPlusOne[slot] = epoch + 1;
  }

  /** Goes through the pairs that still count in `epoch`, by witness, then beaconer: the same for the same history. */
  visitSorted(epoch: number, visit: (witness: number, beaconer: number, linkedEpoch: number) => void): void {
    const pairs = new Float64Array(this.count(epoch));
    let next = 0;
    for (let slot = 0; slot < this.#epochPlusOne.length; slot++) {
      if (this.#isLive(slot, epoch))
        pairs[next++] = this.#witness[slot]! * INDEX_LIMIT + this.#beaconer[slot]!;
    }
    for (const pair of pairs.sort()) {
      const witness = Math.floor(pair / INDEX_LIMIT);
      const beaconer = pair - witness * INDEX_LIMIT;
      visit(witness, beaconer, this.#epochPlusOne[this.#locate(witness, beaconer)]! - 1);
    }
  }

  /** How many pairs still count in `epoch`. */
  count(epoch: number): number {
    let count = 0;
    for (let slot = 0; slot < this.#epochPlusOne.length; slot++) if (this.#isLive(slot, epoch)) count++;
    return count;
  }

  #isLive(slot: number, epoch: number): boolean {
    const epochPlusOne = this.#epochPlusOne[slot]!;
    return epochPlusOne !== FREE && epochPlusOne - 1 >= epoch - this.#reciprocityEpochs;
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
    const [witness, beaconer, epochPlusOne] = [this.#witness, this.#beaconer, this.#epochPlusOne];
    const live = Uint8Array.from(epochPlusOne, (_, slot) => (this.#isLive(slot, epoch) ? 1 : 0));
    this.#taken = this.count(epoch);
    const slots = epochPlusOne.length * (this.#taken * 4 > epochPlusOne.length ? 2 : 1);
    this.#witness = new Uint32Array(slots);
    this.#beaconer = new Uint32Array(slots);
    this.#epochPlusOne = new Uint32Array(slots);
    for (let old = 0; old < live.length; old++) {
      if (live[old] === 0) continue;
      const slot = this.#locate(witness[old]!, beaconer[old]!);
      this.#witness[slot] = witness[old]!;
      this.#beaconer[slot] = beaconer[old]!;
      this.#epochPlusOne[slot] = epochPlusOne[old]!;
    }
  }
}
