/**
 * Which values a view may propose. A justified proposal names a parent view whose value is notarized and repeats that
 * value, or names none, and every view between has been nullified: so a value that may have been decided cannot be
 * passed over.
 */
import type { Certificate, ProposalStatement } from "./messages.ts";
import { type SimplexState, viewOf } from "./state.ts";

type Views = Pick<SimplexState, "views">;

/** A leader's only choice: the parent (0 for none), its value (null for a fresh one), and the proof. */
export type Parent = {
  readonly view: number;
  readonly certificate: Certificate | null;
  readonly justification: readonly Certificate[];
};

/** Whether the certificates held justify a proposal for its view. */
export function isJustified(state: Views, { view, parent, value }: ProposalStatement): boolean {
  if (!Number.isSafeInteger(parent) || parent < 0 || parent >= view) return false;
  if (parent > 0 && viewOf(state, parent).notarization?.value !== value) return false;
  return areNullified(state, parent + 1, view - 1);
}

/**
 * The largest p < view with a notarization such that every view between is nullified; p = 0 when all views before are.
 * @returns null where the certificates held justify no proposal at all.
 */
export function findParent(state: Views, view: number): Parent | null {
  const skipped: Certificate[] = [];
  for (let parent = view - 1; parent > 0; parent--) {
    const { notarization, nullification } = viewOf(state, parent);
    if (notarization !== null) {
      return { view: parent, certificate: notarization, justification: [notarization, ...skipped] };
    }
    if (nullification === null) return null;
    skipped.push(nullification);
  }
  return { view: 0, certificate: null, justification: skipped };
}

function areNullified(state: Views, first: number, last: number): boolean {
  for (let view = first; view <= last; view++) {
    if (viewOf(state, view).nullification === null) return false;
  }
  return true;
}
