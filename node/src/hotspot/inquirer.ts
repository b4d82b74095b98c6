/**
 * Asks validators what became of envelopes: at first who admitted each, then everybody in turn, since what one answers is
 * not signed, and it may lie, be behind or be silent. No round is believed that was not heard.
 */
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { MAX_ENVELOPES_PER_PARCEL } from "../../../protocol/src/wire/envelope.ts";
import {
  encodeStatusQuery,
  type MessageStatus,
  RECEIPT_PROTOCOL,
  STATUS_ANSWER_MAX_BYTES,
} from "../../../protocol/src/wire/receipts.ts";
import type { Clock, Log, Network, PeerRef } from "../host/types.ts";
import { type Delivery, hasToldAll, submitAgainIfOverdue, takeStatus } from "./delivery.ts";
import type { HotspotEmitter } from "./events.ts";
import { readStatuses } from "./receipt.ts";
import type { RoundFollower } from "./roundFollower.ts";
import type { Spool } from "./spool.ts";
import type { ValidatorLinks } from "./validatorLinks.ts";

/** As for a receipt: who takes longer is not the one to wait for. */
export const ANSWER_TIMEOUT_MS = 5_000;

export type InquirerOptions = {
  /** Between two questions about one envelope. */
  readonly pauseMs: number;
  /** `witnessWindowRounds`: an envelope that is in none of the first quarter's is submitted anew. */
  readonly windowRounds: number;
};
export type InquirerModules = {
  readonly spool: Pick<Spool, "settle">;
  readonly network: Pick<Network, "request">;
  readonly links: Pick<ValidatorLinks, "connected">;
  readonly follower: Pick<RoundFollower, "newest">;
  readonly clock: Pick<Clock, "elapsedMs">;
  readonly log: Log;
  readonly events: HotspotEmitter;
  /** How many the network has. */
  readonly countValidators: () => number;
  /** Told when envelopes are to be submitted anew. */
  readonly onOverdue: () => void;
};

export class Inquirer {
  readonly #options: InquirerOptions;
  readonly #modules: InquirerModules;
  #turn = 0;

  constructor(options: InquirerOptions, modules: InquirerModules) {
    this.#options = options;
    this.#modules = modules;
  }

  /** Asks about each of these once; settles when every validator that is asked has answered or is given up. */
  async ask(asked: readonly Delivery[], signal: AbortSignal): Promise<void> {
    const { clock, links } = this.#modules;
    const peers = links.connected();
    if (asked.length === 0 || peers.length === 0) return;
    for (const delivery of asked) delivery.askAtMs = clock.elapsedMs() + this.#options.pauseMs;
    const turn = this.#turn++ % peers.length;
    const inTurn = [...peers.slice(turn), ...peers.slice(0, turn)];
    const batches = Map.groupBy(asked, (delivery) => findPeer(inTurn, delivery));
    await Promise.all(
      [...batches].map(([peer, batch]) => (peer === undefined ? null : this.#askOne(peer, batch, signal))),
    );
  }

  async #askOne(peer: PeerRef, asked: readonly Delivery[], signal: AbortSignal): Promise<void> {
    for (let i = 0; i < asked.length && !signal.aborted; i += MAX_ENVELOPES_PER_PARCEL) {
      const batch = asked.slice(i, i + MAX_ENVELOPES_PER_PARCEL);
      const statuses = await this.#query(peer, batch, signal);
      for (const delivery of batch) this.#take(delivery, peer, statuses?.get(encodeHex(delivery.id)));
    }
  }

  /** The states that a validator names, by id in hexadecimal; null where it names none. */
  async #query(peer: PeerRef, batch: readonly Delivery[], signal: AbortSignal) {
    const { network, log } = this.#modules;
    const ids = batch.map(({ id }) => id);
    try {
      const answer = await network.request(peer.peerId, RECEIPT_PROTOCOL, encodeStatusQuery(ids), {
        maxAnswerBytes: STATUS_ANSWER_MAX_BYTES,
        timeoutMs: ANSWER_TIMEOUT_MS,
        signal,
      });
      return readStatuses(ids, answer);
    } catch (error) {
      log.debug("A validator did not say what became of reports", { error: String(error) });
      return null;
    }
  }

  #take(delivery: Delivery, { peerId }: PeerRef, status: MessageStatus | undefined): void {
    const { follower, onOverdue } = this.#modules;
    delivery.wasAsked = true;
    const newest = follower.newest();
    if (newest === null) return;
    // Of a round that was not heard yet the next answers will tell, if there is one.
    const isIncluded = status?.state === "included" && status.round <= newest.round;
    if (isIncluded) this.#include(delivery, peerId, status);
    else if (delivery.state === "included") return;
    else if (submitAgainIfOverdue(delivery, newest.round, this.#options.windowRounds)) onOverdue();
  }

  #include(delivery: Delivery, peerId: string, status: MessageStatus): void {
    const { countValidators, events, spool } = this.#modules;
    const { id, kinds } = delivery;
    const wasIncluded = delivery.state === "included";
    const known = takeStatus(delivery, peerId, status, countValidators());
    const isNew = delivery.state === "included" && !wasIncluded;
    if (isNew) events.emit("included", { id, round: delivery.includedRound!, kinds });
    for (const index of known) {
      events.emit("verdict", { id, index, kind: kinds[index]!, reason: delivery.verdicts[index]! });
    }
    if (isNew) spool.settle(id);
  }
}

/** Who knows first, of what was not asked about yet; then the next one that may have something to add, if one has. */
function findPeer(inTurn: readonly PeerRef[], delivery: Delivery): PeerRef | undefined {
  const { receipts, wasAsked } = delivery;
  const admitter = wasAsked ? undefined : inTurn.find(({ peerId }) => receipts.has(peerId));
  return admitter ?? inTurn.find(({ peerId }) => !hasToldAll(delivery, peerId));
}
