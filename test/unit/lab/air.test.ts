/** The laboratory's air: what walls take, and that a city in it is linked as the measured one is, where the data is at hand. */
import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { measureAir, readWitnessedCity, simulateCity } from "../../lab/air.ts";
import { drawSitingDb } from "../../lab/siting.ts";

const DATA = `${process.env.HEXBEACON_SHARED ?? "../shared"}/data`;

test("every antenna has walls of its own: half of them take between 14 and 26 dB, none gives anything", () => {
  const losses = Array.from({ length: 2_000 }, (_, i) => drawSitingDb(1, `hotspot ${i}`)).sort(
    (a, b) => a - b,
  );
  expect(losses[0]).toBe(0);
  expect(losses[500]).toBeCloseTo(13.6, -0.5);
  expect(losses[1_500]).toBeCloseTo(26.4, -0.5);
  expect(drawSitingDb(1, "hotspot 7")).toBe(drawSitingDb(1, "hotspot 7"));
  expect(drawSitingDb(2, "hotspot 7")).not.toBe(drawSitingDb(1, "hotspot 7"));
});

test.skipIf(!existsSync(DATA))(
  "a measured city's hotspots are linked alike in it (needs the radio data)",
  () => {
    const city = readWitnessedCity(DATA);
    const measured = measureAir(city);
    const simulated = measureAir(simulateCity(city, 1));
    // Walls and shadows alone move a draw by as much: three draws stand in docs/truth.md.
    for (const [range, share] of measured.linked.entries()) {
      expect(Math.abs(simulated.linked[range]! - share)).toBeLessThan(0.15);
    }
    // Without walls every tenth honest hotspot of the city seemed implausible.
    for (const share of simulated.implausible) expect(share).toBeLessThan(0.04);
  },
);
