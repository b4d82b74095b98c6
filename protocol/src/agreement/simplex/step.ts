/**
 * One round's agreement as a pure function: a state and an event give the next state and what to do. Whether a message
 * counts is in `intake.ts`, what then follows in `rules.ts`.
 */
import { DROPPED, type DropReason, drop } from "../drops.ts";
import { type SimplexConfig, standstillMs } from "./config.ts";
import type { Effect, Event, JournalRecord } from "./events.ts";
import {
  acceptCertificate,
  acceptProposal,
  acceptVote,
  checkCertificateForm,
  checkProposalForm,
  checkVoteForm,
  isProposalHeld,
  isVoteHeld,
  rememberVotesOf,
} from "./intake.ts";
import { type Certificate, type Proposal, type SignedVote, type ValueId, VOTE_KINDS } from "./messages.ts";
import { countVotes, enterView, isCertified, notarize, nullify, propose, rebroadcast } from "./rules.ts";
import {
  closeDraft,
  createSimplex,
  type Draft,
  isViewInWindow,
  openDraft,
  ownVote,
  type SimplexState,
  storeVote,
  updateView,
  viewOf,
} from "./state.ts";

/** What a peer's message brings. */
type PeerEvent = Extract<Event, { type: "vote" | "proposal" | "certificate" }>;

export type SimplexStep = { readonly state: SimplexState; readonly effects: readonly Effect[] };

const NO_EFFECTS: readonly Effect[] = [];

/**
 * The next state and the effects, in the order in which the shell must carry them out. Pure and total: a peer's message
 * of any content is at worst ignored, and the state is then the same object.
 */
export function stepSimplex(state: SimplexState, event: Event): SimplexStep {
  const ignored = findIgnored(state, event);
  if (ignored !== null) return { state, effects: ignored };
  const draft = openDraft(state);
  if (draft.final === null) applyEvent(draft, event);
  else applyAfterDecision(draft, event);
  return closeDraft(draft);
}

/**
 * The state that a journal leads to: own votes and proposals as they were made, and the view that its certificates
 * reach. Give it `start` to go on. @param records in the order of the journal.
 */
export function recoverSimplex(config: SimplexConfig, records: readonly JournalRecord[]): SimplexState {
  const draft = openDraft(createSimplex(config));
  for (const record of records) {
    if (record.type === "vote") recoverVote(draft, record.vote);
    else if (record.type === "proposal") recoverProposal(draft, record.proposal);
    else if (record.type === "certificate") recoverCertificate(draft, record.certificate);
  }
  return closeDraft(draft).state;
}

/**
 * The certificate that decided, widened by every FINALIZE vote for it seen since: the record of who took part in the
 * round, for the next round's value. @returns null before the decision.
 */
export function computeParticipation(state: SimplexState): Certificate | null {
  const { config, final } = state;
  if (final === null) return null;
  const votes = viewOf(state, final.view).finalize.filter((vote) => vote?.value === final.value);
  if (votes.length <= final.signers.length) return final;
  const vote = { kind: "finalize", view: final.view, value: final.value } as const;
  return config.scheme.certify(
    vote,
    votes.filter((found) => found !== undefined),
  );
}

/**
 * The effects of what changes nothing, told apart before anything is copied or verified: most messages are repetitions.
 * Null for what may change something.
 */
function findIgnored(state: SimplexState, event: Event): readonly Effect[] | null {
  if (event.type === "vote" || event.type === "proposal" || event.type === "certificate") {
    const reason = findDropped(state, event);
    return reason && DROPPED[reason];
  }
  return isOutOfTime(state, event) ? NO_EFFECTS : null;
}

function findDropped(state: SimplexState, event: PeerEvent): DropReason | null {
  const decided = state.final !== null;
  switch (event.type) {
    case "vote": {
      const isHeld = () => !decided && isVoteHeld(state, event.vote);
      return checkVoteForm(state, event.vote) ?? (isHeld() ? "repeated" : null);
    }
    case "proposal": {
      const isHeld = () => !decided && isProposalHeld(state, event.proposal);
      return checkProposalForm(state, event.proposal) ?? (isHeld() ? "repeated" : null);
    }
    case "certificate": {
      const { kind, view } = event.certificate;
      const isHeld = () => !decided && isCertified(state, view, kind);
      return checkCertificateForm(state, event.certificate) ?? (isHeld() ? "repeated" : null);
    }
  }
}

/** Whether the shell's own event comes when there is nothing to it any more. */
function isOutOfTime(state: SimplexState, event: Exclude<Event, PeerEvent>): boolean {
  const decided = state.final !== null;
  switch (event.type) {
    case "start":
      return state.started;
    case "timeout":
      return decided || !state.started || event.view !== state.view;
    case "standstill":
      return decided || !state.started;
    default:
      return decided;
  }
}

function applyEvent(draft: Draft, event: Event): void {
  switch (event.type) {
    case "start":
      start(draft);
      break;
    case "propose":
      draft.fresh ??= event.value;
      judgeValue(draft, event.value, true);
      break;
    case "valueAvailable":
      // Only what a proposal names is remembered, so that nobody's values fill the memory.
      if (draft.views.some(({ proposal }) => proposal?.value === event.value)) {
        judgeValue(draft, event.value, event.valid);
      }
      break;
    case "vote":
      drop(draft, acceptVote(draft, event.vote));
      break;
    case "proposal":
      drop(draft, acceptProposal(draft, event.proposal));
      break;
    case "certificate":
      drop(draft, acceptCertificate(draft, event.certificate));
      break;
    case "timeout":
      nullify(draft);
      break;
    case "standstill":
      rebroadcast(draft);
  }
}

/**
 * B6 after the decision: later messages of the round are answered with the certificate that decided. FINALIZE votes
 * that are new are not: whoever cast one was just sent the certificate, and when it was lost repeats itself.
 */
function applyAfterDecision(draft: Draft, event: Event): void {
  const final = draft.final!;
  if (event.type === "start") {
    draft.started = true;
    draft.effects.push({ type: "decide", certificate: final });
    return;
  }
  if (event.type === "certificate" && event.certificate.kind === "finalize") {
    const news = event.certificate.view === final.view && hasUnseenVotes(draft, event.certificate);
    if (!news) drop(draft, "repeated");
    else if (draft.config.scheme.verifyCertificate(event.certificate))
      rememberVotesOf(draft, event.certificate);
    else drop(draft, "bad_signature");
    return;
  }
  if (event.type === "vote" && !isVoteHeld(draft, event.vote)) {
    drop(draft, acceptVote(draft, event.vote));
    if (event.vote.kind === "finalize") return;
  }
  if (event.type === "vote" || event.type === "proposal" || event.type === "certificate") {
    draft.effects.push({
      type: "send",
      to: event.from,
      message: { type: "certificate", certificate: final },
    });
  }
}

/** Begins, or goes on after recovery: own votes alone may be a quorum in a network of one. */
function start(draft: Draft): void {
  draft.started = true;
  draft.effects.push({ type: "setStandstillTimer", delayMs: standstillMs(draft.config) });
  enterView(draft, Math.max(1, draft.view));
  for (let view = 1; view < draft.views.length; view++) {
    for (const kind of VOTE_KINDS) {
      const own = ownVote(draft, view, kind);
      if (own !== undefined) countVotes(draft, view, kind, own.value);
    }
  }
}

/** The value was durable and judged valid before the vote was cast; one without a vote is judged again when proposed. */
function recoverVote(draft: Draft, vote: SignedVote): void {
  storeVote(draft, vote);
  if (vote.kind === "notarize") judgeValue(draft, vote.value!, true);
}

function recoverProposal(draft: Draft, proposal: Proposal): void {
  updateView(draft, proposal.view, { proposal });
  if (proposal.parent === 0) judgeValue(draft, proposal.value, true);
}

function recoverCertificate(draft: Draft, certificate: Certificate): void {
  const { kind, view } = certificate;
  if (kind === "finalize") draft.final = certificate;
  else if (kind === "notarize") updateView(draft, view, { notarization: certificate });
  else updateView(draft, view, { nullification: certificate });
  // As B3 and B5: a notarization leads past its view from anywhere behind, a nullification from that view only.
  if (kind === "notarize" && view >= draft.view) draft.view = view + 1;
  if (kind === "nullify" && view === Math.max(1, draft.view)) draft.view = view + 1;
}

/** What waited for the value goes on: the own proposal (B1), the vote for the leader's (B2). */
function judgeValue(draft: Draft, value: ValueId, valid: boolean): void {
  draft.judged = new Map([...draft.judged, [value, valid]]);
  if (!draft.started) return;
  propose(draft);
  notarize(draft);
}

/** Votes of a view beyond the window are not kept, so those never count as seen, and as news neither. */
function hasUnseenVotes(draft: Draft, { view, signers }: Certificate): boolean {
  const { finalize } = viewOf(draft, view);
  return isViewInWindow(draft, view) && signers.some((signer) => finalize[signer] === undefined);
}
