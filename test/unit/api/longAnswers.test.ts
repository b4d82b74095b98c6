/** Who is served a long answer where few are served at once. */
import { once } from "node:events";
import { expect, test } from "vitest";
import { LongAnswers } from "../../../validator/src/api/longAnswers.ts";

async function* endless(): AsyncGenerator<string> {
  for (;;) yield "a line\n";
}

const refused = expect.objectContaining({ status: 503 });

test("an address has one, so that one that reads slowly for ever keeps nobody else out", async () => {
  const answers = new LongAnswers({ after: () => () => {} });
  const first = answers.open(endless(), "192.0.2.1");
  expect(() => answers.open(endless(), "192.0.2.1")).toThrow(refused);
  const others = [2, 3, 4].map((host) => answers.open(endless(), `192.0.2.${host}`));
  // Four in all.
  expect(() => answers.open(endless(), "192.0.2.5")).toThrow(refused);
  first.destroy();
  await once(first, "close");
  const again = answers.open(endless(), "192.0.2.1");
  for (const stream of [again, ...others]) stream.destroy();
});
