/**
 * Keeps a hotspot's known validator sets ahead of the rounds: in each epoch it asks a validator for the certificate that
 * names the next one's set, and when a round comes whose set is not known, at once. Who was away for long is answered
 * in parts. Whoever answers with nothing, or with what proves nothing, costs a question, and the next one is asked.
 */
import {
  decodeSetsAnswer,
  encodeSetsQuestion,
  MAX_ANSWERED_STEPS,
  MAX_SETS_ANSWER_BYTES,
} from "../../../protocol/src/agreement/setAnswers.ts";
import {
  epochOfRound,
  firstRoundOfEpoch,
  type Parameters,
} from "../../../protocol/src/network/parameters.ts";
import { SYNC_PROTOCOL } from "../../../protocol/src/wire/receipts.ts";
import type { Clock, Log, Network, PeerRef } from "../host/types.ts";
import type { KnownSets } from "./knownSets.ts";
import { computeFraction, type RandomBytes } from "./random.ts";
import type { ValidatorLinks } from "./validatorLinks.ts";

/** An answer's 81 kB over a slow line. */
const ANSWER_TIMEOUT_MS = 10_000;
/** Answers in a row from one peer: 500 changes of the set, more than a month has epochs with. The rest is asked later. */
const MAX_ANSWERS_IN_A_ROW = 64;
const FIRST_PAUSE_MS = 500;
const LAST_PAUSE_MS = 30_000;

export type SetFollowerModules = {
  readonly sets: Pick<KnownSets, "epoch" | "take">;
  readonly network: Pick<Network, "request">;
  readonly clock: Pick<Clock, "elapsedMs">;
  readonly random: RandomBytes;
  readonly log: Log;
};

export class SetFollower {
  readonly #parameters: Parameters;
  readonly #modules: SetFollowerModules;
  /** How far into an epoch this hotspot asks: not all ask in the same moment. */
  readonly #askAfterRounds: number;
  #links: Pick<ValidatorLinks, "connected"> | null = null;
  #signal: AbortSignal | null = null;
  #turn = 0;
  #failures = 0;
  #nextAskAtMs = 0;
  #isAsking = false;
  /** One question at a time: what an answer leads to depends on those before it. */
  #asked: Promise<void> = Promise.resolve();

  constructor(parameters: Parameters, modules: SetFollowerModules) {
    this.#parameters = parameters;
    this.#modules = modules;
    const spreadRounds = parameters.roundsPerEpoch / 2;
    this.#askAfterRounds = Math.floor(spreadRounds * computeFraction(modules.random));
  }

  /** @param links whom to ask. */
  start(links: Pick<ValidatorLinks, "connected">, signal: AbortSignal): void {
    this.#links = links;
    this.#signal = signal;
  }

  /** A round was certified: the next epoch's set is wanted some time after this one's begin. */
  onRound(round: number): void {
    const epoch = epochOfRound(this.#parameters, round);
    const isTime = round >= firstRoundOfEpoch(this.#parameters, epoch) + this.#askAfterRounds;
    if (isTime) this.want(epoch + 1);
  }

  /** Asks a connected validator for the set of an epoch, unless it is known, or a question was asked a moment ago. */
  want(epoch: number): void {
    const { sets, clock } = this.#modules;
    if (epoch <= sets.epoch + 1 || this.#isAsking || clock.elapsedMs() < this.#nextAskAtMs) return;
    const peers = this.#links?.connected() ?? [];
    if (peers.length === 0) return;
    this.#isAsking = true;
    const before = sets.epoch;
    void this.ask(peers[this.#turn++ % peers.length]!).then(() => {
      this.#isAsking = false;
      this.#failures = sets.epoch > before ? 0 : this.#failures + 1;
      const pauseMs = Math.min(LAST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(this.#failures, 10));
      this.#nextAskAtMs = clock.elapsedMs() + pauseMs * (0.5 + 0.5 * computeFraction(this.#modules.random));
    });
  }

  /** Asks one peer for all that is newer than what is known. Never rejects. */
  async ask(peer: PeerRef): Promise<void> {
    this.#asked = this.#asked.then(async () => {
      try {
        await this.#follow(peer);
      } catch (error) {
        this.#modules.log.debug("A peer did not say which validators came after", { error: String(error) });
      }
    });
    await this.#asked;
  }

  async #follow({ peerId }: PeerRef): Promise<void> {
    const { sets, network, log } = this.#modules;
    for (let answers = 0; answers < MAX_ANSWERS_IN_A_ROW; answers++) {
      const bytes = await network.request(peerId, SYNC_PROTOCOL, encodeSetsQuestion(sets.epoch), {
        maxAnswerBytes: MAX_SETS_ANSWER_BYTES,
        timeoutMs: ANSWER_TIMEOUT_MS,
        ...(this.#signal === null ? {} : { signal: this.#signal }),
      });
      const answer = decodeSetsAnswer(bytes);
      const taken = answer === null ? "malformed" : sets.take(answer);
      if (taken !== "advanced" && taken !== "unchanged") {
        log.debug("Refused what a peer says of later validators", { reason: taken });
        return;
      }
      if (taken === "unchanged" || answer!.steps.length < MAX_ANSWERED_STEPS) return;
    }
  }
}
