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
  /**
   * Visits only states that others can tell apart: a validator moves on to its next vote or proposal in one step. What it
   * does in between adds nothing that others could see, and nothing that it rests on ever goes away, so it may as well
   * happen right before; every set of votes that can be reached is reached all the same. And of two runs that differ
   * only in which value is called A one is enough: where nothing names a value yet, the first to be named is A. (Such a
   * state is its own mirror image, so what begins with B is the mirror image of what begins with A.)
   */
  readonly isReduced?: boolean;
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
  /** Every set of ballots that a quorum was reached for, as bits. */
  readonly reached: ReadonlySet<number>;
  readonly violation: string | null;
};

/** What a validator acts on while it is silent: the others as they are, and what they have voted for. */
type Surroundings = {
  readonly states: readonly LocalState[];
  readonly available: number;
  readonly self: number;
  readonly name: string;
};
type Reach = {
  readonly silent: ReadonlySet<number>;
  readonly visible: readonly number[];
  /** What is left of `visible` where one suffices for several; null while nobody has asked. */
  sources: readonly number[] | null;
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
  /** By validator: where silence leads to, from a state and what is there to act on. */
  readonly #reaches: readonly Map<string, Reach>[];
  readonly #reached = new Set<number>();
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
    this.#reaches = this.#local.map(() => new Map());
  }

  run(): ExplorationResult {
    this.#visit(this.#local.map((states) => states.begin()));
    for (let index = 0; index < this.#seen.size && this.#violation === null; index++) {
      if (this.#seen.size > this.#options.maxStates) break;
      const ids = this.#seen.idsAt(index, this.#honest);
      if (this.#options.isReduced) this.#expandVisibly(ids);
      else this.#expand(ids);
    }
    const violated = this.#local.map(({ violation }) => violation).find((violation) => violation !== null);
    return {
      states: this.#seen.size,
      localStates: this.#local.map(({ states }) => states.length),
      transitions: this.#transitions,
      isComplete: this.#seen.size <= this.#options.maxStates,
      decided: this.#decided,
      reached: this.#reached,
      violation: this.#violation ?? violated ?? null,
    };
  }

  #visit(ids: readonly number[]): void {
    this.#transitions++;
    if (!this.#seen.add(ids)) return;
    const available = this.#available(ids.map((id, i) => this.#local[i]!.states[id]!));
    this.#reached.add(available);
    this.#violation ??= judge(available, this.#options.views);
    if (available & FINALIZED) this.#decided++;
  }

  /** Every next state: one honest validator does one thing. */
  #expand(ids: readonly number[]): void {
    const states = ids.map((id, i) => this.#local[i]!.states[id]!);
    const available = this.#available(states);
    for (let self = 0; self < ids.length; self++) {
      this.#moves(states, available, self, ids[self]!, (next) => {
        this.#visit(ids.map((id, i) => (i === self ? next : id)));
      });
    }
  }

  /** Every next state that others can tell from this one: one honest validator votes or proposes. */
  #expandVisibly(ids: readonly number[]): void {
    const states = ids.map((id, i) => this.#local[i]!.states[id]!);
    const available = this.#available(states);
    for (let self = 0; self < ids.length; self++) {
      const others = states.map((state, i) => (i === self ? "" : nameProposals(state)));
      const named = states.some((state, i) => i !== self && state.namesValue);
      const surroundings = { states, available, self, name: `${available}|${others}|${named}` };
      for (const next of this.#listVisible(surroundings, ids[self]!))
        this.#visit(ids.map((id, i) => (i === self ? next : id)));
    }
  }

  /**
   * The first things that others can see, by every way in silence. Of two that silence leads from one to the other only
   * the first is needed: whatever the second may do, the first may do too.
   */
  #listVisible(surroundings: Surroundings, from: number): readonly number[] {
    const known = this.#reach(surroundings, from);
    if (known.sources === null) {
      const sources = new Set<number>();
      for (const id of known.visible) sources.add(this.#sourceOf(surroundings, id));
      const leadsTo = (one: number, other: number) => this.#reach(surroundings, one).silent.has(other);
      known.sources = [...sources].filter(
        (id) => ![...sources].some((other) => other !== id && leadsTo(other, id)),
      );
    }
    return known.sources;
  }

  /** The lowest number among the states that silence leads to from this one, and back again. */
  #sourceOf(surroundings: Surroundings, id: number): number {
    let lowest = id;
    for (const other of this.#reach(surroundings, id).silent)
      if (other < lowest && this.#reach(surroundings, other).silent.has(id)) lowest = other;
    return lowest;
  }

  /** Where silence leads to from a state, and the first things that others can see beyond it. */
  #reach(surroundings: Surroundings, from: number): Reach {
    const { states, available, self, name } = surroundings;
    const key = `${from}|${name}`;
    const known = this.#reaches[self]!.get(key);
    if (known !== undefined) return known;
    const local = this.#local[self]!;
    const before = local.states[from]!;
    const silent = new Set([from]);
    const visible = new Set<number>();
    for (const id of silent) {
      this.#moves(states, available, self, id, (next) => {
        const after = local.states[next]!;
        const isSilent = after.voted === before.voted && nameProposals(after) === nameProposals(before);
        (isSilent ? silent : visible).add(next);
      });
    }
    const reach: Reach = { silent, visible: [...visible], sources: null };
    this.#reaches[self]!.set(key, reach);
    return reach;
  }

  /** Where one move of a validator leads from one of its states, while the others stay as they are. */
  #moves(
    states: readonly LocalState[],
    available: number,
    self: number,
    id: number,
    visit: (next: number) => void,
  ): void {
    const local = this.#local[self]!;
    const state = local.states[id]!;
    if (state.isDecided || state.view > this.#options.views) return;
    const go = (code: number, eventsOf: () => readonly Event[]) => {
      const next = local.follow(id, code, eventsOf);
      if (next !== id) visit(next);
      if (local.violation !== null) this.#violation ??= local.violation;
    };
    go(CODE.timeout, () => [{ type: "timeout", view: state.view }]);
    const values = this.#valuesAt(states, self, state);
    if (state.wantsValue) {
      for (const [i, value] of values.entries()) go(CODE.fresh + i, () => [{ type: "propose", value }]);
    }
    if (this.#options.crashes) {
      const next = local.crash(id, CODE.crash);
      if (next !== id) visit(next);
    }
    this.#deliverProposals(states, state, values, go);
    this.#deliverCertificates(states, state, available, go);
  }

  /** The values that may be named next. `states[self]` may be out of date: `state` is what it has come to. */
  #valuesAt(states: readonly LocalState[], self: number, state: LocalState): readonly string[] {
    const isNamed = state.namesValue || states.some((other, i) => i !== self && other.namesValue);
    return isNamed || !this.#options.isReduced ? VALUES : VALUES.slice(0, 1);
  }

  #deliverProposals(
    states: readonly LocalState[],
    state: LocalState,
    values: readonly string[],
    go: (code: number, eventsOf: () => readonly Event[]) => void,
  ): void {
    const last = this.#options.proposalsAhead ? this.#options.views : state.view;
    for (let view = state.view; view <= last; view++) {
      if (state.holdsProposal[view]) continue;
      const leader = this.#options.leaders[(view - 1) % VALIDATORS]!;
      const own = states[leader]?.proposed[view];
      for (const [i, value] of values.entries()) {
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

/** What a validator proposed, as others see it. */
const nameProposals = ({ proposed }: LocalState): string =>
  proposed.map((own) => (own === null ? "" : own.value + own.parent)).join();

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

/** Who leads where the third view is explored too. */
export const BYZANTINE_THIRD: Omit<Exploration, "core" | "maxStates"> = {
  ...EXPLORATIONS[0]!,
  leaders: [0, 1, 3, 2],
};
