/**
 * The own lane as its author: batches get their numbers in order, each is durable before it is named, named before
 * anybody sees it, and settled by a certificate. A pure state machine: bodies, disk and streams are the shell's.
 */
import { LANE_START } from "../cut.ts";
import type { Place } from "./config.ts";
import { MAX_BATCHES_IN_FLIGHT, MAX_UNCUT_BATCHES } from "./limits.ts";

/** From its number to its certificate: `written` when the body is durable, `recorded` when its name is. */
export type InFlight = Place & { readonly stage: "numbered" | "written" | "naming" | "recorded" };

export type AuthorState = {
  /** The newest batch with a number; the next one names it as the one before. */
  readonly head: Place;
  /** The newest batch known to be certified. */
  readonly certified: Place;
  /** The own lane's entry in the last finalized cut; 0 before the first. */
  readonly cutSeq: number;
  /** In order, without a gap. */
  readonly inFlight: readonly InFlight[];
};

export type AuthorEvent =
  /** The next batch is closed; its body has this digest, and names `nextPlace` as its place. */
  | { readonly type: "close"; readonly digest: Uint8Array }
  /** A body is durable. */
  | { readonly type: "written"; readonly seq: number }
  /** The names that were asked for are durable, up to this number. */
  | { readonly type: "recorded"; readonly seq: number }
  /** A quorum acknowledged a batch, and with it all before it. */
  | { readonly type: "certified"; readonly place: Place }
  /** A decided cut holds the lane up to here. */
  | { readonly type: "cut"; readonly seq: number }
  /** Others hold the lane up to here by the author's word, which it had lost; nothing was numbered since it opened. */
  | { readonly type: "adopt"; readonly place: Place };

export type AuthorEffect =
  /** Make the body durable under its digest, and answer with `written`. */
  | { readonly type: "write"; readonly place: Place }
  /** Name these for ever, all in one commit, and answer with `recorded`. A number that has another digest is fatal. */
  | { readonly type: "record"; readonly places: readonly Place[] }
  /** Ask the others to acknowledge it. */
  | { readonly type: "offer"; readonly place: Place }
  /** These are certified: whoever waits for them may be told. */
  | { readonly type: "settle"; readonly places: readonly Place[] };

export type AuthorStep = { readonly state: AuthorState; readonly effects: readonly AuthorEffect[] };

/**
 * The lane where it was left.
 * @param last the newest batch that is named; null before the first. What nobody certified before the end is in flight.
 */
export function createAuthor(last: Place | null, cutSeq: number): AuthorState {
  const head = last ?? { seq: 0, digest: LANE_START };
  if (head.seq <= cutSeq) return { head, certified: head, cutSeq, inFlight: [] };
  const certified = { seq: cutSeq, digest: LANE_START };
  return { head, certified, cutSeq, inFlight: [{ ...head, stage: "recorded" }] };
}

/** A2: the place of the next batch: the number after the head's, chained to its digest. */
export function nextPlace({ head }: AuthorState): { readonly seq: number; readonly prev: Uint8Array } {
  return { seq: head.seq + 1, prev: head.digest };
}

/** A5: whether the lane may take on more: few enough in flight, and not too far beyond the last cut. */
export function mayTakeOn({ inFlight, certified, cutSeq }: AuthorState): boolean {
  return inFlight.length < MAX_BATCHES_IN_FLIGHT && certified.seq - cutSeq < MAX_UNCUT_BATCHES;
}

/** One step of the author. */
export function stepAuthor(state: AuthorState, event: AuthorEvent): AuthorStep {
  switch (event.type) {
    case "close":
      return numberBatch(state, event.digest);
    case "written":
      return nameInOrder(state, event.seq);
    case "recorded":
      return offerNamed(state, event.seq);
    case "certified":
      return event.place.seq < state.certified.seq ? { state, effects: [] } : settle(state, event.place);
    case "cut":
      return onCut(state, event.seq);
    case "adopt":
      return adopt(state, event.place);
  }
}

/** A2 author in order: the batch takes the next number, for good; its body goes to disk first. */
function numberBatch(state: AuthorState, digest: Uint8Array): AuthorStep {
  const head = { seq: state.head.seq + 1, digest };
  const inFlight = [...state.inFlight, { ...head, stage: "numbered" as const }];
  return { state: { ...state, head, inFlight }, effects: [{ type: "write", place: head }] };
}

/**
 * A2 never two batches with one number: written bodies that have no unwritten one before them are named together. A
 * name without a body could never be continued from, a body without a name is nobody's.
 */
function nameInOrder(state: AuthorState, seq: number): AuthorStep {
  const written = state.inFlight.map((batch) =>
    batch.seq === seq && batch.stage === "numbered" ? { ...batch, stage: "written" as const } : batch,
  );
  const firstUnwritten = written.findIndex(({ stage }) => stage === "numbered");
  const end = firstUnwritten === -1 ? written.length : firstUnwritten;
  const ready = written.slice(0, end).filter(({ stage }) => stage === "written");
  const inFlight = written.map((batch, index) =>
    index < end && batch.stage === "written" ? { ...batch, stage: "naming" as const } : batch,
  );
  const places = ready.map((batch) => ({ seq: batch.seq, digest: batch.digest }));
  const effects: AuthorEffect[] = places.length === 0 ? [] : [{ type: "record", places }];
  return { state: { ...state, inFlight }, effects };
}

/** A2 what is named is offered, and not before. */
function offerNamed(state: AuthorState, seq: number): AuthorStep {
  const named = state.inFlight.filter((batch) => batch.seq <= seq && batch.stage === "naming");
  const inFlight = state.inFlight.map((batch) =>
    named.includes(batch) ? { ...batch, stage: "recorded" as const } : batch,
  );
  const next = { ...state, inFlight };
  const places = named.map((batch) => ({ seq: batch.seq, digest: batch.digest }));
  return { state: next, effects: places.map((place) => ({ type: "offer", place })) };
}

/** A3 an acknowledgement covers the lane up to its batch, so a certificate settles the batches before it too. */
function settle(state: AuthorState, { seq, digest }: Place): AuthorStep {
  const places = state.inFlight.filter((batch) => batch.seq <= seq);
  const certified = seq >= state.certified.seq ? { seq, digest } : state.certified;
  const inFlight = state.inFlight.slice(places.length);
  const effects: AuthorEffect[] = places.length === 0 ? [] : [{ type: "settle", places }];
  return { state: { ...state, certified, inFlight }, effects };
}

/** A2 never two batches with one number: the lane goes on behind what was signed, whoever remembered it. */
function adopt(state: AuthorState, place: Place): AuthorStep {
  if (place.seq <= state.head.seq) return { state, effects: [] };
  const isOpen = place.seq > state.cutSeq;
  const inFlight = isOpen ? [...state.inFlight, { ...place, stage: "recorded" as const }] : state.inFlight;
  return { state: { ...state, head: place, inFlight }, effects: [] };
}

/** A5 a cut makes room; a batch in it was certified, whether its certificate came back here or not. */
function onCut(state: AuthorState, seq: number): AuthorStep {
  const cut = { ...state, cutSeq: Math.max(state.cutSeq, seq) };
  const newest = cut.inFlight.findLast((batch) => batch.seq <= seq);
  if (newest === undefined) return { state: cut, effects: [] };
  return settle(cut, newest);
}
