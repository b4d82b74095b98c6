import { expect, test } from "vitest";
import { CROWD_HALF as RULE_CROWD_HALF } from "../../../protocol/src/score/crowd.ts";
import { COUNTERPARTS_FULL } from "../../../protocol/src/score/scoreV2.ts";
import {
  CROWD_HALF,
  formatBetween,
  formatDivisor,
} from "../../../validator/explorer/src/pages/hotspot/factors.ts";
import {
  formatExactPpm,
  formatMegahertz,
  formatUnits,
  PPM,
} from "../../../validator/explorer/src/ui/format.ts";

/** As an English reader has it: the point is the reader's own. */
const plain = (text: string): string => text.replaceAll(",", ".");

test("factors are told to the millionth, since they are there to be multiplied", () => {
  expect([62_500, 123_456, PPM, 5 * PPM].map(formatUnits).map(plain)).toEqual([
    "0.062500",
    "0.123456",
    "1.000000",
    "5.000000",
  ]);
  expect(plain(formatBetween({ leastPpm: 1_500_000, mostPpm: 1_500_001 }))).toBe("1.500000 … 1.500001");
  expect(plain(formatBetween({ leastPpm: 1_500_000, mostPpm: 1_500_000 }))).toBe("1.500000");
});

test("trust is told whole too: findings leave a sixteenth of it", () => {
  expect([62_500, 156_250, 1, PPM].map(formatExactPpm).map(plain).map(Number.parseFloat)).toEqual([
    6.25, 15.625, 0.0001, 100,
  ]);
});

test("what units are divided by is three links' worth where that gives them", () => {
  const full = COUNTERPARTS_FULL * PPM;
  expect(plain(formatDivisor({ leastPpm: full, mostPpm: full + 9 }))).toBe("3.000000");
  expect(plain(formatDivisor({ leastPpm: full + 1, mostPpm: full + 9 }))).toBe("3.000001 … 3.000009");
  expect(CROWD_HALF).toBe(RULE_CROWD_HALF);
});

test("no digit of a frequency is lost: IN865 has channels at 62.5, 402.5 and 985 kHz above 865 MHz", () => {
  expect([865_062_500, 865_402_500, 865_985_000, 868_100_000, 903_900_000].map(formatMegahertz)).toEqual([
    "865.0625 MHz",
    "865.4025 MHz",
    "865.985 MHz",
    "868.1 MHz",
    "903.9 MHz",
  ]);
});
