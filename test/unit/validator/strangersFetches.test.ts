/** What strangers fetch costs a validator no more than it gives them: at once, one by one, and all together. */
import { describe, expect, test } from "vitest";
import { createSilentLog } from "../../../node/src/host/log.ts";
import { MAX_PIECE_BYTES } from "../../../protocol/src/ledger/stateManifest.ts";
import { askUntilAnswered } from "../../../validator/src/joining.ts";
import {
  FETCH_UNIT_BYTES,
  FETCH_UNITS_KEPT_FOR_FIRSTS,
  FETCH_UNITS_OF_ALL_PER_SECOND,
  FETCH_UNITS_OF_ONE_PER_SECOND,
  StrangersFetches,
} from "../../../validator/src/mesh/strangersFetches.ts";
import { ManualClock } from "./support/manualClock.ts";

const small = async () => Uint8Array.of(1);

function openFetches() {
  const clock = new ManualClock(0);
  const fetches = new StrangersFetches(clock);
  const count = async (from: string, answer = small) => {
    let answered = 0;
    while ((await fetches.answer(from, answer)) !== "flooded") answered++;
    return answered;
  };
  return { clock, fetches, count };
}

test("one stranger has two seconds' worth at once and a second's worth each second, and others theirs", async () => {
  const { clock, count } = openFetches();
  expect(await count("a")).toBe(2 * FETCH_UNITS_OF_ONE_PER_SECOND);
  expect(await count("b")).toBe(2 * FETCH_UNITS_OF_ONE_PER_SECOND);
  // What is left is kept for first questions.
  expect([await count("c"), await count("c"), await count("d")]).toEqual([1, 0, 1]);
  clock.advance(1_000);
  expect(await count("a")).toBe(FETCH_UNITS_OF_ONE_PER_SECOND);
});

test("another name is no way to more than all have together", async () => {
  const { fetches } = openFetches();
  let answered = 0;
  for (let i = 0; i < 4 * FETCH_UNITS_OF_ALL_PER_SECOND; i++)
    if ((await fetches.answer(`stranger ${i}`, small)) !== "flooded") answered++;
  expect(answered).toBe(2 * FETCH_UNITS_OF_ALL_PER_SECOND + FETCH_UNITS_KEPT_FOR_FIRSTS);
});

test("an answer costs its bytes too", async () => {
  const { count } = openFetches();
  const units = 16;
  const piece = async () => new Uint8Array((units - 1) * FETCH_UNIT_BYTES);
  expect(await count("a", piece)).toBe((2 * FETCH_UNITS_OF_ONE_PER_SECOND) / units);
});

test("over seconds nobody gets more than the rates, however long the answers are", async () => {
  const { clock, fetches, count } = openFetches();
  const piece = new Uint8Array(MAX_PIECE_BYTES);
  const answer = async () => piece;
  const unitsOf = (pieces: number) => pieces * (1 + MAX_PIECE_BYTES / FETCH_UNIT_BYTES);
  for (const names of [["a"], ["a", "b", "c", "d"]]) {
    for (const name of names) await count(name, answer);
    const seconds = 20;
    let pieces = 0;
    for (let i = 0; i < seconds * 100; i++) {
      clock.advance(10);
      for (const name of names) if ((await fetches.answer(name, answer)) !== "flooded") pieces++;
    }
    const rate = names.length === 1 ? FETCH_UNITS_OF_ONE_PER_SECOND : FETCH_UNITS_OF_ALL_PER_SECOND;
    expect(unitsOf(pieces) / seconds / rate).toBeGreaterThan(0.95);
    // One question's worth more at the end, which is owed.
    expect(unitsOf(pieces - names.length)).toBeLessThanOrEqual(seconds * rate);
  }
});

describe("one who joins", () => {
  const piece = new Uint8Array(MAX_PIECE_BYTES);
  const PIECES = 100;

  /** Fetches a snapshot as `validator join` does, over a line on which an answer takes 5 ms; its MiB a second. */
  async function join({ clock, fetches }: ReturnType<typeof openFetches>, meanwhile = async () => {}) {
    const fetch = async () => {
      clock.advance(5);
      await meanwhile();
      const answer = await fetches.answer("joiner", async () => piece);
      return answer === "flooded" ? null : answer;
    };
    const pause = async (pauseMs: number) => clock.advance(pauseMs);
    const beganMs = clock.nowMs();
    for (let at = 0; at < PIECES; at++) {
      const asked = { type: "piece", epoch: 1, piece: at } as const;
      expect(await askUntilAnswered(asked, { fetch, pause, log: createSilentLog() })).toBe(piece);
    }
    return (PIECES * 1_000) / (clock.nowMs() - beganMs);
  }

  test("gets through alone at the rate of one", async () => {
    expect(await join(openFetches())).toBeGreaterThan(6);
  });

  test("gets through while others ask for all that there is", async () => {
    const opened = openFetches();
    const flood = async () => {
      for (const name of ["x", "y", "z"]) await opened.count(name);
    };
    await flood();
    expect(await join(opened, flood)).toBeGreaterThan(0.6);
  });
});

test("only so many are answered at once, and a failure makes room again", async () => {
  const { fetches } = openFetches();
  const { promise, reject } = Promise.withResolvers<Uint8Array>();
  const waiting = Array.from({ length: 16 }, (_, i) => fetches.answer(`${i}`, () => promise));
  expect(await fetches.answer("late", small)).toBe("flooded");
  reject(new Error("the disk is gone"));
  await Promise.allSettled(waiting);
  expect(await fetches.answer("late", small)).toEqual(Uint8Array.of(1));
});
