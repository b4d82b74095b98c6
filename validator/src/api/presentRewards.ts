/** Earnings over time as the API's JSON, and the columns in which they stand in CSV. */
import type { AccountBucket, AccountSums, HotspotSums, RewardBucket } from "../store/store.ts";
import type { AccountBucketJson, RewardBucketJson } from "./schemas/rewards.ts";

const PERIOD_COLUMNS = ["period", "startTimeMs", "firstEpoch", "lastEpoch", "epochs"] as const;

export const REWARD_BUCKET_COLUMNS = [
  ...PERIOD_COLUMNS,
  "beaconUnitsPpm",
  "witnessUnitsPpm",
  "scalePpm",
  "beaconPaid",
  "witnessPaid",
  "paid",
  "withheld",
  "released",
  "earned",
] as const satisfies readonly (keyof RewardBucketJson)[];

export const ACCOUNT_BUCKET_COLUMNS = [
  ...PERIOD_COLUMNS,
  "lines",
  "beaconPaid",
  "witnessPaid",
  "validatorPaid",
  "released",
  "earned",
] as const satisfies readonly (keyof AccountBucketJson)[];

const presentPeriod = ({
  period,
  startTimeMs,
  firstEpoch,
  lastEpoch,
  epochs,
}: RewardBucket | AccountBucket) => ({
  period,
  startTimeMs,
  firstEpoch,
  lastEpoch,
  epochs,
});

export const presentHotspotAmounts = (sums: HotspotSums) => ({
  beaconPaid: `${sums.beaconPaid}`,
  witnessPaid: `${sums.witnessPaid}`,
  paid: `${sums.paid}`,
  withheld: `${sums.withheld}`,
  released: `${sums.released}`,
  earned: `${sums.earned}`,
});

export const presentAccountSums = (sums: AccountSums) => ({
  lines: sums.lines,
  beaconPaid: `${sums.beaconPaid}`,
  witnessPaid: `${sums.witnessPaid}`,
  validatorPaid: `${sums.validatorPaid}`,
  released: `${sums.released}`,
  earned: `${sums.earned}`,
});

export function presentRewardBucket(bucket: RewardBucket): RewardBucketJson {
  const { beaconUnitsPpm, witnessUnitsPpm, scalePpm } = bucket;
  const units = { beaconUnitsPpm, witnessUnitsPpm, scalePpm };
  return { ...presentPeriod(bucket), ...units, ...presentHotspotAmounts(bucket) };
}

export const presentAccountBucket = (bucket: AccountBucket): AccountBucketJson => ({
  ...presentPeriod(bucket),
  ...presentAccountSums(bucket),
});
