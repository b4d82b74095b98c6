/**
 * Token buckets: how much one connection, or one sender, may bring in a time. A bucket that is full again is as good as
 * none, so only those that were used lately take memory.
 */

export type BucketOptions = {
  /** The most that may come at once. */
  readonly capacity: number;
  /** How much comes back in a millisecond. */
  readonly refillPerMs: number;
  /** Buckets kept; the one that was used longest ago goes first, in its owner's favour. */
  readonly maxBuckets: number;
};

type Bucket = { tokens: number; atMs: number };

export class TokenBuckets {
  readonly #options: BucketOptions;
  readonly #buckets = new Map<string, Bucket>();

  constructor(options: BucketOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#buckets.size;
  }

  /** Whether the name's bucket holds that much now. */
  has(name: string, amount: number, nowMs: number): boolean {
    return this.#level(name, nowMs) >= amount;
  }

  /** Takes that much where the bucket holds it, or nothing. */
  take(name: string, amount: number, nowMs: number): boolean {
    const level = this.#level(name, nowMs);
    if (level < amount) return false;
    this.#write(name, level - amount, nowMs);
    return true;
  }

  /** Takes that much even where the bucket holds less: a debt, and nothing can be taken until it has come back. */
  charge(name: string, amount: number, nowMs: number): void {
    this.#write(name, this.#level(name, nowMs) - amount, nowMs);
  }

  /** Forgets the buckets that are full again. */
  prune(nowMs: number): void {
    for (const name of [...this.#buckets.keys()]) {
      if (this.#level(name, nowMs) >= this.#options.capacity) this.#buckets.delete(name);
    }
  }

  #level(name: string, nowMs: number): number {
    const bucket = this.#buckets.get(name);
    if (bucket === undefined) return this.#options.capacity;
    // A clock that was set back gives nothing and takes nothing.
    const elapsedMs = Math.max(0, nowMs - bucket.atMs);
    return Math.min(this.#options.capacity, bucket.tokens + elapsedMs * this.#options.refillPerMs);
  }

  #write(name: string, tokens: number, nowMs: number): void {
    // Taken out and put back, so that the map's order is the order of last use.
    this.#buckets.delete(name);
    this.#buckets.set(name, { tokens, atMs: nowMs });
    if (this.#buckets.size > this.#options.maxBuckets) this.#dropOldest();
  }

  #dropOldest(): void {
    const oldest = this.#buckets.keys().next();
    if (!oldest.done) this.#buckets.delete(oldest.value);
  }
}
