/**
 * Follows finalized rounds: by gossip, and by asking a validator when gossip is silent. It keeps the newest certified
 * round and the seeds of the present and the last epoch; nobody's clock decides anything but how long the next one
 * will take.
 */
import type { ValidatorSet } from "../../../protocol/src/agreement/certificates.ts";
import {
  decodeSignedAnnouncement,
  MAX_ANNOUNCEMENT_BYTES,
  type RoundAnnouncement,
} from "../../../protocol/src/agreement/rounds.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { epochOfRound } from "../../../protocol/src/network/parameters.ts";
import { SYNC_PROTOCOL } from "../../../protocol/src/wire/receipts.ts";
import { isCodedError } from "../host/codedError.ts";
import type { Clock, GossipVerdict, Log, Network } from "../host/types.ts";
import { type AnnouncementReason, judgeAnnouncement, type RoundJudge } from "./announcement.ts";
import type { RoundHeard } from "./events.ts";
import type { SetFollower } from "./setFollower.ts";
import type { ValidatorLinks } from "./validatorLinks.ts";

/** The newest certified round, and when this hotspot heard of it. `epoch`: of the round that comes next. */
export type NewestRound = RoundHeard & { readonly heardAtMs: number };

/** A round and when it was the newest: what the present one is estimated from while none is heard. */
export type RoundAnchor = { readonly round: number; readonly heardAtMs: number };
export type RoundFollowerOptions = {
  readonly judge: RoundJudge;
  readonly roundsTopic: string;
  /** What an earlier process knew, or null. */
  readonly anchor: RoundAnchor | null;
};
export type RoundFollowerModules = {
  readonly network: Pick<Network, "onGossip" | "request" | "disconnect">;
  readonly links: Pick<ValidatorLinks, "connected" | "onConnected">;
  /** Asked for the set of an epoch whose rounds cannot be judged yet. */
  readonly setFollower: Pick<SetFollower, "want" | "onRound">;
  readonly clock: Clock;
  readonly log: Log;
};

/** What became of an announcement. `unknown_set`: it cannot be judged yet, or not any more. */
export const ANNOUNCEMENT_OUTCOMES = ["new_round", "known", "unknown_set", "refused"] as const;
export type AnnouncementOutcome = (typeof ANNOUNCEMENT_OUTCOMES)[number];

/** Gossip is given this many rounds before a validator is asked. */
const SILENT_ROUNDS = 2;
/** Beyond this many rounds without news, rounds are out of reach. */
const STALE_ROUNDS = 10;
/** A question costs both sides a millisecond; at short rounds it is not asked more often than this. */
const LEAST_POLL_MS = 500;
const POLL_TIMEOUT_MS = 5_000;
/** Seeds are kept of this many epochs: reports may be of the present or the last one. */
const EPOCHS_KEPT = 2;

export class RoundFollower {
  readonly #options: RoundFollowerOptions;
  readonly #modules: RoundFollowerModules;
  readonly #callbacks = new Set<(round: NewestRound) => void>();
  /** Epoch -> validator's place in the set -> the seed that it announced first, in hexadecimal. */
  readonly #seedVotes = new Map<number, Map<number, string>>();
  readonly #seeds = new Map<number, Uint8Array>();
  readonly #counts: Record<AnnouncementOutcome, number> = {
    new_round: 0,
    known: 0,
    unknown_set: 0,
    refused: 0,
  };
  #newest: NewestRound | null = null;
  #heardAfterMs = 0;
  #lacksSet = false;
  #polling = false;
  #pollTurn = 0;
  #stopPolling: (() => void) | null = null;

  constructor(options: RoundFollowerOptions, modules: RoundFollowerModules) {
    this.#options = options;
    this.#modules = modules;
  }

  start(signal: AbortSignal): void {
    const { network, links, clock } = this.#modules;
    network.onGossip(this.#options.roundsTopic, (_, data) => this.#receive(data));
    links.onConnected(() => void this.#poll(signal));
    const periodMs = Math.max(LEAST_POLL_MS, this.#roundMs);
    this.#stopPolling = clock.every(periodMs, () => {
      if (this.ageMs() > SILENT_ROUNDS * this.#roundMs) void this.#poll(signal);
    });
  }

  stop(): void {
    this.#stopPolling?.();
    this.#stopPolling = null;
  }

  /** Calls back for each new newest round, in rising order; rounds may be missing between. */
  onRound(callback: (round: NewestRound) => void): void {
    this.#callbacks.add(callback);
  }

  newest(): NewestRound | null {
    return this.#newest;
  }

  /** The seed of an epoch, once enough validators have said the same that one of them is honest. */
  seedOf(epoch: number): Uint8Array | null {
    return this.#seeds.get(epoch) ?? null;
  }

  /** Milliseconds since the newest round was heard; Infinity before the first. */
  ageMs(): number {
    return this.#newest === null
      ? Number.POSITIVE_INFINITY
      : this.#modules.clock.elapsedMs() - this.#heardAfterMs;
  }

  /** Whether rounds are in reach: the last one was heard a short while ago. */
  isFresh(): boolean {
    return this.ageMs() <= Math.max(STALE_ROUNDS * this.#roundMs, POLL_TIMEOUT_MS);
  }

  /** The round that is probably the newest now, by the rounds' planned pace; null where none was ever heard. */
  estimateRound(): number | null {
    if (this.#newest !== null) return this.#newest.round + Math.floor(this.ageMs() / this.#roundMs);
    const { anchor } = this.#options;
    if (anchor === null) return null;
    // Another process has left it: between the two only the wall clock went on.
    const sinceMs = Math.max(0, this.#modules.clock.nowMs() - anchor.heardAtMs);
    return anchor.round + Math.floor(sinceMs / this.#roundMs);
  }

  /**
   * The epoch that a report of now belongs to: the newest round's while rounds are in reach, and an estimate while they
   * are not, so that what is heard during an outage can still count when it ends. Null where no round was ever heard.
   */
  estimateEpoch(): number | null {
    if (this.#newest !== null && this.isFresh()) return this.#newest.epoch;
    const round = this.estimateRound();
    return round === null ? null : epochOfRound(this.#options.judge.parameters, round + 1);
  }

  /** Milliseconds until a round will probably be the newest; 0 where it is past, null before the first round. */
  estimateMsUntil(round: number): number | null {
    if (this.#newest === null) return null;
    return Math.max(0, (round - this.#newest.round) * this.#roundMs - this.ageMs());
  }

  /** Whether rounds are heard that cannot be judged: nobody has shown yet which validators decide them. */
  lacksSet(): boolean {
    return this.#lacksSet;
  }

  /** How announcements were judged so far. */
  counts(): Readonly<Record<AnnouncementOutcome, number>> {
    return this.#counts;
  }

  get #roundMs(): number {
    return this.#options.judge.parameters.roundMs;
  }

  #receive(bytes: Uint8Array): GossipVerdict {
    const outcome = this.#judge(bytes);
    switch (outcome) {
      case "new_round":
      case "known":
      case "unknown_set":
        this.#counts[outcome]++;
        return outcome === "new_round" ? "accept" : "ignore";
      case "unknown_validator":
        this.#counts.refused++;
        return "ignore";
      default:
        this.#counts.refused++;
        return "reject";
    }
  }

  #judge(bytes: Uint8Array): "new_round" | "known" | AnnouncementReason {
    const signed = decodeSignedAnnouncement(bytes);
    if (signed === null) return "malformed";
    const { round, epoch } = signed.announcement;
    // Before any signature: most announcements are another validator's of a round that is known already.
    const isNew = this.#newest === null || round > this.#newest.round;
    if (!isNew && this.#seeds.has(epoch)) return "known";
    if (!isNew && epoch < this.#newest!.epoch) return "known";
    const judged = judgeAnnouncement(this.#options.judge, signed);
    if (!judged.ok) {
      if (judged.reason === "unknown_set") {
        this.#lacksSet = true;
        this.#modules.setFollower.want(epoch);
      }
      return judged.reason;
    }
    this.#countSeed(judged.validator, judged.set, judged.announcement);
    if (isNew) this.#advance({ round, epoch, timeMs: judged.announcement.timeMs });
    return "new_round";
  }

  /** One honest validator among f + 1 makes a seed true; a certificate covers the round, not the seed. */
  #countSeed(validator: number, set: ValidatorSet, { epoch, seed }: RoundAnnouncement): void {
    const votes = this.#seedVotes.get(epoch) ?? new Map<number, string>();
    const text = encodeHex(seed);
    if (!votes.has(validator)) votes.set(validator, text);
    this.#seedVotes.set(epoch, votes);
    const faulty = set.keys.length - set.quorum;
    const agreeing = [...votes.values()].filter((vote) => vote === text).length;
    if (agreeing > faulty && !this.#seeds.has(epoch)) this.#seeds.set(epoch, seed);
  }

  #advance(heard: RoundHeard): void {
    this.#lacksSet = false;
    this.#heardAfterMs = this.#modules.clock.elapsedMs();
    this.#newest = { ...heard, heardAtMs: this.#modules.clock.nowMs() };
    for (const map of [this.#seeds, this.#seedVotes]) {
      for (const epoch of map.keys()) if (epoch <= heard.epoch - EPOCHS_KEPT) map.delete(epoch);
    }
    this.#modules.setFollower.onRound(heard.round);
    for (const callback of this.#callbacks) callback(this.#newest);
  }

  async #poll(signal: AbortSignal): Promise<void> {
    const peers = this.#modules.links.connected();
    if (this.#polling || peers.length === 0) return;
    this.#polling = true;
    const peer = peers[this.#pollTurn++ % peers.length]!;
    try {
      const answer = await this.#modules.network.request(peer.peerId, SYNC_PROTOCOL, new Uint8Array(0), {
        maxAnswerBytes: MAX_ANNOUNCEMENT_BYTES,
        timeoutMs: POLL_TIMEOUT_MS,
        signal,
      });
      this.#receive(answer);
    } catch (error) {
      // A validator that connects and does not answer is as good as gone; its link is dialled anew.
      if (isCodedError(error, "request_timeout")) await this.#modules.network.disconnect(peer.peerId);
      this.#modules.log.debug("A validator did not say its newest round", { error: String(error) });
    } finally {
      this.#polling = false;
    }
  }
}
