/**
 * The state of one round's instance, and the draft in which one step changes it. States are never changed: a draft
 * copies what it touches, so a state can be kept, compared and gone back to.
 */
import { quorumOf, type SimplexConfig, VIEW_WINDOW } from "./config.ts";
import type { Effect, JournalRecord } from "./events.ts";
import type { Certificate, Message, Proposal, SignedVote, ValueId, VoteKind } from "./messages.ts";

/** The first vote of each validator, by position; undefined where none was seen. */
export type Votes = readonly (SignedVote | undefined)[];

/** What is known of one view. At most one entry a validator and kind, one proposal, two certificates: bounded. */
export type ViewRecord = {
  /** The leader's first proposal, justified or not. */
  readonly proposal: Proposal | null;
  readonly notarize: Votes;
  readonly nullify: Votes;
  readonly finalize: Votes;
  readonly notarization: Certificate | null;
  readonly nullification: Certificate | null;
};

export type SimplexState = {
  readonly config: SimplexConfig;
  /** The current view: 0 before `start`, then from 1. */
  readonly view: number;
  /** By view, entry 0 unused. Views behind the current one stay: all their certificates are sent at a standstill (B7). */
  readonly views: readonly ViewRecord[];
  /** Whether a value is valid, for those that a proposal or the shell named. */
  readonly judged: ReadonlyMap<ValueId, boolean>;
  /** The fresh value that the shell built, proposed in whichever view this validator leads first without a parent. */
  readonly fresh: ValueId | null;
  /** Validators convicted in this round; one piece of evidence each is enough. */
  readonly convicted: ReadonlySet<number>;
  /** The certificate that decided, or null. */
  readonly final: Certificate | null;
  /** True from `start` on. */
  readonly started: boolean;
};

/** One step in the making: the next state, and what to do. */
export type Draft = { -readonly [Key in keyof Omit<SimplexState, "views">]: SimplexState[Key] } & {
  readonly views: ViewRecord[];
  readonly effects: Effect[];
};

const EMPTY_VIEW: ViewRecord = {
  proposal: null,
  notarize: [],
  nullify: [],
  finalize: [],
  notarization: null,
  nullification: null,
};

/** The state before anything happened. */
export function createSimplex(config: SimplexConfig): SimplexState {
  return {
    config,
    view: 0,
    views: [],
    judged: new Map(),
    fresh: null,
    convicted: new Set(),
    final: null,
    started: false,
  };
}

/** A draft of the step after a state. */
export function openDraft(state: SimplexState): Draft {
  return {
    config: state.config,
    view: state.view,
    views: state.views.slice(),
    judged: state.judged,
    fresh: state.fresh,
    convicted: state.convicted,
    final: state.final,
    started: state.started,
    effects: [],
  };
}

/** The state that a draft has become. The draft must not be used again. */
export function closeDraft(draft: Draft): { state: SimplexState; effects: readonly Effect[] } {
  const { config, view, views, judged, fresh, convicted, final, started, effects } = draft;
  return { state: { config, view, views, judged, fresh, convicted, final, started }, effects };
}

/** What is known of a view; of most views nothing. */
export function viewOf(state: Pick<SimplexState, "views">, view: number): ViewRecord {
  return state.views[view] ?? EMPTY_VIEW;
}

/** This validator's own vote of a kind in a view. */
export function ownVote(state: SimplexState | Draft, view: number, kind: VoteKind): SignedVote | undefined {
  return viewOf(state, view)[kind][state.config.self];
}

/** B8: whether messages of a view are kept. Older views always are: their votes may still decide. */
export function isViewInWindow(state: SimplexState | Draft, view: number): boolean {
  return Number.isSafeInteger(view) && view >= 1 && view <= state.view + VIEW_WINDOW;
}

/** Changes what is known of a view. */
export function updateView(draft: Draft, view: number, change: Partial<ViewRecord>): void {
  while (draft.views.length <= view) draft.views.push(EMPTY_VIEW);
  draft.views[view] = { ...draft.views[view]!, ...change };
}

/** Stores a vote where it is its author's first of that kind in that view; the caller has looked. */
export function storeVote(draft: Draft, vote: SignedVote): void {
  const held = viewOf(draft, vote.view)[vote.kind];
  const votes =
    held.length === 0
      ? new Array<SignedVote | undefined>(draft.config.validators).fill(undefined)
      : held.slice();
  votes[vote.validator] = vote;
  updateView(draft, vote.view, { [vote.kind]: votes });
}

/** The votes for one value, of one kind in one view, ascending; null where they are no quorum. */
export function findQuorum(
  draft: Draft,
  view: number,
  kind: VoteKind,
  value: ValueId | null,
): SignedVote[] | null {
  const agreeing = viewOf(draft, view)[kind].filter(
    (vote): vote is SignedVote => vote !== undefined && vote.value === value,
  );
  return agreeing.length >= quorumOf(draft.config) ? agreeing : null;
}

export function persist(draft: Draft, record: JournalRecord): void {
  draft.effects.push({ type: "persist", record });
}

export function broadcast(draft: Draft, message: Message): void {
  draft.effects.push({ type: "broadcast", message });
}
