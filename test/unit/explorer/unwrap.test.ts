import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Position } from "geojson";
import { feature } from "topojson-client";
import { describe, expect, test } from "vitest";
import { unwrap, unwrapLine, unwrapRing } from "../../../validator/explorer/src/map/unwrap.ts";

const longestStep = (line: readonly Position[]): number =>
  Math.max(...line.slice(1).map(([lng], place) => Math.abs(lng! - line[place]![0]!)));

describe("what crosses the antimeridian", () => {
  test("goes on counting its longitudes", () => {
    expect(
      unwrapLine([
        [179, 10],
        [-179, 11],
        [-178, 12],
        [179, 13],
      ]),
    ).toEqual([
      [179, 10],
      [181, 11],
      [182, 12],
      [179, 13],
    ]);
  });

  test("is closed along the pole where it goes round it", () => {
    const ring = [-170, -60, 60, 170, -170].map((lng): Position => [lng, -70]);
    const closed = unwrapRing(ring);
    expect(closed.at(-1)).toEqual(closed[0]);
    expect(closed.slice(-3)).toEqual([
      [190, -89],
      [-170, -89],
      [-170, -70],
    ]);
  });

  test("leaves no ring of the whole atlas that jumps or stays open", () => {
    const file = createRequire(import.meta.url).resolve("world-atlas/countries-110m.json");
    const atlas = JSON.parse(readFileSync(file, "utf8"));
    const rings = unwrap(feature(atlas, atlas.objects.land)).features.flatMap(({ geometry }) =>
      geometry.type === "MultiPolygon" ? geometry.coordinates.flat() : [],
    );
    expect(rings.length).toBeGreaterThan(100);
    const along = (ring: readonly Position[]) => ring.filter(([, lat]) => lat! > -89);
    expect(rings.filter((ring) => longestStep(along(ring).slice(0, -1)) > 180)).toEqual([]);
    expect(rings.filter((ring) => ring[0]!.join() !== ring.at(-1)!.join())).toEqual([]);
  });
});
