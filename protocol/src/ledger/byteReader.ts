/** Reads what `ByteWriter` wrote. Bytes that end too soon throw: a snapshot is whole or worthless. */

export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /** A copy, so that nothing keeps the whole alive. */
  bytes(count: number): Uint8Array {
    const at = this.#take(count);
    return this.#bytes.slice(at, at + count);
  }

  uint8(): number {
    return this.#bytes[this.#take(1)]!;
  }

  int32(): number {
    return this.#view.getInt32(this.#take(4), true);
  }

  uint32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  int64(): number {
    const at = this.#take(8);
    return this.#view.getInt32(at + 4, true) * 0x1_0000_0000 + this.#view.getUint32(at, true);
  }

  amount(): bigint {
    return this.#view.getBigUint64(this.#take(8), true);
  }

  /** A list with its length before it. No entry is shorter than a byte, so a length beyond what is left is refused. */
  list<T>(read: () => T): T[] {
    const count = this.uint32();
    if (count > this.left) throw new RangeError("a list is longer than the bytes that are left");
    const items: T[] = [];
    for (let i = 0; i < count; i++) items.push(read());
    return items;
  }

  /** A value with a byte before it that says whether it is there. */
  optional<T>(read: () => T): T | null {
    return this.uint8() === 0 ? null : read();
  }

  #take(count: number): number {
    const at = this.#at;
    if (count > this.left) throw new RangeError("bytes end too soon");
    this.#at += count;
    return at;
  }
}
