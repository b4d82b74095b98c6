/** What a hotspot remembers of its own beacons, while others read it and the clock is set. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { type BeaconBook, openBeaconBook } from "../../../node/src/hotspot/beaconBook.ts";
import { armBeacon } from "../../../node/src/hotspot/beaconRecord.ts";
import { loadBeaconState } from "../../../node/src/hotspot/beaconState.ts";
import type { Transmission } from "../../../protocol/src/radio/dutyCycle.ts";
import { REGION_PLANS } from "../../../protocol/src/radio/regions.ts";

const plan = REGION_PLANS.EU868;
const hotspot = new Uint8Array(32).fill(7);
const HOUR_MS = 3_600_000;
const START_MS = 1_790_000_000_000;

let home: string;
let nowMs: number;
let book: BeaconBook;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "hexbeacon-book-"));
  nowMs = START_MS;
  // No time passes: whatever `nowMs` is, somebody has set the clock to it.
  const clock = { nowMs: () => nowMs, elapsedMs: () => 0 };
  book = await openBeaconBook({ home, networkId: new Uint8Array(32), hotspot, plan }, clock);
});

const arm = (epoch: number) =>
  armBeacon(
    { slotRound: 10, freqHz: 868_100_000, spreadingFactor: 9, bandwidthHz: 125_000, powerStepDb: 0 },
    epoch,
    hotspot,
    new Uint8Array(16),
  );
const sent = (): Transmission => ({
  freqHz: 868_100_000,
  startMs: START_MS,
  airtimeUs: 200_000,
  eirpCentiDbm: 1_600,
});
/** What the disk has. */
const startsOnDisk = async () =>
  (await loadBeaconState(home, hotspot))!.transmissions.map(({ startMs }) => startMs);

describe("reading what was sent, on a clock that was set", () => {
  test("goes by the clock, and leaves the beaconer's own entry to it", async () => {
    const transmission = sent();
    await book.prepare(arm(1), { transmissions: [transmission] });
    nowMs = START_MS - 600;
    expect(book.transmissions()).toMatchObject([{ startMs: nowMs }]);
    nowMs = START_MS + HOUR_MS;
    expect(book.transmissions()).toMatchObject([{ startMs: nowMs }]);
    expect(book.state.transmissions).toContain(transmission);
  });

  test("while the file is written keeps nothing from the disk", async () => {
    const saving = book.save(arm(1), { transmissions: [sent()] });
    nowMs += HOUR_MS;
    expect(book.transmissions()).toMatchObject([{ startMs: nowMs }]);
    await saving;
    book.followClock();
    await book.flush();
    expect(await startsOnDisk()).toEqual([nowMs]);
  });

  test("while the file cannot be written forgets nothing of what the clock was set by", async () => {
    await book.save(arm(1), { transmissions: [sent()] });
    await rm(home, { recursive: true });
    const preparing = book.prepare(arm(2), {});
    nowMs += HOUR_MS;
    book.transmissions();
    await expect(preparing).rejects.toMatchObject({ code: "file_unwritable" });
    book.followClock();
    expect(book.state.transmissions).toMatchObject([{ startMs: nowMs }]);
  });
});

test("what is noted while the file is written is written next", async () => {
  const saving = book.save(arm(1));
  book.note(arm(2));
  await saving;
  await book.flush();
  expect((await loadBeaconState(home, hotspot))!.beacons.map(({ epoch }) => epoch)).toEqual([1, 2]);
});

test("a clock that is set by less than a second, again and again, is followed once that adds up", async () => {
  await book.save(arm(1), { transmissions: [sent()] });
  const ledgers = new Set([book.state.transmissions]);
  for (let i = 0; i < 100; i++) {
    nowMs += 90;
    book.followClock();
    ledgers.add(book.state.transmissions);
  }
  // Every twelfth time 1,080 ms have added up; each write wears the card.
  expect(ledgers.size).toBe(1 + 8);
  expect(nowMs - book.state.transmissions[0]!.startMs).toBeLessThan(1_000);
});
