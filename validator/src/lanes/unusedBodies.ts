/**
 * Deletes bodies of others' batches that were acknowledged, and so are on the disk, and that no cut can take any more:
 * those under a number that an executed round has taken another batch of, and those of lanes whose authors have no seat.
 * What a cut has taken is retention's. Every body that a lane writes is named in the votes first, so those names are all
 * that there is to look through.
 */
import type { Log } from "../../../node/src/host/types.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import type { ExecutedBatches, ExecutedRound } from "../execution/executor.ts";
import type { Votes } from "../rounds/votes.ts";
import type { BatchStore } from "../store/batchStore.ts";

export type UnusedBodiesModules = {
  readonly votes: Pick<Votes, "acksOf" | "ackedLanes" | "pruneAcks">;
  readonly batches: Pick<BatchStore, "deleteBatches">;
  /** Whether a key has a seat in the epoch that is executed next, in the one before or in the one after. */
  readonly isMember: (key: Uint8Array) => boolean;
  /** Where the executed cuts have left a lane. */
  readonly laneEndOf: (lane: Uint8Array) => { readonly seq: number };
  readonly log: Log;
};

export class UnusedBodies {
  readonly #modules: UnusedBodiesModules;
  /** Lanes of former members, of which nothing is left. */
  readonly #swept = new Set<string>();

  constructor(modules: UnusedBodiesModules) {
    this.#modules = modules;
  }

  /** A round is executed and stored: what its cut has settled is forgotten, and of an epoch's end who has left. */
  onExecuted({ batchDigests, batchSpans, result }: ExecutedBatches & Pick<ExecutedRound, "result">): void {
    const { votes } = this.#modules;
    const executed = new Set(batchDigests.map(encodeHex));
    const unused: Uint8Array[] = [];
    for (const { lane, firstSeq, lastSeq } of batchSpans) {
      const named = votes.acksOf(lane, firstSeq, lastSeq).map(({ digest }) => digest);
      unused.push(...named.filter((digest) => !executed.has(encodeHex(digest))));
      votes.pruneAcks(lane, lastSeq);
    }
    if (result.epochClose !== null) unused.push(...this.#listLeft());
    if (unused.length > 0) void this.#delete(unused);
  }

  /**
   * Of lanes that no cut of a round to come may have. Their names stay: should the author come back, its lane goes on
   * where it ended, and no second batch under one of those numbers is acknowledged.
   */
  #listLeft(): Uint8Array[] {
    const { votes, isMember, laneEndOf } = this.#modules;
    const left: Uint8Array[] = [];
    for (const lane of votes.ackedLanes()) {
      const name = encodeHex(lane);
      if (isMember(lane)) this.#swept.delete(name);
      else if (!this.#swept.has(name)) {
        left.push(...votes.acksOf(lane, laneEndOf(lane).seq + 1).map(({ digest }) => digest));
        this.#swept.add(name);
      }
    }
    return left;
  }

  /** A failure costs space only, so it is said and left. */
  async #delete(digests: readonly Uint8Array[]): Promise<void> {
    try {
      await this.#modules.batches.deleteBatches(digests);
    } catch (error) {
      this.#modules.log.warn("Could not delete batches that no cut takes", { error: String(error) });
    }
  }
}
