/**
 * Hotspots and accounts of a simulated network: what they submit, what they were promised, and whether it was kept. In
 * the profile of changing seats an account stakes for a newcomer, and a validator leaves.
 */
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { encodeParcel } from "../../../protocol/src/wire/envelope.ts";
import type { Prng } from "../prng.ts";
import { makeReport, makeStake, makeTransfer, makeUnstake, type StackNetwork } from "./genesis.ts";
import type { Member } from "./member.ts";
import { ROUNDS_PER_EPOCH, type StackScenario, UNSTAKED_IN_ROUND } from "./scenario.ts";
import type { VirtualTime } from "./virtualTime.ts";

type Submission = {
  readonly member: Member;
  readonly life: number;
  /** The id, once the lane has promised it; null while it has not answered. */
  id: string | null;
  isRefused: boolean;
};

export type ClientsModules = {
  readonly time: VirtualTime;
  readonly prng: Prng;
  readonly network: StackNetwork;
  readonly scenario: StackScenario;
  readonly members: () => readonly Member[];
  /** Whether a member has a seat in the epoch that is executed next: others' batches are acknowledged by nobody. */
  readonly hasSeat: (member: Member, epoch: number) => boolean;
};

/** The round in which the newcomer is staked for. */
const STAKED_IN_ROUND = 1;
const SAID_FOR_ROUNDS = 3;

export class Clients {
  readonly #modules: ClientsModules;
  /** Those that may still be waited for. */
  #submissions: Submission[] = [];
  readonly #included = new Set<string>();
  #newestRound = -1;

  constructor(modules: ClientsModules) {
    this.#modules = modules;
  }

  start(): void {
    const { time, prng, scenario } = this.#modules;
    for (let salt = 0; salt < scenario.submissions; salt++) {
      time.after(100 + prng.below(scenario.healMs + 1_200), () => this.#submitOne(salt));
    }
  }

  /** An honest member executed a round with these messages. */
  onExecuted(round: number, ids: readonly Uint8Array[]): void {
    for (const id of ids) this.#included.add(encodeHex(id));
    if (round <= this.#newestRound) return;
    this.#newestRound = round;
    if (this.#modules.scenario.candidates === 0) return;
    const { network, scenario } = this.#modules;
    const epoch = Math.floor((round + 1) / ROUNDS_PER_EPOCH);
    // Said again for some rounds: a validator may go down with it.
    if (round >= STAKED_IN_ROUND && round < STAKED_IN_ROUND + SAID_FOR_ROUNDS)
      this.#submitToAll(makeStake(network, epoch, network.keys[scenario.validators]!));
    if (round >= UNSTAKED_IN_ROUND && round < UNSTAKED_IN_ROUND + SAID_FOR_ROUNDS)
      this.#submitToAll(makeUnstake(network, epoch, network.keys[scenario.leaver]!));
  }

  /** Those whose promise is not kept, or not given by a validator that stayed up and has its seat. */
  listWaiting(): readonly Submission[] {
    const epoch = Math.floor((this.#newestRound + 1) / ROUNDS_PER_EPOCH);
    this.#submissions = this.#submissions.filter(
      ({ id, isRefused }) => !isRefused && (id === null || !this.#included.has(id)),
    );
    return this.#submissions.filter(
      ({ id, member, life }) => id !== null || (member.life === life && this.#modules.hasSeat(member, epoch)),
    );
  }

  #submitOne(salt: number): void {
    const { prng, network } = this.#modules;
    const up = this.#listUp();
    if (up.length === 0) return;
    const member = prng.pick(up);
    const epoch = Math.floor((member.executedRound + 1) / ROUNDS_PER_EPOCH);
    const message = prng.oneIn(4)
      ? makeTransfer(network, epoch, salt, 1 + salt)
      : makeReport(network, prng.below(4), epoch, salt);
    this.#submit(member, message);
  }

  #submitToAll(message: Uint8Array): void {
    for (const member of this.#listUp()) this.#submit(member, message);
  }

  #listUp(): Member[] {
    const { members, hasSeat } = this.#modules;
    const epoch = Math.floor((this.#newestRound + 1) / ROUNDS_PER_EPOCH);
    return members().filter((member) => member.core !== null && hasSeat(member, epoch));
  }

  #submit(member: Member, message: Uint8Array): void {
    const submission: Submission = { member, life: member.life, id: null, isRefused: false };
    // A liar's promise is nobody's.
    if (member.isHonest) this.#submissions.push(submission);
    member.core!.intake.submit("client", encodeParcel([message])).then(
      ([item]) => {
        submission.isRefused = item!.reason !== null;
        submission.id = encodeHex(item!.id);
      },
      () => {
        submission.isRefused = true;
      },
    );
  }
}
