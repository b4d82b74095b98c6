/**
 * What hotspots and accounts earned, by epoch, day or month of a time zone; every store shows the same sums through it.
 * An epoch belongs to the day and month in which it began.
 */
import { type Calendar, type CalendarPeriod, openCalendar } from "./calendar.ts";
import type {
  AccountSums,
  EarningBucket,
  HotspotSums,
  RankedLine,
  RewardBucketSize,
  RewardPeriods,
} from "./store.ts";

/** A row of one epoch, with when that began. */
export type DatedRow = { readonly epoch: number; readonly startTimeMs: number };
/** What was released to a hotspot's owner at the end of an epoch. */
type DatedRelease = DatedRow & { readonly amount: bigint };

export const NO_HOTSPOT_SUMS: HotspotSums = {
  ...{ beaconUnitsPpm: 0, witnessUnitsPpm: 0, scalePpm: null },
  ...{ beaconPaid: 0n, witnessPaid: 0n, paid: 0n, withheld: 0n, released: 0n, earned: 0n },
};

export const NO_ACCOUNT_SUMS: AccountSums = {
  ...{ lines: 0, beaconPaid: 0n, witnessPaid: 0n, validatorPaid: 0n, released: 0n, earned: 0n },
};

/** A hotspot's lines and releases, each ascending by epoch, as one row for an epoch that has either. */
export function joinReleases(
  lines: readonly (RankedLine & DatedRow)[],
  releases: readonly DatedRelease[],
): (HotspotSums & DatedRow)[] {
  const rows = new Map<number, HotspotSums & DatedRow>();
  for (const { epoch, startTimeMs, ...line } of lines) {
    const { beaconUnitsPpm, witnessUnitsPpm, scalePpm, beaconPaid, witnessPaid, paid } = line;
    const withheld = line.beaconWithheld + line.witnessWithheld;
    const sums = { beaconUnitsPpm, witnessUnitsPpm, scalePpm, beaconPaid, witnessPaid, paid, withheld };
    rows.set(epoch, { epoch, startTimeMs, ...sums, released: 0n, earned: paid });
  }
  for (const { epoch, startTimeMs, amount } of releases) {
    const row = rows.get(epoch) ?? { epoch, startTimeMs, ...NO_HOTSPOT_SUMS };
    rows.set(epoch, { ...row, released: row.released + amount, earned: row.earned + amount });
  }
  return [...rows.values()].sort((a, b) => a.epoch - b.epoch);
}

/** The sums of two; a scale has none. */
export const addHotspotSums = (a: HotspotSums, b: HotspotSums): HotspotSums => ({
  beaconUnitsPpm: a.beaconUnitsPpm + b.beaconUnitsPpm,
  witnessUnitsPpm: a.witnessUnitsPpm + b.witnessUnitsPpm,
  scalePpm: null,
  beaconPaid: a.beaconPaid + b.beaconPaid,
  witnessPaid: a.witnessPaid + b.witnessPaid,
  paid: a.paid + b.paid,
  withheld: a.withheld + b.withheld,
  released: a.released + b.released,
  earned: a.earned + b.earned,
});

export const addAccountSums = (a: AccountSums, b: AccountSums): AccountSums => ({
  lines: a.lines + b.lines,
  beaconPaid: a.beaconPaid + b.beaconPaid,
  witnessPaid: a.witnessPaid + b.witnessPaid,
  validatorPaid: a.validatorPaid + b.validatorPaid,
  released: a.released + b.released,
  earned: a.earned + b.earned,
});

/**
 * Sums rows by period; periods without a row are left out.
 * @param rows ascending by epoch. Throws `RangeError` for a zone that does not exist: callers have asked `openCalendar`.
 */
export function bucketRows<Sums extends object>(
  rows: readonly (Sums & DatedRow)[],
  { size, zone = "UTC" }: RewardPeriods,
  add: (a: Sums, b: Sums) => Sums,
): EarningBucket<Sums>[] {
  const calendar = openCalendar(zone);
  if (calendar === null) throw new RangeError(`there is no time zone ${zone}`);
  const buckets = new Map<string, EarningBucket<Sums>>();
  for (const row of rows) {
    const { name: period, startTimeMs } = periodOf(row, size, calendar);
    const before = buckets.get(period);
    const { epoch, ...rest } = row;
    const sums = rest as Sums;
    buckets.set(
      period,
      before === undefined
        ? { ...sums, period, startTimeMs, firstEpoch: epoch, lastEpoch: epoch, epochs: 1 }
        : { ...before, ...add(before, row), lastEpoch: epoch, epochs: before.epochs + 1 },
    );
  }
  return [...buckets.values()];
}

function periodOf(
  { epoch, startTimeMs }: DatedRow,
  size: RewardBucketSize,
  calendar: Calendar,
): CalendarPeriod {
  return size === "epoch" ? { name: `${epoch}`, startTimeMs } : calendar.periodAt(startTimeMs, size);
}
