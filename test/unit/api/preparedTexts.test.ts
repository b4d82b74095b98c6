/** Answers that are given again while the store has the same rows. */
import { expect, test } from "vitest";
import { PreparedTexts } from "../../../validator/src/api/preparedTexts.ts";

test("are found for the store that they were written of, and for no other", () => {
  const texts = new PreparedTexts();
  texts.keep("a", 7, "of seven");
  expect([texts.find("a", 7), texts.find("b", 7)]).toEqual(["of seven", undefined]);
  expect(texts.find("a", 8)).toBeUndefined();
  texts.keep("a", 8, "of eight");
  expect([texts.find("a", 7), texts.find("a", 8)]).toEqual([undefined, "of eight"]);
});

test("are no more than so many, whatever is asked for", () => {
  const texts = new PreparedTexts();
  const most = 32_768;
  for (let n = 0; n < most; n++) texts.keep(`${n}`, 1, "x");
  // One that is there already takes no other's place.
  texts.keep("0", 2, "y");
  expect(texts.find("1", 1)).toBe("x");
  texts.keep("another", 2, "z");
  expect([texts.find("1", 1), texts.find("another", 2)]).toEqual([undefined, "z"]);
});
