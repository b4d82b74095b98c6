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

/**
 * What a counterpart on record adds to a hotspot's standing, by which its receptions are divided: the link's worth over the
 * hotspot's own credit, in parts per million, rounded down. Divided so, all receptions of an interval come to a third of
 * their links' worth and to no more than the hotspot's own credit: what is its own is not divided away, and a counterpart
 * more, however little it is trusted, never lowers the sum.
 */
export function computeStandingPartPpm(creditPpm: number, otherTrustPpm: number, distanceM: number): number {
  if (creditPpm === 0) return 0;
  const valuePpm = computeLinkValuePpm(Math.min(creditPpm, otherTrustPpm), distanceM);
  return Math.floor((valuePpm * PPM) / creditPpm);
}

/** Trust times quality, in parts per million, rounded down. */
export function computeLinkValuePpm(trustPpm: number, distanceM: number): number {
  return Math.floor((trustPpm * computeQualityPpm(distanceM)) / PPM);
}
