/**
 * What a peer's message passes before it counts: form and window, then repetition, then the signature; only then is it
 * remembered and, where it contradicts what its author signed before, turned into evidence.
 */
import { type DropReason, drop } from "../drops.ts";
import { leaderOf, quorumOf } from "./config.ts";
import { checkConflict, type SignedStatement } from "./conflicts.ts";
import type { Certificate, Proposal, SignedVote } from "./messages.ts";
import { applyCertificate, countVotes, isCertified, notarize } from "./rules.ts";
import { type Draft, isViewInWindow, type SimplexState, storeVote, updateView, viewOf } from "./state.ts";

type State = SimplexState | Draft;

/** Whether a vote's view is kept (B8), its author has a seat, and it says what its kind says; null where it does. */
export function checkVoteForm(state: State, vote: SignedVote): DropReason | null {
  if (!isViewInWindow(state, vote.view)) return reasonOfView(vote.view);
  if (!isPosition(state, vote.validator)) return "unentitled";
  return (vote.kind === "nullify") === (vote.value === null) ? null : "malformed";
}

/** Whether the vote is held already. */
export function isVoteHeld(state: State, vote: SignedVote): boolean {
  return viewOf(state, vote.view)[vote.kind][vote.validator]?.value === vote.value;
}

/** Whether a proposal's view is kept (B8), its author leads it, and it carries at most one certificate a view before. */
export function checkProposalForm(state: State, proposal: Proposal): DropReason | null {
  const { view, validator, justification } = proposal;
  if (!isViewInWindow(state, view)) return reasonOfView(view);
  if (validator !== leaderOf(state.config, view)) return "unentitled";
  return justification.length < view ? null : "malformed";
}

/** Whether the proposal is held already. */
export function isProposalHeld(state: State, proposal: Proposal): boolean {
  const held = viewOf(state, proposal.view).proposal;
  return held !== null && held.value === proposal.value && held.parent === proposal.parent;
}

/**
 * Whether a certificate's view is kept, and its signers are a quorum of distinct seats. What decides is taken from any
 * view (B6): it needs a quorum, so nobody can flood with it.
 */
export function checkCertificateForm(state: State, certificate: Certificate): DropReason | null {
  const { kind, view, value, signers } = certificate;
  if (kind !== "finalize" && !isViewInWindow(state, view)) return reasonOfView(view);
  if (!isView(view) || (kind === "nullify") !== (value === null)) return "malformed";
  if (signers.length < quorumOf(state.config)) return "malformed";
  const areDistinct = signers.every(
    (signer, i) => isPosition(state, signer) && (i === 0 || signer > signers[i - 1]!),
  );
  return areDistinct ? null : "malformed";
}

/** Counts a formed vote that is not held, once its signature is verified. @returns why it does not count, or null. */
export function acceptVote(draft: Draft, vote: SignedVote): DropReason | null {
  if (!draft.config.scheme.verify(vote, vote.validator, vote.signature)) return "bad_signature";
  if (!rememberVote(draft, vote)) return "conflict";
  countVotes(draft, vote.view, vote.kind, vote.value);
  return null;
}

/** Takes a formed proposal and the certificates that came with it; in the current view it is judged at once (B2). */
export function acceptProposal(draft: Draft, proposal: Proposal): DropReason | null {
  const { view, validator, signature, justification } = proposal;
  if (!draft.config.scheme.verify(proposal, validator, signature)) return "bad_signature";
  const held = viewOf(draft, view).proposal;
  if (held !== null) {
    convict(draft, held, proposal);
    return "conflict";
  }
  for (const certificate of justification) {
    drop(draft, checkCertificateForm(draft, certificate) ?? acceptCertificate(draft, certificate));
  }
  updateView(draft, view, { proposal });
  if (draft.started && draft.final === null && view === draft.view) notarize(draft);
  return null;
}

/** Applies a formed certificate, unless its like is held, once its signatures are verified. */
export function acceptCertificate(draft: Draft, certificate: Certificate): DropReason | null {
  const { scheme } = draft.config;
  if (draft.final !== null || isCertified(draft, certificate.view, certificate.kind)) return null;
  if (!scheme.verifyCertificate(certificate)) return "bad_signature";
  rememberVotesOf(draft, certificate);
  applyCertificate(draft, certificate);
  return null;
}

/** A certificate's votes convict like any others, and FINALIZE votes among them are somebody's participation. */
export function rememberVotesOf(draft: Draft, certificate: Certificate): void {
  if (!isViewInWindow(draft, certificate.view)) return;
  for (const vote of draft.config.scheme.votesOf(certificate)) rememberVote(draft, vote);
}

/** Stores a verified vote where it is its author's first of the kind; looks for a contradiction. True where stored. */
function rememberVote(draft: Draft, vote: SignedVote): boolean {
  const { notarize, nullify, finalize } = viewOf(draft, vote.view);
  for (const votes of [notarize, nullify, finalize]) {
    const held = votes[vote.validator];
    if (held !== undefined) convict(draft, held, vote);
  }
  if (viewOf(draft, vote.view)[vote.kind][vote.validator] !== undefined) return false;
  storeVote(draft, vote);
  return true;
}

function convict(draft: Draft, first: SignedStatement, second: SignedStatement): void {
  const { validator } = first;
  const reason = checkConflict(first, second);
  if (reason === null || draft.convicted.has(validator)) return;
  draft.convicted = new Set([...draft.convicted, validator]);
  draft.effects.push({ type: "evidence", conflict: { reason, validator, first, second } });
}

/** Why a view is not kept: it is none, or lies beyond the window. */
const reasonOfView = (view: number): DropReason => (isView(view) ? "far_ahead" : "malformed");

const isView = (view: number): boolean => Number.isSafeInteger(view) && view >= 1;

function isPosition(state: State, position: number): boolean {
  return Number.isInteger(position) && position >= 0 && position < state.config.validators;
}
