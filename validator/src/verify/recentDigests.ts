/**
 * A memory of SHA-256 digests that takes all its room at once and never more: sets of eight places, in each of which the
 * newest takes the oldest's. A `Set` that forgets its oldest entry costs 100 microseconds an entry once it is full, since
 * every look for the oldest passes over the holes that the ones before it have left.
 */

/** Places in a set: with eight, what was added is remembered as long as half of all places' worth of others is, nearly surely. */
const WAYS = 8;
const DIGEST_BYTES = 32;
const DIGEST_WORDS = DIGEST_BYTES / 4;

export class RecentDigests {
  readonly #words: Uint32Array;
  /** The place of each set that is taken next. */
  readonly #next: Uint8Array;
  readonly #mask: number;
  /** The digest that is looked for, as words. */
  readonly #wanted = new Uint32Array(DIGEST_WORDS);
  readonly #wantedBytes = new Uint8Array(this.#wanted.buffer);

  /** @param capacity how many are remembered, a power of two of at least 8: a digest takes 32 bytes. */
  constructor(capacity: number) {
    const sets = capacity / WAYS;
    if (!Number.isInteger(Math.log2(sets))) throw new RangeError("a capacity is a power of two from 8 on");
    this.#words = new Uint32Array(capacity * DIGEST_WORDS);
    this.#next = new Uint8Array(sets);
    this.#mask = sets - 1;
  }

  /** @param digest 32 bytes, and not all of them zero: an empty place is. */
  has(digest: Uint8Array): boolean {
    return this.#find(this.#setOf(digest));
  }

  add(digest: Uint8Array): void {
    const set = this.#setOf(digest);
    if (this.#find(set)) return;
    const way = this.#next[set]!;
    this.#next[set] = (way + 1) % WAYS;
    this.#words.set(this.#wanted, (set * WAYS + way) * DIGEST_WORDS);
  }

  /**
   * Makes a digest the wanted one. A hostile sender may make digests of one set, and gains that eight of its own
   * messages push others out of it.
   */
  #setOf(digest: Uint8Array): number {
    this.#wantedBytes.set(digest);
    return this.#wanted[0]! & this.#mask;
  }

  #find(set: number): boolean {
    const first = set * WAYS * DIGEST_WORDS;
    for (let at = first; at < first + WAYS * DIGEST_WORDS; at += DIGEST_WORDS) {
      let word = 0;
      while (word < DIGEST_WORDS && this.#words[at + word] === this.#wanted[word]) word++;
      if (word === DIGEST_WORDS) return true;
    }
    return false;
  }
}
