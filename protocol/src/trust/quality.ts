/**
 * What a link is worth by its length: nothing where neighbours would hear each other through a wall, all of it over the
 * distances that cover ground, and less and less where a mountain top hears everybody and serves nobody.
 */
import { PPM } from "../network/parameters.ts";

/** Ends of the slopes in metres. 15 km is within a city graph's 99th percentile of 17 km (docs/truth.md). */
const RISE_FROM_M = 300;
const RISE_TO_M = 1_000;
const FALL_FROM_M = 15_000;
const FALL_TO_M = 50_000;

/** Quality of a link of so many metres in parts per million, rounded down: 0 at 300 m, full from 1 to 15 km, 0 at 50 km. */
export function computeQualityPpm(distanceM: number): number {
  if (distanceM <= RISE_FROM_M || distanceM >= FALL_TO_M) return 0;
  if (distanceM < RISE_TO_M) return Math.floor(((distanceM - RISE_FROM_M) * PPM) / (RISE_TO_M - RISE_FROM_M));
  if (distanceM <= FALL_FROM_M) return PPM;
  return Math.floor(((FALL_TO_M - distanceM) * PPM) / (FALL_TO_M - FALL_FROM_M));
}

/** Trust times quality, in parts per million, rounded down. */
export function computeLinkValuePpm(trustPpm: number, distanceM: number): number {
  return Math.floor((trustPpm * computeQualityPpm(distanceM)) / PPM);
}
