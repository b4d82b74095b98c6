/**
 * Exhaustive exploration of the real core: every state that three honest validators and one Byzantine can reach in the
 * first views, whatever arrives when. Byzantine votes are always there, a Byzantine leader's every proposal too, timers
 * fire at any moment, validators crash at any moment. What was sent is what the honest ones hold as own votes and
 * proposals, so a global state is three local ones.
 */
import type { Certificate, Event } from "../../../protocol/src/agreement/simplex/index.ts";
import type { Core } from "./core.ts";
import {
  BALLOTS,
  ballotBit,
  type LocalState,
  LocalStates,
  VALIDATORS,
  VALUES,
  voteOf,
} from "./localStates.ts";
import { StateSet } from "./stateSet.ts";
import { createTokenScheme } from "./tokenScheme.ts";

const QUORUM = 3;

/** Codes of events: what `LocalStates.follow` remembers them by. */
const CODE = { timeout: 0, fresh: 1, crash: 3, proposal: 8, certificate: 64 } as const;

export type Exploration = {
  readonly core: Core;
  /** Views explored; a validator beyond them does nothing more. At most 3. */
  readonly views: number;
  /** Position by view; honest are the first, Byzantine the last positions. */
  readonly leaders: readonly number[];
  /** 1, or 2 to see that the exploration finds what must then be found. */
  readonly byzantine: number;
  readonly crashes: boolean;
  /** Whether proposals also arrive before their view is entered, to wait there. */
  readonly proposalsAhead: boolean;
  /** Stops there, and says so. */
  readonly maxStates: number;
};

export type ExplorationResult = {
  readonly states: number;
  readonly localStates: readonly number[];
  readonly transitions: number;
  readonly isComplete: boolean;
  /** How many states had a decision: an exploration without any would prove nothing. */
  readonly decided: number;
  readonly violation: string | null;
};

/** Visits every reachable state once, and judges it. */
export function explore(options: Exploration): ExplorationResult {
  return new Explorer(options).run();
}

class Explorer {
  readonly #options: Exploration;
  readonly #honest: number;
  readonly #local: readonly LocalStates[];
  /** Votes of the honest that suffice, with the Byzantine ones, for a quorum. */
  readonly #needed: number;
  readonly #seen = new StateSet();
  readonly #schemes = Array.from({ length: VALIDATORS }, (_, position) => createTokenScheme(position));
  #transitions = 0;
  #decided = 0;
  #violation: string | null = null;

  constructor(options: Exploration) {
    this.#options = options;
    this.#honest = VALIDATORS - options.byzantine;
    this.#needed = QUORUM - options.byzantine;
    this.#local = Array.from({ length: this.#honest }, (_, self) => {
      const config = { self, validators: VALIDATORS, leaders: options.leaders, delayMs: 100 };
      return new LocalStates(options.core, config, options.views);
    });
  }

  run(): ExplorationResult {
    this.#visit(this.#local.map((states) => states.begin()));
    for (let index = 0; index < this.#seen.size && this.#violation === null; index++) {
      if (this.#seen.size > this.#options.maxStates) break;
      this.#expand(this.#seen.idsAt(index, this.#honest));
    }
    const violated = this.#local.map(({ violation }) => violation).find((violation) => violation !== null);
    return {
      states: this.#seen.size,
      localStates: this.#local.map(({ states }) => states.length),
      transitions: this.#transitions,
      isComplete: this.#seen.size <= this.#options.maxStates,
      decided: this.#decided,
      violation: this.#violation ?? violated ?? null,
    };
  }

  #visit(ids: readonly number[]): void {
    this.#transitions++;
    if (!this.#seen.add(ids)) return;
    const available = this.#available(ids.map((id, i) => this.#local[i]!.states[id]!));
    this.#violation ??= judge(available, this.#options.views);
    if (available & FINALIZED) this.#decided++;
  }

  /** Every next state: one honest validator does one thing. */
  #expand(ids: readonly number[]): void {
    const states = ids.map((id, i) => this.#local[i]!.states[id]!);
    const available = this.#available(states);
    for (const [self, state] of states.entries()) {
      if (state.isDecided || state.view > this.#options.views) continue;
      const local = this.#local[self]!;
      const go = (code: number, eventsOf: () => readonly Event[]) => {
        const next = local.follow(ids[self]!, code, eventsOf);
        if (next !== ids[self]) this.#visit(ids.map((id, i) => (i === self ? next : id)));
        if (local.violation !== null) this.#violation ??= local.violation;
      };
      go(CODE.timeout, () => [{ type: "timeout", view: state.view }]);
      if (state.wantsValue) {
        for (const [i, value] of VALUES.entries()) go(CODE.fresh + i, () => [{ type: "propose", value }]);
      }
      if (this.#options.crashes) {
        const next = local.crash(ids[self]!, CODE.crash);
        if (next !== ids[self]) this.#visit(ids.map((id, i) => (i === self ? next : id)));
      }
      this.#deliverProposals(states, state, go);
      this.#deliverCertificates(states, state, available, go);
    }
  }

  #deliverProposals(
    states: readonly LocalState[],
    state: LocalState,
    go: (code: number, eventsOf: () => readonly Event[]) => void,
  ): void {
    const last = this.#options.proposalsAhead ? this.#options.views : state.view;
    for (let view = state.view; view <= last; view++) {
      if (state.holdsProposal[view]) continue;
      const leader = this.#options.leaders[(view - 1) % VALIDATORS]!;
      const own = states[leader]?.proposed[view];
      for (const [i, value] of VALUES.entries()) {
        for (let parent = 0; parent < view; parent++) {
          if (leader < this.#honest && (own?.value !== value || own.parent !== parent)) continue;
          const statement = { kind: "propose", view, parent, value } as const;
          go(CODE.proposal + ((view - 1) * 2 + i) * 4 + parent, () => [
            {
              type: "proposal",
              from: leader,
              proposal: {
                ...statement,
                validator: leader,
                signature: this.#schemes[leader]!.sign(statement),
                justification: [],
              },
            },
          ]);
        }
      }
    }
  }

  /** Certificates arrive that honest votes and Byzantine ones make; counting votes is the simulation's to check. */
  #deliverCertificates(
    states: readonly LocalState[],
    state: LocalState,
    available: number,
    go: (code: number, eventsOf: () => readonly Event[]) => void,
  ): void {
    for (let view = 1; view <= this.#options.views; view++) {
      for (let ballot = 0; ballot < BALLOTS.length; ballot++) {
        const bit = ballotBit(view, ballot);
        if ((available & bit) === 0 || (state.certified & bit) !== 0) continue;
        let mask = 0;
        for (const [i, other] of states.entries()) if ((other.voted & bit) !== 0) mask |= 1 << i;
        const code = CODE.certificate + ((view - 1) * BALLOTS.length + ballot) * 8 + mask;
        go(code, () => [
          { type: "certificate", from: VALIDATORS - 1, certificate: this.#certify(view, ballot, mask) },
        ]);
      }
    }
  }

  #certify(view: number, ballot: number, mask: number): Certificate {
    const vote = voteOf(view, ballot);
    const voters = this.#schemes.map((_, i) => i).filter((i) => i >= this.#honest || ((mask >> i) & 1) === 1);
    const votes = voters.map((validator) => ({
      ...vote,
      validator,
      signature: this.#schemes[validator]!.sign(vote),
    }));
    return this.#schemes[0]!.certify(vote, votes);
  }

  /** The ballots for which a quorum exists, the Byzantine votes always added. */
  #available(states: readonly LocalState[]): number {
    let [one, two] = [0, 0];
    for (const { voted } of states) {
      two |= one & voted;
      one |= voted;
    }
    return this.#needed === 1 ? one : two;
  }
}

/** The bits of FINALIZE(A) and FINALIZE(B) in three views. */
const FINALIZE_A = 0b01000_01000_01000;
const FINALIZE_B = 0b10000_10000_10000;
const FINALIZED = FINALIZE_A | FINALIZE_B;

/** What a quorum can be shown for: agreement, one notarization a view, no view both nullified and finalized. */
function judge(available: number, views: number): string | null {
  if ((available & FINALIZE_A) !== 0 && (available & FINALIZE_B) !== 0) return "A and B are both finalized";
  for (let view = 1; view <= views; view++) {
    const ballots = (available >> ((view - 1) * BALLOTS.length)) & 0b11111;
    if ((ballots & 0b00011) === 0b00011) return `A and B are both notarized in view ${view}`;
    if ((ballots & 0b00100) !== 0 && (ballots & 0b11000) !== 0)
      return `view ${view} is nullified and finalized`;
  }
  return null;
}

/** Who leads: an honest validator then another, the Byzantine one first, the Byzantine one second. */
export const EXPLORATIONS: readonly Omit<Exploration, "core" | "maxStates">[] = [
  { views: 2, leaders: [0, 1, 2, 3], byzantine: 1, crashes: true, proposalsAhead: true },
  { views: 2, leaders: [3, 0, 1, 2], byzantine: 1, crashes: true, proposalsAhead: true },
  { views: 2, leaders: [0, 3, 1, 2], byzantine: 1, crashes: true, proposalsAhead: true },
];
