/** Sums a hotspot's reward lines by epoch, day or month in UTC; every store shows the same sums through it. */
import type { RankedLine, RewardBucket, RewardBucketSize } from "./store.ts";

/** A line with its epoch and when that began; a day's or month's lines are those whose epoch began in it. */
export type DatedLine = RankedLine & { readonly epoch: number; readonly startTimeMs: number };

/** @param lines ascending by epoch. */
export function bucketRewards(lines: readonly DatedLine[], size: RewardBucketSize): RewardBucket[] {
  const buckets: RewardBucket[] = [];
  for (const line of lines) {
    const startTimeMs = startOfBucket(line.startTimeMs, size);
    const last = buckets.at(-1);
    if (last === undefined || size === "epoch" || last.startTimeMs !== startTimeMs) {
      buckets.push({
        startTimeMs,
        firstEpoch: line.epoch,
        lastEpoch: line.epoch,
        epochs: 1,
        beaconUnitsPpm: line.beaconUnitsPpm,
        witnessUnitsPpm: line.witnessUnitsPpm,
        beaconPaid: line.beaconPaid,
        witnessPaid: line.witnessPaid,
        paid: line.paid,
        scalePpm: size === "epoch" ? line.scalePpm : null,
      });
      continue;
    }
    buckets[buckets.length - 1] = {
      ...last,
      lastEpoch: line.epoch,
      epochs: last.epochs + 1,
      beaconUnitsPpm: last.beaconUnitsPpm + line.beaconUnitsPpm,
      witnessUnitsPpm: last.witnessUnitsPpm + line.witnessUnitsPpm,
      beaconPaid: last.beaconPaid + line.beaconPaid,
      witnessPaid: last.witnessPaid + line.witnessPaid,
      paid: last.paid + line.paid,
    };
  }
  return buckets;
}

function startOfBucket(timeMs: number, size: RewardBucketSize): number {
  if (size === "epoch") return timeMs;
  const date = new Date(timeMs);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), size === "day" ? date.getUTCDate() : 1);
}
