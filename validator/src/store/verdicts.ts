/** The list of verdicts that a message's status carries. */
import { encodeReason } from "../../../protocol/src/evidence/reasons.ts";
import type { VerdictState } from "../../../protocol/src/ledger/types.ts";
import { VERDICT_PENDING, VERDICT_SELECTION_PENDING } from "../../../protocol/src/wire/receipts.ts";

/** A verdict's number on the wire; nothing final is said while the witness cap is still to be applied. */
export function encodeVerdict(state: VerdictState, selectionPending: boolean, reasonCode: number): number {
  if (state === "pending") return VERDICT_PENDING;
  return selectionPending ? VERDICT_SELECTION_PENDING : reasonCode;
}

/**
 * Verdicts in index order. A report without an outcome of its own is one of the surplus over the hotspot's quota, which
 * execution only counts; where such ones are last, the list is shorter than the bundle.
 * @param codes a verdict's number on the wire by the report's index.
 */
export function listVerdicts(codes: ReadonlyMap<number, number>): number[] {
  const count = Math.max(-1, ...codes.keys()) + 1;
  return Array.from({ length: count }, (_, index) => codes.get(index) ?? encodeReason("over_quota"));
}
