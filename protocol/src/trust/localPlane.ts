/**
 * A flat map around one place, for comparing many distances quickly: a plane that touches the sphere there. Within 100 km
 * it is off by less than a percent below 60 degrees of latitude, which in the logarithms that trust uses is a hundredth of an octave; rules
 * and pay use `geo/distance.ts`. Only + - * and square root on doubles, so every machine agrees.
 */
import { EARTH_RADIUS_M } from "../geo/distance.ts";
import { computeCosine } from "../geo/trig.ts";

/** Metres in 1e-7 degrees of latitude. */
const METRES_PER_E7 = (EARTH_RADIUS_M * Math.PI) / 1_800_000_000;
const HALF_TURN_E7 = 1_800_000_000;
const FULL_TURN_E7 = 3_600_000_000;

/** A place's offset east and north of the map's centre in metres, as doubles. */
export type LocalPlane = {
  readonly latE7: number;
  readonly lngE7: number;
  readonly metresPerLngE7: number;
};

/** The map around a place in 1e-7 degrees. */
export function createLocalPlane(latE7: number, lngE7: number): LocalPlane {
  return { latE7, lngE7, metresPerLngE7: METRES_PER_E7 * computeCosine(2 * latE7) };
}

/** Metres east of the centre, the shorter way round the Earth. */
export function computeEastM(plane: LocalPlane, lngE7: number): number {
  let difference = lngE7 - plane.lngE7;
  if (difference > HALF_TURN_E7) difference -= FULL_TURN_E7;
  else if (difference < -HALF_TURN_E7) difference += FULL_TURN_E7;
  return difference * plane.metresPerLngE7;
}

/** Metres north of the centre. */
export function computeNorthM(plane: LocalPlane, latE7: number): number {
  return (latE7 - plane.latE7) * METRES_PER_E7;
}
