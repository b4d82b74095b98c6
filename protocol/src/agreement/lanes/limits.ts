/** How far a lane may run ahead (specification A5): what bounds every queue and map about lanes. */

/** Batches that have a number and no certificate: enough to keep a disk busy, and 8 MiB of memory at most. */
export const MAX_BATCHES_IN_FLIGHT = 32;
/**
 * Certified batches that no finalized cut holds yet. 256 are 64 MiB, three times what 10,000 reports a second of 330
 * bytes bring in a round of 5 s: beyond that, rounds have stopped, and taking on more would only be promised.
 */
export const MAX_UNCUT_BATCHES = 256;
/** A lane certifies at most so many beyond a cut, and a validator may be as many behind with its cuts. */
export const MAX_CERTIFIED_AHEAD = 2 * MAX_UNCUT_BATCHES;
/** The oldest batches without a certificate, sent again at once: the others wait for these in any case. */
export const RESENT_AT_ONCE = 4;
