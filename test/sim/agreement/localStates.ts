/**
 * One honest validator as the exploration sees it: the real core's states, each known by a small number, and where each
 * event leads from it. States that behave alike have one number, so each transition of the core is computed once.
 */
import type {
  Effect,
  Event,
  JournalRecord,
  SimplexConfig,
  SimplexState,
  Vote,
} from "../../../protocol/src/agreement/simplex/index.ts";
import type { Core } from "./core.ts";
import { createTokenScheme } from "./tokenScheme.ts";

/** The two values that everything is about; more add nothing to a disagreement of two. */
export const VALUES = ["A", "B"] as const;
/** What can be voted in a view, in the order of the bits of `LocalState.voted`. */
export const BALLOTS = [
  { kind: "notarize", value: "A" },
  { kind: "notarize", value: "B" },
  { kind: "nullify", value: null },
  { kind: "finalize", value: "A" },
  { kind: "finalize", value: "B" },
] as const;

export const VALIDATORS = 4;

export type LocalState = {
  readonly state: SimplexState;
  readonly journal: readonly JournalRecord[];
  readonly view: number;
  readonly isDecided: boolean;
  /** Leads the current view and waits for a value to propose. */
  readonly wantsValue: boolean;
  /** By view: whether a proposal is held; and what this validator itself proposed. */
  readonly holdsProposal: readonly boolean[];
  readonly proposed: readonly ({ readonly value: string; readonly parent: number } | null)[];
  /** Bit (view - 1) * 5 + ballot: own votes; and certificates held. */
  readonly voted: number;
  readonly certified: number;
  /** Whether anything that its future depends on, or that others see of it, names a value; else it is its own mirror image. */
  readonly namesValue: boolean;
};

export class LocalStates {
  readonly self: number;
  readonly #core: Core;
  readonly #config: SimplexConfig;
  readonly #maxView: number;
  readonly #ids = new Map<string, number>();
  readonly #next: Int32Array[] = [];
  readonly states: LocalState[] = [];
  /** The first thing that an honest validator did and must not. */
  violation: string | null = null;

  constructor(core: Core, config: Omit<SimplexConfig, "scheme">, maxView: number) {
    this.self = config.self;
    this.#core = core;
    this.#config = { ...config, scheme: createTokenScheme(config.self) };
    this.#maxView = maxView;
  }

  /** The number of the state after `start`. */
  begin(): number {
    return this.#run(this.#core.createSimplex(this.#config), [], [{ type: "start" }]);
  }

  /** Where the events that `code` stands for lead; computed the first time. Codes are below 256. */
  follow(id: number, code: number, eventsOf: () => readonly Event[]): number {
    const known = this.#next[id]![code]!;
    if (known > 0) return known - 1;
    const { state, journal } = this.states[id]!;
    const next = this.#run(state, journal, eventsOf());
    this.#next[id]![code] = next + 1;
    return next;
  }

  /** Where a crash leads: everything is forgotten but the journal. */
  crash(id: number, code: number): number {
    const known = this.#next[id]![code]!;
    if (known > 0) return known - 1;
    const { journal, voted, certified, view } = this.states[id]!;
    const restored = this.#core.recoverSimplex(this.#config, journal);
    const after = this.#live(restored, journal, [{ type: "start" }]);
    const recovered = describe(after.state, after.journal, this.#maxView);
    if ((recovered.voted & voted) !== voted || (recovered.certified & certified) !== certified) {
      this.#report("a crash forgets votes or certificates");
    }
    if (recovered.view < view) this.#report("a crash leads back to an earlier view");
    const next = this.#number(after.state, after.journal);
    this.#next[id]![code] = next + 1;
    return next;
  }

  #run(from: SimplexState, before: readonly JournalRecord[], events: readonly Event[]): number {
    const { state, journal } = this.#live(from, before, events);
    return this.#number(state, journal);
  }

  /** Lets events happen, and every value that is asked for arrive at once. */
  #live(from: SimplexState, before: readonly JournalRecord[], events: readonly Event[]) {
    let state = from;
    const journal = [...before];
    const queue = [...events];
    for (let event = queue.shift(); event !== undefined; event = queue.shift()) {
      const step = this.#core.stepSimplex(state, event);
      for (const effect of step.effects) {
        this.#check(effect, journal);
        if (effect.type === "persist") journal.push(effect.record);
        if (effect.type === "requestValue")
          queue.push({ type: "valueAvailable", value: effect.value, valid: true });
      }
      state = step.state;
    }
    return { state, journal };
  }

  #check(effect: Effect, journal: readonly JournalRecord[]): void {
    if (effect.type !== "persist" || effect.record.type !== "vote") return;
    const { kind, view, value } = effect.record.vote;
    for (const record of journal) {
      if (record.type !== "vote" || record.vote.view !== view) continue;
      const before = record.vote;
      const isAllowed =
        before.kind !== kind &&
        before.kind === "notarize" &&
        (kind === "nullify" || (kind === "finalize" && before.value === value));
      if (!isAllowed) this.#report(`an honest validator votes ${kind} after ${before.kind} in view ${view}`);
    }
  }

  #report(what: string): void {
    this.violation ??= what;
  }

  /**
   * What a state's future depends on, and what others can see of it. A validator that is done acts no more; one that
   * has voted in the last view and need not propose there judges nothing any more, so its certificates are idle.
   */
  #keyOf({ state, view, isDecided, voted, certified, proposed, holdsProposal }: Described): string {
    const seen = `${voted}|${proposed.map((own) => (own === null ? "" : own.value + own.parent)).join()}`;
    if (isDecided || view > this.#maxView) return seen;
    const leads = (other: number) => this.#config.leaders[(other - 1) % VALIDATORS] === this.self;
    const last = ballotBit(view, 0) | ballotBit(view, 1) | ballotBit(view, 2);
    const isIdle = view === this.#maxView && (voted & last) !== 0 && (!leads(view) || holdsProposal[view]);
    const held = state.views.slice(view).map(({ proposal }) => proposal && proposal.value + proposal.parent);
    let leadsAgain = false;
    for (let later = view; later <= this.#maxView; later++) leadsAgain ||= leads(later);
    return `${seen}|${view}|${isIdle ? "" : `${certified}|${held}|${leadsAgain ? state.fresh : ""}`}`;
  }

  #number(state: SimplexState, journal: readonly JournalRecord[]): number {
    const local = describe(state, journal, this.#maxView);
    const key = this.#keyOf(local);
    const namesValue = ((local.voted | local.certified) & OF_VALUES) !== 0 || /[AB]/.test(key);
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    const id = this.states.length;
    this.#ids.set(key, id);
    this.states.push({ ...local, namesValue });
    this.#next.push(new Int32Array(256));
    return id;
  }
}

/** The bit of a ballot in a view. */
export function ballotBit(view: number, ballot: number): number {
  return 1 << ((view - 1) * BALLOTS.length + ballot);
}

/** The vote that a bit stands for. */
export function voteOf(view: number, ballot: number): Vote {
  return { ...BALLOTS[ballot]!, view };
}

type Described = Omit<LocalState, "namesValue">;

/** The bits of all ballots but NULLIFY, in three views. */
const OF_VALUES = 0b11011_11011_11011;

function describe(state: SimplexState, journal: readonly JournalRecord[], maxView: number): Described {
  const { self, leaders } = state.config;
  let voted = 0;
  let certified = 0;
  const holdsProposal: boolean[] = [];
  const proposed: ({ value: string; parent: number } | null)[] = [];
  for (let view = 1; view <= maxView; view++) {
    const record = state.views[view];
    holdsProposal[view] = record !== undefined && record.proposal !== null;
    proposed[view] = record?.proposal?.validator === self ? record.proposal : null;
    if (record === undefined) continue;
    for (const [ballot, { kind, value }] of BALLOTS.entries()) {
      const own = record[kind][self];
      if (own !== undefined && own.value === value) voted |= ballotBit(view, ballot);
      const certificate =
        kind === "notarize" ? record.notarization : kind === "nullify" ? record.nullification : null;
      if (certificate !== null && certificate.value === value) certified |= ballotBit(view, ballot);
    }
  }
  const leads = leaders[(state.view - 1) % leaders.length] === self;
  return {
    state,
    journal,
    view: state.view,
    isDecided: state.final !== null,
    wantsValue: leads && state.view <= maxView && state.fresh === null && !holdsProposal[state.view],
    holdsProposal,
    proposed,
    voted,
    certified,
  };
}
