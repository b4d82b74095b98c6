/** A growing set of states, each two or three small numbers, in the order in which they were found. */

const ID_LIMIT = 2 ** 17;

export class StateSet {
  /** Packed states in order of finding, and an open-addressing table of their places + 1. */
  #keys = new Float64Array(1 << 16);
  #table = new Int32Array(1 << 17);
  size = 0;

  /** @param ids each below 2^17. @returns false where the state is known. */
  add(ids: readonly number[]): boolean {
    let key = 0;
    for (const id of ids) {
      if (id >= ID_LIMIT) throw new Error("too many local states to pack three of them into a number");
      key = key * ID_LIMIT + id;
    }
    const mask = this.#table.length - 1;
    let slot = hash(key) & mask;
    for (let place = this.#table[slot]!; place !== 0; place = this.#table[slot]!) {
      if (this.#keys[place - 1] === key) return false;
      slot = (slot + 1) & mask;
    }
    if (this.size === this.#keys.length) this.#grow();
    this.#keys[this.size++] = key;
    if (this.#table.length === mask + 1) this.#table[slot] = this.size;
    else this.#place(key, this.size);
    return true;
  }

  /** The state found at a place. @param count how many numbers it has. */
  idsAt(place: number, count: number): number[] {
    let key = this.#keys[place]!;
    const ids = new Array<number>(count);
    for (let i = count - 1; i >= 0; i--) {
      ids[i] = key % ID_LIMIT;
      key = Math.floor(key / ID_LIMIT);
    }
    return ids;
  }

  #grow(): void {
    const keys = new Float64Array(this.#keys.length * 2);
    keys.set(this.#keys);
    this.#keys = keys;
    this.#table = new Int32Array(keys.length * 2);
    for (let place = 0; place < this.size; place++) this.#place(keys[place]!, place + 1);
  }

  #place(key: number, place: number): void {
    const mask = this.#table.length - 1;
    let slot = hash(key) & mask;
    while (this.#table[slot] !== 0) slot = (slot + 1) & mask;
    this.#table[slot] = place;
  }
}

function hash(key: number): number {
  const mixed =
    Math.imul((key % 4_294_967_296) | 0, 0x9e37_79b1) ^ Math.imul((key / 4_294_967_296) | 0, 0x85eb_ca6b);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}
