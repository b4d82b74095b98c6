/**
 * One seed, one decision: a round among simulated validators in virtual time, watched after every event, its history
 * folded into one audit hash. The same seed gives the same hash, on any machine.
 */

import type { Message, Statement } from "../../../protocol/src/agreement/simplex/index.ts";
import { AuditHash } from "../auditHash.ts";
import { Prng } from "../prng.ts";
import { createAttack, type Stage } from "./adversary.ts";
import { Coalition } from "./coalition.ts";
import type { Core } from "./core.ts";
import { EventQueue } from "./eventQueue.ts";
import { type Impatience, Replica, type World } from "./replica.ts";
import { createScenario, DELAY_MS, PATIENCE_MS, type Profile, type Scenario } from "./scenario.ts";
import { type Violation, Watch } from "./watch.ts";

export type Outcome = {
  readonly seed: number;
  readonly violation: Violation | null;
  readonly detail: string;
  /** The highest view in which an honest validator decided. */
  readonly decidedView: number;
  readonly virtualMs: number;
  readonly events: number;
  /** 16 hexadecimal digits. */
  readonly audit: string;
};

export type SimulationOptions = {
  readonly core: Core;
  readonly seed: number;
  readonly validators: number;
  readonly profile: Profile;
  /** A mistake of the shell, to be caught. */
  readonly impatient?: Impatience | null;
};

type Happening =
  | { readonly type: "message"; readonly to: Replica; readonly from: number; readonly message: Message }
  | { readonly type: "heard"; readonly by: number; readonly message: Message }
  | {
      readonly type: "timer";
      readonly replica: Replica;
      readonly timer: "view" | "standstill" | "sync";
      readonly id: number;
      readonly life: number;
    }
  | { readonly type: "built"; readonly replica: Replica; readonly life: number }
  | { readonly type: "fetched"; readonly replica: Replica; readonly value: string; readonly life: number }
  | { readonly type: "attack"; readonly by: number }
  | { readonly type: "crash"; readonly replica: Replica; readonly upAtMs: number }
  | { readonly type: "restart"; readonly replica: Replica };

/** An attack's sends in one simulation: enough for every kind of harm, and an end to a flood. */
const MAX_ATTACK_SENDS = 3_000;
/** Adversaries give up after this, so that a simulation ends: longer than any cut or crash. */
const ATTACKS_END_MS = 30_000;
/** A simulation that takes more events than this is going nowhere. */
const MAX_EVENTS = 400_000;

/** Runs a seed until every honest validator has decided, or something is wrong. */
export function simulate(options: SimulationOptions): Outcome {
  const simulation = new Simulation(options);
  try {
    simulation.run();
  } catch (error) {
    simulation.watch.report("threw", error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
  return simulation.outcome();
}

class Simulation {
  readonly watch: Watch;
  readonly #options: SimulationOptions;
  readonly #scenario: Scenario;
  readonly #prng: Prng;
  readonly #queue = new EventQueue<Happening>();
  /** By position: one replica, two twins, or none for an adversary. */
  readonly #seats: Replica[][];
  readonly #honest: Replica[];
  readonly #attacks = new Map<number, ReturnType<typeof createAttack>>();
  readonly #stage: Stage;
  #attackSends = 0;
  #cutsWriting = 0;
  #events = 0;
  readonly #audit = new AuditHash();

  constructor(options: SimulationOptions) {
    this.#options = options;
    const { seed, validators, profile } = options;
    const scenario = createScenario(seed, validators, profile);
    this.#scenario = scenario;
    this.#prng = new Prng(seed ^ 0x5bd1_e995);
    const { behaviours, leaders } = scenario;
    this.watch = new Watch((position) => behaviours[position] === null);
    const world = this.#createWorld();
    this.#seats = behaviours.map((behaviour, self) => {
      if (behaviour !== null && behaviour !== "twins") {
        this.#attacks.set(self, createAttack(behaviour));
        return [];
      }
      const one = () =>
        new Replica(
          {
            self,
            validators,
            leaders,
            delayMs: DELAY_MS,
            syncMs: scenario.syncMs,
            impatient: options.impatient ?? null,
            isWatched: behaviour === null,
          },
          world,
        );
      return behaviour === null ? [one()] : [one(), one()];
    });
    this.#honest = this.#seats.flatMap((seat) => (seat.length === 1 ? seat : []));
    const members = [...this.#attacks.keys()];
    this.#stage = {
      prng: this.#prng,
      coalition: new Coalition(members, validators),
      leaders,
      honest: this.#seats.flatMap((seat, position) => (seat.length > 0 ? [position] : [])),
      send: (from, to, message) => this.#sendAttack(from, to, message),
    };
  }

  run(): void {
    const { crashes, healMs } = this.#scenario;
    for (const { validator, atMs, upAtMs } of crashes) {
      const seat = this.#seats[validator]!;
      if (seat.length === 1) this.#queue.push(atMs, { type: "crash", replica: seat[0]!, upAtMs });
    }
    for (const by of this.#attacks.keys())
      this.#queue.push(this.#prng.below(DELAY_MS), { type: "attack", by });
    for (const replica of this.#seats.flat()) replica.handle({ type: "start" });
    const deadlineMs = healMs + PATIENCE_MS;
    while (this.watch.violation === null && !this.#honest.every((r) => r.isDecided && r.isUp)) {
      const next = this.#queue.pop();
      if (next === undefined || this.#queue.nowMs > deadlineMs || ++this.#events > MAX_EVENTS) {
        const waiting = this.#honest.filter((replica) => !replica.isDecided);
        this.watch.report(
          "undecided",
          `after ${this.#queue.nowMs} ms and ${this.#events} events: ${waiting.map((r) => `validator ${r.self} in view ${r.state.view}`).join(", ")}`,
        );
        return;
      }
      this.#happen(next);
    }
  }

  outcome(): Outcome {
    const { violation, detail } = this.watch;
    return {
      seed: this.#options.seed,
      violation,
      detail,
      decidedView: Math.max(0, ...this.#honest.map((replica) => replica.decidedView)),
      virtualMs: this.#queue.nowMs,
      events: this.#events,
      audit: this.#audit.text(),
    };
  }

  #happen(next: Happening): void {
    switch (next.type) {
      case "message":
        if (!next.to.isUp) return;
        this.#fold(1, next.to.self, next.from);
        this.#foldMessage(next.message);
        next.to.receive(next.from, next.message);
        break;
      case "heard":
        this.#stage.coalition.learn(next.message);
        this.#attack(next.by, next.message);
        break;
      case "timer":
        this.#onTimer(next);
        break;
      case "built":
        if (next.life === next.replica.life && next.replica.isUp) {
          const value = `h${next.replica.self}`;
          next.replica.giveValue(value);
          next.replica.handle({ type: "propose", value });
        }
        break;
      case "fetched": {
        const isServed = this.#honest.some((replica) => replica.isUp && replica.holds(next.value));
        if (next.life === next.replica.life && next.replica.isUp && isServed)
          next.replica.giveValue(next.value);
        break;
      }
      case "attack":
        this.#attack(next.by, null);
        if (this.#queue.nowMs < ATTACKS_END_MS) this.#queue.push(this.#queue.nowMs + DELAY_MS, next);
        break;
      case "crash":
        if (!next.replica.isUp) return;
        this.#fold(2, next.replica.self, 0);
        next.replica.crash();
        this.#queue.push(next.upAtMs, { type: "restart", replica: next.replica });
        break;
      case "restart":
        this.#fold(3, next.replica.self, 0);
        next.replica.restart();
    }
  }

  #onTimer({ replica, timer, id, life }: Happening & { type: "timer" }): void {
    if (life !== replica.life || !replica.isUp) return;
    this.#fold(4, replica.self, id);
    if (timer === "sync") replica.onSynced();
    else if (timer === "standstill") replica.handle({ type: "standstill" });
    else if (replica.viewTimer === id) replica.handle({ type: "timeout", view: id });
  }

  #createWorld(): World {
    return {
      core: this.#options.core,
      watch: this.watch,
      isValid: (value) => !value.startsWith("x"),
      below: (choices) => this.#prng.below(choices),
      send: (from, to, message) => this.#send(from, to, message),
      setTimer: (replica, timer, id, delayMs) => {
        // A clock that runs fast fires early; a disk has no clock.
        const ppt = timer === "sync" ? 1_000 : this.#scenario.clockPpt[replica.self]!;
        const atMs = this.#queue.nowMs + Math.max(1, Math.round((delayMs * ppt) / 1_000));
        this.#queue.push(atMs, { type: "timer", replica, timer, id, life: replica.life });
        if (timer === "sync") this.#maybeCutPower(replica, delayMs);
      },
      buildValue: (replica) => {
        const atMs = this.#queue.nowMs + 1 + this.#prng.below(DELAY_MS >> 1);
        this.#queue.push(atMs, { type: "built", replica, life: replica.life });
      },
      fetchValue: (replica, value) => {
        if (this.#isLost()) return;
        const atMs = this.#queue.nowMs + this.#delayMs();
        this.#queue.push(atMs, { type: "fetched", replica, value, life: replica.life });
      },
    };
  }

  /** The worst moment for a crash is while the disk writes: what is to leave depends on what will be there. */
  #maybeCutPower(replica: Replica, syncMs: number): void {
    const { healMs, crashesWriting } = this.#scenario;
    const { nowMs } = this.#queue;
    if (nowMs >= healMs || this.#cutsWriting >= crashesWriting || !this.#prng.oneIn(4)) return;
    this.#cutsWriting++;
    const upAtMs = nowMs + syncMs + this.#prng.below(2 * DELAY_MS);
    this.#queue.push(nowMs + this.#prng.below(syncMs), { type: "crash", replica, upAtMs });
  }

  #send(from: Replica, to: number | null, message: Message): void {
    for (let position = 0; position < this.#seats.length; position++) {
      if (position === from.self || (to !== null && to !== position)) continue;
      if (this.#isLost() || this.#isCut(from.self, position)) continue;
      if (this.#attacks.has(position)) {
        this.#queue.push(this.#queue.nowMs + this.#delayMs(), { type: "heard", by: position, message });
        continue;
      }
      const copies = this.#prng.below(1_000_000) < this.#scenario.duplicatePpm ? 2 : 1;
      const seat = this.#seats[position]!;
      for (let copy = 0; copy < copies; copy++) {
        // Of twins one hears it, now this one, now that.
        const replica = seat.length === 1 ? seat[0]! : this.#prng.pick(seat);
        const atMs = this.#queue.nowMs + this.#delayMs();
        this.#queue.push(atMs, { type: "message", to: replica, from: from.self, message });
      }
    }
  }

  #sendAttack(from: number, to: number, message: Message): void {
    if (this.#attackSends++ >= MAX_ATTACK_SENDS) return;
    const atMs = this.#queue.nowMs + 1 + this.#prng.below(DELAY_MS);
    for (const replica of this.#seats[to]!)
      this.#queue.push(atMs, { type: "message", to: replica, from, message });
  }

  #attack(by: number, heard: Message | null): void {
    this.#attacks.get(by)!(this.#stage, by, heard);
  }

  #isLost(): boolean {
    const { healMs, lossPpm, healedLossPpm } = this.#scenario;
    const ppm = this.#queue.nowMs < healMs ? lossPpm : healedLossPpm;
    return ppm > 0 && this.#prng.below(1_000_000) < ppm;
  }

  #isCut(from: number, to: number): boolean {
    const { nowMs } = this.#queue;
    return this.#scenario.cuts.some(
      (cut) =>
        nowMs >= cut.startMs &&
        nowMs < cut.endMs &&
        ((cut.from >> from) & 1) === 1 &&
        ((cut.to >> to) & 1) === 1,
    );
  }

  #delayMs(): number {
    const slowest = this.#queue.nowMs < this.#scenario.healMs ? this.#scenario.maxDelayMs : DELAY_MS;
    return 1 + this.#prng.below(slowest);
  }

  #foldMessage(message: Message): void {
    if (message.type === "vote") this.#foldStatement(message.vote);
    else if (message.type === "proposal") this.#foldStatement(message.proposal);
    else this.#foldStatement(message.certificate);
  }

  #foldStatement({ kind, view, value }: Pick<Statement, "kind" | "view" | "value">): void {
    this.#fold(kind.length, view, value === null ? 0 : value.charCodeAt(0) * 256 + value.charCodeAt(1));
  }

  #fold(a: number, b: number, c: number): void {
    this.#audit.fold(this.#queue.nowMs, a, b, c);
  }
}
