/**
 * Replay: an epoch executed again from what the store keeps, and held against what the store says it gave. Anyone with
 * a copy of a home can do it; nothing is written, so it also runs beside the validator.
 */
import { equalBytes } from "../../../protocol/src/bytes/bytes.ts";
import { encodeHex0x } from "../../../protocol/src/bytes/hex.ts";
import type { EpochClose } from "../../../protocol/src/ledger/types.ts";
import { firstRoundOfEpoch } from "../../../protocol/src/network/parameters.ts";
import type { EpochRow, QueryStore } from "../store/store.ts";
import { type ReexecutionModules, reexecuteRounds, restoreLedger } from "./reexecute.ts";

export type ReplayModules = ReexecutionModules & {
  readonly store: ReexecutionModules["store"] & Pick<QueryStore, "getEpoch" | "latestEpoch">;
};

/** The names by which an epoch's outcome is told, as hexadecimal. */
export type EpochRoots = {
  readonly rewardRoot: string;
  readonly stateRoot: string;
  readonly recordDigest: string;
};

/** An epoch as replayed and as stored. `equal`: record and roots are the same, bit for bit. */
export type ReplayedEpoch = { readonly epoch: number; readonly equal: boolean } & EpochRoots & {
    readonly stored: EpochRoots;
  };

/**
 * Replays the epochs from `first` to `last`, both closed and stored, yielding each as it is done.
 * @throws CodedError "state_diverged" at a round whose state differs from the stored one, "store_gap",
 *   "batch_missing" or "file_corrupt" where what the replay needs is not there whole.
 */
export async function* replayEpochs(
  first: number,
  last: number,
  modules: ReplayModules,
): AsyncGenerator<ReplayedEpoch> {
  const ledger = await restoreLedger(first - 1, modules);
  const lastRound = firstRoundOfEpoch(modules.genesis.parameters, last + 1) - 1;
  for await (const { result } of reexecuteRounds(ledger, lastRound, modules)) {
    const { epochClose } = result;
    if (epochClose === null || epochClose.epoch < first) continue;
    const stored = await modules.store.getEpoch(epochClose.epoch);
    if (stored !== null) yield compare(epochClose, stored);
  }
}

function compare(replayed: EpochClose, stored: EpochRow): ReplayedEpoch {
  const equal =
    equalBytes(replayed.record, stored.record) &&
    equalBytes(replayed.recordDigest, stored.recordDigest) &&
    equalBytes(replayed.rewardRoot, stored.rewardRoot) &&
    equalBytes(replayed.stateRoot, stored.stateRoot);
  return { epoch: replayed.epoch, equal, ...describeRoots(replayed), stored: describeRoots(stored) };
}

const describeRoots = ({ rewardRoot, stateRoot, recordDigest }: EpochClose | EpochRow): EpochRoots => ({
  rewardRoot: encodeHex0x(rewardRoot),
  stateRoot: encodeHex0x(stateRoot),
  recordDigest: encodeHex0x(recordDigest),
});
