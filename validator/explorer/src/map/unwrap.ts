/**
 * Rings and lines that cross the antimeridian, for a flat map. The atlas leaves them as they are on the globe, where a step
 * from 179 to -179 degrees is short; here longitudes go on counting beyond 180, and maplibre draws what is beyond the edge at
 * the other one.
 */
import type { Feature, FeatureCollection, Geometry, Position } from "geojson";

const TURN = 360;
const HALF_TURN = 180;
/** Beyond what Web Mercator shows. */
const POLE = 89;

/** Every geometry with longitudes that do not jump. */
export function unwrap(data: Feature | FeatureCollection): FeatureCollection {
  const features = data.type === "FeatureCollection" ? data.features : [data];
  return {
    type: "FeatureCollection",
    features: features.map((feature) => ({ ...feature, geometry: unwrapGeometry(feature.geometry) })),
  };
}

function unwrapGeometry(geometry: Geometry): Geometry {
  switch (geometry.type) {
    case "Polygon":
      return { ...geometry, coordinates: geometry.coordinates.map(unwrapRing) };
    case "MultiPolygon":
      return { ...geometry, coordinates: geometry.coordinates.map((rings) => rings.map(unwrapRing)) };
    case "MultiLineString":
      return { ...geometry, coordinates: geometry.coordinates.map(unwrapLine) };
    default:
      return geometry;
  }
}

export function unwrapLine(line: readonly Position[]): Position[] {
  let turns = 0;
  return line.map(([lng, lat], place) => {
    const step = lng! - (line[place - 1]?.[0] ?? lng!);
    if (step > HALF_TURN) turns -= TURN;
    if (step < -HALF_TURN) turns += TURN;
    return [lng! + turns, lat!];
  });
}

/** A ring that goes round a pole ends a turn from where it began: it is closed along that pole, which lies off the map. */
export function unwrapRing(ring: readonly Position[]): Position[] {
  const open = unwrapLine(ring);
  const [first, last] = [open[0]!, open.at(-1)!];
  if (Math.abs(last[0]! - first[0]!) < HALF_TURN) return open;
  const pole = first[1]! < 0 ? -POLE : POLE;
  return [...open, [last[0]!, pole], [first[0]!, pole], first];
}
