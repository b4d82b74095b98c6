/**
 * What admission remembers of messages itself. Ids of finalized rounds are remembered by the ledger, for as long as a
 * body of their epoch could come again; here stand those on their way there. The lane's limits bound how many.
 */

/** Where an admitted message is: being written, and then resolved by `durable`; or on disk. */
export type PendingState = { readonly durable: Promise<void> } | "durable";

export class PendingIds {
  readonly #states = new Map<string, PendingState>();

  get size(): number {
    return this.#states.size;
  }

  /** The state of an id, or undefined for one that is not on its way. */
  get(idKey: string): PendingState | undefined {
    return this.#states.get(idKey);
  }

  add(idKey: string, state: PendingState): void {
    this.#states.set(idKey, state);
  }

  /** The message is on disk: its promise need not be kept. */
  settle(idKey: string): void {
    if (this.#states.has(idKey)) this.#states.set(idKey, "durable");
  }

  /**
   * The message was in an executed round. Either the ledger remembers it now, or it had no effect and may come again,
   * like a transaction whose turn had not come.
   */
  forget(idKey: string): void {
    this.#states.delete(idKey);
  }
}
