/** The closed list of why agreement drops a message, in code and in words. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { DROP_REASONS, DROPPED } from "../../../protocol/src/agreement/drops.ts";

test("every reason of a drop stands in the documents, in its order, and in an effect of its own", () => {
  const text = readFileSync(new URL("../../../docs/agreement.md", import.meta.url), "utf8");
  const table = text.slice(text.indexOf("| reason | what was dropped |")).split("\n\n")[0]!;
  expect([...table.matchAll(/^\| `(\w+)` \|/gm)].map(([, reason]) => reason)).toEqual([...DROP_REASONS]);
  expect(Object.values(DROPPED).map(([{ reason }]) => reason)).toEqual([...DROP_REASONS]);
});
