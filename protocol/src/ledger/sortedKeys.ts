/**
 * Dense indexes in the ascending order of their keys. Epoch records and reward trees list by key; few keys are new in
 * an epoch, so those are sorted alone and merged in one pass, which also leaves out those whose keys were replaced: so any
 * number of rotations costs one pass, when somebody next asks for the order.
 */
import { compareBytes } from "../bytes/bytes.ts";

export class SortedKeys {
  readonly #keys: Uint8Array[] = [];
  #sorted: number[] = [];
  readonly #added = new Set<number>();
  /** Those of the sorted that stand among the added too, under another key. */
  readonly #replaced = new Set<number>();

  get count(): number {
    return this.#sorted.length + this.#added.size - this.#replaced.size;
  }

  /** Adds a key that was not added before, with its index. */
  add(key: Uint8Array, index: number): void {
    this.#keys[index] = key;
    this.#added.add(index);
  }

  /** Gives an index that was added another key, which was not added before. */
  replace(key: Uint8Array, index: number): void {
    this.#keys[index] = key;
    if (this.#added.has(index)) return;
    this.#added.add(index);
    this.#replaced.add(index);
  }

  /** The indexes in ascending order of their keys. */
  list(): readonly number[] {
    if (this.#added.size === 0) return this.#sorted;
    const compare = (a: number, b: number): number => compareBytes(this.#keys[a]!, this.#keys[b]!);
    const added = [...this.#added].sort(compare);
    const merged: number[] = [];
    let next = 0;
    for (const index of this.#sorted) {
      if (this.#replaced.has(index)) continue;
      while (next < added.length && compare(added[next]!, index) < 0) merged.push(added[next++]!);
      merged.push(index);
    }
    while (next < added.length) merged.push(added[next++]!);
    this.#sorted = merged;
    this.#added.clear();
    this.#replaced.clear();
    return merged;
  }

  /** The place of a key that was added. */
  placeOf(key: Uint8Array): number {
    const order = this.list();
    let low = 0;
    let high = order.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareBytes(this.#keys[order[middle]!]!, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The place of each index in that order; only for keys whose indexes are 0 to count - 1. */
  ranks(): Uint32Array {
    const ranks = new Uint32Array(this.count);
    for (const [rank, index] of this.list().entries()) ranks[index] = rank;
    return ranks;
  }
}
