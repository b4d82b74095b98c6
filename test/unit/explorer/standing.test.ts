import { describe, expect, test } from "vitest";
import { isNewcomer, judgeStanding } from "../../../validator/explorer/src/pages/hotspot/standing.ts";

const PAID_MIN_PPM = 100_000;

describe("how a hotspot stands", () => {
  test.each([
    { suspended: false, graphPpm: 1_000_000, standing: "paid" },
    { suspended: false, graphPpm: PAID_MIN_PPM, standing: "paid" },
    { suspended: false, graphPpm: PAID_MIN_PPM - 1, standing: "unreached" },
    { suspended: false, graphPpm: 0, standing: "unreached" },
    { suspended: true, graphPpm: 1_000_000, standing: "suspended" },
    { suspended: true, graphPpm: 0, standing: "suspended" },
  ])("with $graphPpm by the graph, suspended: $suspended, is $standing", ({ standing, ...state }) => {
    expect(judgeStanding(state, PAID_MIN_PPM)).toBe(standing);
  });
});

test("who came after the newest computation is a newcomer, until the next", () => {
  // The next one is in force from epoch 48, so the newest has been since 24.
  const isNew = [-2, 0, 23, 24, 47].map((registered) => isNewcomer(registered, 48, 24));
  expect(isNew).toEqual([false, false, false, true, true]);
});
