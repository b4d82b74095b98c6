/** Virtual time: what happens when, and a clock for each validator that runs ahead, fast or slow, and dies with it. */
import type { Clock } from "../../../node/src/host/types.ts";
import { EventQueue } from "../agreement/eventQueue.ts";

/** Turns of the microtask queue after an event: what a validator does at once is done before the next. */
export const MICROTASK_TURNS = 13;

export class VirtualTime {
  readonly #queue = new EventQueue<() => void>();
  events = 0;

  get nowMs(): number {
    return this.#queue.nowMs;
  }

  /** @param delayMs rounded to whole milliseconds. */
  after(delayMs: number, callback: () => void): void {
    this.#queue.push(this.#queue.nowMs + Math.max(0, Math.round(delayMs)), callback);
  }

  /**
   * Lets the next event happen; false when there is none. All that follows from it at once has happened after
   * `MICROTASK_TURNS`, which whoever steps waits for itself: one more asynchronous call an event is a hundredth of a run.
   */
  step(): boolean {
    const next = this.#queue.pop();
    if (next === undefined) return false;
    this.events++;
    next();
    return true;
  }
}

/**
 * A validator's clock.
 * @param offsetMs how far it is ahead of virtual time, epoch included; `ppt`: its timers' length in parts per thousand.
 * @param isAlive timers of a life that is over never fire.
 */
export function createSkewedClock(
  time: VirtualTime,
  { offsetMs, ppt }: { readonly offsetMs: number; readonly ppt: number },
  isAlive: () => boolean,
): Clock {
  const after = (delayMs: number, callback: () => void): (() => void) => {
    let isCancelled = false;
    time.after((delayMs * ppt) / 1_000, () => {
      if (!isCancelled && isAlive()) callback();
    });
    return () => {
      isCancelled = true;
    };
  };
  return {
    nowMs: () => time.nowMs + offsetMs,
    elapsedMs: () => time.nowMs,
    after,
    every: (periodMs, callback) => {
      let cancel = after(periodMs, fire);
      function fire(): void {
        cancel = after(periodMs, fire);
        callback();
      }
      return () => cancel();
    },
  };
}
