/**
 * How the own lane goes on behind batches that these votes do not know, because the home was lost or comes from a copy. Of
 * what a decided cut holds the name is enough: execution fetches what it needs, and of older rounds the others delete the
 * bodies. Of what they hold beyond the cut the bodies must be here, since nobody acknowledges the next batch without them.
 * What was found is durable at once: whoever showed it may not say it again after a restart.
 */
import type { Place } from "../../../protocol/src/agreement/lanes/index.ts";
import { type AvailabilityCert, decodeBatch } from "../../../protocol/src/agreement/rounds.ts";
import { equalBytes } from "../../../protocol/src/bytes/bytes.ts";
import type { AuthoredBatch, Votes } from "../rounds/votes.ts";
import { toError } from "../toError.ts";
import type { AckGatherer } from "./ackGatherer.ts";
import type { BatchFetcher } from "./batchFetcher.ts";
import type { Lane } from "./lane.ts";

export type LaneAdoptionOptions = {
  readonly self: Uint8Array;
  /** Where the newest decided cut has left the own lane. */
  readonly end: Place;
};
export type LaneAdoptionModules = {
  readonly votes: Pick<Votes, "adoptBatch" | "lastBatch" | "recordFoundBatch" | "foundBatch">;
  readonly fetcher: Pick<BatchFetcher, "getBatch">;
  readonly acks: Pick<AckGatherer, "request">;
  /** Asked for when it is needed. */
  readonly lane: () => Pick<Lane, "adopt">;
  /** The next number is known to be free. */
  readonly onProgress: () => void;
  readonly onFailure: (error: Error) => void;
};

export class LaneAdoption {
  readonly #self: Uint8Array;
  readonly #modules: LaneAdoptionModules;
  /** Where the newest decided cut has left the lane. */
  #end: Place;
  /** The highest batch that was found and the votes do not know, until they do. */
  #found: AuthoredBatch | null = null;
  #isStopped = false;

  constructor({ self, end }: LaneAdoptionOptions, modules: LaneAdoptionModules) {
    this.#self = self;
    this.#modules = modules;
    this.#end = end;
    this.#found = modules.votes.foundBatch();
  }

  /** Goes on with what was found before the last end. */
  start(): void {
    if (this.isBehind()) void this.#catchUp();
  }

  /** A round was decided with this cut. */
  onCut(cut: readonly Pick<AvailabilityCert, "lane" | "seq" | "digest">[]): void {
    const entry = cut.find(({ lane }) => equalBytes(lane, this.#self));
    if (entry !== undefined && entry.seq > this.#end.seq)
      this.#end = { seq: entry.seq, digest: entry.digest };
  }

  /** Whether an own batch lies beyond all that the votes know, and that was found before. */
  isUnknown({ seq }: Pick<AuthoredBatch, "seq">): boolean {
    return seq > Math.max(this.#modules.votes.lastBatch()?.seq ?? 0, this.#found?.seq ?? 0);
  }

  /** Whether the votes do not know yet what was found, so that the next number may be taken. */
  isBehind(): boolean {
    return this.#found !== null;
  }

  /** Goes on behind an unknown batch, which others hold. */
  extend({ seq, digest }: AuthoredBatch): void {
    const wasBehind = this.isBehind();
    this.#found = { seq, digest };
    this.#modules.votes.recordFoundBatch(this.#found);
    if (!wasBehind) void this.#catchUp();
  }

  stop(): void {
    this.#isStopped = true;
  }

  async #catchUp(): Promise<void> {
    const { onProgress, onFailure } = this.#modules;
    try {
      for (let place = this.#found; place !== null; ) {
        await this.#adopt(place);
        if (this.#isStopped) return;
        // More may have been found meanwhile.
        if (this.#found === place) this.#found = null;
        place = this.#found;
      }
      onProgress();
    } catch (error) {
      if (!this.#isStopped) onFailure(toError(error));
    }
  }

  async #adopt(place: AuthoredBatch): Promise<void> {
    const { votes, lane, acks } = this.#modules;
    const body = place.seq <= this.#end.seq ? null : await this.#fetchBack(place);
    votes.adoptBatch(place);
    lane().adopt(place);
    if (body !== null) acks.request(place, body);
  }

  /** The bodies from a batch back to the cut, all here when it resolves. @returns the batch's own. */
  async #fetchBack({ seq: newest, digest }: AuthoredBatch): Promise<Uint8Array> {
    const { fetcher, votes } = this.#modules;
    const body = await fetcher.getBatch(digest);
    let batch = decodeBatch(body);
    // Both may rise while a body is on its way.
    const isNeeded = (seq: number) => seq > Math.max(votes.lastBatch()?.seq ?? 0, this.#end.seq);
    for (let seq = newest - 1; batch !== null && isNeeded(seq); seq--)
      batch = decodeBatch(await fetcher.getBatch(batch.prev));
    return body;
  }
}
