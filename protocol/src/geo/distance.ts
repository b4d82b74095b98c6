/** Distance over ground between two places, the same integer on every machine. */
import { computeAngle, computeCosine, computeSine } from "./trig.ts";

/** The sphere's radius in metres: the Earth's authalic radius, which H3 uses too (H3 documentation, "Cell areas"). */
export const EARTH_RADIUS_M = 6_371_007.180_918_475;

/**
 * The great-circle distance in metres on a sphere of EARTH_RADIUS_M, rounded to the nearest integer, halves up. Before
 * that one rounding it is within a micrometre of the true value. Arguments are coordinates in 1e-7 degrees (integers);
 * a caller refuses those out of range, but any integers give a finite answer.
 *
 * The haversine formula, and its complement beside it: sin^2 and cos^2 of half the central angle are sums of products
 * that cannot cancel, so that neither near nor opposite points lose digits. Every term is squared, so both directions
 * give the same bits.
 */
export function computeDistanceM(aLatE7: number, aLngE7: number, bLatE7: number, bLngE7: number): number {
  // In halves of 1e-7 degrees, half of a sum or a difference is the sum or the difference itself.
  const halfDifference = aLatE7 - bLatE7;
  const mean = aLatE7 + bLatE7;
  const halfLongitude = aLngE7 - bLngE7;
  const sinLatitude = computeSine(halfDifference);
  const cosLatitude = computeCosine(halfDifference);
  const sinMean = computeSine(mean);
  const cosMean = computeCosine(mean);
  const sinLongitude = computeSine(halfLongitude);
  const cosLongitude = computeCosine(halfLongitude);
  const sinAcross = cosMean * sinLongitude;
  const cosAcross = sinMean * sinLongitude;
  const sinUp = sinLatitude * cosLongitude;
  const cosUp = cosLatitude * cosLongitude;
  const sine = Math.sqrt(sinUp * sinUp + sinAcross * sinAcross);
  const cosine = Math.sqrt(cosUp * cosUp + cosAcross * cosAcross);
  return Math.floor(2 * EARTH_RADIUS_M * computeAngle(sine, cosine) + 0.5);
}
