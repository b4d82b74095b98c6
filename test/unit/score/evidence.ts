/** Evidence for tests: written as lists, and drawn at random around one place. */
import fc from "fast-check";
import { latLngToCell } from "h3-js";
import type { Evidence } from "../../../protocol/src/score/score.ts";

/** One beacon: who sent it and who witnessed it, by dense index. */
export type Link = readonly [beaconer: number, witnesses: readonly number[]];

/** Builds typed evidence from H3 indexes (one a hotspot) and links. */
export function createEvidence(cells: readonly string[], links: readonly Link[]): Evidence {
  const offsets = [0];
  for (const [, witnesses] of links) offsets.push(offsets.at(-1)! + witnesses.length);
  return {
    hotspotCount: cells.length,
    cellHi: Uint32Array.from(cells, (cell) => Number.parseInt(cell.slice(0, -8), 16)),
    cellLo: Uint32Array.from(cells, (cell) => Number.parseInt(cell.slice(-8), 16)),
    beaconHotspot: Uint32Array.from(links, ([beaconer]) => beaconer),
    beaconWitnessOffset: Uint32Array.from(offsets),
    witnessHotspot: Uint32Array.from(links.flatMap(([, witnesses]) => witnesses)),
  };
}

/** Up to 40 hotspots within some 20 km, and up to 30 beacons with witnesses that are not the beaconer. */
export const anyEvidence = fc
  .array(
    fc.tuple(
      fc.double({ min: -0.1, max: 0.1, noNaN: true }),
      fc.double({ min: -0.1, max: 0.1, noNaN: true }),
    ),
    { minLength: 2, maxLength: 40 },
  )
  .chain((places) => {
    const cells = places.map(([north, east]) => latLngToCell(50.85 + north, 4.35 + east, 12));
    const hotspot = fc.nat(cells.length - 1);
    const link = fc
      .tuple(hotspot, fc.uniqueArray(hotspot, { maxLength: 14 }))
      .map(([beaconer, witnesses]): Link => [beaconer, witnesses.filter((witness) => witness !== beaconer)]);
    return fc.record({ cells: fc.constant(cells), links: fc.array(link, { maxLength: 30 }) });
  });
