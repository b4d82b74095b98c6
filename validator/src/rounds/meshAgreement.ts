/**
 * Agreement of several validators: one instance a round, begun when B0 allows it, fed with what the others say, and
 * followed by the next once it is decided. Whoever falls behind catches up by final certificates instead.
 */
import type { Clock, Log } from "../../../node/src/host/types.ts";
import type { VerifySignature } from "../../../protocol/src/agreement/certificates.ts";
import type { DropReason } from "../../../protocol/src/agreement/drops.ts";
import { computeLeaders } from "../../../protocol/src/agreement/leaders.ts";
import { toFinalCert } from "../../../protocol/src/agreement/peerMessages.ts";
import {
  type Evidence,
  encodeFinalCert,
  type FinalCert,
  type SignedTips,
} from "../../../protocol/src/agreement/rounds.ts";
import { type Certificate, createEd25519Scheme } from "../../../protocol/src/agreement/simplex/index.ts";
import { equalBytes } from "../../../protocol/src/bytes/bytes.ts";
import type { SigningDomains } from "../../../protocol/src/crypto/domain.ts";
import { epochOfRound, type Parameters } from "../../../protocol/src/network/parameters.ts";
import type { AvailabilityBook } from "../lanes/availability.ts";
import type { Mesh, PeerName } from "../mesh/mesh.ts";
import type { Signer } from "../signer.ts";
import { toError } from "../toError.ts";
import type { Agreement, Executed, Finalized } from "./agreement.ts";
import { type Beginning, beginRetryMs, computeBeginDelayMs, makeTips } from "./beginning.ts";
import { CatchUp } from "./catchUp.ts";
import { type AgreementMessage, KeptMessages, roundOf } from "./keptMessages.ts";
import { RoundInstance } from "./roundInstance.ts";
import type { KnownSets } from "./validatorSets.ts";
import type { Votes } from "./votes.ts";

/** Two message delays without a decision are a standstill (B7); what the core does not repeat is repeated here. */
const STANDSTILL_DELAYS = 2;
const VALUE_RETRY_MS = 250;
/** Who has no seat asks this often a round what was decided, so that it is at most half a round behind. */
const FOLLOWS_PER_ROUND = 2;

export type MeshAgreementOptions = {
  readonly parameters: Parameters;
  readonly domains: SigningDomains;
  readonly genesisTimeMs: number;
  readonly last: Finalized | null;
  /** d: the delay within which most messages arrive. */
  readonly delayMs: number;
};
export type MeshAgreementModules = {
  readonly clock: Clock;
  readonly log: Log;
  readonly mesh: Mesh;
  readonly sets: KnownSets;
  readonly votes: Pick<Votes, "recordJournal" | "journalOf" | "recordDecided">;
  readonly signer: Signer;
  readonly verify: VerifySignature;
  readonly availability: AvailabilityBook;
  readonly executed: () => Executed | null;
  readonly backlog: () => number;
  /** An epoch's seed, or null while execution has not come to it. */
  readonly seedOf: (epoch: number) => Uint8Array | null;
  readonly hasRewardCert: (epoch: number) => boolean;
  /** Whether this validator may sign in a round: not where it may have signed already and does not know it. */
  readonly maySign: (round: number) => boolean;
  readonly onSigning: (round: number) => void;
  readonly onFinalized: (finalized: Finalized) => void;
  /** A round was decided in a view after the first: so many leaders were passed over. */
  readonly onViewChanges: (views: number) => void;
  /** Takes what a validator said earlier, at whose cost it is judged. */
  readonly hear: (from: PeerName, take: () => void) => void;
  /** What a leader's value should hold against others. */
  readonly listEvidence: (round: number) => readonly Evidence[];
  readonly onEvidence: (evidence: Evidence) => void;
  readonly onDropped: (message: AgreementMessage["type"], reason: DropReason) => void;
  readonly mayPropose: () => boolean;
  readonly onFailure: (error: Error) => void;
};

/** `isFollowing`: without a vote in the next round, for want of a seat or because of what it may have signed before. */
export type AgreementStanding = {
  readonly round: number;
  readonly view: number;
  readonly isCatchingUp: boolean;
  readonly isFollowing: boolean;
};

export type MeshAgreement = Agreement & {
  readonly onMessage: (from: PeerName, message: AgreementMessage) => void;
  /** A certificate of availability, an executed round or a reward certificate came: what waited for it goes on. */
  readonly onProgress: () => void;
  /** A value of the current or the last round by its digest's name. */
  readonly valueOf: (name: string) => Uint8Array | null;
  /** Where it stands, for those who look. */
  readonly describe: () => AgreementStanding;
  /** How many of the rounds that a validator claims to have decided it shows; see `CatchUp`. */
  readonly showRounds: (peer: PeerName, claimed: number) => Promise<number | null>;
  /** The newest tips that are held of a validator: what it signed last, as far as this one knows. */
  readonly tipsOf: (key: Uint8Array) => SignedTips | null;
};

export function createMeshAgreement(
  options: MeshAgreementOptions,
  modules: MeshAgreementModules,
): MeshAgreement {
  return new AgreementOverMesh(options, modules);
}

class AgreementOverMesh implements MeshAgreement {
  #options: MeshAgreementOptions;
  #modules: MeshAgreementModules;
  #last: Finalized | null;
  /** The instance of the round after the last decided one; null before there is a seed for it. */
  #instance: RoundInstance | null = null;
  /** The decided instance before it, which answers those who are still in its round (B6). */
  #previous: RoundInstance | null = null;
  #catchUp: CatchUp;
  /** B8: of the next rounds a little is kept of everyone. */
  readonly #next = new KeptMessages();
  #lastTipsAtMs = 0;
  #cancelBegin: (() => void) | null = null;
  #cancelStandstill: (() => void) | null = null;
  #decidedSinceTick = false;
  /** To whom a status was sent within the last d, and when. */
  #statusAtMs = new Map<PeerName, number>();
  /** Whose turn it is to be asked by a follower. */
  #followed = 0;
  #isRunning = false;

  constructor(options: MeshAgreementOptions, modules: MeshAgreementModules) {
    this.#options = options;
    this.#modules = modules;
    this.#last = options.last;
    const own = options.last?.value.tips.find(({ tips }) =>
      equalBytes(tips.validator, modules.signer.publicKey),
    );
    this.#lastTipsAtMs = own?.tips.timeMs ?? 0;
    const { domains } = options;
    const { sets, mesh, verify, clock, log, backlog } = modules;
    const nextRound = () => this.#nextRound();
    const adopt = (rounds: readonly Finalized[]) => this.#adopt(rounds);
    this.#catchUp = new CatchUp({ domains }, { sets, mesh, verify, clock, log, nextRound, backlog, adopt });
  }

  start = (): void => {
    this.#isRunning = true;
    const periodMs = STANDSTILL_DELAYS * this.#options.delayMs;
    this.#cancelStandstill = this.#modules.clock.every(periodMs, () => this.#onStandstill());
    this.#begin();
  };

  stop = (): void => {
    this.#isRunning = false;
    this.#cancelBegin?.();
    this.#cancelStandstill?.();
    this.#catchUp.stop();
    this.#instance?.stop();
    this.#previous?.stop();
  };

  newestRound = (): number => this.#last?.round ?? -1;

  describe = () => ({
    round: this.#nextRound(),
    view: this.#instance?.view ?? 0,
    isCatchingUp: this.#catchUp.isRunning,
    isFollowing: this.#isFollowing(),
  });

  showRounds = (peer: PeerName, claimed: number) => this.#catchUp.show(peer, claimed);

  tipsOf = (key: Uint8Array): SignedTips | null =>
    this.#next.tipsOf(key) ?? this.#instance?.tipsOf(key) ?? this.#previous?.tipsOf(key) ?? null;

  valueOf = (name: string): Uint8Array | null =>
    this.#instance?.valueOf(name) ?? this.#previous?.valueOf(name) ?? null;

  onProgress = (): void => {
    if (!this.#isRunning) return;
    this.#instance?.onAvailability();
    this.#begin();
  };

  onMessage = (from: PeerName, message: AgreementMessage): void => {
    if (!this.#isRunning) return;
    if (message.type === "status") {
      this.#onStatus(from, message.status.rounds - 1);
      return;
    }
    const { onDropped } = this.#modules;
    const round = roundOf(message);
    const next = this.#nextRound();
    if (round === next && this.#instance !== null) this.#instance.onMessage(from, message);
    else if (round === next || round === next + 1) {
      for (const { type } of this.#next.keep(from, message)) onDropped(type, "full");
    } else if (round > next) {
      onDropped(message.type, "far_ahead");
      this.#catchUp.from(from);
    } else if (round === this.#previous?.round) this.#previous.onMessage(from, message);
    else {
      onDropped(message.type, "past");
      this.#sendStatus(from);
    }
  };

  #nextRound(): number {
    return this.newestRound() + 1;
  }

  /** Whether the next round's set is known and has no seat for this validator, or it must not use the one that it has. */
  #isFollowing(): boolean {
    const { sets, signer, maySign } = this.#modules;
    const round = this.#nextRound();
    const set = sets.setOfRound(round);
    return set !== null && (set.positionOf(signer.publicKey) === undefined || !maySign(round));
  }

  /** Without a vote, rounds come as they do to one who is behind: with their certificates, from whoever has them. */
  #follow(): void {
    const { mesh, clock } = this.#modules;
    const peers = mesh.connected();
    const peer = peers[this.#followed++ % Math.max(1, peers.length)];
    if (peer !== undefined) this.#catchUp.from(peer);
    const periodMs = this.#options.parameters.roundMs / FOLLOWS_PER_ROUND;
    this.#cancelBegin = clock.after(periodMs, () => this.#begin());
  }

  /** Makes the next round's instance as soon as its leaders are known, and starts it when B0 allows. */
  #begin(): void {
    if (!this.#isRunning) return;
    this.#instance ??= this.#createInstance();
    const instance = this.#instance;
    if (instance?.isStarted === true) return;
    this.#cancelBegin?.();
    if (instance === null && this.#isFollowing()) {
      this.#follow();
      return;
    }
    const beginning = this.#beginning();
    const waitMs = computeBeginDelayMs(beginning);
    if (instance !== null && waitMs === 0) {
      this.#lastTipsAtMs = this.#modules.clock.nowMs();
      this.#modules.onSigning(instance.round);
      const { availability, signer } = this.#modules;
      instance.start(() => makeTips(beginning, signer.publicKey, availability));
      return;
    }
    const retryMs = beginRetryMs(this.#options.parameters);
    this.#cancelBegin = this.#modules.clock.after(waitMs > 0 ? waitMs : retryMs, () => this.#begin());
  }

  #createInstance(): RoundInstance | null {
    const { parameters, domains, delayMs } = this.#options;
    const { sets, verify, signer } = this.#modules;
    const round = this.#nextRound();
    const set = sets.setOfRound(round);
    const self = set?.positionOf(signer.publicKey);
    if (set === null || self === undefined || this.#isFollowing()) return null;
    // The seed of the epoch before is known once the epoch before that is executed, so agreement waits for no round.
    const seed = this.#modules.seedOf(Math.max(0, epochOfRound(parameters, round) - 1));
    if (seed === null) return null;
    const last = this.#last;
    const validators = set.keys.length;
    const scheme = createEd25519Scheme({ round, set, domains, verify, sign: signer.signMessage });
    const leaders = computeLeaders(seed, round, validators);
    const previous = last === null ? null : { cut: last.value.cut, value: last.cert.value };
    const instance = new RoundInstance(
      {
        round,
        config: { self, validators, leaders, delayMs, scheme },
        context: { round, parameters, sets, domains, verify, previous },
      },
      {
        ...this.#modules,
        previousFinal: () => this.#previousFinal(),
        onDecided: (decided, certificate) => this.#onDecided(decided, certificate),
      },
    );
    this.#instance = instance;
    for (const { from, message } of this.#next.takeAll())
      this.#modules.hear(from, () => this.onMessage(from, message));
    return this.#instance;
  }

  /** The last round's certificate with every FINALIZE that was seen for it: who took part is paid by it. */
  #previousFinal(): FinalCert | null {
    const widened = this.#previous?.round === this.newestRound() ? this.#previous.participation() : null;
    return widened ?? this.#last?.cert ?? null;
  }

  #beginning(): Beginning {
    const { parameters, genesisTimeMs } = this.#options;
    const { clock, executed, hasRewardCert } = this.#modules;
    const nowMs = clock.nowMs();
    // A clock that was set back must not make the next round wait for the old time to come again.
    this.#lastTipsAtMs = Math.min(this.#lastTipsAtMs, nowMs);
    const round = this.#nextRound();
    const lastTipsAtMs = this.#lastTipsAtMs;
    return { parameters, genesisTimeMs, round, nowMs, lastTipsAtMs, executed: executed(), hasRewardCert };
  }

  /** The value may be missing where the certificate came first; it is fetched before the round counts as decided. */
  #onDecided(instance: RoundInstance, certificate: Certificate): void {
    const name = certificate.value!;
    const bytes = instance.valueOf(name);
    if (bytes === null) {
      void this.#fetchDecided(instance, certificate, name);
      return;
    }
    const value = instance.decodedOf(name);
    if (value === null) {
      this.#modules.onFailure(new Error("a quorum decided a value that is none"));
      return;
    }
    const cert = toFinalCert(instance.round, certificate, instance.validators);
    const { round } = instance;
    if (cert.view > 1) this.#modules.onViewChanges(cert.view - 1);
    this.#adopt([{ round, value, valueBytes: bytes, cert, certBytes: encodeFinalCert(cert) }]);
  }

  async #fetchDecided(instance: RoundInstance, certificate: Certificate, name: string): Promise<void> {
    while (this.#isRunning && this.#instance === instance) {
      if (await instance.fetchValue(name)) {
        if (this.#instance === instance) this.#onDecided(instance, certificate);
        return;
      }
      await new Promise<void>((resolve) => this.#modules.clock.after(VALUE_RETRY_MS, resolve));
    }
  }

  /**
   * Takes decided rounds in order, durable first; what is decided already is passed over. Where the disk fails in the middle
   * of it, some are decided and not passed on, so nothing goes on: the next start takes them up.
   */
  #adopt(rounds: readonly Finalized[]): boolean {
    const fresh = rounds.filter(({ round }) => round >= this.#nextRound());
    if (!this.#isRunning || fresh.length === 0 || fresh[0]!.round !== this.#nextRound()) return false;
    try {
      const decided = fresh.map(({ round, valueBytes: value, certBytes: cert }) => ({ round, value, cert }));
      this.#modules.votes.recordDecided(decided);
      for (const finalized of fresh) this.#advance(finalized);
      this.#begin();
      return true;
    } catch (error) {
      this.stop();
      this.#modules.onFailure(toError(error));
      return false;
    }
  }

  #advance(finalized: Finalized): void {
    // Who was early waits half of that the next time, so that all send their tips at once and a round is short.
    const leadMs = Math.min(this.#instance?.tips.leadMs ?? 0, this.#options.parameters.roundMs);
    this.#lastTipsAtMs += Math.floor(leadMs / 2);
    this.#previous?.stop();
    this.#instance?.rest();
    this.#previous = this.#instance;
    this.#instance = null;
    this.#last = finalized;
    this.#decidedSinceTick = true;
    this.#next.forget(finalized.round);
    this.#modules.availability.onCut(
      finalized.value.cut,
      epochOfRound(this.#options.parameters, this.#nextRound()),
    );
    this.#modules.onFinalized(finalized);
  }

  /** B7 for what the core does not hold: own tips, certificates of availability, and where this validator stands. */
  #onStandstill(): void {
    if (this.#decidedSinceTick) {
      this.#decidedSinceTick = false;
      return;
    }
    const { mesh, availability } = this.#modules;
    this.#instance?.sendTips();
    for (const cert of availability.newest(epochOfRound(this.#options.parameters, this.#nextRound())))
      mesh.broadcast({ type: "availability", cert });
    mesh.broadcast({ type: "status", status: this.#status() });
  }

  #status() {
    return { round: this.#nextRound(), view: this.#instance?.view ?? 0, rounds: this.#nextRound() };
  }

  #onStatus(from: PeerName, theirs: number): void {
    if (theirs > this.newestRound()) this.#catchUp.from(from);
    else if (theirs < this.newestRound()) this.#sendStatus(from);
  }

  /** Tells one who is behind, once a standstill at most: it then fetches what it misses. */
  #sendStatus(to: PeerName): void {
    const atMs = this.#modules.clock.elapsedMs();
    for (const [name, sentAtMs] of this.#statusAtMs)
      if (atMs - sentAtMs >= this.#options.delayMs) this.#statusAtMs.delete(name);
    if (this.#statusAtMs.has(to)) return;
    this.#statusAtMs.set(to, atMs);
    this.#modules.mesh.send(to, { type: "status", status: this.#status() });
  }
}
