/** The values of a round: fetched from whoever has them, and no more kept than a round can need. */
import { hash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { createSilentLog } from "../../../node/src/host/log.ts";
import { MAX_VALUE_BYTES } from "../../../protocol/src/agreement/rounds.ts";
import { RoundValues } from "../../../validator/src/rounds/roundValues.ts";
import { ManualClock } from "./support/manualClock.ts";

const VALUE = Uint8Array.of(1, 2, 3);
const nameOf = (bytes: Uint8Array) => hash("sha256", bytes, "hex");
const NAME = nameOf(VALUE);

type Answer = Uint8Array | null | "never";

function openValues(answers: Readonly<Record<string, Answer>>, round = 0) {
  const clock = new ManualClock(0);
  const asked: string[] = [];
  const mesh = {
    connected: () => Object.keys(answers),
    fetch: async (peer: string) => {
      asked.push(peer);
      const answer = answers[peer]!;
      return answer === "never" ? await new Promise<never>(() => {}) : answer;
    },
  };
  const values = new RoundValues({ round } as never, { mesh, clock, log: createSilentLog() });
  return { values, clock, asked };
}

const turns = async () => {
  for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve));
};

describe("a value that is missing", () => {
  test("waits for nobody who is silent, and comes from the next", async () => {
    const { values, clock, asked } = openValues({ a: "never", b: "never", c: VALUE, d: VALUE });
    const fetched = values.fetch(NAME);
    for (let step = 0; step < 2; step++) {
      await turns();
      clock.advance(250);
    }
    expect(await fetched).toBe(true);
    expect(values.encodings.get(NAME)).toEqual(VALUE);
    expect(asked).toEqual(["a", "b", "c"]);
  });

  test("is asked of another first each time, in another round and in the same", async () => {
    const answers = { a: null, b: null, c: null };
    const { values, asked } = openValues(answers, 4);
    expect(await values.fetch(NAME)).toBe(false);
    expect(await values.fetch(NAME)).toBe(false);
    expect(asked).toEqual(["b", "c", "a", "c", "a", "b"]);
  });

  test("is asked of those first who said that they have it", async () => {
    const { values, asked } = openValues({ a: VALUE, b: VALUE, c: null, d: VALUE });
    expect(await values.fetch(NAME, ["c", "d", "away"])).toBe(true);
    expect(asked).toEqual(["c", "d"]);
  });

  test("is no other value than its name says", async () => {
    const { values } = openValues({ a: Uint8Array.of(9), b: null });
    expect(await values.fetch(NAME)).toBe(false);
    expect(values.encodings.size).toBe(0);
  });

  test("is waited for no longer once it came by itself", async () => {
    const { values, clock, asked } = openValues({ a: "never", b: VALUE });
    const fetched = values.fetch(NAME);
    values.put(NAME, VALUE);
    await turns();
    clock.advance(250);
    expect(await fetched).toBe(true);
    expect(asked).toEqual(["a"]);
  });

  test("is asked for once, however many wait for it", async () => {
    const { values, asked } = openValues({ a: VALUE });
    expect(await Promise.all([values.fetch(NAME), values.fetch(NAME)])).toEqual([true, true]);
    expect(asked).toEqual(["a"]);
  });
});

test("many validators' proposals take no more room than some values, and what is fetched always has some", async () => {
  const { values } = openValues({ a: VALUE });
  const bytes = new Uint8Array(MAX_VALUE_BYTES);
  for (let validator = 0; validator < 20; validator++) {
    bytes[0] = validator;
    values.keep(validator, nameOf(bytes), bytes.slice());
  }
  let held = 0;
  for (const encoding of values.encodings.values()) held += encoding.length;
  expect(held).toBe(16 * MAX_VALUE_BYTES);
  expect(await values.fetch(NAME)).toBe(true);
});
