/**
 * Guards against an own past that this home does not know. What a validator signed is durable before it leaves, so its
 * votes know all of it, unless they were restored from a backup or lost. So it first hears from the others what they
 * hold of its word; where that is more than its votes know, it signs for no round up to one beyond the highest that any
 * of a quorum of the others is in, and continues its lane behind what they hold. Every decided round is looked at as
 * well, those that the others have decided by then before the first signature. Who has no seat has nothing to sign, and
 * asks nobody until it has one.
 *
 * One of the others alone may have seen its last votes, so the highest claim counts and not one that several make. A liar
 * could make it wait for ever with a claim, were it not that whoever has decided a round can show its certificate.
 */
import { CodedError } from "../../../node/src/host/codedError.ts";
import type { Clock, Log } from "../../../node/src/host/types.ts";
import type { VerifySignature } from "../../../protocol/src/agreement/certificates.ts";
import {
  decodeBitmap,
  encodeBatchBody,
  encodeTips,
  type FinalCert,
  type SignedTips,
} from "../../../protocol/src/agreement/rounds.ts";
import { decodeStanding, type Standing } from "../../../protocol/src/agreement/standing.ts";
import { equalBytes } from "../../../protocol/src/bytes/bytes.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { type SigningDomains, signingMessage } from "../../../protocol/src/crypto/domain.ts";
import { sha256 } from "../../../protocol/src/crypto/sha256.ts";
import type { LaneAdoption } from "../lanes/laneAdoption.ts";
import type { Mesh, PeerName } from "../mesh/mesh.ts";
import { toError } from "../toError.ts";
import type { Finalized } from "./agreement.ts";
import type { KnownSets } from "./validatorSets.ts";
import type { Votes } from "./votes.ts";

/** Who could not show a claim so many times, some round trips apart, is not believed. */
const TRIES_TO_SHOW = 3;

export type RestoreGuardOptions = {
  readonly self: Uint8Array;
  readonly domains: SigningDomains;
  /** How long to wait before those who did not answer are asked again. */
  readonly retryMs: number;
  /** Whether the votes are known to come from a backup, so that nobody need find it out. */
  readonly isMarkedRestored?: boolean;
};
export type RestoreGuardModules = {
  readonly mesh: Pick<Mesh, "connected" | "fetch">;
  readonly sets: Pick<KnownSets, "setOfRound">;
  readonly votes: Pick<Votes, "voteOf" | "lowestRound">;
  readonly verify: VerifySignature;
  readonly clock: Clock;
  readonly log: Log;
  /** The round after the newest decided one. */
  readonly nextRound: () => number;
  /** How many of the rounds that a validator claims to have decided it shows, as `CatchUp` tells. */
  readonly showRounds: (name: PeerName, claimed: number) => Promise<number | null>;
  /** The own lane, as far as others hold more of it than the votes know. */
  readonly lane: Pick<LaneAdoption, "isUnknown" | "isBehind" | "extend">;
  /** What was forbidden may be allowed now. */
  readonly onProgress: () => void;
  /** The votes are older than what others hold; told once. */
  readonly onRestored: () => void;
  /** The first signature of this process is about to be made: from it on the votes know all that is signed. */
  readonly onFirstSigning?: () => void;
  readonly onFailure: (error: Error) => void;
};

export class RestoreGuard {
  readonly #options: RestoreGuardOptions;
  readonly #modules: RestoreGuardModules;
  /** The newest answers of this question. */
  #heard = new Map<PeerName, Heard>();
  /** How often a validator could not show what it claims. */
  readonly #unshown = new Map<PeerName, number>();
  #isSettled = false;
  #isRestored = false;
  #isMarked: boolean;
  /** The first round to sign for; what is signed before it may be another process's. */
  #signsFrom = 0;
  /** The round that a quorum was in when it was settled. */
  #reached = 0;
  /** The round of the newest own tips that were shown and the votes do not know, or -1. */
  #shownTipsRound = -1;
  /** The first round that this process signed in. */
  #firstSigned: number | null = null;
  #cancel: (() => void) | null = null;
  #isStopped = false;

  constructor(options: RestoreGuardOptions, modules: RestoreGuardModules) {
    this.#options = options;
    this.#modules = modules;
    this.#isMarked = options.isMarkedRestored ?? false;
  }

  start(): void {
    this.#ask();
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel?.();
  }

  maySign(round: number): boolean {
    return this.#isSettled && round >= this.#signsFrom;
  }

  /** Whether the own lane's next number is known to be free. */
  mayAuthor(): boolean {
    return this.#isSettled && !this.#modules.lane.isBehind();
  }

  /** The first round that the past which this home does not know cannot have seen decided; null until that is known. */
  freshRound(): number | null {
    return this.#isSettled ? this.#reached + 1 : null;
  }

  /** Why it does not sign now, in words; null where it does, and where it has no seat to sign for. */
  describe(): string | null {
    const round = this.#modules.nextRound();
    const set = this.#modules.sets.setOfRound(round);
    const isUnseated = set !== null && set.positionOf(this.#options.self) === undefined;
    if (this.maySign(round) || isUnseated) return null;
    if (!this.#isRestored)
      return "it has not heard from a quorum of validators yet what it signed before, or not seen all they decided";
    const until = this.#isSettled
      ? `before round ${this.#signsFrom}`
      : "before a quorum of the others answers";
    return `its votes are older than what other validators hold of it, so it signs nothing ${until}`;
  }

  /**
   * Looks for own signatures in a decided round that the votes know nothing of. In rounds that this process could sign
   * in they are another process's, with the same key.
   */
  onDecided({ round, value, cert }: Finalized): void {
    const own = value.tips.find(({ tips }) => equalBytes(tips.validator, this.#options.self));
    if (own !== undefined && !this.#knowsTips(own)) this.#foundUnknown(round);
    for (const final of [cert, ...value.previousFinal]) {
      if (this.#isSigner(final) && !this.#knows(final.round, final.view, "finalize"))
        this.#foundUnknown(final.round);
    }
    const entry = value.cut.find(({ lane }) => equalBytes(lane, this.#options.self));
    if (entry !== undefined && this.#modules.lane.isUnknown(entry)) {
      this.#foundUnknown(round);
      this.#modules.lane.extend(entry);
    }
  }

  #isSigner({ round, bitmap }: FinalCert): boolean {
    const set = this.#modules.sets.setOfRound(round);
    const position = set?.positionOf(this.#options.self);
    return position !== undefined && (decodeBitmap(bitmap, set!.keys.length)?.includes(position) ?? false);
  }

  /** Below the lowest round that is kept everything is settled and forgotten. */
  #knows(round: number, view: number, kind: "tips" | "finalize"): boolean {
    const { votes } = this.#modules;
    if (votes.voteOf(round, view, kind) !== null) return true;
    const lowest = votes.lowestRound();
    return lowest !== null && round < lowest;
  }

  #knowsTips({ tips }: SignedTips): boolean {
    const known = this.#modules.votes.voteOf(tips.round, 0, "tips");
    if (known === null) return this.#knows(tips.round, 0, "tips");
    return equalBytes(known, sha256(encodeTips(tips)));
  }

  #foundUnknown(round: number): void {
    if (this.#isStopped) return;
    if (this.#hasSignedSince(round)) {
      this.stop();
      const text = `in round ${round} another process signed with this validator's key`;
      this.#modules.onFailure(new CodedError("key_in_use", text));
      return;
    }
    if (this.#isRestored) return;
    this.#isRestored = true;
    this.#isSettled = false;
    this.#heard = new Map();
    this.#modules.log.error(
      "Sign nothing for now: the votes are older than what others hold of this validator",
      {
        round,
      },
    );
    this.#modules.onRestored();
    this.#ask();
  }

  /** Whether a round lies where only this process signs: it was allowed to, and has. */
  #hasSignedSince(round: number): boolean {
    if (!this.maySign(round)) return false;
    const first = this.#firstSigned;
    return first !== null && round >= first;
  }

  /** This process signs in a round. */
  onSigning(round: number): void {
    if (this.#firstSigned !== null) return;
    this.#firstSigned = round;
    this.#modules.onFirstSigning?.();
  }

  /** The others with a seat in the round that is decided next; null as long as this validator has none there. */
  #others(): Others | null {
    const { sets, nextRound } = this.#modules;
    const { self } = this.#options;
    const set = sets.setOfRound(nextRound());
    if (set?.positionOf(self) === undefined) return null;
    const names = set.keys.filter((key) => !equalBytes(key, self)).map(encodeHex);
    return { quorum: set.quorum, faulty: set.keys.length - set.quorum, names };
  }

  #ask(): void {
    this.#cancel?.();
    if (this.#isStopped || this.#isSettled) return;
    const others = this.#others();
    if (others !== null) {
      this.#heedMark(others);
      this.#settleIfHeard();
      const connected = new Set(this.#modules.mesh.connected());
      for (const name of others.names) {
        if (!connected.has(name) || !this.#isAsked(name)) continue;
        this.#heard.delete(name);
        this.#hear(name).catch((error: unknown) => this.#modules.onFailure(toError(error)));
      }
    }
    if (!this.#isSettled) this.#cancel = this.#modules.clock.after(this.#options.retryMs, () => this.#ask());
  }

  /**
   * Votes from a backup are treated as old without anybody having to show it. That takes a quorum without this validator:
   * where there is none, nothing would ever be decided again, and what the others hold of its word must do.
   */
  #heedMark({ quorum, names }: Others): void {
    if (!this.#isMarked || this.#isRestored) return;
    this.#isMarked = false;
    const { log, onRestored } = this.#modules;
    if (quorum > names.length) {
      log.warn("The votes may be old, and there is no quorum without this validator to wait for");
      return;
    }
    this.#isRestored = true;
    log.warn("Sign nothing for now: the votes come from a backup, or of before the home was lost");
    onRestored();
  }

  /**
   * Who was not heard yet; and who has shown a round that is not decided here and is waited for, since it may be the only
   * one that can give it. Restored, it waits for no round that was shown, only for others to be past it.
   */
  #isAsked(name: PeerName): boolean {
    const heard = this.#heard.get(name);
    if (heard === undefined) return true;
    return !this.#isRestored && heard.shown > this.#modules.nextRound();
  }

  async #hear(name: PeerName): Promise<void> {
    const asked = this.#heard;
    const answer = await this.#modules.mesh.fetch(name, { type: "standing" });
    const standing = answer === null ? null : decodeStanding(answer);
    // An answer to a question that was asked anew since speaks of a time before.
    if (standing === null || this.#isStopped || asked !== this.#heard) return;
    this.#judge(name, standing);
    const claimed = standing.rounds;
    const shown = await this.#shownBy(name, claimed);
    if (shown === null || this.#isStopped || asked !== this.#heard) return;
    this.#heard.set(name, { claimed, shown });
    this.#settleIfHeard();
  }

  /** How many of the rounds that a validator claims it has decided; null where it has to be asked again. */
  async #shownBy(name: PeerName, claimed: number): Promise<number | null> {
    const { nextRound, showRounds } = this.#modules;
    if (claimed <= nextRound()) return claimed;
    const shown = await showRounds(name, claimed);
    // What it shows may be as far as sets are known here: the rest is asked for when more of them are.
    if (shown === null || shown >= claimed) return shown;
    if (shown > 0) return null;
    // An honest one may have moved the round from one database to the other at that moment, though hardly every time.
    const unshown = (this.#unshown.get(name) ?? 0) + 1;
    this.#unshown.set(name, unshown);
    return unshown < TRIES_TO_SHOW ? null : 0;
  }

  /** Only what this validator really signed counts: nobody else can make it stop. */
  #judge(name: PeerName, { tips: [signed], batch: [batch] }: Standing): void {
    const { self, domains } = this.#options;
    const { verify, lane, log } = this.#modules;
    if (signed !== undefined && equalBytes(signed.tips.validator, self) && !this.#knowsTips(signed)) {
      const message = signingMessage(domains, "tips", encodeTips(signed.tips));
      if (verify(self, message, signed.signature)) {
        this.#shownTipsRound = Math.max(this.#shownTipsRound, signed.tips.round);
        this.#foundUnknown(signed.tips.round);
      }
    }
    if (batch === undefined || !equalBytes(batch.place.lane, self) || !lane.isUnknown(batch.place)) return;
    if (!verify(self, signingMessage(domains, "batch", encodeBatchBody(batch.place)), batch.signature))
      return;
    this.#foundUnknown(this.#modules.nextRound());
    // It may be the only one that has it, and keep the body to itself.
    log.warn("Go on behind an own batch that a validator shows", { seq: batch.place.seq, validator: name });
    lane.extend(batch.place);
  }

  /**
   * Together with itself a quorum, as long as nothing is missing: in a quorum there is an honest one that took part in
   * whatever was decided. Restored, a quorum without itself, or all where there are fewer.
   */
  #settleIfHeard(): void {
    const others = this.#others();
    if (others === null || this.#isSettled || this.#isStopped) return;
    const { quorum, names } = others;
    const heard = names.flatMap((name) => this.#heard.get(name) ?? []);
    const needed =
      this.#isRestored || this.#doubtsItself(heard) ? Math.min(quorum, names.length) : quorum - 1;
    if (heard.length < needed) return;
    const nextRound = this.#modules.nextRound();
    const reached = Math.max(nextRound, reachedRound(others, heard), ...heard.map(({ shown }) => shown));
    // After two rounds nobody holds its tips any more: decided rounds, which catching up brings, show that it sent any.
    if (!this.#isRestored && nextRound < reached) return;
    this.#isSettled = true;
    this.#reached = reached;
    this.#cancel?.();
    if (this.#isRestored) {
      this.#signsFrom = this.#firstToSign(others, reached);
      this.#modules.log.warn("Sign again behind all that may have been signed before", {
        round: this.#signsFrom,
      });
    }
    this.#modules.onProgress();
  }

  /**
   * The others are in round `reached`; the own votes may have been for it, or for the one after. Where there is no quorum
   * without this validator nobody else can decide these, so it leaves out only what the others can show that it has begun.
   */
  #firstToSign({ quorum, names }: Others, reached: number): number {
    return quorum > names.length ? Math.max(reached, this.#shownTipsRound + 1) : reached + 2;
  }

  /**
   * Empty votes are those of a new validator or of a lost home. While somebody claims rounds that are not decided here,
   * it asks as many as a restored one: a quorum may hold but one honest validator that knows of them, and a single
   * liar must not keep a network from its first round.
   */
  #doubtsItself(heard: readonly Heard[]): boolean {
    const { votes, nextRound } = this.#modules;
    return votes.lowestRound() === null && heard.some(({ claimed }) => claimed > nextRound());
  }
}

/** Whom to hear: the others with a seat, how many are a quorum, and how many of the set may lie. */
type Others = { readonly quorum: number; readonly faulty: number; readonly names: readonly PeerName[] };

/** Rounds that a validator claims to have decided, and that it has shown; `shown` is 0 for one who cannot. */
type Heard = { readonly claimed: number; readonly shown: number };

/**
 * The highest round that at least one honest validator is in by what they claim, whether they can show it or not; 0
 * where too few answered. Who is so far behind that nobody can show it anything any more does not take that for a lie.
 */
const reachedRound = ({ faulty }: Others, heard: readonly Heard[]): number =>
  heard.map(({ claimed }) => claimed).toSorted((a, b) => b - a)[faulty] ?? 0;
