/**
 * A map that remembers the newest entries only, in two halves: once the newer one is full it takes the older one's place,
 * which is forgotten as a whole. A `Map` that forgets its oldest entry at each new one costs some 100 microseconds each
 * once it is full, since every look for the oldest passes over the holes that those before it have left.
 */

export class RecentMap<Key, Value> {
  readonly #half: number;
  #newer = new Map<Key, Value>();
  #older = new Map<Key, Value>();

  /** @param capacity entries at most; the newest half of so many is always there. */
  constructor(capacity: number) {
    this.#half = Math.floor(capacity / 2);
  }

  get(key: Key): Value | undefined {
    return this.#newer.get(key) ?? this.#older.get(key);
  }

  /** Puts an entry in as the newest; one that is there keeps its age. */
  set(key: Key, value: Value): void {
    if (this.#older.has(key)) {
      this.#older.set(key, value);
      return;
    }
    if (this.#newer.size >= this.#half && !this.#newer.has(key)) {
      this.#older = this.#newer;
      this.#newer = new Map();
    }
    this.#newer.set(key, value);
  }
}
