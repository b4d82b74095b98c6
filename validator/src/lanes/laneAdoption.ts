/**
 * How the own lane goes on behind batches that these votes do not know, because the home was lost or comes from a copy. Of
 * what a decided cut holds the name is enough: execution fetches what it needs, and of older rounds the others delete the
 * bodies. Of what they hold beyond the cut the bodies must be here, since nobody acknowledges the next batch without them.
 */
import type { Place } from "../../../protocol/src/agreement/lanes/index.ts";
import { type AvailabilityCert, decodeBatch } from "../../../protocol/src/agreement/rounds.ts";
import { equalBytes } from "../../../protocol/src/bytes/bytes.ts";
import type { AuthoredBatch, Votes } from "../rounds/votes.ts";
import type { AckGatherer } from "./ackGatherer.ts";
import type { BatchFetcher } from "./batchFetcher.ts";
import type { Lane } from "./lane.ts";

export type LaneAdoptionOptions = {
  readonly self: Uint8Array;
  /** Where the newest decided cut has left the own lane. */
  readonly end: Place;
};
export type LaneAdoptionModules = {
  readonly votes: Pick<Votes, "adoptBatch" | "lastBatch">;
  readonly fetcher: Pick<BatchFetcher, "getBatch">;
  readonly acks: Pick<AckGatherer, "request">;
  /** Asked for when it is needed. */
  readonly lane: () => Pick<Lane, "adopt">;
};

export class LaneAdoption {
  readonly #self: Uint8Array;
  readonly #modules: LaneAdoptionModules;
  #end: Place;

  constructor({ self, end }: LaneAdoptionOptions, modules: LaneAdoptionModules) {
    this.#self = self;
    this.#modules = modules;
    this.#end = end;
  }

  /** A round was decided with this cut. */
  onCut(cut: readonly Pick<AvailabilityCert, "lane" | "seq" | "digest">[]): void {
    const entry = cut.find(({ lane }) => equalBytes(lane, this.#self));
    if (entry !== undefined && entry.seq > this.#end.seq)
      this.#end = { seq: entry.seq, digest: entry.digest };
  }

  /**
   * Goes on behind a batch of a higher number than the votes know.
   * @throws CodedError "stopped" where the validator ends before all bodies are here.
   */
  async adopt(place: AuthoredBatch): Promise<void> {
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
