/**
 * Why agreement lets a peer's message go without effect: one closed list for all of its state machines. A drop is an
 * effect like any other, so that the shell counts it. Most drops are innocent: everything is said several times.
 */

export const DROP_REASONS = [
  /** It contradicts its own form: a vote without its value, a certificate without its quorum, a batch that is none. */
  "malformed",
  /** Its author has no seat in the set, does not lead the view, or speaks of what is another's. */
  "unentitled",
  /** Of an epoch whose set is not known here. */
  "unknown_set",
  /** Of what is settled: a round or an epoch that is over, a batch that is certified or in a cut. */
  "past",
  /** Beyond the window of rounds, views, numbers or epochs that are kept. */
  "far_ahead",
  /** It is held already. */
  "repeated",
  /** Something else is held under its name. Where its author signed both, they become evidence. */
  "conflict",
  /** Its signature, or a certificate's, is not valid. */
  "bad_signature",
  /** It rests on a batch that nobody gives, or that is not the one before it. */
  "incomplete",
  /** As much as may wait waits already. */
  "full",
] as const;
export type DropReason = (typeof DROP_REASONS)[number];

/** The message in hand goes no further. */
export type DropEffect = { readonly type: "drop"; readonly reason: DropReason };

/** The effects of a step that only drops, made once: most messages are repetitions. */
export const DROPPED: Readonly<Record<DropReason, readonly [DropEffect]>> = Object.fromEntries(
  DROP_REASONS.map((reason) => [reason, [{ type: "drop", reason }]]),
) as unknown as Record<DropReason, readonly [DropEffect]>;

/** Says in a step's effects why what came has none; nothing where it has one. */
export function drop(
  draft: { readonly effects: Pick<DropEffect[], "push"> },
  reason: DropReason | null,
): void {
  if (reason !== null) draft.effects.push(...DROPPED[reason]);
}
