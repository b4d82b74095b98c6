/**
 * The ids of executed messages, for as long as a message of their epoch could come again: two epochs. Millions of ids
 * stand in open addressing on 32-bit words, 16 bytes an id and no object each.
 *
 * Of an id's 32 bytes the first 16 are kept, less one bit that marks a slot as taken. To make somebody else's message
 * count as seen takes a second preimage of 127 bits; two own messages that collide only cost their author one of them.
 */
export const SEEN_ID_BYTES = 16;
const WORDS = 4;
const LEAST_SLOTS = 64;

/** One epoch's ids. */
class IdSet {
  count = 0;
  #slots = new Uint32Array(LEAST_SLOTS * WORDS);

  has(id: Uint8Array): boolean {
    return this.#slots[this.#locate(id)] !== 0;
  }

  /** Adds an id that is not there. */
  add(id: Uint8Array): void {
    // Above half full, probing slows down.
    if ((this.count + 1) * 2 * WORDS > this.#slots.length) this.#grow();
    const slot = this.#locate(id);
    for (let word = 0; word < WORDS; word++) this.#slots[slot + word] = readWord(id, word);
    this.count++;
  }

  /** The kept bytes of every id, one after the other, in ascending order of their words. */
  listSorted(): Uint8Array {
    const order = this.#sortSlots();
    const bytes = new Uint8Array(order.length * SEEN_ID_BYTES);
    const view = new DataView(bytes.buffer);
    let at = 0;
    for (const slot of order) {
      for (let word = 0; word < WORDS; word++, at += 4) view.setUint32(at, this.#slots[slot + word]!, true);
    }
    return bytes;
  }

  /** The taken slots in ascending order: by the first word in two counting passes, then the few ties by the others. */
  #sortSlots(): Uint32Array {
    const slots = this.#slots;
    let order = new Uint32Array(this.count);
    let next = 0;
    for (let slot = 0; slot < slots.length; slot += WORDS) if (slots[slot] !== 0) order[next++] = slot;
    for (const shift of [0, 16]) {
      const start = new Uint32Array(0x1_0001);
      for (const slot of order) start[((slots[slot]! >>> shift) & 0xffff) + 1]!++;
      for (let digit = 0; digit < 0x1_0000; digit++) start[digit + 1]! += start[digit]!;
      const sorted = new Uint32Array(order.length);
      for (const slot of order) sorted[start[(slots[slot]! >>> shift) & 0xffff]!++] = slot;
      order = sorted;
    }
    for (let i = 1; i < order.length; i++) {
      for (let j = i; j > 0 && this.#compare(order[j - 1]!, order[j]!) > 0; j--) {
        const slot = order[j]!;
        order[j] = order[j - 1]!;
        order[j - 1] = slot;
      }
    }
    return order;
  }

  #compare(a: number, b: number): number {
    for (let word = 0; word < WORDS; word++) {
      const difference = this.#slots[a + word]! - this.#slots[b + word]!;
      if (difference !== 0) return difference;
    }
    return 0;
  }

  /** The slot of an id, or the free one where it belongs. Ids are hashes, so their own bits spread them. */
  #locate(id: Uint8Array): number {
    const slots = this.#slots;
    const mask = slots.length / WORDS - 1;
    const first = readWord(id, 0);
    const second = readWord(id, 1);
    for (let place = second & mask; ; place = (place + 1) & mask) {
      const slot = place * WORDS;
      if (slots[slot] === 0) return slot;
      if (
        slots[slot] === first &&
        slots[slot + 1] === second &&
        slots[slot + 2] === readWord(id, 2) &&
        slots[slot + 3] === readWord(id, 3)
      ) {
        return slot;
      }
    }
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new Uint32Array(old.length * 2);
    const bytes = new Uint8Array(SEEN_ID_BYTES);
    const view = new DataView(bytes.buffer);
    for (let slot = 0; slot < old.length; slot += WORDS) {
      if (old[slot] === 0) continue;
      for (let word = 0; word < WORDS; word++) view.setUint32(word * 4, old[slot + word]!, true);
      this.#slots.set(old.subarray(slot, slot + WORDS), this.#locate(bytes));
    }
  }
}

function readWord(id: Uint8Array, word: number): number {
  const at = word * 4;
  const value = (id[at]! | (id[at + 1]! << 8) | (id[at + 2]! << 16) | (id[at + 3]! << 24)) >>> 0;
  return word === 0 ? (value | 1) >>> 0 : value;
}

export class SeenIds {
  readonly #byEpoch = new Map<number, IdSet>();

  /** @param epoch the message's own epoch. */
  has(epoch: number, id: Uint8Array): boolean {
    return this.#byEpoch.get(epoch)?.has(id) ?? false;
  }

  /** Adds an id that `has` does not know. */
  add(epoch: number, id: Uint8Array): void {
    let set = this.#byEpoch.get(epoch);
    if (set === undefined) {
      set = new IdSet();
      this.#byEpoch.set(epoch, set);
    }
    set.add(id);
  }

  /** Forgets all epochs before one. */
  forgetBefore(epoch: number): void {
    for (const known of this.#byEpoch.keys()) if (known < epoch) this.#byEpoch.delete(known);
  }

  /** Every epoch with its ids' kept bytes, both ascending: the same for the same contents, however they came. */
  listSorted(): { readonly epoch: number; readonly ids: Uint8Array }[] {
    return [...this.#byEpoch]
      .sort(([a], [b]) => a - b)
      .map(([epoch, set]) => ({ epoch, ids: set.listSorted() }));
  }
}
