/** What was earned over time, in plain maps: the part of the memory store that sums. */
import { equalBytes } from "../../protocol/src/bytes/bytes.ts";
import type { EscrowRelease } from "../../protocol/src/ledger/types.ts";
import { type EarningRow, sumEarning } from "../../validator/src/store/earnings.ts";
import {
  addAccountSums,
  addHotspotSums,
  bucketRows,
  joinReleases,
} from "../../validator/src/store/rewardBuckets.ts";
import {
  type EpochRow,
  MAX_REWARD_RANGE_EPOCHS,
  type QueryStore,
  type RankedLine,
} from "../../validator/src/store/store.ts";

type RewardTables = {
  readonly epochs: readonly EpochRow[];
  readonly lines: ReadonlyMap<number, readonly RankedLine[]>;
  readonly earnings: ReadonlyMap<number, readonly EarningRow[]>;
  readonly releases: ReadonlyMap<number, readonly EscrowRelease[]>;
};

export function createRewardMethods({
  epochs,
  lines,
  earnings,
  releases,
}: RewardTables): Pick<QueryStore, "listHotspotRewards" | "listAccountRewards"> {
  const rangeOf = (from: number, to: number) =>
    epochs.slice(from, Math.min(to, from + MAX_REWARD_RANGE_EPOCHS - 1) + 1);
  return {
    listHotspotRewards: async (hotspot, fromEpoch, toEpoch, periods) => {
      const closed = rangeOf(fromEpoch, toEpoch);
      const dated = closed.flatMap(({ epoch, startTimeMs }) => {
        const line = lines.get(epoch)!.find((one) => equalBytes(one.hotspot, hotspot));
        if (line === undefined) return [];
        const withheld = line.beaconWithheld + line.witnessWithheld;
        const { beaconUnitsPpm, witnessUnitsPpm, scalePpm, beaconPaid, witnessPaid } = line;
        const earned = { beaconUnitsPpm, witnessUnitsPpm, scalePpm, beaconPaid, witnessPaid, withheld };
        return [{ ...earned, epoch, startTimeMs }];
      });
      const released = closed.flatMap(({ epoch, startTimeMs }) =>
        releases
          .get(epoch)!
          .filter((release) => equalBytes(release.hotspot, hotspot))
          .map(({ amount }) => ({ epoch, startTimeMs, amount })),
      );
      return bucketRows(joinReleases(dated, released), periods, addHotspotSums);
    },
    listAccountRewards: async (account, fromEpoch, toEpoch, periods) => {
      const rows = rangeOf(fromEpoch, toEpoch).flatMap(({ epoch, startTimeMs }) => {
        const row = earnings.get(epoch)!.find((one) => equalBytes(one.account, account));
        return row === undefined ? [] : [{ ...sumEarning(row), epoch, startTimeMs }];
      });
      return bucketRows(rows, periods, addAccountSums);
    },
  };
}
