/**
 * One seed of the full stack: several validators with the real lanes, agreement, execution and attestation over
 * simulated disks, clocks and links, watched after every event, the history folded into one audit hash.
 */

import type { ExecutedRound } from "../../../validator/src/execution/executor.ts";
import type { Votes } from "../../../validator/src/rounds/votes.ts";
import { AuditHash } from "../auditHash.ts";
import { Prng } from "../prng.ts";
import { Clients } from "./clients.ts";
import type { DiskMistake } from "./disk.ts";
import { type StackNetwork, stackNetwork } from "./genesis.ts";
import { HomeLoss } from "./homeLoss.ts";
import { Judge } from "./judge.ts";
import { LateLeaver } from "./lateLeaver.ts";
import { Links } from "./links.ts";
import { Member, type MemberWorld } from "./member.ts";
import { createMouth, type Mouth } from "./mouths.ts";
import {
  createStackScenario,
  ROUNDS_PER_EPOCH,
  STACK_PATIENCE_MS,
  type StackProfile,
  type StackScenario,
} from "./scenario.ts";
import { MICROTASK_TURNS, VirtualTime } from "./virtualTime.ts";
import type { StackViolation } from "./watch.ts";

export type StackOutcome = {
  readonly seed: number;
  readonly violation: StackViolation | null;
  readonly detail: string;
  /** Rounds that every honest validator executed. */
  readonly rounds: number;
  /** How often the set changed from an epoch to the next. */
  readonly setChanges: number;
  readonly virtualMs: number;
  readonly events: number;
  /** 16 hexadecimal digits. */
  readonly audit: string;
};

export type StackOptions = {
  readonly seed: number;
  readonly validators: number;
  readonly profile: StackProfile;
  /** A mistake about disks, to be caught. */
  readonly mistake?: DiskMistake;
};

/** A simulation that takes more events than this is going nowhere. */
const MAX_EVENTS = 600_000;
/** Everybody begins within so long. */
const STARTS_WITHIN_MS = 20;
/** The last submissions come so long after the network healed, and are answered soon. */
const SUBMISSIONS_END_MS = 1_300;

/** Runs a seed until everything is executed, certified and in a cut, or something is wrong. */
export async function simulateStack(options: StackOptions): Promise<StackOutcome> {
  const simulation = new StackSimulation(options);
  try {
    await simulation.run();
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    simulation.judge.watch.report("threw", text);
  }
  return simulation.end();
}

class StackSimulation {
  readonly judge: Judge;
  readonly #options: StackOptions;
  readonly #scenario: StackScenario;
  readonly #network: StackNetwork;
  readonly #prng: Prng;
  readonly #time = new VirtualTime();
  /** By position: one member, or two twins. */
  readonly #seats: readonly (readonly Member[])[];
  #honestMembers: readonly Member[] | null = null;
  readonly #links: Links;
  readonly #clients: Clients;
  readonly #homeLoss: HomeLoss | null;
  readonly #lateLeaver: LateLeaver | null;
  #cutsWriting = 0;
  readonly #audit = new AuditHash();

  constructor(options: StackOptions) {
    this.#options = options;
    const { seed, validators, profile } = options;
    const scenario = createStackScenario(seed, validators, profile);
    const network = stackNetwork(validators, scenario.candidates);
    const prng = new Prng(seed ^ 0x2545_f491);
    this.#scenario = scenario;
    this.#network = network;
    this.#prng = prng;
    const { behaviours } = scenario;
    const isHonest = (position: number) => behaviours[position] === null;
    const homeless = scenario.homeLoss?.validator ?? null;
    this.judge = new Judge({ network, isHonest, honest: () => this.#honest(), homeless });
    this.#homeLoss =
      scenario.homeLoss === null ? null : new HomeLoss(scenario.homeLoss, this.#time, this.judge.watch);
    this.#lateLeaver = scenario.isLeaverLate ? new LateLeaver(scenario, () => this.#honest()) : null;
    const mouths = new Map<number, Mouth>();
    for (const [self, behaviour] of behaviours.entries()) {
      if (behaviour !== null && behaviour !== "twins")
        mouths.set(self, createMouth(behaviour, { prng, self, network }));
    }
    const world = this.#createWorld();
    this.#seats = behaviours.map((behaviour, self) =>
      Array.from({ length: behaviour === "twins" ? 2 : 1 }, () => this.#createMember(self, world)),
    );
    const time = this.#time;
    const { watch } = this.judge;
    const fold = (a: number, b: number, c: number) => this.#fold(a, b, c);
    const isIsolated = (position: number) =>
      [this.#homeLoss, this.#lateLeaver].some((absence) => absence?.isIsolated(position));
    this.#links = new Links({ time, prng, watch, scenario, seats: this.#seats, mouths, isIsolated, fold });
    const members = () => this.#seats.flat();
    const hasSeat = (member: Member, epoch: number) => this.#hasSeat(member, epoch);
    this.#clients = new Clients({ time, prng, network, scenario, members, hasSeat });
  }

  async run(): Promise<void> {
    const { crashes, healMs } = this.#scenario;
    for (const member of this.#seats.flat())
      this.#time.after(this.#prng.below(STARTS_WITHIN_MS), () => void member.start());
    for (const { validator, atMs } of crashes) {
      const [member] = this.#seats[validator]!;
      this.#time.after(atMs, () => {
        this.#fold(2, validator, 0);
        member!.crash();
      });
    }
    this.#clients.start();
    this.#links.start();
    const { watch } = this.judge;
    const deadlineMs = healMs + STACK_PATIENCE_MS;
    while (watch.violation === null && !this.#isDone()) {
      const isEmpty = !this.#time.step();
      for (let turn = 0; turn < MICROTASK_TURNS; turn++) await null;
      if (isEmpty || this.#time.nowMs > deadlineMs || this.#time.events > MAX_EVENTS) {
        watch.report("not_live", this.#describe());
        return;
      }
    }
    this.#judgeEnd();
  }

  end(): StackOutcome {
    const { violation, detail } = this.judge.watch;
    const rounds = Math.min(...this.#honest().map(({ executedRound }) => executedRound)) + 1;
    for (const member of this.#seats.flat()) member.end();
    return {
      seed: this.#options.seed,
      violation,
      detail,
      rounds,
      setChanges: this.#countSetChanges(rounds / ROUNDS_PER_EPOCH),
      virtualMs: this.#time.nowMs,
      events: this.#time.events,
      audit: this.#audit.text(),
    };
  }

  #honest(): readonly Member[] {
    this.#honestMembers ??= this.#seats.flat().filter(({ isHonest }) => isHonest);
    return this.#honestMembers;
  }

  /** Everybody has executed the rounds, holds the certificates it needs, and every promise is kept. */
  #isDone(): boolean {
    const { rounds, healMs } = this.#scenario;
    if (this.#time.nowMs < healMs + SUBMISSIONS_END_MS) return false;
    // Asked after every event, so what is cheap to see comes first.
    if (this.#honest().some((member) => !member.isUp || member.executedRound < rounds - 1)) return false;
    return (
      this.#honest().every((member) => this.#isCertified(member)) &&
      this.#clients.listWaiting().length === 0 &&
      (this.#homeLoss?.isOver() ?? true)
    );
  }

  /** The certificates of all epochs but the last that it had a seat in, or needed for one two epochs later (B0). */
  #isCertified(member: Member): boolean {
    for (let epoch = 0; epoch < this.#scenario.rounds / ROUNDS_PER_EPOCH - 1; epoch++) {
      const isNeeded = this.#hasSeat(member, epoch) || this.#hasSeat(member, epoch + 2);
      if (isNeeded && !member.rewardCerts.has(epoch)) return false;
    }
    return true;
  }

  #hasSeat({ self }: Member, epoch: number): boolean {
    return this.judge.setOf(epoch)?.positionOf(this.#network.keys[self]!) !== undefined;
  }

  #judgeEnd(): void {
    for (const { self, core } of this.#honest()) {
      if (core === null) continue;
      const { lane, executor } = core;
      if (lane.inFlight() > 32 || executor.backlog() > 200)
        this.judge.watch.report("unbounded", `validator ${self}: ${lane.inFlight()} batches in flight`);
    }
  }

  #countSetChanges(epochs: number): number {
    const seatsOf = (epoch: number) => this.judge.setOf(epoch)?.keys.join();
    let changes = 0;
    for (let epoch = 1; epoch < epochs; epoch++) if (seatsOf(epoch) !== seatsOf(epoch - 1)) changes++;
    return changes;
  }

  #describe(): string {
    const members = this.#honest().map(
      ({ self, isUp, executedRound, rewardCerts, core }) =>
        `${self}${isUp ? "" : " down"}: executed ${executedRound}, certified ${[...rewardCerts].slice(0, 6)}, ${JSON.stringify(core?.agreement.describe())}`,
    );
    const waiting = this.#clients.listWaiting().map(({ member, id }) => `${member.self}${id ?? "?"}`);
    return `after ${this.#time.nowMs} ms and ${this.#time.events} events: ${members.join("; ")}; waiting: ${waiting}`;
  }

  #createMember(self: number, world: MemberWorld): Member {
    const { behaviours, clockOffsetsMs, clockPpt } = this.#scenario;
    return new Member(
      {
        self,
        network: this.#network,
        isHonest: behaviours[self] === null,
        clockOffsetMs: clockOffsetsMs[self]!,
        clockPpt: clockPpt[self]!,
        mistake: this.#options.mistake ?? null,
      },
      world,
    );
  }

  #createWorld(): MemberWorld {
    return {
      time: this.#time,
      watch: this.judge.watch,
      below: (choices) => this.#prng.below(choices),
      syncMs: () => 1 + this.#prng.below(this.#scenario.maxSyncMs),
      cutsPower: (method) => this.#cutsPower(method),
      send: (from, to, message) => {
        this.judge.onSaid(from, message);
        this.#links.send(from, to, message);
      },
      fetch: (from, to, fetch) => this.#links.fetch(from, to, fetch),
      connected: (from) => this.#links.connected(from),
      onSet: (member, epoch, keys) => this.judge.onSet(member, epoch, keys),
      onEvidence: (member, { offender }) => {
        if (member.isHonest) this.judge.watch.onHeld(member.self, offender);
      },
      onTold: (member, evidence) => this.judge.onTold(member, evidence),
      mayBeRestored: (member) => this.#homeLoss?.isLost(member) ?? false,
      onExecuted: (member, executed) => this.#onExecuted(member, executed),
      onDecided: (round) => this.#lateLeaver?.onDecided(round),
      onDown: (member) => {
        const upInMs = this.#homeLoss?.isLost(member)
          ? this.#homeLoss.downMs
          : 1 + this.#prng.below(Math.max(1, this.#scenario.healMs - this.#time.nowMs));
        this.#time.after(upInMs, () => {
          this.#fold(3, member.self, 0);
          void member.start();
        });
      },
    };
  }

  /** The worst moment for a crash is in the middle of a write. */
  #cutsPower(method: keyof Votes): boolean {
    const { healMs, crashesWriting, crashesOn } = this.#scenario;
    if (this.#time.nowMs >= healMs || this.#cutsWriting >= crashesWriting) return false;
    if (!this.#prng.oneIn(method === crashesOn ? 4 : 200)) return false;
    this.#cutsWriting++;
    return true;
  }

  #onExecuted(member: Member, { messageIds, finalized }: ExecutedRound): void {
    if (!member.isHonest) return;
    this.#homeLoss?.onExecuted(member, finalized.round);
    this.#lateLeaver?.onExecuted();
    this.judge.onValue(member, finalized.value);
    this.#clients.onExecuted(finalized.round, messageIds);
  }

  #fold(a: number, b: number, c: number): void {
    this.#audit.fold(this.#time.nowMs, a, b, c);
  }
}
