/**
 * Who led the newest rounds, and who was passed over in them: recomputed from what everybody has, the seed of the epoch
 * before, the round's set and its certificate. A round's leaders never change, so each is computed once.
 */
import { setImmediate } from "node:timers/promises";
import { computeLeaders } from "../../../../protocol/src/agreement/leaders.ts";
import { decodeFinalCert } from "../../../../protocol/src/agreement/rounds.ts";
import { equalBytes } from "../../../../protocol/src/bytes/bytes.ts";
import type { QueryStore, RoundRow, RoundStore } from "../../store/store.ts";
import type { ValidatorQueries } from "../../store/validatorRows.ts";

/**
 * Rounds that are looked back: twenty minutes of mainnet, in which each of a hundred validators leads twice or so. A round of a
 * hundred costs a hundred hashes, once.
 */
export const LED_ROUNDS_MAX = 240;
/** Rounds between two turns of the event loop: some milliseconds. */
const ROUNDS_PER_TURN = 20;

/** `view`, counted from 1, was decided; `leaders` led it and those before it, in this order. */
type LedRound = {
  readonly round: number;
  readonly epoch: number;
  readonly timeMs: number;
  readonly view: number;
  readonly leaders: readonly Uint8Array[];
};
/** The view of a round that a validator led, and whether it is the one that was decided. */
export type Led = Omit<LedRound, "leaders"> & { readonly isDecided: boolean };

type LeaderStore = Pick<QueryStore, "getEpoch"> &
  Pick<ValidatorQueries, "findSet"> &
  Pick<RoundStore, "latestRound" | "getRound">;

export class LeaderIndex {
  readonly #store: LeaderStore;
  /** Ascending and without a gap but for rounds whose leaders cannot be told. */
  #rounds: readonly LedRound[] = [];
  #next = 0;
  #reading: Promise<void> = Promise.resolve();

  constructor(store: LeaderStore) {
    this.#store = store;
  }

  /** The views that a validator led in the newest rounds, newest round first, each round at most once. */
  async listOf(key: Uint8Array): Promise<Led[]> {
    // One after another, so that none is computed twice.
    this.#reading = this.#reading.catch(() => {}).then(() => this.#readNew());
    await this.#reading;
    return this.#rounds.toReversed().flatMap(({ leaders, view, ...round }) => {
      const place = leaders.findIndex((leader) => equalBytes(leader, key));
      const before = leaders.length - 1 - place;
      return place === -1 ? [] : [{ ...round, view: view - before, isDecided: before === 0 }];
    });
  }

  async #readNew(): Promise<void> {
    const newest = (await this.#store.latestRound())?.round ?? -1;
    const oldest = Math.max(0, newest - LED_ROUNDS_MAX + 1);
    const read: LedRound[] = [];
    for (let round = Math.max(oldest, this.#next); round <= newest; round++) {
      const row = await this.#store.getRound(round);
      const led = row === null ? null : await this.#readLeaders(row);
      if (led !== null) read.push(led);
      if (round % ROUNDS_PER_TURN === 0) await setImmediate();
    }
    this.#rounds = [...this.#rounds.filter(({ round }) => round >= oldest), ...read];
    this.#next = newest + 1;
  }

  /** Null where this store does not have what says it: before its checkpoint, and for what is read while epoch 0 runs. */
  async #readLeaders({ round, epoch, timeMs, finalCert }: RoundRow): Promise<LedRound | null> {
    const [set, before] = await Promise.all([
      this.#store.findSet(epoch),
      this.#store.getEpoch(Math.max(0, epoch - 1)),
    ]);
    const cert = decodeFinalCert(finalCert);
    if (set === null || before === null || cert === null) return null;
    const { view } = cert;
    const seats = set.keys.length;
    const order = computeLeaders(before.seed, round, seats);
    // After as many views as there are seats the order begins anew: the last turn has everybody once.
    const views = Math.min(view, seats);
    const leaders = Array.from(
      { length: views },
      (_, place) => set.keys[order[(view - views + place) % seats]!]!,
    );
    return { round, epoch, timeMs, view, leaders };
  }
}
