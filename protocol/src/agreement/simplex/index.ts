/** Single-shot Simplex, one instance a round: what shells, simulations and tools use of it. */
export {
  leaderOf,
  MAX_VIEW_TIMEOUT_MS,
  quorumOf,
  type SimplexConfig,
  VIEW_WINDOW,
  viewTimeoutMs,
} from "./config.ts";
export {
  CONFLICT_REASONS,
  type Conflict,
  type ConflictReason,
  checkConflict,
  type SignedStatement,
} from "./conflicts.ts";
export { createEd25519Scheme, encodeStatement } from "./ed25519Scheme.ts";
export type { Effect, Event, JournalRecord } from "./events.ts";
export { listValueHolders } from "./holders.ts";
export {
  type Certificate,
  type Message,
  type Proposal,
  type ProposalStatement,
  type Signature,
  type SignedVote,
  type Statement,
  type ValueId,
  VOTE_KINDS,
  type Vote,
  type VoteKind,
} from "./messages.ts";
export type { CertificateScheme } from "./scheme.ts";
export { createSimplex, type SimplexState, type ViewRecord } from "./state.ts";
export { computeParticipation, recoverSimplex, type SimplexStep, stepSimplex } from "./step.ts";
