/**
 * Days and months as the clocks of a time zone show them, by the tz database that Node carries: an instant belongs to the
 * date that a clock there shows. So a day may have 23, 24, 23.5 or 25 hours, or never be (the date line), and where clocks
 * went back over midnight an instant of the day before comes after one of the day.
 */
export type CalendarUnit = "day" | "month";

/** `name` is the date or the month in the zone; `startTimeMs` the first instant at which its clocks show it. */
export type CalendarPeriod = { readonly name: string; readonly startTimeMs: number };

export type Calendar = {
  /** The period of an instant. Instants in ascending order are cheapest: two questions to the tz database a day. */
  readonly periodAt: (timeMs: number, unit: CalendarUnit) => CalendarPeriod;
};

const DAY_MS = 86_400_000;
/** No zone is further from UTC than this: 14 hours east (Kiritimati), 12 west; one more for what may still be decreed. */
const EAST_MS = 15 * 3_600_000;
const WEST_MS = 13 * 3_600_000;
/** Names of the tz database. Offsets such as `+01:00`, which Intl would take too, are no time zones: they know no summer. */
const ZONE_NAME = /^[A-Za-z][A-Za-z0-9_+/-]{0,63}$/;
/** Formatters that are kept, some 40 kB each: more zones than anybody's accountants live in at once. */
const MAX_KEPT = 32;
const kept = new Map<string, Intl.DateTimeFormat>();

/** The calendar of an IANA time zone, or null where there is no such zone. */
export function openCalendar(zone: string): Calendar | null {
  const format = openFormat(zone);
  return format === null ? null : createCalendar(format);
}

function openFormat(zone: string): Intl.DateTimeFormat | null {
  const known = kept.get(zone);
  if (known !== undefined) return known;
  if (!ZONE_NAME.test(zone)) return null;
  try {
    const format = new Intl.DateTimeFormat("en-US-u-ca-gregory-nu-latn", {
      timeZone: zone,
      hourCycle: "h23",
      ...{ year: "numeric", month: "numeric", day: "numeric" },
      ...{ hour: "numeric", minute: "numeric", second: "numeric" },
    });
    if (kept.size >= MAX_KEPT) kept.delete(kept.keys().next().value!);
    kept.set(zone, format);
    return format;
  } catch {
    return null;
  }
}

function createCalendar(format: Intl.DateTimeFormat): Calendar {
  const clock = (timeMs: number): number => readClock(format, timeMs);
  const offsetAt = (timeMs: number): number => clock(timeMs) - timeMs;
  let run = { fromMs: 0, untilMs: 0, day: 0 };
  const dayAt = (timeMs: number): number => {
    if (timeMs >= run.fromMs && timeMs < run.untilMs) return run.day;
    const shownMs = clock(timeMs);
    const day = Math.floor(shownMs / DAY_MS);
    // Where clocks are as far from UTC at the end of the day as now, they show this date until then.
    const midnightMs = timeMs + (day + 1) * DAY_MS - shownMs;
    if (offsetAt(midnightMs) === shownMs - timeMs) run = { fromMs: timeMs, untilMs: midnightMs, day };
    return day;
  };
  const starts = new Map<number, number>();
  const startOf = (day: number): number => {
    const startMs = starts.get(day) ?? findStart(day * DAY_MS, clock);
    starts.set(day, startMs);
    return startMs;
  };
  return {
    periodAt: (timeMs, unit) => {
      const day = dayAt(timeMs);
      const date = new Date(day * DAY_MS);
      if (unit === "day") return { name: date.toISOString().slice(0, 10), startTimeMs: startOf(day) };
      const first = Date.UTC(date.getUTCFullYear(), date.getUTCMonth()) / DAY_MS;
      return { name: date.toISOString().slice(0, 7), startTimeMs: startOf(first) };
    },
  };
}

/** What clocks show at an instant, as the Unix time at which UTC's clocks show the same. */
function readClock(format: Intl.DateTimeFormat, timeMs: number): number {
  const shown: Record<string, number> = {};
  for (const { type, value } of format.formatToParts(timeMs)) shown[type] = Number(value);
  const { year, month, day, hour, minute, second } = shown;
  return Date.UTC(year!, month! - 1, day, hour, minute, second) + (timeMs % 1_000);
}

/** The first instant at which clocks show a midnight, or where they jump over it the first after the jump. */
function findStart(midnightMs: number, clock: (timeMs: number) => number): number {
  const [before, after] = [midnightMs - EAST_MS, midnightMs + WEST_MS];
  const shown = [before, after]
    .map((timeMs) => midnightMs - (clock(timeMs) - timeMs))
    .filter((timeMs) => clock(timeMs) === midnightMs);
  if (shown.length > 0) return Math.min(...shown);
  let [low, high] = [before, after];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (clock(middle) < midnightMs) low = middle;
    else high = middle;
  }
  return high;
}
