/** The real clock. Every program makes one, at its top, and hands it down. */
import type { Clock } from "./types.ts";

/** Node's timers hold 31 bits of milliseconds; a longer wait would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Wall clock and timers of this process. A wait beyond 24 days is cut to that; no part of a node waits so long. */
export function createSystemClock(): Clock {
  const limit = (delayMs: number) => Math.min(Math.max(0, delayMs), LONGEST_TIMER_MS);
  return {
    nowMs: () => Date.now(),
    elapsedMs: () => Math.floor(performance.now()),
    after: (delayMs, callback) => {
      const timer = setTimeout(callback, limit(delayMs));
      return () => clearTimeout(timer);
    },
    every: (periodMs, callback) => {
      const timer = setInterval(callback, limit(periodMs));
      return () => clearInterval(timer);
    },
  };
}
