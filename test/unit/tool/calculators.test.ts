import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { REGION_NAMES, REGION_PLANS } from "../../../protocol/src/radio/regions.ts";
import { HIP15_UNITS } from "../../vectors/hip15Units.ts";
import { readSharedJson } from "../radio/vectors.ts";
import { runTool, runToolJson } from "./runTool.ts";

/** A run that failed as it should: status 1, a message that names the fault, nothing on standard output. */
async function expectFault(args: string[], message: RegExp, input?: string): Promise<void> {
  const run = await runTool(args, input);
  expect(run.status).toBe(1);
  expect(run.stdout).toBe("");
  expect(run.stderr).toMatch(message);
  expect(run.stderr).toMatch(/^error: /);
}

describe("tool units", () => {
  const unitsOf = (witnesses: number) => runToolJson(["units", "--witnesses", String(witnesses)]);

  test.each(HIP15_UNITS)("%i witnesses", async (witnesses, perWitness, beaconer) => {
    expect(await unitsOf(witnesses)).toEqual({ perWitness, beaconer });
  });

  test("prints exactly what its documentation shows", async () => {
    const { stdout } = await runTool(["units", "--witnesses", "9"]);
    expect(stdout).toBe('{"perWitness":0.3697,"beaconer":1.6723}\n');
  });

  test.each(["-1", "1.5", "nine", "", "1e3", "1001", "99999999999999999999"])(
    "refuses %j",
    async (witnesses) => {
      await expectFault(["units", `--witnesses=${witnesses}`], /--witnesses/);
    },
  );

  test("needs its flag, and no other", async () => {
    await expectFault(["units"], /--witnesses/);
    await expectFault(["units", "--witnesses", "3", "--owner", "me"], /--owner/);
  });
});

describe("tool airtime", () => {
  test("prints milliseconds", async () => {
    const { stdout } = await runTool(["airtime", "--sf", "9", "--bw", "125000", "--bytes", "51"]);
    expect(stdout).toBe('{"ms":328.704}\n');
    const short = ["airtime", "--sf", "12", "--bw", "125000", "--bytes", "52", "--preamble", "6"];
    expect(await runToolJson(short)).toEqual({ ms: 2400.256 });
  });

  test.each([
    [["--sf", "4", "--bw", "125000", "--bytes", "51"], /--sf/],
    [["--sf", "9", "--bw", "0", "--bytes", "51"], /--bw/],
    [["--sf", "9", "--bw", "125000", "--bytes", "256"], /--bytes/],
    [["--sf", "9", "--bw", "125000"], /--bytes/],
    [["--sf", "9", "--bw", "125000", "--bytes", "51", "--preamble", "-8"], /--preamble/],
  ])("refuses %j", async (flags, message) => {
    await expectFault(["airtime", ...flags], message);
  });
});

describe("tool region", () => {
  test.each(REGION_NAMES)("%s", async (name) => {
    expect(await runToolJson(["region", name])).toEqual(REGION_PLANS[name]);
  });

  test.each(["EU", "eu868", "__proto__", ""])("refuses %j", async (name) => {
    await expectFault(["region", name], /EU868, US915, AU915, AS923-1, IN865/);
  });

  test("needs one name", async () => {
    await expectFault(["region"], /name/);
    await expectFault(["region", "EU868", "US915"], /arguments/);
  });
});

describe("tool density", () => {
  const LONE = "8c1fb46741ae9ff";
  const LONE_DECIMAL = BigInt(`0x${LONE}`).toString();

  test("answers by the index as it was given", async () => {
    expect(await runToolJson(["density"], JSON.stringify([LONE]))).toEqual({ [LONE]: 1 });
    expect(await runToolJson(["density"], JSON.stringify([LONE_DECIMAL]))).toEqual({ [LONE_DECIMAL]: 1 });
    const both = [LONE, LONE_DECIMAL, LONE.toUpperCase()];
    const scales = (await runToolJson(["density"], JSON.stringify(both))) as Record<string, number>;
    expect(Object.keys(scales)).toEqual(both);
    expect(new Set(Object.values(scales)).size).toBe(1);
    expect(await runToolJson(["density"], "[]")).toEqual({});
  });

  const file = readSharedJson("vectors/hip17-density.json") as {
    population: string[];
    expected_scale_of_some: Record<string, string>;
  } | null;
  test.skipIf(file === null)(
    "hip17-density.json at 4 decimals (skipped where the file is absent)",
    async () => {
      const scales = (await runToolJson(["density"], JSON.stringify(file!.population))) as Record<
        string,
        number
      >;
      for (const [cell, scale] of Object.entries(file!.expected_scale_of_some))
        expect(scales[cell], cell).toBe(Number(scale));
    },
  );

  test.each([
    ["", /empty/],
    ["{", /no JSON/],
    ["{}", /array/],
    ["null", /array/],
    ["[1]", /entry 1.*string/],
    [`["${LONE}", "zz"]`, /entry 2/],
    ['["881fb46741fffff"]', /entry 1.*resolution 8/],
    ["[[]]", /entry 1/],
  ])("refuses %j", async (input, message) => {
    await expectFault(["density"], message, input);
  });

  test("never fails otherwise than with status 1, whatever the JSON", async () => {
    await fc.assert(
      fc.asyncProperty(fc.json(), async (input) => {
        const { status } = await runTool(["density"], input);
        expect([0, 1]).toContain(status);
      }),
      { numRuns: 50 },
    );
  });
});
