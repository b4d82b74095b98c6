/**
 * Days and months of time zones, held against the tz database as Intl shows it, instant by instant over the days on which
 * clocks are changed. The dates are those of the IANA tz database.
 */
import { describe, expect, test, vi } from "vitest";
import { type CalendarPeriod, openCalendar } from "../../../validator/src/store/calendar.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** The date that a clock in the zone shows, by a formatter that the calendar does not use. */
function createReference(zone: string): (timeMs: number) => string {
  const format = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short" });
  return (timeMs) => format.format(timeMs);
}

/** What happened on a day in a zone: from two days before it to two days after it every minute is looked at. */
const DAYS = [
  ["Europe/Paris", "2026-03-29", "an hour is skipped"],
  ["Europe/Paris", "2026-10-25", "an hour is repeated"],
  ["America/New_York", "2026-11-01", "an hour is repeated"],
  ["Asia/Kathmandu", "2026-06-01", "45 minutes from the hour"],
  ["Asia/Kolkata", "2026-06-01", "30 minutes from the hour"],
  ["Australia/Lord_Howe", "2026-04-05", "half an hour is repeated"],
  ["Australia/Lord_Howe", "2026-10-04", "half an hour is skipped"],
  ["Pacific/Chatham", "2026-04-05", "45 minutes from the hour, an hour repeated"],
  ["America/Sao_Paulo", "2018-11-04", "midnight is skipped"],
  ["America/Sao_Paulo", "2018-02-18", "the hour before midnight is repeated"],
  [
    "America/St_Johns",
    "2010-11-07",
    "clocks went back at one past midnight, so a minute of the day came twice",
  ],
  ["Africa/Casablanca", "2026-03-22", "winter time in Ramadan ends"],
  ["Pacific/Apia", "2011-12-30", "a day that never was, over the date line"],
  ["Pacific/Kiritimati", "2026-01-01", "fourteen hours east"],
  ["Etc/GMT+12", "2026-01-01", "twelve hours west"],
  ["UTC", "2026-12-31", "a year ends"],
] as const;

describe("a calendar", () => {
  for (const [zone, date, what] of DAYS) {
    test(`of ${zone} around ${date}: ${what}`, () => {
      const reference = createReference(zone);
      const calendar = openCalendar(zone)!;
      const from = Date.parse(`${date}T00:00:00Z`) - 2 * DAY_MS;
      const firstSeen = new Map<string, number>();
      for (let timeMs = from; timeMs < from + 5 * DAY_MS; timeMs += MINUTE_MS) {
        const day: CalendarPeriod = calendar.periodAt(timeMs, "day");
        const shown = reference(timeMs);
        if (day.name !== shown) expect([timeMs, day.name]).toEqual([timeMs, shown]);
        if (calendar.periodAt(timeMs, "month").name !== shown.slice(0, 7)) expect.fail(`${timeMs}`);
        if (!firstSeen.has(shown)) firstSeen.set(shown, timeMs);
        // A day begins when clocks first show it; of the first one its beginning was not looked at.
        if (firstSeen.size > 1 && day.startTimeMs !== firstSeen.get(shown)) {
          expect([shown, day.startTimeMs]).toEqual([shown, firstSeen.get(shown)]);
        }
      }
      expect(firstSeen.size).toBeGreaterThan(3);
    });
  }

  test("says where days begin that begin oddly", () => {
    const dayAt = (zone: string, time: string) => {
      const { name, startTimeMs } = openCalendar(zone)!.periodAt(Date.parse(time), "day");
      return [name, new Date(startTimeMs).toISOString()];
    };
    expect(dayAt("America/Sao_Paulo", "2018-11-04T12:00:00Z")).toEqual([
      "2018-11-04",
      "2018-11-04T03:00:00.000Z",
    ]);
    expect(dayAt("Asia/Kathmandu", "2026-06-01T00:00:00Z")).toEqual([
      "2026-06-01",
      "2026-05-31T18:15:00.000Z",
    ]);
    expect(dayAt("Pacific/Apia", "2011-12-30T10:00:00Z")).toEqual(["2011-12-31", "2011-12-30T10:00:00.000Z"]);
    expect(dayAt("Pacific/Apia", "2011-12-30T09:59:59.999Z")[0]).toBe("2011-12-29");
  });

  test("puts months where their first day begins", () => {
    const { periodAt } = openCalendar("America/New_York")!;
    const november = { name: "2026-11", startTimeMs: Date.parse("2026-11-01T04:00:00Z") };
    expect(periodAt(Date.parse("2026-11-30T23:00:00-05:00"), "month")).toEqual(november);
    expect(periodAt(Date.parse("2026-10-31T23:59:59.999-04:00"), "month").name).toBe("2026-10");
  });

  test("answers the same in any order of questions", () => {
    const times = Array.from({ length: 2_000 }, (_, n) => Date.UTC(2026, 9, 20) + n * 7 * MINUTE_MS);
    const { periodAt } = openCalendar("Europe/Paris")!;
    const ascending = times.map((timeMs) => periodAt(timeMs, "day"));
    const descending = times
      .toReversed()
      .map((timeMs) => openCalendar("Europe/Paris")!.periodAt(timeMs, "day"));
    expect(descending.toReversed()).toEqual(ascending);
  });

  test("is of a zone that exists, and no offset", () => {
    for (const zone of [
      "Mars/Olympus",
      "+01:00",
      "",
      "../etc/passwd",
      "Europe/Paris\u0000",
      "x".repeat(65),
    ]) {
      expect([zone, openCalendar(zone)]).toEqual([zone, null]);
    }
    for (const zone of Intl.supportedValuesOf("timeZone")) expect(openCalendar(zone)).not.toBeNull();
  });

  test("asks the tz database some two times a day, and not for every instant", () => {
    const { periodAt } = openCalendar("America/New_York")!;
    const asked = vi.spyOn(Intl.DateTimeFormat.prototype, "formatToParts");
    const days = 366;
    for (let n = 0; n < 24 * days; n++) periodAt(Date.UTC(2026, 0) + n * HOUR_MS, "month");
    expect(asked.mock.calls.length).toBeGreaterThan(days);
    expect(asked.mock.calls.length).toBeLessThan(3 * days);
    asked.mockRestore();
  });
});
