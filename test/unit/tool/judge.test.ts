import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { runTool } from "./runTool.ts";

const HONEST = {
  distanceM: 3_000,
  eirpDbm: 16,
  rxGainDbi: 3,
  region: "EU868",
  frequencyHz: 867_500_000,
  spreadingFactor: 9,
  bandwidthHz: 125_000,
  rssiDbm: -110,
  rssiKind: "channel",
  snrDb: 5.2,
};

const toLines = (links: readonly object[]): string =>
  links.map((link) => `${JSON.stringify(link)}\n`).join("");

async function judge(...links: object[]): Promise<Record<string, unknown>[]> {
  const { stdout, stderr, status } = await runTool(["judge"], toLines(links));
  if (status !== 0) throw new Error(stderr);
  return stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

describe("verdicts", () => {
  test("one a line, in the documented form", async () => {
    const { stdout } = await runTool(["judge"], toLines([{ id: "a", ...HONEST }, HONEST]));
    // 16 dBm + 3 dBi - 100.75 dB over 3 km at 867.5 MHz + 6 dB.
    const rest = '"verdict":"accept","reason":null,"paid":true,"distanceM":3000,"ceilingDbm":-75.76}';
    expect(stdout).toBe(`{"id":"a",${rest}\n{"id":null,${rest}\n`);
  });

  test.each([
    [{ rssiDbm: -146 }, "rssi_out_of_range"],
    [{ snrDb: 17 }, "snr_out_of_range"],
    [{ snrDb: 5.3 }, "snr_off_grid"],
    [{ snrDb: -17 }, "snr_below_demodulation"],
    [{ rssiDbm: -125 }, "rssi_below_noise"],
    [{ rssiDbm: -75.7 }, "rssi_above_ceiling"],
    [{ frequencyHz: 915_000_000 }, "frequency_mismatch"],
    [{ bandwidthHz: 500_000 }, "data_rate_mismatch"],
  ])("%j is refused as %s", async (change, reason) => {
    expect(await judge({ ...HONEST, ...change })).toMatchObject([{ verdict: "refuse", reason, paid: false }]);
  });

  test("too close and too far are accepted and not paid", async () => {
    const verdicts = await judge(
      { ...HONEST, distanceM: 299 },
      { ...HONEST, distanceM: 100_001, rssiDbm: -120, snrDb: 0 },
      { ...HONEST, distanceM: 300 },
    );
    expect(verdicts.map(({ verdict, reason, paid }) => [verdict, reason, paid])).toEqual([
      ["accept", "too_close", false],
      ["accept", "too_far", false],
      ["accept", null, true],
    ]);
  });

  test("places instead of a distance", async () => {
    const { distanceM: _, ...rest } = HONEST;
    expect(await judge({ ...rest, from: [45.1895, 5.7623], to: [45.2115, 5.7843] })).toMatchObject([
      { distanceM: 2993 },
    ]);
  });

  test("what is absent counts as the limit: the region's power, or 16 dBm, and 3 dB of margin for a gain", async () => {
    const { eirpDbm: _, rxGainDbi: __, region: ___, ...bare } = HONEST;
    const verdicts = await judge(
      bare,
      { ...bare, eirpDbm: null, rxGainDbi: null, region: null, rssiKind: null },
      { ...bare, region: "EU868" },
      { ...bare, region: "US915", frequencyHz: 904_100_000 },
      { ...bare, region: "EU868", eirpDbm: 36 },
    );
    expect(verdicts.map(({ ceilingDbm }) => ceilingDbm)).toEqual([-75.76, -75.76, -75.76, -56.11, -75.76]);
  });
});

describe("bad lines", () => {
  const faults: [string, RegExp][] = [
    ["", /^$/],
    ["{", /line 2: .*JSON/],
    ["[]", /line 2: .*object/],
    ["null", /line 2: .*object/],
    ['"link"', /line 2: .*object/],
    ["1e999", /line 2: .*object/],
    [JSON.stringify({ ...HONEST, rssiDbm: "-110" }), /line 2: rssiDbm/],
    [JSON.stringify({ ...HONEST, rssiDbm: undefined }), /line 2: rssiDbm/],
    [JSON.stringify({ ...HONEST, snrDb: null }), /line 2: snrDb/],
    [JSON.stringify({ ...HONEST, spreadingFactor: 4 }), /line 2: spreadingFactor/],
    [JSON.stringify({ ...HONEST, spreadingFactor: 9.5 }), /line 2: spreadingFactor/],
    [JSON.stringify({ ...HONEST, bandwidthHz: 0 }), /line 2: bandwidthHz/],
    [JSON.stringify({ ...HONEST, region: "MARS" }), /line 2: region/],
    [JSON.stringify({ ...HONEST, rssiKind: "loud" }), /line 2: rssiKind/],
    [JSON.stringify({ ...HONEST, distanceM: -1 }), /line 2: distanceM/],
    [JSON.stringify({ ...HONEST, distanceM: null }), /line 2: distanceM/],
    [JSON.stringify({ ...HONEST, distanceM: null, from: [45, 5] }), /line 2: to/],
    [JSON.stringify({ ...HONEST, distanceM: null, from: [91, 5], to: [45, 5] }), /line 2: from/],
    [JSON.stringify({ ...HONEST, id: {} }), /line 2: id/],
    [JSON.stringify({ ...HONEST, frequencyHz: 1e300 }), /line 2: frequencyHz/],
    ["x".repeat(100_000), /line 2: longer/],
  ];

  test.each(faults.slice(1))("%.60j end the run with the line's number", async (line, message) => {
    const { stdout, stderr, status } = await runTool(["judge"], `${JSON.stringify(HONEST)}\n${line}\n`);
    expect(status).toBe(1);
    expect(stderr).toMatch(message);
    // The links before it have their verdicts all the same, except where the line did not even fit the reader.
    if (line.length < 1_000) expect(stdout.match(/\n/g)).toHaveLength(1);
  });

  test("blank lines are passed over and counted", async () => {
    const { stderr, status } = await runTool(["judge"], `\n${JSON.stringify(HONEST)}\r\n\n \n{}\n`);
    expect(status).toBe(1);
    expect(stderr).toMatch(/line 5: /);
    expect(await runTool(["judge"], "")).toEqual({ stdout: "", stderr: "", status: 0 });
  });

  test("any JSON gets a verdict or a message", async () => {
    const value = fc.jsonValue({ maxDepth: 2 });
    const changed = fc
      .tuple(fc.constantFrom(...Object.keys(HONEST), "id", "from", "to"), value)
      .map(([key, replacement]) => ({ ...HONEST, [key]: replacement }));
    await fc.assert(
      fc.asyncProperty(fc.oneof(value, changed), async (line) => {
        const { stdout, stderr, status } = await runTool(["judge"], JSON.stringify(line));
        if (status === 0) expect(JSON.parse(stdout)).toHaveProperty("verdict");
        else expect(stderr).toMatch(/^error: line 1: /);
      }),
      { numRuns: 200 },
    );
  });
});

test("lines may come in any pieces", async () => {
  const text = toLines([
    { id: "é€", ...HONEST },
    { id: 2, ...HONEST },
  ]).trimEnd();
  const whole = await runTool(["judge"], text);
  expect(whole.stdout.match(/\n/g)).toHaveLength(2);
  const bytes = Buffer.from(text);
  for (const size of [1, 7, 64]) {
    const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
      bytes.subarray(i * size, (i + 1) * size),
    );
    expect(await runTool(["judge"], pieces)).toEqual(whole);
  }
});
