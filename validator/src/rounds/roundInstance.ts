/**
 * One round's instance of agreement among several: the pure core's effects carried out. Everything that the core asks
 * to persist is durable before anything is sent, and what it asks for (values, timers) comes back to it as events.
 */
import { CodedError } from "../../../node/src/host/codedError.ts";
import type { Clock, Log } from "../../../node/src/host/types.ts";
import { requireSet, type ValidatorSet } from "../../../protocol/src/agreement/certificates.ts";
import type { DropEffect, DropReason } from "../../../protocol/src/agreement/drops.ts";
import { createEvidence, evidenceOfConflict } from "../../../protocol/src/agreement/evidence.ts";
import type { PeerMessage } from "../../../protocol/src/agreement/peerMessages.ts";
import { toFinalCert } from "../../../protocol/src/agreement/peerMessages.ts";
import {
  type Evidence,
  encodeTips,
  type FinalCert,
  type SignedTips,
  type Tips,
  type Value,
} from "../../../protocol/src/agreement/rounds.ts";
import {
  type Certificate,
  computeParticipation,
  createSimplex,
  type Effect,
  type Event,
  type JournalRecord,
  listValueHolders,
  type Message,
  recoverSimplex,
  type SimplexConfig,
  type SimplexState,
  stepSimplex,
} from "../../../protocol/src/agreement/simplex/index.ts";
import type { ValueContext } from "../../../protocol/src/agreement/valueRules.ts";
import { equalBytes } from "../../../protocol/src/bytes/bytes.ts";
import { decodeHex, encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { signingMessage } from "../../../protocol/src/crypto/domain.ts";
import { sha256 } from "../../../protocol/src/crypto/sha256.ts";
import { epochOfRound } from "../../../protocol/src/network/parameters.ts";
import type { AvailabilityBook } from "../lanes/availability.ts";
import type { Mesh, PeerName } from "../mesh/mesh.ts";
import type { Signer } from "../signer.ts";
import { toError } from "../toError.ts";
import { MissingCertificates } from "./missingCertificates.ts";
import { RoundJournal } from "./roundJournal.ts";
import { RoundTips } from "./roundTips.ts";
import { RoundValues } from "./roundValues.ts";
import { buildValue, listUncertified } from "./valueBuilder.ts";
import type { JournalEntry, Vote, Votes } from "./votes.ts";

export type RoundInstanceOptions = {
  readonly round: number;
  readonly config: SimplexConfig;
  readonly context: ValueContext;
};
export type RoundInstanceModules = {
  readonly clock: Clock;
  readonly log: Log;
  readonly mesh: Mesh;
  readonly signer: Signer;
  readonly votes: Pick<Votes, "recordJournal" | "journalOf">;
  readonly availability: AvailabilityBook;
  /** The certificate of the round before with all votes seen for it, for a value of this round. */
  readonly previousFinal: () => FinalCert | null;
  readonly onDecided: (instance: RoundInstance, certificate: Certificate) => void;
  /** What a leader's value should hold against others. */
  readonly listEvidence: (round: number) => readonly Evidence[];
  readonly onEvidence: (evidence: Evidence) => void;
  readonly onDropped: (message: RoundMessage["type"], reason: DropReason) => void;
  readonly mayPropose: () => boolean;
  readonly onFailure: (error: Error) => void;
};

type RoundMessage = Extract<PeerMessage, { type: "tips" | "proposal" | "vote" | "certificate" }>;

export class RoundInstance {
  readonly round: number;
  readonly #options: RoundInstanceOptions;
  readonly #modules: RoundInstanceModules;
  #state: SimplexState;
  readonly #set: ValidatorSet;
  readonly #events: Event[] = [];
  #isStepping = false;
  #isStopped = false;
  readonly tips: RoundTips;
  readonly #values: RoundValues;
  readonly #journal: RoundJournal;
  readonly #missing: MissingCertificates;
  /** Positions of those who signed two tips of the round. */
  readonly #accused = new Set<number>();
  #wantsValue = false;
  #isBuilt = false;
  #cancelView: (() => void) | null = null;
  #cancelStandstill: (() => void) | null = null;

  /** Recovers what the journal has of the round; nothing is sent before `start`. */
  constructor(options: RoundInstanceOptions, modules: RoundInstanceModules) {
    this.#options = options;
    this.#modules = modules;
    this.round = options.round;
    this.#journal = new RoundJournal(options.round, options.config.validators);
    this.#values = new RoundValues(options.context, modules);
    const { sets, parameters } = options.context;
    const epoch = epochOfRound(parameters, options.round);
    this.#missing = new MissingCertificates({ ...modules, epoch, onFound: () => this.#build() });
    this.#set = requireSet(sets, epoch);
    this.tips = new RoundTips(this.#set.quorum, modules.clock.elapsedMs);
    const records = modules.votes.journalOf(options.round).flatMap((entry) => this.#recall(entry));
    const { config } = options;
    this.#state = records.length === 0 ? createSimplex(config) : recoverSimplex(config, records);
  }

  get view(): number {
    return this.#state.view;
  }

  /** The size of the round's set. */
  get validators(): number {
    return this.#options.config.validators;
  }

  get isStarted(): boolean {
    return this.#state.started;
  }

  /** B0: the own tips, made once for the round even across a crash, then the core begins. */
  start(makeTips: () => Tips): void {
    if (this.#state.started || this.#isStopped) return;
    const { self } = this.#options.config;
    try {
      this.tips.start();
      if (this.tips.get(self) === undefined) this.tips.put(self, this.#signTips(makeTips()));
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.sendTips();
    this.#post({ type: "start" });
  }

  /** Sends the own tips, again where nothing is decided yet. */
  sendTips(): void {
    const own = this.tips.get(this.#options.config.self);
    if (own !== undefined && !this.#isStopped) this.#modules.mesh.broadcast({ type: "tips", signed: own });
  }

  onMessage(peer: PeerName, message: RoundMessage): void {
    if (this.#isStopped) return;
    const from = this.#set.positionOf(decodeHex(peer, 32)!);
    const { onDropped } = this.#modules;
    if (from === undefined) {
      onDropped(message.type, "unentitled");
      return;
    }
    switch (message.type) {
      case "tips": {
        const reason = this.#takeTips(message.signed);
        if (reason !== null) onDropped("tips", reason);
        break;
      }
      case "proposal":
        if (message.value !== null) this.#values.keep(from, message.proposal.value, message.value);
        this.#post({ type: "proposal", from, proposal: message.proposal });
        break;
      case "vote":
        this.#post({ type: "vote", from, vote: message.vote });
        break;
      case "certificate":
        this.#post({ type: "certificate", from, certificate: message.certificate });
    }
  }

  /** A certificate came that tips may have waited for. */
  onAvailability(): void {
    this.#build();
  }

  /** A value's encoding by its digest's name, or null. */
  valueOf(name: string): Uint8Array | null {
    return this.#values.encodings.get(name) ?? null;
  }

  /** What a value says, by its digest's name; null where it is none, or not here. */
  decodedOf(name: string): Value | null {
    return this.#values.decode(name);
  }

  /** The tips of the round that are held of a validator. */
  tipsOf(key: Uint8Array): SignedTips | null {
    const position = this.#set.positionOf(key);
    return position === undefined ? null : (this.tips.get(position) ?? null);
  }

  /** The deciding certificate with every FINALIZE seen since; null before the decision. */
  participation(): FinalCert | null {
    const certificate = computeParticipation(this.#state);
    return certificate && toFinalCert(this.round, certificate, this.#options.config.validators);
  }

  /** Asks the others for a value. @returns whether it is here. */
  fetchValue(name: string): Promise<boolean> {
    const holders = [...listValueHolders(this.#state, name)].map((position) => this.#set.keys[position]!);
    return this.#values.fetch(name, holders.map(encodeHex));
  }

  /** Ends timers; a decided instance still answers. */
  rest(): void {
    this.#cancelView?.();
    this.#cancelStandstill?.();
  }

  stop(): void {
    this.#isStopped = true;
    this.#values.stop();
    this.rest();
  }

  #signTips(tips: Tips): SignedTips {
    const { signer, availability } = this.#modules;
    const body = encodeTips(tips);
    const signed = { tips, signature: signer.sign("tips", body) };
    const epoch = epochOfRound(this.#options.context.parameters, this.round);
    const certs = tips.tips.flatMap((tip) => availability.certificateOf(tip, epoch) ?? []);
    const entries = this.#journal.tipsEntries(signed, certs);
    this.#record(entries, [{ round: this.round, view: 0, kind: "tips", digest: sha256(body) }]);
    return signed;
  }

  /** @returns why they go no further, or null. */
  #takeTips(signed: SignedTips): DropReason | null {
    const { domains, verify } = this.#options.context;
    const position = this.#set.positionOf(signed.tips.validator);
    if (position === undefined || signed.tips.round !== this.round) return "unentitled";
    const held = this.tips.get(position);
    const body = encodeTips(signed.tips);
    // Tips are said again at every standstill; of those who were convicted nothing more is looked at.
    if (held && equalBytes(encodeTips(held.tips), body)) return "repeated";
    if (this.#accused.has(position)) return "conflict";
    if (!verify(signed.tips.validator, signingMessage(domains, "tips", body), signed.signature))
      return "bad_signature";
    if (held === undefined) {
      this.tips.put(position, signed);
      this.#build();
      return null;
    }
    this.#accused.add(position);
    const before = { kind: "tips", body: encodeTips(held.tips), signature: held.signature } as const;
    const after = { kind: "tips", body, signature: signed.signature } as const;
    this.#accuse(createEvidence(signed.tips.validator, before, after));
    return "conflict";
  }

  #accuse(evidence: Evidence | null): void {
    if (evidence !== null) this.#modules.onEvidence(evidence);
  }

  #post(event: Event): void {
    this.#events.push(event);
    if (this.#isStepping) return;
    this.#isStepping = true;
    try {
      for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) {
        if (this.#isStopped) continue;
        const { state, effects } = stepSimplex(this.#state, next);
        this.#state = state;
        this.#carryOut(next, effects);
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#isStepping = false;
    }
  }

  /** All that the step persists in one commit; only then is anything sent. */
  #carryOut(event: Event, effects: readonly Effect[]): void {
    const entries: JournalEntry[] = [];
    const votes: Vote[] = [];
    for (const effect of effects) {
      if (effect.type !== "persist") continue;
      entries.push(...this.#journal.toEntries(effect.record, this.#values.encodings));
      votes.push(...this.#journal.toVotes(effect.record));
    }
    if (entries.length > 0) this.#record(entries, votes);
    for (const effect of effects) {
      if (effect.type !== "drop") this.#apply(effect);
      else if (event.type === "vote" || event.type === "proposal" || event.type === "certificate")
        this.#modules.onDropped(event.type, effect.reason);
    }
  }

  #apply(effect: Exclude<Effect, DropEffect>): void {
    const { clock, mesh } = this.#modules;
    switch (effect.type) {
      case "persist":
        break;
      case "broadcast":
        mesh.broadcast(this.#toPeer(effect.message));
        break;
      case "send":
        mesh.send(encodeHex(this.#set.keys[effect.to]!), this.#toPeer(effect.message));
        break;
      case "setViewTimer": {
        const { view } = effect;
        this.#cancelView?.();
        this.#cancelView = clock.after(effect.delayMs, () => this.#post({ type: "timeout", view }));
        break;
      }
      case "setStandstillTimer":
        this.#cancelStandstill?.();
        this.#cancelStandstill = clock.after(effect.delayMs, () => {
          this.#missing.onStandstill();
          this.#build();
          this.#post({ type: "standstill" });
        });
        break;
      case "buildValue":
        this.#wantsValue = true;
        this.#build();
        break;
      case "requestValue":
        this.#judge(effect.value);
        break;
      case "decide":
        this.rest();
        this.#modules.onDecided(this, effect.certificate);
        break;
      case "evidence":
        this.#accuse(evidenceOfConflict(effect.conflict, this.round, this.#set));
    }
  }

  /** B1: a fresh value once a quorum's tips are here with every certificate that they name; what is missing is asked for. */
  #build(): void {
    const { availability, previousFinal, listEvidence, mayPropose, log } = this.#modules;
    const { context } = this.#options;
    if (!this.#wantsValue || this.#isBuilt || this.#isStopped || !mayPropose()) return;
    const tips = this.tips.list();
    const built = buildValue(tips, context, availability, previousFinal(), listEvidence(this.round));
    if (built === null) {
      for (const signed of tips) this.#missing.ask(signed, listUncertified(signed, context, availability));
      return;
    }
    if (built.fault !== null) {
      log.error("Propose nothing: the own value breaks a rule", { rule: built.fault, round: this.round });
      return;
    }
    this.#isBuilt = true;
    const name = encodeHex(built.digest);
    this.#values.putValid(name, built.bytes);
    this.#post({ type: "propose", value: name });
  }

  #judge(name: string): void {
    const valid = this.#values.judge(name);
    if (valid === null) void this.fetchValue(name).then((isHere) => isHere && this.#judge(name));
    else this.#post({ type: "valueAvailable", value: name, valid });
  }

  #toPeer(message: Message): PeerMessage {
    const { round } = this;
    if (message.type !== "proposal") return { ...message, round };
    const { proposal } = message;
    const value = proposal.parent === 0 ? this.valueOf(proposal.value) : null;
    return { type: "proposal", round, proposal, value };
  }

  /** Reads an entry back: tips and values into their places, the rest for the core. */
  #recall(entry: JournalEntry): JournalRecord[] {
    const recalled = this.#journal.recall(entry);
    switch (recalled.type) {
      case "availability":
        this.#modules.availability.put(recalled.cert);
        return [];
      case "tips":
        this.tips.put(this.#options.config.self, recalled.signed);
        return [];
      case "value":
        this.#values.put(recalled.name, recalled.bytes);
        return [{ type: "value", value: recalled.name }];
      case "record":
        return [recalled.record];
    }
  }

  #record(entries: readonly JournalEntry[], votes: readonly Vote[]): void {
    if (this.#modules.votes.recordJournal(this.round, entries, votes) !== "conflict") return;
    throw new CodedError("votes_conflict", `round ${this.round}: another vote was cast under this name`);
  }

  #fail(error: unknown): void {
    this.stop();
    this.#modules.onFailure(toError(error));
  }
}
