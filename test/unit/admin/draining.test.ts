import { describe, expect, test } from "vitest";
import { createSilentLog } from "../../../node/src/host/log.ts";
import { Draining } from "../../../validator/src/draining.ts";
import { ManualClock } from "../validator/support/manualClock.ts";

function openDraining() {
  const clock = new ManualClock(0);
  const state = { waiting: 2, refusals: 0, ended: undefined as unknown };
  const draining = new Draining(
    { defaultTimeoutMs: 1_000, pollMs: 100 },
    {
      clock,
      log: createSilentLog(),
      refuseMore: () => state.refusals++,
      countWaiting: () => state.waiting,
    },
  );
  void draining.ended.then((undone) => {
    state.ended = undone;
  });
  const pass = async (milliseconds: number) => {
    for (let at = 0; at < milliseconds; at += 100) clock.advance(100);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { draining, state, pass };
}

describe("a drain", () => {
  test("ends once all that was taken on is done, and takes nothing more meanwhile", async () => {
    const { draining, state, pass } = openDraining();
    expect(draining.describe()).toEqual({ draining: false, untilMs: null, batchesWaiting: 2 });
    draining.begin(null);
    await pass(900);
    expect([state.refusals, state.ended]).toEqual([1, undefined]);
    state.waiting = 0;
    await pass(100);
    expect(state.ended).toBeNull();
  });

  test("gives up in time, and says what is left; it may be given longer", async () => {
    const { draining, state, pass } = openDraining();
    draining.begin(null);
    draining.begin(1_500);
    await pass(1_400);
    expect([state.refusals, state.ended]).toEqual([1, undefined]);
    await pass(100);
    expect(state.ended).toMatchObject({ code: "drain_unfinished", message: expect.stringMatching(/^2 /) });
  });
});
