/** A replay that did not happen is not taken for one that is equal. */
import { expect, test } from "vitest";
import { readReplay } from "../../devnet/src/replay.ts";

/** What the command says of epochs 0 to `last`. */
const answer = (last: number, differing: readonly number[] = []) => ({
  code: differing.length === 0 ? 0 : 1,
  stdout: `${JSON.stringify({
    equal: differing.length === 0,
    differing,
    epochs: Array.from({ length: last + 1 }, (_, epoch) => ({ epoch, equal: !differing.includes(epoch) })),
  })}\n`,
  stderr: "",
});

test("names the epochs that differ", () => {
  expect(readReplay(answer(2), 2)).toEqual([]);
  expect(readReplay(answer(3), 2)).toEqual([]);
  expect(readReplay(answer(2, [1, 2]), 2)).toEqual([1, 2]);
  expect(readReplay(answer(-1), -1)).toEqual([]);
});

test("takes no failure for an answer, nor one that contradicts itself", () => {
  const failed = { code: 1, stdout: "", stderr: "error: round 7 gives another state than the stored one\n" };
  expect(() => readReplay(failed, 2)).toThrow("replay ended with 1: error: round 7 gives another state");
  expect(() => readReplay({ ...failed, code: 2 }, 2)).toThrow("replay ended with 2");
  expect(() => readReplay({ ...answer(2), code: 1 }, 2)).toThrow("replay ended with 1");
  expect(() => readReplay({ ...answer(2, [1]), code: 0 }, 2)).toThrow("replay ended with 0");
});

test("must come to the last epoch that was closed", () => {
  expect(() => readReplay(answer(1), 2)).toThrow("came to epoch 1, and epoch 2 is closed");
  expect(() => readReplay(answer(-1), 0)).toThrow("came to epoch -1");
});
