/**
 * What those without a seat may fetch: followers that keep up, somebody who joins, and anybody else, since what is
 * answered is proven. Bounded at once and in a second, for each and for all together.
 */
import type { Clock } from "../../../node/src/host/types.ts";
import { MAX_PIECE_BYTES } from "../../../protocol/src/ledger/stateManifest.ts";
import { TokenBuckets } from "../intake/buckets.ts";

/** Fetches answered at once: 16 MiB of a snapshot; of the largest rounds that there can be, some 46. */
const MAX_AT_ONCE = 16;
/**
 * Units in a second, and twice as many at once: a question is one, and so is each 64 KiB of its answer. One stranger may
 * fetch 8 MiB a second, all together 16 MiB: more than most lines carry, a snapshot of a hundred megabytes comes in
 * 12 s, and a small part of a core reads it.
 */
export const FETCH_UNIT_BYTES = 65_536;
export const FETCH_UNITS_OF_ONE_PER_SECOND = 128;
export const FETCH_UNITS_OF_ALL_PER_SECOND = 256;
/**
 * A stranger's first question in a second comes before all further ones: the last units of those that all share are
 * kept for it, so that a few who ask for all that there is leave the others an answer a second each. They are as many
 * as pieces of a snapshot that are under way still cost.
 */
const FIRST_EVERY_MS = 1_000;
export const FETCH_UNITS_KEPT_FOR_FIRSTS = (MAX_AT_ONCE * MAX_PIECE_BYTES) / FETCH_UNIT_BYTES;
/** Strangers with a bucket that is not full: beyond it the longest idle starts afresh, within what all of them share. */
const MAX_STRANGERS = 1_024;
/** The name of the one bucket that all share. */
const ALL = "all";

export class StrangersFetches {
  readonly #clock: Pick<Clock, "elapsedMs">;
  readonly #each = createBuckets(FETCH_UNITS_OF_ONE_PER_SECOND, 0, MAX_STRANGERS);
  readonly #shared = createBuckets(FETCH_UNITS_OF_ALL_PER_SECOND, FETCH_UNITS_KEPT_FOR_FIRSTS, 1);
  readonly #firsts = new TokenBuckets({
    capacity: 1,
    refillPerMs: 1 / FIRST_EVERY_MS,
    maxBuckets: MAX_STRANGERS,
  });
  #underWay = 0;

  constructor(clock: Pick<Clock, "elapsedMs">) {
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

  /** Takes a unit of both buckets, or nothing. */
  #takeQuestion(from: string): boolean {
    const atMs = this.#clock.elapsedMs();
    const isFirst = this.#firsts.has(from, 1, atMs);
    const keptUnits = isFirst ? 0 : FETCH_UNITS_KEPT_FOR_FIRSTS;
    if (!this.#shared.has(ALL, keptUnits + 1, atMs) || !this.#each.take(from, 1, atMs)) return false;
    this.#shared.charge(ALL, 1, atMs);
    if (isFirst) this.#firsts.charge(from, 1, atMs);
    return true;
  }

  /** How long an answer is shows when it is there: what it costs beyond what is left is owed, and comes back first. */
  #chargeAnswer(from: string, bytes: number): void {
    const atMs = this.#clock.elapsedMs();
    const units = Math.floor(bytes / FETCH_UNIT_BYTES);
    this.#each.charge(from, units, atMs);
    this.#shared.charge(ALL, units, atMs);
  }
}

function createBuckets(unitsPerSecond: number, keptUnits: number, maxBuckets: number): TokenBuckets {
  const capacity = 2 * unitsPerSecond + keptUnits;
  return new TokenBuckets({ capacity, refillPerMs: unitsPerSecond / 1_000, maxBuckets });
}
