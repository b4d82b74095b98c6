import { describe, expect, test } from "vitest";
import { BASE_UNITS_PER_TOKEN } from "../../../protocol/src/network/parameters.ts";
import { formatAmount, formatIsoTime, formatTime } from "../../../validator/explorer/src/ui/format.ts";
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

describe("a time as people read it", () => {
  test("is told of every number that a report can be signed with", () => {
    expect(formatIsoTime(1_793_000_000_000)).toBe("2026-10-26T07:33:20.000Z");
    expect(formatTime(1_793_000_000_000)).toMatch(/2026/);
    // The last millisecond that has a date, and what the wire allows beyond it.
    expect(formatIsoTime(8.64e15)).toBe("+275760-09-13T00:00:00.000Z");
    expect(formatTime(8.64e15)).toMatch(/275760/);
    for (const beyond of [8.64e15 + 1, Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER])
      expect([formatIsoTime(beyond), formatTime(beyond)]).toEqual([null, "beyond any calendar"]);
  });
});
