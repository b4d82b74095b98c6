/** A growing byte string for canonical encodings: little-endian integers as SSZ has them, one after the other. */

const FIRST_BYTES = 1_024;

export class ByteWriter {
  #bytes = new Uint8Array(FIRST_BYTES);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  bytes(value: Uint8Array): void {
    const at = this.#reserve(value.length);
    this.#bytes.set(value, at);
  }

  uint8(value: number): void {
    const at = this.#reserve(1);
    this.#bytes[at] = value;
  }

  /** Two's complement; also for unsigned values. */
  int32(value: number): void {
    const at = this.#reserve(4);
    this.#view.setUint32(at, value >>> 0, true);
  }

  /** A safe integer of either sign, as 64-bit two's complement. */
  int64(value: number): void {
    const at = this.#reserve(8);
    const high = Math.floor(value / 0x1_0000_0000);
    this.#view.setUint32(at, value - high * 0x1_0000_0000, true);
    this.#view.setInt32(at + 4, high, true);
  }

  /** An amount, below 2^64. */
  amount(value: bigint): void {
    const at = this.#reserve(8);
    this.#view.setBigUint64(at, value, true);
  }

  /** Each item's encoding, with their number before them. */
  list<T>(items: readonly T[] | (Iterable<T> & { readonly size: number }), write: (item: T) => void): void {
    this.int32("size" in items ? items.size : items.length);
    for (const item of items) write(item);
  }

  /** A value that may be absent, as a byte that says whether it is there. */
  optional<T>(value: T | null, write: (value: T) => void): void {
    this.uint8(value === null ? 0 : 1);
    if (value !== null) write(value);
  }

  /** What was written so far; the writer must not be used after. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #reserve(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#length, this.#bytes.length * 2));
      grown.set(this.#bytes);
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    return at;
  }
}
