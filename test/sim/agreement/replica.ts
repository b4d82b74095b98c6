/**
 * A simulated validator's shell around the core: its disk, which keeps what is not yet synced apart and loses it in a
 * crash, its timers, and the values it holds.
 */
import type {
  Effect,
  Event,
  JournalRecord,
  Message,
  SimplexConfig,
  SimplexState,
} from "../../../protocol/src/agreement/simplex/index.ts";
import type { Core } from "./core.ts";
import { createTokenScheme } from "./tokenScheme.ts";
import type { Watch } from "./watch.ts";

/** What a replica asks of the world around it. */
export type World = {
  readonly core: Core;
  readonly watch: Watch;
  readonly send: (from: Replica, to: number | null, message: Message) => void;
  readonly setTimer: (
    replica: Replica,
    timer: "view" | "standstill" | "sync",
    id: number,
    delayMs: number,
  ) => void;
  readonly buildValue: (replica: Replica) => void;
  readonly fetchValue: (replica: Replica, value: string) => void;
  readonly isValid: (value: string) => boolean;
  readonly below: (choices: number) => number;
};

type Pending =
  | { readonly record: JournalRecord; readonly message?: undefined }
  | { readonly record?: undefined; readonly to: number | null; readonly message: Message };

export type ReplicaOptions = {
  readonly self: number;
  readonly validators: number;
  readonly leaders: readonly number[];
  readonly delayMs: number;
  /** How long the disk takes; 0 makes records durable within the step that wrote them. */
  readonly syncMs: number;
  /** False is a mistake to be caught: messages leave before what they rest on is durable. */
  readonly syncsBeforeSending: boolean;
  /** Watched as an honest validator; a twin is not. */
  readonly isWatched: boolean;
};

export class Replica {
  readonly self: number;
  readonly #options: ReplicaOptions;
  readonly #config: SimplexConfig;
  readonly #world: World;
  #journal: JournalRecord[] = [];
  #pending: Pending[] = [];
  /** How many of the pending the disk is working on. */
  #syncing = 0;
  #held = new Set<string>();
  state: SimplexState;
  isUp = true;
  isDecided = false;
  decidedView = 0;
  /** Timers of a life before a crash must not fire. */
  life = 0;
  /** Which view timer counts. */
  viewTimer = 0;

  constructor(options: ReplicaOptions, world: World) {
    const { self, validators, leaders, delayMs } = options;
    this.self = self;
    this.#options = options;
    this.#config = { self, validators, leaders, delayMs, scheme: createTokenScheme(self) };
    this.#world = world;
    this.state = world.core.createSimplex(this.#config);
  }

  /** One step of the core, and what it asks for. */
  handle(event: Event): void {
    const { state, effects } = this.#world.core.stepSimplex(this.state, event);
    if (state === this.state) return;
    this.state = state;
    if (this.#options.isWatched) this.#world.watch.onState(state);
    for (const effect of effects) this.#carryOut(effect);
    if (this.#pending.length > 0) this.#sync();
    for (const effect of effects) {
      if (effect.type === "requestValue" && this.#held.has(effect.value)) this.giveValue(effect.value);
    }
  }

  /** A message arrives. A fresh value travels with its proposal. */
  receive(from: number, message: Message): void {
    if (message.type === "vote") this.handle({ type: "vote", from, vote: message.vote });
    else if (message.type === "certificate") {
      this.handle({ type: "certificate", from, certificate: message.certificate });
    } else {
      const { proposal } = message;
      if (proposal.parent === 0) this.#held.add(proposal.value);
      this.handle({ type: "proposal", from, proposal });
    }
  }

  /** The value arrives, or was here. */
  giveValue(value: string): void {
    this.#held.add(value);
    this.handle({ type: "valueAvailable", value, valid: this.#world.isValid(value) });
  }

  holds(value: string): boolean {
    return this.#held.has(value);
  }

  /** The disk is done with what it was given; what waited for it leaves. */
  onSynced(): void {
    const synced = this.#pending.slice(0, this.#syncing);
    this.#pending = this.#pending.slice(this.#syncing);
    this.#syncing = 0;
    for (const { record } of synced) if (record !== undefined) this.#journal.push(record);
    for (const item of synced) if (item.message !== undefined) this.#leave(item.to, item.message);
    if (this.#pending.length > 0) this.#sync();
  }

  /** Power is cut: of what was not synced a beginning may have reached the disk. */
  crash(): void {
    const unsynced = this.#pending.flatMap(({ record }) => (record === undefined ? [] : [record]));
    this.#journal.push(...unsynced.slice(0, this.#world.below(unsynced.length + 1)));
    this.#pending = [];
    this.#syncing = 0;
    this.isUp = false;
    this.life++;
  }

  /** Comes back with its journal and nothing else. */
  restart(): void {
    this.isUp = true;
    this.#held = new Set(this.#journal.flatMap((r) => (r.type === "value" ? [r.value] : [])));
    this.isDecided = false;
    this.state = this.#world.core.recoverSimplex(this.#config, this.#journal);
    if (this.#options.isWatched) this.#checkRecovered();
    this.handle({ type: "start" });
  }

  /** Every vote and proposal of the journal must be known again. */
  #checkRecovered(): void {
    const { views } = this.state;
    for (const record of this.#journal) {
      const isKnown =
        record.type === "vote"
          ? views[record.vote.view]?.[record.vote.kind][this.self]?.value === record.vote.value
          : record.type !== "proposal" ||
            views[record.proposal.view]?.proposal?.value === record.proposal.value;
      if (!isKnown)
        this.#world.watch.report("lost_its_past", `validator ${this.self} forgot a ${record.type}`);
    }
  }

  #carryOut(effect: Effect): void {
    const world = this.#world;
    switch (effect.type) {
      case "persist":
        this.#write(effect.record);
        break;
      case "broadcast":
        this.#pending.push({ to: null, message: effect.message });
        break;
      case "send":
        this.#pending.push({ to: effect.to, message: effect.message });
        break;
      case "setViewTimer":
        this.viewTimer = effect.view;
        world.setTimer(this, "view", effect.view, effect.delayMs);
        break;
      case "setStandstillTimer":
        world.setTimer(this, "standstill", 0, effect.delayMs);
        break;
      case "buildValue":
        world.buildValue(this);
        break;
      case "requestValue":
        if (!this.#held.has(effect.value)) world.fetchValue(this, effect.value);
        break;
      case "decide":
        this.isDecided = true;
        this.decidedView = effect.certificate.view;
        if (this.#options.isWatched) {
          const value = effect.certificate.value!;
          world.watch.onDecision(this.self, value, world.isValid(value));
        }
        break;
      case "evidence":
        if (this.#options.isWatched) world.watch.onEvidence(effect.conflict);
    }
  }

  #write(record: JournalRecord): void {
    this.#pending.push({ record });
    if (!this.#options.isWatched) return;
    if (record.type === "certificate") this.#world.watch.onCertificate(record.certificate);
    if (record.type === "vote" && this.isDecided) {
      this.#world.watch.report(
        "voted_on",
        `validator ${this.self} votes ${record.vote.kind} after its decision`,
      );
    }
    if (record.type === "vote" && record.vote.kind === "notarize") {
      this.#world.watch.onVoted(record.vote, [
        ...this.#journal,
        ...this.#pending.flatMap((item) => (item.record === undefined ? [] : [item.record])),
      ]);
    }
  }

  /** What rests on nothing unwritten leaves; the rest waits for the disk. */
  #sync(): void {
    if (this.#syncing > 0) return;
    const isFree = (item: Pending) => item.message !== undefined;
    const firstRecord = this.#pending.findIndex((item) => !isFree(item));
    const free = firstRecord < 0 ? this.#pending : this.#pending.slice(0, firstRecord);
    this.#pending = firstRecord < 0 ? [] : this.#pending.slice(firstRecord);
    if (!this.#options.syncsBeforeSending) {
      free.push(...this.#pending.filter(isFree));
      this.#pending = this.#pending.filter((item) => !isFree(item));
    }
    for (const item of free) if (item.message !== undefined) this.#leave(item.to, item.message);
    if (this.#pending.length === 0) return;
    this.#syncing = this.#pending.length;
    if (this.#options.syncMs === 0) this.onSynced();
    else this.#world.setTimer(this, "sync", 0, this.#options.syncMs);
  }

  #leave(to: number | null, message: Message): void {
    if (this.#options.isWatched && message.type !== "certificate") {
      const said = message.type === "vote" ? message.vote : message.proposal;
      if (said.validator === this.self) this.#world.watch.onSaid(this.self, said);
    }
    this.#world.send(this, to, message);
  }
}
