/** What happens when in virtual time: a binary heap ordered by time, then by the order of asking. */

export class EventQueue<T> {
  readonly #keys: number[] = [];
  readonly #items: T[] = [];
  #asked = 0;
  /** The time of the last event taken, in virtual milliseconds. */
  nowMs = 0;

  get size(): number {
    return this.#keys.length;
  }

  /** @param timeMs a whole number, not before now; at most 2^20 events are asked for in one simulation. */
  push(timeMs: number, item: T): void {
    const keys = this.#keys;
    const items = this.#items;
    const key = timeMs * 1_048_576 + this.#asked++;
    let hole = keys.length;
    keys.push(key);
    items.push(item);
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      if (keys[parent]! <= key) break;
      keys[hole] = keys[parent]!;
      items[hole] = items[parent]!;
      hole = parent;
    }
    keys[hole] = key;
    items[hole] = item;
  }

  /** The next event, and time moves on to it; undefined when there is none. */
  pop(): T | undefined {
    const keys = this.#keys;
    const items = this.#items;
    if (keys.length === 0) return undefined;
    const first = items[0]!;
    this.nowMs = Math.floor(keys[0]! / 1_048_576);
    const key = keys.pop()!;
    const item = items.pop()!;
    const length = keys.length;
    if (length === 0) return first;
    let hole = 0;
    for (;;) {
      let child = hole * 2 + 1;
      if (child >= length) break;
      if (child + 1 < length && keys[child + 1]! < keys[child]!) child++;
      if (keys[child]! >= key) break;
      keys[hole] = keys[child]!;
      items[hole] = items[child]!;
      hole = child;
    }
    keys[hole] = key;
    items[hole] = item;
    return first;
  }
}
