import { describe, expect, test } from "vitest";
import { ProgressWatch } from "../../../node/src/hotspot/progress.ts";
import type { HotspotStatus } from "../../../node/src/hotspot/status.ts";
import { createSampleStatus } from "./statusPage.ts";

const MINUTE_MS = 60_000;
const sample = createSampleStatus();

function statusOf(
  pushes: number,
  round: number | null,
  { alive = true, connected = true } = {},
): HotspotStatus {
  const [forwarder] = sample.radio.forwarders;
  const [validator] = sample.validators;
  return {
    ...sample,
    problems: [],
    radio: {
      ...sample.radio,
      forwarders: [{ ...forwarder!, alive }],
      datagrams: { ...sample.radio.datagrams, push_data: pushes },
    },
    rounds: round === null ? null : { ...sample.rounds!, round },
    validators: [{ ...validator!, connected }],
  };
}

describe("a hotspot's progress", () => {
  test("is seen in reports and rounds, and missed after ten minutes without either", () => {
    const watch = new ProgressWatch(0);
    for (let minute = 0; minute < 30; minute++) {
      expect(watch.judge(statusOf(minute + 1, minute), minute * MINUTE_MS).stalled).toBe(false);
    }
    expect(watch.judge(statusOf(30, 60), 38 * MINUTE_MS).stalled).toBe(false);
    expect(watch.judge(statusOf(30, 61), 39 * MINUTE_MS)).toMatchObject({
      stalled: true,
      words: expect.stringContaining("reports have ceased"),
    });
    expect(watch.judge(statusOf(31, 61), 48 * MINUTE_MS).stalled).toBe(false);
    expect(watch.judge(statusOf(32, 61), 49 * MINUTE_MS)).toMatchObject({
      stalled: true,
      words: expect.stringContaining("no new round"),
    });
  });

  test("is not missed where a restart could not help", () => {
    const watch = new ProgressWatch(0);
    // A forwarder that has never reported, and a validator that has never told a round.
    for (let minute = 0; minute < 60; minute++) {
      expect(watch.judge(statusOf(0, null), minute * MINUTE_MS).stalled).toBe(false);
    }
    watch.judge(statusOf(5, 5), 60 * MINUTE_MS);
    for (let minute = 61; minute < 120; minute++) {
      const away = statusOf(5, 5, { alive: false, connected: false });
      expect(watch.judge(away, minute * MINUTE_MS).stalled).toBe(false);
    }
    // Back again, they have their ten minutes anew.
    expect(watch.judge(statusOf(5, 5), 121 * MINUTE_MS).stalled).toBe(false);
    expect(watch.judge(statusOf(5, 5), 129 * MINUTE_MS).stalled).toBe(true);
  });

  test("is not missed by a process that has only known a network that stands still", () => {
    const watch = new ProgressWatch(0);
    expect(watch.judge(statusOf(1, null), 0).stalled).toBe(false);
    // The validator tells where the network stands. A restart would hear the same again, every twelve minutes.
    for (let minute = 1; minute < 60; minute++) {
      expect(watch.judge(statusOf(minute, 77), minute * MINUTE_MS).stalled).toBe(false);
    }
    // It goes on, and then it is this process that hears nothing.
    expect(watch.judge(statusOf(60, 78), 60 * MINUTE_MS).stalled).toBe(false);
    for (let minute = 61; minute < 70; minute++) {
      expect(watch.judge(statusOf(minute, 78), minute * MINUTE_MS).stalled).toBe(false);
    }
    expect(watch.judge(statusOf(70, 78), 70 * MINUTE_MS).stalled).toBe(true);
  });

  test("is missed where reports wait and none is offered, and not while they are", () => {
    const waiting = (tries: number, oldestMs: number, connected = true): HotspotStatus => {
      const status = statusOf(1, 1, { connected, alive: false });
      const submissions = { receipted: tries, no_answer: 0, bad_receipt: 0 };
      return {
        ...status,
        rounds: { ...status.rounds!, round: tries },
        delivery: { ...status.delivery, waiting: 1, submissions },
        spool: { ...status.spool, oldestMs },
      };
    };
    const watch = new ProgressWatch(0);
    // Busy validators are no stall: the submitter asks them again and again.
    for (let minute = 1; minute < 30; minute++) {
      const status = waiting(minute, minute * MINUTE_MS);
      expect(watch.judge(status, minute * MINUTE_MS).stalled).toBe(false);
    }
    // Rounds go on, the submitter does not.
    const stands = (minute: number, connected = true) => {
      const status = waiting(29, minute * MINUTE_MS, connected);
      return watch.judge({ ...status, rounds: { ...status.rounds!, round: minute } }, minute * MINUTE_MS);
    };
    for (let minute = 30; minute < 39; minute++) expect(stands(minute).stalled).toBe(false);
    expect(stands(39)).toMatchObject({ stalled: true, words: expect.stringContaining("none is offered") });
    expect(stands(40, false).stalled).toBe(false);
  });
});
