/**
 * docs/protocol/trust.md against the code: the ramps of the detectors, and the worked values that tell a second
 * implementation whether it computes trust as this one does.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import * as finding from "../../protocol/src/trust/finding.ts";
import { type Reception, sumReceptions } from "../../protocol/src/trust/moments.ts";
import { createPlaceEvidence, measureNetworkPlaces } from "../../protocol/src/trust/networkPlaces.ts";
import * as caps from "../../protocol/src/trust/penalties/caps.ts";
import { computeScatterCentiDb } from "../../protocol/src/trust/penalties/constantWindow.ts";
import * as trend from "../../protocol/src/trust/penalties/distanceInsensitivity.ts";
import * as place from "../../protocol/src/trust/penalties/edgePlausibility.ts";
import * as reverse from "../../protocol/src/trust/penalties/missingReverse.ts";
import * as slope from "../../protocol/src/trust/penalties/powerSlope.ts";
import { computeUnexplainedCentiDb } from "../../protocol/src/trust/penalties/unexplainedRssi.ts";
import { PENALTY_TABLE } from "../../protocol/src/trust/penaltyTable.ts";
import * as startTrust from "../../protocol/src/trust/startTrust.ts";
import * as sybilRank from "../../protocol/src/trust/sybilRank.ts";
import * as thresholds from "../../protocol/src/trust/thresholds.ts";
import { createWitnessGraph } from "../../protocol/src/trust/witnessGraph.ts";

const DOCUMENT = readFileSync(join(import.meta.dirname, "../../docs/protocol/trust.md"), "utf8");

type Six = [number, number, number, number, number, number];

/** The rows of the table under a heading, its head left out. */
function rowsUnder(heading: string): string[][] {
  const section = DOCUMENT.split(`\n#### ${heading}\n`)[1]!.split(/^#/m)[0]!;
  const lines = section.split("\n").filter((line) => line.startsWith("| "));
  const cells = lines.map((line) => line.slice(1, -1).split("|"));
  return cells.slice(2).map((row) => row.map((cell) => cell.replaceAll("`", "").trim()));
}

test("the ramps of the detectors", () => {
  const ramps = PENALTY_TABLE.map(({ reason, ramp }) => [reason, ramp.from, ramp.to]);
  const documented = rowsUnder("Ramps").map(([reason, begins, largest]) => [
    reason,
    ...[begins, largest].map((cell) => Number(cell!.replaceAll(",", ""))),
  ]);
  expect(documented).toEqual(ramps);
});

test("the numbers that the text has", () => {
  const constants: Record<string, unknown> = {
    ...{ ...thresholds, ...trend, ...place, ...reverse, ...slope, ...caps },
    ...{ ...finding, ...sybilRank, ...startTrust },
  };
  const documented = rowsUnder("Numbers").map(([name, value]) => [name, Number(value)]);
  expect(documented.length).toBeGreaterThan(15);
  expect(documented).toEqual(documented.map(([name]) => [name, constants[name!]]));
});

describe("worked values of", () => {
  const numbers = (text: string): number[] => text.split(/[ ·]+/).map(Number);

  test.each(rowsUnder("Worked windows"))("the window %s", (receptions, scatter, unexplained) => {
    const window = receptions!.split(", ").flatMap((group) => {
      const [rssiDeciDbm, snrCentiDb, times] = numbers(group) as [number, number, number];
      const one: Reception = {
        ...{ rssiDeciDbm, snrCentiDb, rssiKind: "channel" },
        ...{ bandwidthHz: 125_000, powerStepDb: 0 },
      };
      return Array.from({ length: times }, () => one);
    });
    const sums = sumReceptions(window);
    expect([scatter, unexplained]).toEqual([
      String(computeScatterCentiDb(sums)),
      String(computeUnexplainedCentiDb(sums)),
    ]);
  });

  test.each(rowsUnder("Worked slopes"))("the slope of %s", (counterparts, value) => {
    const links = counterparts!.split(", ").map((sums) => {
      const [count, power, powerSquare, signal, powerSignal, signalSquare] = numbers(sums) as Six;
      return { count, power, powerSquare, signal, powerSignal, signalSquare };
    });
    expect(value).toBe(String(slope.computePowerSlopeMilli(links)));
  });

  const networks = new Map(rowsUnder("Worked networks") as [string, string][]);

  test("the trend", () => {
    const pairs = Array.from({ length: 24 }, (_, i) => ({
      receptions: 16,
      signalCentiDbm: -9_000 - 40 * i - 97 * ((i * i) % 11),
      distanceM: 250 + 400 * i,
    }));
    expect(networks.get("trend")).toBe(String(trend.computeTrendMilliT(pairs)));
  });

  test("the place", () => {
    const places = { latE7: new Int32Array(13), lngE7: new Int32Array(13) };
    const edges: [number, number][] = [];
    for (let i = 0; i < 13; i++) {
      const isLinked = i >= 1 && i <= 7;
      places.latE7[i] = 450_000_000 + (isLinked ? 900_000 + 30_000 * i : 4_000 * i);
      places.lngE7[i] = 57_000_000 + (isLinked ? 20_000 * i * i : -9_000 * i);
      if (i > 0) edges.push([isLinked ? 0 : 1, i]);
    }
    const graph = createWitnessGraph(13, {
      a: Uint32Array.from(edges, ([a]) => a),
      b: Uint32Array.from(edges, ([, b]) => b),
      weight: new Uint8Array(edges.length).fill(1),
    });
    const evidence = createPlaceEvidence(measureNetworkPlaces(graph, places), 0);
    expect(networks.get("place")).toBe(String(place.computePlaceScoreOctaves(evidence)));
  });

  test("the circle", () => {
    const ends = Array.from({ length: 16 }, (_, i) =>
      [1, 3].map((step) => [i, (i + step) % 16] as const),
    ).flat();
    const a = Uint32Array.from(ends, ([from]) => from);
    const b = Uint32Array.from(ends, ([, to]) => to);
    const graph = createWitnessGraph(16, { a, b, weight: Uint8Array.from(a, (i) => 1 + (i % 3)) });
    const trust = sybilRank.computeGraphTrustPpm(graph, Uint32Array.of(2, 3, 5, 8, 9, 11));
    expect(networks.get("circle")).toBe(trust.join(" · "));
  });
});
