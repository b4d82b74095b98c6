/**
 * The rules of admission that need state. They are asked only once a message's signatures are valid: a check of an
 * unauthenticated message against its alleged sender could be turned against that sender. One rule, one function, one
 * reason; in the order of the list.
 */

import type { GossipVerdict } from "../../../node/src/host/types.ts";
import type { AdmissionReason } from "../../../protocol/src/evidence/reasons.ts";
import { cellFromBigint } from "../../../protocol/src/geo/cell.ts";
import { computeCentreDeviationE7 } from "../../../protocol/src/geo/centre.ts";
import { MAX_ENVELOPES_PER_PARCEL } from "../../../protocol/src/wire/envelope.ts";
import type { Candidate } from "./candidate.ts";

/** What admission knows at the instant it decides. */
export type AdmissionView = {
  /** The epoch of the round that is decided next. */
  readonly epoch: number;
  readonly isHotspot: (key: Uint8Array) => boolean;
  /** An account after the newest executed round; null where none was opened. */
  readonly accountOf: (key: Uint8Array) => { readonly nonce: number; readonly balance: bigint } | null;
  /** What executing a transaction costs, in base units. */
  readonly txFee: bigint;
  /** Whether the id was admitted here, or is in a finalized round, within two epochs. */
  readonly isSeen: (candidate: Candidate) => boolean;
  /** Whether the sender's allowance holds the candidate's weight. */
  readonly hasAllowance: (candidate: Candidate) => boolean;
};

export type AdmissionRule = {
  readonly reason: AdmissionReason;
  readonly refuses: (candidate: Candidate, view: AdmissionView) => boolean;
};

/**
 * A centre may be this far, in 1e-7 degrees, from the one that this machine computes for the cell. Others' batches are
 * acknowledged up to 3, so machines whose trigonometry differs in the last bit never block each other.
 */
export const OWN_CENTRE_TOLERANCE_E7 = 1;

/**
 * Transactions of an account that may wait for each other, by their nonces: a parcel's worth. Execution passes over a
 * nonce that is too high, at nobody's expense, so what is far ahead would take room in lanes for nothing.
 */
export const NONCE_WINDOW = MAX_ENVELOPES_PER_PARCEL;

export const ADMISSION_RULES: readonly AdmissionRule[] = [
  // Execution refuses a body older than the previous epoch; so does admission.
  { reason: "stale_epoch", refuses: (candidate, { epoch }) => candidate.epoch < epoch - 1 },
  // Nobody knows the seed of an epoch that has not begun.
  { reason: "future_epoch", refuses: (candidate, { epoch }) => candidate.epoch > epoch },
  // Reports come from registered hotspots, transactions from accounts: both cost their owner something to make.
  { reason: "unknown_sender", refuses: isFromStranger },
  // An assertion's centre is its cell's, as far as two machines' trigonometry can agree.
  { reason: "centre_off_cell", refuses: hasCentreOffCell },
  // An id counts once. Asked before the allowance: a replayed copy must not use up its author's.
  { reason: "duplicate_message", refuses: (candidate, view) => view.isSeen(candidate) },
  // What execution would refuse or pass over without a fee costs a lane and its readers as much as any other.
  { reason: "wrong_nonce", refuses: hasWrongNonce },
  { reason: "insufficient_balance", refuses: cannotPay },
  // What execution would count as over quota, or faster than rounds can take it, is not taken on.
  { reason: "rate_limited", refuses: (candidate, view) => !view.hasAllowance(candidate) },
];

/** The first rule that refuses a candidate with valid signatures, or null to admit it. */
export function checkAdmission(candidate: Candidate, view: AdmissionView): AdmissionReason | null {
  return ADMISSION_RULES.find((rule) => rule.refuses(candidate, view))?.reason ?? null;
}

/**
 * What gossip does with a parcel whose envelopes have these reasons, null for an admitted one. What no honest peer relays
 * is rejected and counts against the one that did. Old, repeated or unknown is ignored, since an honest peer may relay
 * it; and so is what is too much, since a relay passes on what many senders brought and cannot know what room others
 * have for it. A parcel that is mostly refused is ignored too: everyone it is relayed to would be charged for all of it.
 */
export function gossipVerdictOf(reasons: readonly (AdmissionReason | null)[]): GossipVerdict {
  if (reasons.some((reason) => reason !== null && REJECTED.has(reason))) return "reject";
  const admitted = reasons.filter((reason) => reason === null).length;
  return 2 * admitted >= reasons.length ? "accept" : "ignore";
}

const REJECTED: ReadonlySet<AdmissionReason> = new Set([
  "oversized",
  "malformed",
  "unknown_kind",
  "bad_signature",
  "bad_cosignature",
] satisfies AdmissionReason[]);

function isFromStranger(candidate: Candidate, view: AdmissionView): boolean {
  return candidate.kind === "reports"
    ? !view.isHotspot(candidate.sender)
    : view.accountOf(candidate.sender) === null;
}

function hasWrongNonce({ transaction, sender }: Candidate, view: AdmissionView): boolean {
  const next = view.accountOf(sender)?.nonce ?? 0;
  return transaction !== null && (transaction.nonce < next || transaction.nonce >= next + NONCE_WINDOW);
}

function cannotPay({ transaction, sender }: Candidate, view: AdmissionView): boolean {
  return transaction !== null && (view.accountOf(sender)?.balance ?? 0n) < view.txFee;
}

function hasCentreOffCell(candidate: Candidate): boolean {
  return !isCentreWithin(candidate, OWN_CENTRE_TOLERANCE_E7);
}

/** Whether an assertion's centre is its cell's by this tolerance, in 1e-7 degrees; true of anything else. */
export function isCentreWithin({ transaction }: Candidate, toleranceE7: number): boolean {
  if (transaction?.kind !== "assert") return true;
  const { cell: index, latE7, lngE7 } = transaction.assertion;
  const cell = cellFromBigint(index);
  // An index that is no cell has no centre; naming it costs no trigonometry.
  return cell !== null && computeCentreDeviationE7(cell, latE7, lngE7) <= toleranceE7;
}
