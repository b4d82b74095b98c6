/** The beginning of a round (rule B0): when a validator may begin it, and the tips with which it does. */
import type { Tips } from "../../../protocol/src/agreement/rounds.ts";
import { epochOfRound, type Parameters } from "../../../protocol/src/network/parameters.ts";
import type { AvailabilityBook } from "../lanes/availability.ts";
import type { Executed } from "./agreement.ts";

/** Waiting for what B0 asks for is looked at again this often a round, besides when something happens. */
const BEGIN_TRIES_PER_ROUND = 4;

/** How long until B0 is looked at again, where it is not the time that is missing. */
export const beginRetryMs = ({ roundMs }: Pick<Parameters, "roundMs">): number =>
  roundMs / BEGIN_TRIES_PER_ROUND;

/** What B0 looks at. */
export type Beginning = {
  readonly parameters: Parameters;
  readonly genesisTimeMs: number;
  readonly round: number;
  readonly nowMs: number;
  /** When the own tips of the round before were made. */
  readonly lastTipsAtMs: number;
  readonly executed: Executed | null;
  readonly hasRewardCert: (epoch: number) => boolean;
};

/**
 * B0: ROUND_MS after the own tips before, not before genesis; with execution not too far behind, and with the reward
 * certificate of the epoch before the last. @returns 0 for now; what has no time of its own is looked at again soon.
 */
export function computeBeginDelayMs(beginning: Beginning): number {
  const { parameters, genesisTimeMs, round, nowMs, lastTipsAtMs, executed, hasRewardCert } = beginning;
  const earliestMs = Math.max(genesisTimeMs, lastTipsAtMs + parameters.roundMs);
  if (earliestMs > nowMs) return earliestMs - nowMs;
  const lagRounds = round - 1 - (executed?.round ?? -1);
  const epoch = epochOfRound(parameters, round);
  const mayBegin = lagRounds <= parameters.execLagRounds && (epoch < 2 || hasRewardCert(epoch - 2));
  return mayBegin ? 0 : beginRetryMs(parameters);
}

/** The own tips of a round: every lane's newest certificate that a cut of its epoch may take in. */
export function makeTips(
  { round, parameters, nowMs, executed }: Pick<Beginning, "round" | "parameters" | "nowMs" | "executed">,
  validator: Uint8Array,
  availability: AvailabilityBook,
): Tips {
  const newest = availability.newest(epochOfRound(parameters, round));
  return {
    round,
    validator,
    timeMs: nowMs,
    tips: newest.map(({ lane, seq, digest }) => ({ lane, seq, digest })),
    executedRound: executed?.round ?? 0,
    executedDigest: executed?.digest ?? new Uint8Array(32),
  };
}
