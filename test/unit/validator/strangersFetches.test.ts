/** What strangers fetch costs a validator no more than it gives them: at once, one by one, and all together. */
import { expect, test } from "vitest";
import {
  FETCH_UNIT_BYTES,
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
  expect(await count("c")).toBe(0);
  clock.advance(1_000);
  expect(await count("a")).toBe(FETCH_UNITS_OF_ONE_PER_SECOND);
});

test("another name is no way to more than all have together", async () => {
  const { fetches } = openFetches();
  let answered = 0;
  for (let i = 0; i < 4 * FETCH_UNITS_OF_ALL_PER_SECOND; i++)
    if ((await fetches.answer(`stranger ${i}`, small)) !== "flooded") answered++;
  expect(answered).toBe(2 * FETCH_UNITS_OF_ALL_PER_SECOND);
});

test("an answer costs its bytes too", async () => {
  const { count } = openFetches();
  const units = 16;
  const piece = async () => new Uint8Array((units - 1) * FETCH_UNIT_BYTES);
  expect(await count("a", piece)).toBe((2 * FETCH_UNITS_OF_ONE_PER_SECOND) / units);
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
