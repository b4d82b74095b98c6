/** What one round's instance is told at its birth: who votes, who leads, and how long to wait. */
import { computeQuorum } from "../rounds.ts";
import type { CertificateScheme } from "./scheme.ts";

/** Views beyond the current one whose messages are kept (B8): more than a validator falls behind between two standstills. */
export const VIEW_WINDOW = 16;
/** T(v) grows to this and no further, so that a healed network waits at most a minute for its next leader. */
export const MAX_VIEW_TIMEOUT_MS = 60_000;
/** T(1) in message delays: proposal, value fetched, checked and persisted, votes, certificate, and one to spare. */
const VIEW_TIMEOUT_DELAYS = 6;
/** A standstill is two message delays without a decision: one for what is on its way, one for its answer. */
const STANDSTILL_DELAYS = 2;

export type SimplexConfig = {
  /** This validator's position. */
  readonly self: number;
  /** n, the size of the round's set. */
  readonly validators: number;
  /** A permutation of the positions; view v is led by entry (v - 1) mod n. */
  readonly leaders: readonly number[];
  /** d: the delay within which most messages arrive, in milliseconds. */
  readonly delayMs: number;
  readonly scheme: CertificateScheme;
};

/** Q = n - floor((n - 1) / 3). */
export function quorumOf(config: SimplexConfig): number {
  return computeQuorum(config.validators);
}

/** Who leads a view. @param view from 1. */
export function leaderOf(config: SimplexConfig, view: number): number {
  return config.leaders[(view - 1) % config.leaders.length]!;
}

/** T(v) = min(6 d 1.5^(v-1), 60 s), in whole milliseconds, rounded down. */
export function viewTimeoutMs(config: SimplexConfig, view: number): number {
  let timeoutMs = VIEW_TIMEOUT_DELAYS * config.delayMs;
  for (let grown = 1; grown < view && timeoutMs < MAX_VIEW_TIMEOUT_MS; grown++) timeoutMs *= 1.5;
  return Math.min(Math.floor(timeoutMs), MAX_VIEW_TIMEOUT_MS);
}

/** How long without a decision before everything is sent again (B7), in milliseconds. */
export function standstillMs(config: SimplexConfig): number {
  return STANDSTILL_DELAYS * config.delayMs;
}
