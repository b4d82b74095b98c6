/**
 * One seed of the full stack: several validators with the real lanes, agreement, execution and attestation over
 * simulated disks, clocks and links, watched after every event, the history folded into one audit hash.
 */
import { checkRewardCert } from "../../../protocol/src/agreement/attest.ts";
import {
  checkAvailabilityCert,
  createValidatorSet,
  type ValidatorSet,
} from "../../../protocol/src/agreement/certificates.ts";
import { LANE_START } from "../../../protocol/src/agreement/cut.ts";
import { checkEvidence, evidenceKindOf } from "../../../protocol/src/agreement/evidence.ts";
import type { Fetch } from "../../../protocol/src/agreement/fetches.ts";
import {
  decodePeerMessage,
  encodePeerMessage,
  type PeerMessage,
} from "../../../protocol/src/agreement/peerMessages.ts";
import { type AvailabilityCert, decodeBatch, type LaneTip } from "../../../protocol/src/agreement/rounds.ts";
import { concatBytes, equalBytes } from "../../../protocol/src/bytes/bytes.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { encodeParcel } from "../../../protocol/src/wire/envelope.ts";
import type { ExecutedRound } from "../../../validator/src/execution/executor.ts";
import { decodeCandidate } from "../../../validator/src/intake/candidate.ts";
import type { Votes } from "../../../validator/src/rounds/votes.ts";
import { Prng } from "../prng.ts";
import type { DiskMistake } from "./disk.ts";
import { makeReport, makeTransfer, type StackNetwork, stackNetwork } from "./genesis.ts";
import { Member, type MemberWorld } from "./member.ts";
import { createMouth, type Mouth } from "./mouths.ts";
import {
  createStackScenario,
  ROUNDS_PER_EPOCH,
  STACK_DELAY_MS,
  STACK_PATIENCE_MS,
  type StackProfile,
  type StackScenario,
} from "./scenario.ts";
import { verifyCheaply } from "./signatures.ts";
import { VirtualTime } from "./virtualTime.ts";
import { type StackViolation, StackWatch } from "./watch.ts";

export type StackOutcome = {
  readonly seed: number;
  readonly violation: StackViolation | null;
  readonly detail: string;
  /** Rounds that every honest validator executed. */
  readonly rounds: number;
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

type Submission = {
  readonly member: Member;
  readonly life: number;
  /** The id, once the lane has promised it; null while it has not answered. */
  id: string | null;
  isRefused: boolean;
};

/** A simulation that takes more events than this is going nowhere. */
const MAX_EVENTS = 600_000;
/** Every so many messages of honest validators one goes through its bytes, which must give it back. */
const ENCODED_ONE_IN = 16;
const FETCH_TIMEOUT_MS = 1_000;
const IDLE_MS = 60;
/** Adversaries stop making things up after this; what they change on its way out they change for ever. */
const IDLE_ENDS_MS = 20_000;

/** Runs a seed until everything is executed, certified and in a cut, or something is wrong. */
export async function simulateStack(options: StackOptions): Promise<StackOutcome> {
  const simulation = new StackSimulation(options);
  try {
    await simulation.run();
  } catch (error) {
    simulation.watch.report("threw", error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
  return simulation.end();
}

class StackSimulation {
  readonly watch: StackWatch;
  readonly #options: StackOptions;
  readonly #scenario: StackScenario;
  readonly #network: StackNetwork;
  readonly #prng: Prng;
  readonly #time = new VirtualTime();
  /** By position: one member, or two twins. */
  readonly #seats: Member[][];
  readonly #mouths = new Map<number, Mouth>();
  readonly #submissions: Submission[] = [];
  readonly #included = new Set<string>();
  /** By epoch, as the honest know them. */
  readonly #sets = new Map<number, ValidatorSet>();
  #cutsWriting = 0;
  #hashA = 0x811c_9dc5;
  #hashB = 0x1234_5678;

  constructor(options: StackOptions) {
    this.#options = options;
    const { seed, validators, profile } = options;
    this.#scenario = createStackScenario(seed, validators, profile);
    this.#network = stackNetwork(validators);
    this.#prng = new Prng(seed ^ 0x2545_f491);
    const { behaviours, clockOffsetsMs, clockPpt } = this.#scenario;
    this.watch = new StackWatch({
      isHonest: (position) => behaviours[position] === null,
      isProven: (message) => this.#isProven(message),
      countHolders: (cert) => this.#countHolders(cert),
    });
    const world = this.#createWorld();
    this.#seats = behaviours.map((behaviour, self) => {
      if (behaviour !== null && behaviour !== "twins") {
        const context = { prng: this.#prng, self, network: this.#network };
        this.#mouths.set(self, createMouth(behaviour, context));
      }
      const one = () =>
        new Member(
          {
            self,
            network: this.#network,
            isHonest: behaviour === null,
            clockOffsetMs: clockOffsetsMs[self]!,
            clockPpt: clockPpt[self]!,
            mistake: options.mistake ?? null,
          },
          world,
        );
      return behaviour === "twins" ? [one(), one()] : [one()];
    });
  }

  async run(): Promise<void> {
    const { crashes, healMs, submissions } = this.#scenario;
    for (const member of this.#seats.flat())
      this.#time.after(this.#prng.below(20), () => void member.start());
    for (const { validator, atMs } of crashes) {
      const [member] = this.#seats[validator]!;
      this.#time.after(atMs, () => {
        this.#fold(2, validator, 0);
        member!.crash();
      });
    }
    for (let salt = 0; salt < submissions; salt++) {
      const atMs = 100 + this.#prng.below(healMs + 1_200);
      this.#time.after(atMs, () => this.#submit(salt));
    }
    for (const [self, mouth] of this.#mouths) if (mouth.idle !== undefined) this.#beIdle(self, mouth);
    const deadlineMs = healMs + STACK_PATIENCE_MS;
    while (this.watch.violation === null && !this.#isDone()) {
      const isEmpty = !(await this.#time.step());
      if (isEmpty || this.#time.nowMs > deadlineMs || this.#time.events > MAX_EVENTS) {
        this.watch.report("not_live", this.#describe());
        return;
      }
    }
    this.#judgeEnd();
  }

  end(): StackOutcome {
    const { violation, detail } = this.watch;
    const hex = (word: number) => (word >>> 0).toString(16).padStart(8, "0");
    const rounds = Math.min(...this.#honest().map(({ executedRound }) => executedRound)) + 1;
    for (const member of this.#seats.flat()) member.end();
    return {
      seed: this.#options.seed,
      violation,
      detail,
      rounds,
      virtualMs: this.#time.nowMs,
      events: this.#time.events,
      audit: hex(this.#hashA) + hex(this.#hashB),
    };
  }

  #honest(): Member[] {
    return this.#seats.flat().filter(({ isHonest }) => isHonest);
  }

  /** Everybody has executed the rounds, holds the certificates of all epochs but the last, and kept every promise. */
  #isDone(): boolean {
    const { rounds, healMs } = this.#scenario;
    if (this.#time.nowMs < healMs + 1_300) return false;
    const epochs = Array.from({ length: rounds / ROUNDS_PER_EPOCH - 1 }, (_, epoch) => epoch);
    return (
      this.#honest().every(
        ({ isUp, executedRound, rewardCerts }) =>
          isUp && executedRound >= rounds - 1 && epochs.every((epoch) => rewardCerts.has(epoch)),
      ) && this.#submissions.every((submission) => this.#isKept(submission))
    );
  }

  /** A promise is kept when it is in a cut; what was never promised need not be, where the validator went down. */
  #isKept({ id, isRefused, member, life }: Submission): boolean {
    return isRefused || (id === null ? member.life !== life : this.#included.has(id));
  }

  #judgeEnd(): void {
    for (const { self, core } of this.#honest()) {
      if (core === null) continue;
      const { lane, executor } = core;
      if (lane.inFlight() > 32 || executor.backlog() > 200)
        this.watch.report("unbounded", `validator ${self}: ${lane.inFlight()} batches in flight`);
    }
  }

  #describe(): string {
    const members = this.#honest().map(
      ({ self, isUp, executedRound, rewardCerts, core }) =>
        `${self}${isUp ? "" : " down"}: executed ${executedRound}, certified ${[...rewardCerts].slice(0, 4)}, ${JSON.stringify(core?.agreement.describe())}`,
    );
    const waiting = this.#submissions.filter((submission) => !this.#isKept(submission));
    return `after ${this.#time.nowMs} ms and ${this.#time.events} events: ${members.join("; ")}; ${waiting.length} messages wait (${waiting.map(({ member, id }) => `${member.self}${id === null ? "?" : ""}`).join()})`;
  }

  #submit(salt: number): void {
    const up = this.#seats.flat().filter(({ core }) => core !== null);
    if (up.length === 0) return;
    const member = this.#prng.pick(up);
    const epoch = Math.floor((member.executedRound + 1) / ROUNDS_PER_EPOCH);
    const message = this.#prng.oneIn(4)
      ? makeTransfer(this.#network, epoch, salt, 1 + salt)
      : makeReport(this.#network, this.#prng.below(4), epoch, salt);
    const submission: Submission = { member, life: member.life, id: null, isRefused: false };
    // A liar's promise is nobody's.
    if (member.isHonest) this.#submissions.push(submission);
    member.core!.intake.submit(`client ${salt}`, encodeParcel([message])).then(
      ([item]) => {
        submission.isRefused = item!.reason !== null;
        submission.id = encodeHex(item!.id);
      },
      () => {
        submission.isRefused = true;
      },
    );
  }

  #createWorld(): MemberWorld {
    return {
      time: this.#time,
      watch: this.watch,
      below: (choices) => this.#prng.below(choices),
      syncMs: () => 1 + this.#prng.below(this.#scenario.maxSyncMs),
      cutsPower: (method) => this.#cutsPower(method),
      send: (from, to, message) => this.#send(from, to, message),
      fetch: (from, to, fetch) => this.#fetch(from, to, fetch),
      connected: (from) => this.#connected(from),
      onSet: (member, epoch, keys) => {
        this.watch.onSet(member.self, epoch, keys);
        this.#sets.set(epoch, createValidatorSet(keys));
      },
      onExecuted: (member, executed) => this.#onExecuted(member, executed),
      onDown: (member) => {
        const upInMs = 1 + this.#prng.below(Math.max(1, this.#scenario.healMs - this.#time.nowMs));
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
    for (const id of messageIds) this.#included.add(encodeHex(id));
    for (const cert of finalized.value.cut) this.watch.onCertified(cert);
    for (const evidence of finalized.value.evidence) {
      const offender = this.#network.keys.findIndex((key) => encodeHex(key) === encodeHex(evidence.offender));
      const reason = checkEvidence(evidence, { domains: this.#network.domains, verify: verifyCheaply });
      if (reason === null) this.watch.onEvidence(member.self, offender, evidenceKindOf(evidence)!);
    }
  }

  #positionOf(name: string): number {
    return this.#seats.findIndex(([member]) => member!.name === name);
  }

  #send(from: Member, to: string | null, message: PeerMessage): void {
    const mouth = this.#mouths.get(from.self);
    this.watch.onSaid(from.self, message);
    if (message.type === "ack" && from.isHonest) this.#judgeAck(from, message.ack.ack);
    for (let position = 0; position < this.#seats.length; position++) {
      if (position === from.self || (to !== null && position !== this.#positionOf(to))) continue;
      const said = mouth === undefined ? [message] : mouth.say(position, message);
      for (const each of said) this.#deliver(from.self, position, each);
    }
  }

  /** What an honest acknowledgement promises (A3): all from the last cut on is durable, chained, and was checked. */
  #judgeAck(from: Member, { lane, seq, digest }: LaneTip): void {
    const cut = from.cut.find((entry) => equalBytes(entry.lane, lane)) ?? { seq: 0, digest: LANE_START };
    let next = digest;
    for (let number = seq; number > cut.seq; number--) {
      const body = from.disk.read(next);
      const batch = body && decodeBatch(body);
      if (!batch || batch.seq !== number || !batch.messages.every((bytes) => this.#isChecked(bytes))) {
        const what = batch ? "is not what was to be checked" : "is not on its disk";
        this.watch.report(
          "false_acknowledgement",
          `validator ${from.self}: batch ${number} of ${seq} ${what}`,
        );
        return;
      }
      next = batch.prev;
    }
    if (!equalBytes(next, cut.digest) && seq > cut.seq)
      this.watch.report("false_acknowledgement", `validator ${from.self}: ${seq} does not follow the cut`);
  }

  #isChecked(bytes: Uint8Array): boolean {
    const item = decodeCandidate(bytes, this.#network.domains);
    return (
      item.ok &&
      item.candidate.claims.every(({ publicKey, message, signature }) =>
        verifyCheaply(publicKey, concatBytes(...message), signature),
      )
    );
  }

  #isProven(message: PeerMessage): boolean {
    const { domains } = this.#network;
    if (message.type !== "availability" && message.type !== "rewardCert") return true;
    const epoch = message.type === "availability" ? message.cert.epoch : message.cert.attest.epoch;
    const set = this.#sets.get(epoch)!;
    return message.type === "availability"
      ? checkAvailabilityCert(message.cert, set, domains, verifyCheaply) === null
      : checkRewardCert(message.cert, set, domains, verifyCheaply) === null;
  }

  #countHolders({ digest, epoch }: AvailabilityCert): { held: number; needed: number } {
    const { keys, quorum } = this.#sets.get(epoch)!;
    const bad = keys.filter((key) => this.#scenario.behaviours[this.#positionOf(encodeHex(key))] !== null);
    const held = this.#honest().filter(({ disk }) => disk.holds(digest)).length;
    return { held, needed: quorum - bad.length };
  }

  /** On its way: lost, late, twice; what a liar says always goes through its bytes. */
  #deliver(from: number, to: number, message: PeerMessage): void {
    if (this.#isLost() || this.#isCut(from, to) || from === to) return;
    const copies = this.#prng.below(1_000_000) < this.#scenario.duplicatePpm ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      this.#time.after(this.#delayMs(), () => this.#arrive(from, to, message));
    }
  }

  #arrive(from: number, to: number, message: PeerMessage): void {
    const isLie = this.#mouths.has(from);
    const n = this.#seats.length;
    const received =
      isLie || this.#prng.oneIn(ENCODED_ONE_IN)
        ? decodePeerMessage(encodePeerMessage(message, n), n)
        : message;
    if (received === null) {
      if (!isLie) this.watch.report("threw", `an honest ${message.type} does not decode`);
      return;
    }
    const member = this.#prng.pick(this.#seats[to]!);
    this.#fold(1, from * 16 + to, message.type.length * 256 + message.type.charCodeAt(0));
    for (const each of this.#mouths.get(to)?.hear?.(from, received) ?? [])
      this.#deliver(to, each.to, each.message);
    member.receive(this.#seats[from]![0]!.name, received);
  }

  async #fetch(from: Member, to: string, fetch: Fetch): Promise<Uint8Array | null> {
    const position = this.#positionOf(to);
    if (position === -1 || this.#isCut(from.self, position)) return null;
    if (this.#isLost()) return await this.#wait(from, FETCH_TIMEOUT_MS, null);
    await this.#wait(from, this.#delayMs(), null);
    const member = this.#prng.pick(this.#seats[position]!);
    const answers = this.#mouths.get(position)?.answers?.(fetch) ?? true;
    const answer = answers ? await member.answer(from.name, fetch) : null;
    if (this.#isLost() || this.#isCut(position, from.self))
      return await this.#wait(from, FETCH_TIMEOUT_MS, null);
    return await this.#wait(from, this.#delayMs(), answer);
  }

  /** Resolves after a while, in the same life only. */
  #wait<T>(member: Member, delayMs: number, value: T): Promise<T> {
    const { life } = member;
    return new Promise((resolve) => {
      this.#time.after(delayMs, () => member.life === life && resolve(value));
    });
  }

  #connected(from: Member): string[] {
    return this.#seats.flatMap(([member], position) =>
      position !== from.self && member!.isUp && !this.#isCut(from.self, position) ? [member!.name] : [],
    );
  }

  #beIdle(self: number, mouth: Mouth): void {
    this.#time.after(IDLE_MS, () => {
      for (const { to, message } of mouth.idle!()) this.#deliver(self, to, message);
      if (this.#time.nowMs < IDLE_ENDS_MS) this.#beIdle(self, mouth);
    });
  }

  #isLost(): boolean {
    const { healMs, lossPpm, healedLossPpm } = this.#scenario;
    const ppm = this.#time.nowMs < healMs ? lossPpm : healedLossPpm;
    return ppm > 0 && this.#prng.below(1_000_000) < ppm;
  }

  #isCut(from: number, to: number): boolean {
    const { nowMs } = this.#time;
    const has = (mask: number, position: number) => ((mask >> position) & 1) === 1;
    return this.#scenario.cuts.some(
      (cut) => nowMs >= cut.startMs && nowMs < cut.endMs && has(cut.from, from) && has(cut.to, to),
    );
  }

  #delayMs(): number {
    const slowest = this.#time.nowMs < this.#scenario.healMs ? this.#scenario.maxDelayMs : STACK_DELAY_MS;
    return 1 + this.#prng.below(slowest);
  }

  #fold(a: number, b: number, c: number): void {
    let hash = Math.imul(this.#hashA ^ this.#time.nowMs, 0x0100_0193);
    hash = Math.imul(hash ^ (a * 65_536 + b), 0x0100_0193);
    this.#hashA = Math.imul(hash ^ c, 0x0100_0193);
    this.#hashB = Math.imul(this.#hashB ^ (this.#hashA >>> 15), 0x85eb_ca6b) + (this.#hashA | 0);
  }
}
