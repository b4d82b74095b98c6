/**
 * The rules B1 to B8 of agreement, one function each, as changes to a draft. What calls them is `step.ts`; what a view
 * knows is `state.ts`. Sources: Chan and Pass, "Simplex Consensus", eprint 2023/463, and the specification's extension
 * to re-proposal by a single-shot instance, justified by nullifications.
 */
import { leaderOf, standstillMs, viewTimeoutMs } from "./config.ts";
import { findParent, isJustified } from "./justification.ts";
import {
  type Certificate,
  type Proposal,
  type SignedVote,
  type ValueId,
  VOTE_KINDS,
  type VoteKind,
} from "./messages.ts";
import {
  broadcast,
  type Draft,
  findQuorum,
  ownVote,
  persist,
  type SimplexState,
  storeVote,
  updateView,
  viewOf,
} from "./state.ts";

/**
 * B1 propose: the leader takes the largest notarized p with every view between nullified and must propose that value
 * again; without one it proposes a fresh value, for which it asks the shell. Persisted first, so that a leader that
 * crashes comes back with the same proposal.
 */
export function propose(draft: Draft): void {
  const { config, view } = draft;
  if (leaderOf(config, view) !== config.self || viewOf(draft, view).proposal !== null) return;
  const parent = findParent(draft, view);
  if (parent === null) return;
  const value = parent.certificate?.value ?? draft.fresh;
  if (value === null) {
    draft.effects.push({ type: "buildValue", view });
    return;
  }
  const statement = { kind: "propose", view, parent: parent.view, value } as const;
  const signature = config.scheme.sign(statement);
  const proposal: Proposal = {
    ...statement,
    validator: config.self,
    signature,
    justification: parent.justification,
  };
  if (parent.view === 0) persist(draft, { type: "value", value });
  persist(draft, { type: "proposal", proposal });
  updateView(draft, view, { proposal });
  broadcast(draft, { type: "proposal", proposal });
}

/**
 * B2 notarize the first justified proposal of the current view's leader, if this validator neither notarized another
 * nor nullified in this view: the value, then the vote, become durable before the vote leaves.
 */
export function notarize(draft: Draft): void {
  const { view } = draft;
  const { proposal } = viewOf(draft, view);
  if (proposal === null) return;
  if (ownVote(draft, view, "notarize") !== undefined || ownVote(draft, view, "nullify") !== undefined) return;
  const { value } = proposal;
  const valid = draft.judged.get(value);
  if (!isJustified(draft, proposal) || valid === false) {
    nullify(draft);
  } else if (valid === undefined) {
    draft.effects.push({ type: "requestValue", value });
  } else {
    persist(draft, { type: "value", value });
    castVote(draft, view, "notarize", value);
  }
}

/**
 * B3 on a notarization of x: record, broadcast; in the current view, unless this validator nullified it or notarized
 * another value there, vote FINALIZE(x); enter the next view. A notarization of a view ahead proves that a quorum was
 * there, so it leads through that view by the same rule: what forbids FINALIZE there is a vote of one's own.
 */
export function onNotarization(draft: Draft, certificate: Certificate): void {
  const { view, value } = certificate;
  if (viewOf(draft, view).notarization === null) {
    updateView(draft, view, { notarization: certificate });
    recordCertificate(draft, certificate);
  }
  if (view < draft.view || !draft.started) return;
  const notarized = ownVote(draft, view, "notarize");
  const mayFinalize =
    ownVote(draft, view, "nullify") === undefined && (notarized === undefined || notarized.value === value);
  if (mayFinalize && ownVote(draft, view, "finalize") === undefined) {
    castVote(draft, view, "finalize", value);
    if (draft.final !== null) return;
  }
  enterView(draft, view + 1);
}

/**
 * B4 on the view's timeout or an invalid proposal: NULLIFY, unless this validator finalized there. Having notarized
 * does not forbid it; having finalized does.
 */
export function nullify(draft: Draft): void {
  const { view } = draft;
  if (ownVote(draft, view, "finalize") !== undefined || ownVote(draft, view, "nullify") !== undefined) return;
  castVote(draft, view, "nullify", null);
}

/** B5 on a nullification: record, broadcast; if it is the current view's, enter the next. */
export function onNullification(draft: Draft, certificate: Certificate): void {
  const { view } = certificate;
  if (viewOf(draft, view).nullification === null) {
    updateView(draft, view, { nullification: certificate });
    recordCertificate(draft, certificate);
  }
  if (view === draft.view && draft.started) enterView(draft, view + 1);
}

/** B6 on a quorum of FINALIZE(x) in any view: decide, keep and broadcast the certificate, and vote no more. */
export function onFinalization(draft: Draft, certificate: Certificate): void {
  if (draft.final !== null) return;
  draft.final = certificate;
  recordCertificate(draft, certificate);
  draft.effects.push({ type: "decide", certificate });
}

/**
 * B7 standstill: without a decision, send again all certificates held for the round, all own votes, and the own
 * proposal if leading. All of them: a validator that is views behind needs the certificates of every view between.
 */
export function rebroadcast(draft: Draft): void {
  const { config } = draft;
  for (let view = 1; view < draft.views.length; view++) {
    const { notarization, nullification } = viewOf(draft, view);
    for (const certificate of [notarization, nullification]) {
      if (certificate !== null) broadcast(draft, { type: "certificate", certificate });
    }
    for (const kind of VOTE_KINDS) {
      const vote = ownVote(draft, view, kind);
      if (vote !== undefined) broadcast(draft, { type: "vote", vote });
    }
  }
  const { proposal } = viewOf(draft, draft.view);
  if (proposal?.validator === config.self) broadcast(draft, { type: "proposal", proposal });
  propose(draft);
  notarize(draft);
  if (draft.final === null) {
    draft.effects.push({ type: "setStandstillTimer", delayMs: standstillMs(config) });
  }
}

/**
 * B8 entering a view: start its timer, propose if leading, judge a proposal that came before. Certificates of the view
 * that came before carry on to the next one at once.
 */
export function enterView(draft: Draft, view: number): void {
  draft.view = view;
  const { notarization, nullification } = viewOf(draft, view);
  const certificate = notarization ?? nullification;
  if (certificate !== null) {
    applyCertificate(draft, certificate);
    return;
  }
  draft.effects.push({ type: "setViewTimer", view, delayMs: viewTimeoutMs(draft.config, view) });
  propose(draft);
  notarize(draft);
}

/** Signs, stores, persists and sends an own vote, and counts it. */
function castVote(draft: Draft, view: number, kind: VoteKind, value: ValueId | null): void {
  const { config } = draft;
  const signature = config.scheme.sign({ kind, view, value });
  const vote: SignedVote = { kind, view, value, validator: config.self, signature };
  storeVote(draft, vote);
  persist(draft, { type: "vote", vote });
  broadcast(draft, { type: "vote", vote });
  countVotes(draft, view, kind, value);
}

/** Makes the certificate as soon as a quorum agrees, and applies the rule of its kind. */
export function countVotes(draft: Draft, view: number, kind: VoteKind, value: ValueId | null): void {
  if (draft.final !== null || isCertified(draft, view, kind)) return;
  const votes = findQuorum(draft, view, kind, value);
  if (votes !== null) applyCertificate(draft, draft.config.scheme.certify({ kind, view, value }, votes));
}

/** Whether a certificate of the kind is held for the view; for `finalize`, whether the round is decided. */
export function isCertified(draft: SimplexState | Draft, view: number, kind: VoteKind): boolean {
  if (kind === "finalize") return draft.final !== null;
  const record = viewOf(draft, view);
  return (kind === "notarize" ? record.notarization : record.nullification) !== null;
}

/** B3, B5 or B6, by kind. The certificate is verified, or made here. */
export function applyCertificate(draft: Draft, certificate: Certificate): void {
  if (certificate.kind === "notarize") onNotarization(draft, certificate);
  else if (certificate.kind === "nullify") onNullification(draft, certificate);
  else onFinalization(draft, certificate);
}

/** Certificates are journalled like votes: recovery finds its way back to the view through them. */
function recordCertificate(draft: Draft, certificate: Certificate): void {
  persist(draft, { type: "certificate", certificate });
  broadcast(draft, { type: "certificate", certificate });
}
