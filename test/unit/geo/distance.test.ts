import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { sha256 } from "../../../protocol/src/crypto/sha256.ts";
import { computeDistanceM, EARTH_RADIUS_M } from "../../../protocol/src/geo/distance.ts";
import {
  computeAngle,
  computeCosine,
  computeSine,
  HALF_E7_PER_DEGREE,
} from "../../../protocol/src/geo/trig.ts";
import { bigHaversineM } from "./bigHaversine.ts";
import { latE7s, lngE7s } from "./cells.ts";

// What rounding to whole metres costs, and a micrometre for the arithmetic before it.
const TOLERANCE_M = 0.5 + 1e-6;

function isWithinTolerance(aLat: number, aLng: number, bLat: number, bLng: number): void {
  const exact = bigHaversineM(aLat, aLng, bLat, bLng, EARTH_RADIUS_M);
  const ours = computeDistanceM(aLat, aLng, bLat, bLng);
  expect(Math.abs(ours - exact), `${[aLat, aLng, bLat, bLng]}: ${ours}, ${exact}`).toBeLessThanOrEqual(
    TOLERANCE_M,
  );
}

describe("distance", () => {
  test("is within 0.5 m of big-precision arithmetic anywhere", () => {
    fc.assert(fc.property(latE7s, lngE7s, latE7s, lngE7s, isWithinTolerance), { numRuns: 400 });
  });

  test("is within 0.5 m between neighbours and between opposite places", () => {
    const small = fc.integer({ min: -2_000_000, max: 2_000_000 });
    const inner = fc.integer({ min: -890_000_000, max: 890_000_000 });
    fc.assert(
      fc.property(inner, lngE7s, small, small, (lat, lng, up, across) => {
        isWithinTolerance(lat, lng, lat + up, lng + across);
        isWithinTolerance(lat, lng, -lat + up, lng + 1_800_000_000 + across);
      }),
      { numRuns: 400 },
    );
  });

  test.each([
    ["the same place", [451_934_560, 57_623_290, 451_934_560, 57_623_290], 0],
    ["half the equator", [0, 0, 0, 1_800_000_000], 20_015_109],
    ["pole to pole", [900_000_000, 0, -900_000_000, 123], 20_015_109],
    ["across the date line", [0, 1_799_999_500, 0, -1_799_999_500], 11],
    ["one degree of latitude", [0, 0, 10_000_000, 0], 111_195],
  ] as const)("%s", (_, [aLat, aLng, bLat, bLng], metres) => {
    expect(computeDistanceM(aLat, aLng, bLat, bLng)).toBe(metres);
  });

  test("is the same both ways", () => {
    fc.assert(
      fc.property(latE7s, lngE7s, latE7s, lngE7s, (a, b, c, d) => {
        expect(computeDistanceM(a, b, c, d)).toBe(computeDistanceM(c, d, a, b));
      }),
    );
  });

  test("is finite for any integers", () => {
    const any = fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff });
    fc.assert(
      fc.property(any, any, any, any, (a, b, c, d) => {
        const metres = computeDistanceM(a, b, c, d);
        expect(Number.isInteger(metres) && metres >= 0 && metres <= 20_015_109).toBe(true);
      }),
    );
  });
});

describe("trigonometry", () => {
  test("is as near the host's as doubles allow", () => {
    // Within an eighth of a turn the host's argument is rounded once, so 4e-16 is the two errors together.
    const angles = fc.integer({ min: -45 * HALF_E7_PER_DEGREE, max: 45 * HALF_E7_PER_DEGREE });
    fc.assert(
      fc.property(angles, (angle) => {
        const radians = (angle / HALF_E7_PER_DEGREE / 180) * Math.PI;
        expect(Math.abs(computeSine(angle) - Math.sin(radians))).toBeLessThan(4e-16);
        expect(Math.abs(computeCosine(angle) - Math.cos(radians))).toBeLessThan(4e-16);
        expect(
          Math.abs(computeAngle(Math.abs(Math.sin(radians)), Math.cos(radians)) - Math.abs(radians)),
        ).toBeLessThan(4e-16);
      }),
    );
  });

  test("repeats by quarter turns to the last bit", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 90 * HALF_E7_PER_DEGREE }), (angle) => {
        const half = 180 * HALF_E7_PER_DEGREE;
        expect(computeSine(half - angle)).toBe(computeSine(angle));
        expect(computeSine(angle + 2 * half)).toBe(computeSine(angle));
        expect(computeSine(angle + half) + computeSine(angle)).toBe(0);
        expect(computeCosine(half / 2 - angle)).toBe(computeSine(angle));
      }),
    );
  });

  // Frozen bits: any machine, engine or second implementation (a port to Python does) must come to this digest. Places from a fixed
  // multiplicative generator (Park and Miller, 48271); sines as big-endian doubles, distances as 32-bit integers.
  test("gives the frozen bits", () => {
    const places = 4_096;
    const bytes = new Uint8Array(places * 12);
    const view = new DataView(bytes.buffer);
    let state = 1;
    const next = (span: number): number => {
      state = (state * 48_271) % 2_147_483_647;
      return (state % (2 * span + 1)) - span;
    };
    for (let i = 0; i < places; i++) {
      const [aLat, aLng] = [next(900_000_000), next(1_073_741_822)];
      const [bLat, bLng] = [next(900_000_000), next(1_073_741_822)];
      view.setFloat64(i * 12, computeSine(aLng));
      view.setUint32(i * 12 + 8, computeDistanceM(aLat, aLng, bLat, bLng));
    }
    expect(encodeHex(sha256(bytes))).toBe("2f725f24c842c0ec873601f93d730c777d549f0e04c8db5ecc9c75c81a496597");
  });
});
