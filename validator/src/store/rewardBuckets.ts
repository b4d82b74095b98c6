/**
 * What hotspots and accounts earned, by epoch, day or month of a time zone; every store shows the same sums through it.
 * An epoch belongs to the day and month in which it began.
 */
import { type CalendarPeriod, openCalendar } from "./calendar.ts";
import type { AccountSums, EarningBucket, HotspotSums, RankedLine, RewardPeriods } from "./store.ts";

/** A row of one epoch, with when that began. */
export type DatedRow = { readonly epoch: number; readonly startTimeMs: number };
/** What a hotspot's line of an epoch counts for in sums. */
export type HotspotEarning = DatedRow &
  Pick<RankedLine, "beaconUnitsPpm" | "witnessUnitsPpm" | "scalePpm" | "beaconPaid" | "witnessPaid"> & {
    readonly withheld: bigint;
  };
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
  lines: readonly HotspotEarning[],
  releases: readonly DatedRelease[],
): (HotspotSums & DatedRow)[] {
  const earned = lines.map(sumLine);
  if (releases.length === 0) return earned;
  const rows = new Map(earned.map((row) => [row.epoch, row]));
  for (const { epoch, startTimeMs, amount } of releases) {
    const row = rows.get(epoch) ?? { epoch, startTimeMs, ...NO_HOTSPOT_SUMS };
    rows.set(epoch, { ...row, released: row.released + amount, earned: row.earned + amount });
  }
  return [...rows.values()].sort((a, b) => a.epoch - b.epoch);
}

function sumLine(line: HotspotEarning): HotspotSums & DatedRow {
  const paid = line.beaconPaid + line.witnessPaid;
  return { ...line, paid, released: 0n, earned: paid };
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
  if (size === "epoch")
    return rows.map((row) => openBucket(row, { name: `${row.epoch}`, startTimeMs: row.startTimeMs }));
  const buckets = new Map<string, EarningBucket<Sums>>();
  for (const row of rows) {
    const period = calendar.periodAt(row.startTimeMs, size);
    const before = buckets.get(period.name);
    buckets.set(
      period.name,
      before === undefined
        ? openBucket(row, period)
        : { ...before, ...add(before, row), lastEpoch: row.epoch, epochs: before.epochs + 1 },
    );
  }
  return [...buckets.values()];
}

/** A period with one epoch so far. */
function openBucket<Sums extends object>(
  { epoch, ...rest }: Sums & DatedRow,
  { name, startTimeMs }: CalendarPeriod,
): EarningBucket<Sums> {
  const sums = rest as unknown as Sums;
  return { ...sums, period: name, startTimeMs, firstEpoch: epoch, lastEpoch: epoch, epochs: 1 };
}
