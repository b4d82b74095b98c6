/**
 * Evidence: two statements of one round, signed by one validator, that the rules allow no honest one to sign both. Every
 * breach of B2, B3 and B4 that could split the network leaves such a pair.
 */
import type { Signature, Statement } from "./messages.ts";

export const CONFLICT_REASONS = [
  "double_notarize",
  "double_finalize",
  "nullify_and_finalize",
  "notarize_and_finalize",
  "double_propose",
] as const;
export type ConflictReason = (typeof CONFLICT_REASONS)[number];

export type SignedStatement = Statement & { readonly validator: number; readonly signature: Signature };

export type Conflict = {
  readonly reason: ConflictReason;
  readonly validator: number;
  readonly first: SignedStatement;
  readonly second: SignedStatement;
};

/**
 * Why one validator's two statements of one round convict it, in either order, or null where an honest validator may
 * have signed both. Signatures are the caller's to verify.
 *
 * Only statements of one view conflict. Across views an honest validator may well finalize two values: it finalizes x
 * where it saw the notarization, the others nullify that view without it, and the next leader brings another value.
 */
export function checkConflict(a: Statement, b: Statement): ConflictReason | null {
  if (a.view !== b.view) return null;
  if (a.kind === "propose" || b.kind === "propose") {
    if (a.kind !== "propose" || b.kind !== "propose") return null;
    return a.value === b.value && a.parent === b.parent ? null : "double_propose";
  }
  if (a.kind === b.kind) {
    if (a.value === b.value) return null;
    return a.kind === "notarize" ? "double_notarize" : "double_finalize";
  }
  if (a.kind !== "finalize" && b.kind !== "finalize") return null;
  if (a.kind === "nullify" || b.kind === "nullify") return "nullify_and_finalize";
  return a.value === b.value ? null : "notarize_and_finalize";
}
