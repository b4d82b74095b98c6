import { describe, expect, test } from "vitest";
import { BASE_UNITS_PER_TOKEN } from "../../../protocol/src/network/parameters.ts";
import { formatAmount } from "../../../validator/explorer/src/ui/format.ts";
import { formatTokens } from "../../devnet/src/tokens.ts";

describe("an amount as people read it", () => {
  test("is exact to the base unit, whatever its size", () => {
    const locale = new Intl.NumberFormat().formatToParts(1_234_567.5);
    const mark = (type: "group" | "decimal") => locale.find((part) => part.type === type)?.value ?? "";
    const plain = (text: string) => text.replaceAll(mark("group"), "").replace(mark("decimal"), ".");
    for (const units of [
      0n,
      1n,
      99n,
      BASE_UNITS_PER_TOKEN - 1n,
      BASE_UNITS_PER_TOKEN,
      12_345_678_901_234_567_890n,
      2n ** 64n - 1n,
    ]) {
      expect(plain(formatAmount(`${units}`))).toBe(formatTokens(units));
    }
  });
});
