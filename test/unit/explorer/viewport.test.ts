import fc from "fast-check";
import { cellArea, UNITS } from "h3-js";
import { describe, expect, test } from "vitest";
import {
  computeQuery,
  computeScaleBar,
  readStart,
  resolutionAt,
  type View,
  writeAt,
} from "../../../validator/explorer/src/map/viewport.ts";

const view = fc.record({
  zoom: fc.double({ min: 0, max: 16, noNaN: true }),
  centre: fc.tuple(
    fc.double({ min: -180, max: 180, noNaN: true }),
    fc.double({ min: -84, max: 84, noNaN: true }),
  ),
  box: fc.record({
    west: fc.double({ min: -180, max: 180, noNaN: true }),
    east: fc.double({ min: -180, max: 180, noNaN: true }),
    south: fc.double({ min: -85, max: 0, noNaN: true }),
    north: fc.double({ min: 0, max: 85, noNaN: true }),
  }),
});

describe("what is asked for a view", () => {
  test("is what the API takes, and holds the view", () => {
    fc.assert(
      fc.property(view, (at: View) => {
        const { resolution, west, south, east, north } = computeQuery(at, null) as Record<string, number>;
        expect(Number.isInteger(resolution) && resolution! >= 0 && resolution! <= 8).toBe(true);
        for (const side of [west, east]) expect(Math.abs(side!)).toBeLessThanOrEqual(180);
        for (const side of [south, north]) expect(Math.abs(side!)).toBeLessThanOrEqual(90);
        // On a circle, where 180 is -180: going east from the western side comes by what is in view first.
        const eastOf = (from: number, to: number) => (to - from + 720) % 360;
        const holds = (lng: number) =>
          east! - west! === 360 || eastOf(west! - 1e-3, lng) <= eastOf(west! - 1e-3, east! + 1e-3);
        expect([at.box.west, at.box.east].every(holds)).toBe(true);
        expect(south!).toBeLessThanOrEqual(at.box.south + 1e-3);
        expect(north!).toBeGreaterThanOrEqual(at.box.north - 1e-3);
      }),
    );
  });

  test("becomes finer with the zoom, one resolution at a time", () => {
    const found = Array.from({ length: 161 }, (_, i) => resolutionAt(i / 10));
    expect([found[0], found.at(-1)]).toEqual([1, 8]);
    expect(found.slice(1).every((each, i) => each - found[i]! === 0 || each - found[i]! === 1)).toBe(true);
    expect(cellArea("881f90d24bfffff", UNITS.km2)).toBeGreaterThan(0.3);
  });
});

describe("the address", () => {
  test("leads back to the view that it was written of", () => {
    fc.assert(
      fc.property(view, (at: View) => {
        const start = readStart(new URLSearchParams({ at: writeAt(at) }), undefined)!;
        expect(start.zoom).toBeCloseTo(at.zoom, 1);
        expect(start.centre[0]).toBeCloseTo(at.centre[0], 3);
        expect(start.centre[1]).toBeCloseTo(at.centre[1], 3);
      }),
    );
  });

  test("that is nonsense leaves it to what there is", () => {
    for (const at of ["", "1/2", "a/b/c", "3/91/0", "NaN/0/0", "1/Infinity/0"])
      expect(readStart(new URLSearchParams({ at }), undefined)).toBeNull();
    expect(readStart(new URLSearchParams(), "<img>")).toBeNull();
    expect(readStart(new URLSearchParams(), "881f90d24bfffff")!.zoom).toBeGreaterThan(9);
  });
});

test("the scale bar is a round length of a width that fits", () => {
  fc.assert(
    fc.property(view, (at: View) => {
      const { lengthM, pixels } = computeScaleBar(at);
      expect(pixels).toBeGreaterThan(110 / 2.6);
      expect(pixels).toBeLessThanOrEqual(110.001);
      expect(["1", "2", "5"]).toContain(lengthM.toExponential()[0]);
    }),
  );
  // A nautical mile is a minute of latitude: 1,852 m are 1/21,600 of the way round.
  const { lengthM, pixels } = computeScaleBar({ zoom: 10, centre: [0, 0] });
  expect((lengthM / pixels) * 512 * 2 ** 10).toBeCloseTo(21_600 * 1_855.3, -4);
});
