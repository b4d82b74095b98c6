/** Ends in reverse what was started in order, in one go or when starting fails half-way. */
import type { Log } from "../../node/src/host/types.ts";

export class Closers {
  readonly #closers: { readonly part: string; readonly close: () => Promise<unknown> }[] = [];
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  /** What ends a part that has just been started. */
  add(part: string, close: () => Promise<unknown>): void {
    this.#closers.push({ part, close });
  }

  /** Ends all parts, the newest first. One that fails to end is logged, and keeps no other from it. */
  close = async (): Promise<void> => {
    for (let closer = this.#closers.pop(); closer !== undefined; closer = this.#closers.pop()) {
      try {
        await closer.close();
      } catch (error) {
        this.#log.warn("Could not end a part", { part: closer.part, error: String(error) });
      }
    }
  };
}
