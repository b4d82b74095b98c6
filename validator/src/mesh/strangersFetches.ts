/**
 * What those without a seat may fetch: followers that keep up, somebody who joins, and anybody else, since what is
 * answered is proven. Bounded at once and in a second, for each and for all together.
 */
import type { Clock } from "../../../node/src/host/types.ts";
import { TokenBuckets } from "../intake/buckets.ts";

/** Fetches answered at once: at most 20 MiB of answers. */
const MAX_AT_ONCE = 16;
/**
 * Units in a second, and twice as many at once: a question is one, and so is each 64 KiB of its answer. One stranger may
 * fetch 8 MiB a second, all together 16 MiB: more than most lines carry, a snapshot of a hundred megabytes comes in
 * 12 s, and a small part of a core reads it.
 */
export const FETCH_UNIT_BYTES = 65_536;
export const FETCH_UNITS_OF_ONE_PER_SECOND = 128;
export const FETCH_UNITS_OF_ALL_PER_SECOND = 256;
/** Strangers with a bucket that is not full: beyond it the longest idle starts afresh, within what all of them share. */
const MAX_STRANGERS = 1_024;
/** The name of the one bucket that all share. */
const ALL = "all";

export class StrangersFetches {
  readonly #clock: Pick<Clock, "nowMs">;
  readonly #each = createBuckets(FETCH_UNITS_OF_ONE_PER_SECOND, MAX_STRANGERS);
  readonly #shared = createBuckets(FETCH_UNITS_OF_ALL_PER_SECOND, 1);
  #underWay = 0;

  constructor(clock: Pick<Clock, "nowMs">) {
    this.#clock = clock;
  }

  /** Answers a stranger, or says that it asks too much, and does nothing for it then. */
  async answer(
    from: string,
    answer: () => Promise<Uint8Array | null>,
  ): Promise<Uint8Array | null | "flooded"> {
    if (this.#underWay >= MAX_AT_ONCE || !this.#takeQuestion(from)) return "flooded";
    this.#underWay++;
    try {
      const bytes = await answer();
      this.#chargeAnswer(from, bytes?.length ?? 0);
      return bytes;
    } finally {
      this.#underWay--;
    }
  }

  /** Its own bucket first: who has used up its own takes nothing of the others'. */
  #takeQuestion(from: string): boolean {
    const nowMs = this.#clock.nowMs();
    return this.#each.take(from, 1, nowMs) && this.#shared.take(ALL, 1, nowMs);
  }

  /** How long an answer is shows when it is there; so few are under way that the last ones may exceed what is left. */
  #chargeAnswer(from: string, bytes: number): void {
    const nowMs = this.#clock.nowMs();
    const units = Math.floor(bytes / FETCH_UNIT_BYTES);
    this.#each.drain(from, units, nowMs);
    this.#shared.drain(ALL, units, nowMs);
  }
}

function createBuckets(unitsPerSecond: number, maxBuckets: number): TokenBuckets {
  return new TokenBuckets({ capacity: 2 * unitsPerSecond, refillPerMs: unitsPerSecond / 1_000, maxBuckets });
}
