/**
 * A simulated validator's shell around the core: its disk, which keeps what is not yet synced apart and loses it in a
 * crash, its timers, and the values it holds.
 */
import type {
  Certificate,
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

/** What waits for the disk: a record to be written, or something to let out once what is ahead is durable. */
type Pending =
  | { readonly type: "record"; readonly record: JournalRecord }
  | { readonly type: "message"; readonly to: number | null; readonly message: Message }
  | { readonly type: "decision"; readonly certificate: Certificate };

export type Impatience = "message" | "decision";

export type ReplicaOptions = {
  readonly self: number;
  readonly validators: number;
  readonly leaders: readonly number[];
  readonly delayMs: number;
  /** How long the disk takes; 0 makes records durable within the step that wrote them. */
  readonly syncMs: number;
  /** A mistake of the shell, to be caught: what does not wait for the records that it rests on. */
  readonly impatient: Impatience | null;
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
  /** The decision is durable. */
  isDecided = false;
  #votesNoMore = false;
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

  /** The disk is done with what it was given; what waited for it comes out. */
  onSynced(): void {
    const synced = this.#pending.slice(0, this.#syncing);
    this.#pending = this.#pending.slice(this.#syncing);
    this.#syncing = 0;
    for (const item of synced) if (item.type === "record") this.#onDurable(item.record);
    for (const item of synced) this.#letOut(item);
    if (this.#pending.length > 0) this.#sync();
  }

  /** Power is cut: of what was not synced a beginning may have reached the disk. */
  crash(): void {
    const unsynced = recordsOf(this.#pending);
    for (const record of unsynced.slice(0, this.#world.below(unsynced.length + 1))) this.#onDurable(record);
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
    this.#votesNoMore = false;
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
        this.#pending.push({ type: "message", to: null, message: effect.message });
        break;
      case "send":
        this.#pending.push({ type: "message", to: effect.to, message: effect.message });
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
        this.#votesNoMore = true;
        this.#pending.push({ type: "decision", certificate: effect.certificate });
        break;
      case "evidence":
        if (this.#options.isWatched) world.watch.onEvidence(effect.conflict);
    }
  }

  #write(record: JournalRecord): void {
    if (this.#options.isWatched && record.type === "vote") {
      const { watch } = this.#world;
      if (this.#votesNoMore)
        watch.report("voted_on", `validator ${this.self} votes ${record.vote.kind} after its decision`);
      watch.onVoted(record.vote, [...this.#journal, ...recordsOf(this.#pending)]);
    }
    this.#pending.push({ type: "record", record });
  }

  /** A certificate counts from here on: one that rests on an unwritten vote of one's own may vanish with it. */
  #onDurable(record: JournalRecord): void {
    this.#journal.push(record);
    if (this.#options.isWatched && record.type === "certificate") {
      this.#world.watch.onCertificate(record.certificate);
    }
  }

  /** What rests on nothing unwritten comes out; the rest waits for the disk. */
  #sync(): void {
    if (this.#syncing > 0) return;
    const firstRecord = this.#pending.findIndex(({ type }) => type === "record");
    const free = firstRecord < 0 ? this.#pending : this.#pending.slice(0, firstRecord);
    this.#pending = firstRecord < 0 ? [] : this.#pending.slice(firstRecord);
    const { impatient } = this.#options;
    if (impatient !== null) {
      free.push(...this.#pending.filter(({ type }) => type === impatient));
      this.#pending = this.#pending.filter(({ type }) => type !== impatient);
    }
    for (const item of free) this.#letOut(item);
    if (this.#pending.length === 0) return;
    this.#syncing = this.#pending.length;
    if (this.#options.syncMs === 0) this.onSynced();
    else this.#world.setTimer(this, "sync", 0, this.#options.syncMs);
  }

  #letOut(item: Pending): void {
    if (item.type === "message") this.#leave(item.to, item.message);
    if (item.type !== "decision") return;
    this.isDecided = true;
    this.decidedView = item.certificate.view;
    if (!this.#options.isWatched) return;
    const value = item.certificate.value!;
    this.#world.watch.onDecision(this.self, value, this.#world.isValid(value), this.#journal);
  }

  #leave(to: number | null, message: Message): void {
    if (this.#options.isWatched && message.type !== "certificate") {
      const said = message.type === "vote" ? message.vote : message.proposal;
      if (said.validator === this.self) this.#world.watch.onSaid(this.self, said);
    }
    this.#world.send(this, to, message);
  }
}

function recordsOf(pending: readonly Pending[]): JournalRecord[] {
  return pending.flatMap((item) => (item.type === "record" ? [item.record] : []));
}
