/** What the API says of earnings over time, and the lines of its export. */
import { type Static, type TProperties, Type } from "typebox";
import { Amount, Count, EpochNumber, Hash, object, orNull, Ppm, TimeMs } from "./common.ts";
import { RewardLine } from "./entities.ts";

const periodFields = {
  period: Type.String({
    pattern: "^[0-9-]{1,16}$",
    description: "The epoch's number, the date as 2026-10-31, or the month as 2026-10.",
  }),
  startTimeMs: TimeMs,
  firstEpoch: EpochNumber,
  lastEpoch: EpochNumber,
  epochs: Count,
} as const;

const hotspotAmounts = {
  beaconPaid: Amount,
  witnessPaid: Amount,
  paid: Amount,
  withheld: Amount,
  released: Amount,
  earned: Amount,
} as const;

const hotspotFields = {
  beaconUnitsPpm: Ppm,
  witnessUnitsPpm: Ppm,
  scalePpm: orNull(Ppm),
  ...hotspotAmounts,
} as const;

const accountFields = {
  lines: Count,
  beaconPaid: Amount,
  witnessPaid: Amount,
  validatorPaid: Amount,
  released: Amount,
  earned: Amount,
} as const;

export const RewardBucket = object(
  { ...periodFields, ...hotspotFields },
  "What a hotspot earned in the epochs that began within a period; `scalePpm` only where that is one epoch. `paid` is of the pools, `withheld` was put into escrow instead, `released` came out of it, perhaps for older epochs; `earned` is `paid` and `released`.",
);
export type RewardBucketJson = Static<typeof RewardBucket>;

export const AccountBucket = object(
  { ...periodFields, ...accountFields },
  "What an account earned in the epochs that began within a period: by the `lines` of its hotspots, as a validator, and by release from escrow; `earned` is all of it.",
);
export type AccountBucketJson = Static<typeof AccountBucket>;

const rangeOf = <Bucket extends typeof RewardBucket | typeof AccountBucket, Total extends TProperties>(
  bucket: Bucket,
  total: Total,
) =>
  object({
    from: EpochNumber,
    to: EpochNumber,
    zone: Type.String({ description: "The time zone of days and months." }),
    total: object(total),
    items: Type.Array(bucket),
  });

export const HotspotRewards = rangeOf(RewardBucket, hotspotAmounts);
export const AccountRewards = rangeOf(AccountBucket, accountFields);

const ExportedReward = Type.Object(
  { type: Type.Literal("reward"), epoch: EpochNumber, ...RewardLine.properties },
  { additionalProperties: false, description: "A hotspot's line of an epoch." },
);
export type ExportedRewardJson = Static<typeof ExportedReward>;

const ExportedEpoch = object(
  {
    type: Type.Literal("epoch"),
    epoch: EpochNumber,
    startTimeMs: TimeMs,
    endTimeMs: TimeMs,
    lines: Count,
    paid: Amount,
    recordDigest: Hash,
  },
  "The end of an epoch: whoever has this line has all of its rewards, as many as `lines` and in sum `paid`, and may go on with the next epoch.",
);
export type ExportedEpochJson = Static<typeof ExportedEpoch>;

export const ExportLine = Type.Union([ExportedReward, ExportedEpoch], {
  description: "One line of the stream.",
});
