/**
 * The seam between rounds and the rest of a validator: whoever decides rounds says so through `onFinalized`, in order
 * and each round once. What follows (execution, store, announcements) does not know how many validators there are.
 */
import {
  decodeFinalCert,
  decodeValue,
  type FinalCert,
  type Value,
} from "../../../protocol/src/agreement/rounds.ts";
import type { DecidedRound } from "./votes.ts";

/** A decided round with the encodings that digests and signatures cover. */
export type Finalized = {
  readonly round: number;
  readonly value: Value;
  readonly valueBytes: Uint8Array;
  readonly cert: FinalCert;
  readonly certBytes: Uint8Array;
};

export type Agreement = {
  /** Begins with the round after the last decided one, at genesis's time at the earliest. */
  readonly start: () => void;
  /** Decides no further round; one that is being decided is finished. */
  readonly stop: () => void;
  /** The newest round decided here, or -1. */
  readonly newestRound: () => number;
};

/** What decides rounds reads of execution: the newest executed round and its state digest; null before round 0. */
export type Executed = { readonly round: number; readonly digest: Uint8Array };

/** Reads a decided round back; null where its bytes are damaged. */
export function decodeDecided(decided: DecidedRound): Finalized | null {
  const value = decodeValue(decided.value);
  const cert = decodeFinalCert(decided.cert);
  if (value === null || cert === null || value.round !== decided.round) return null;
  return { round: decided.round, value, valueBytes: decided.value, cert, certBytes: decided.cert };
}
