/**
 * Distance profile: how far away the nearest and the median counterpart stand. A city's hotspot has neighbours; one that
 * only hears, and is only heard by, stations tens of kilometres off stands on a mountain, or not where it says.
 * Catches lies of 20 km; nothing closer than the honest spread of a network, and nothing below three counterparts.
 */
import { PPM } from "../../network/parameters.ts";
import { computeFactorPpm, createFinding, type Finding, type FindingTerm } from "../finding.ts";
import { computeLogOctaves, takeMedian } from "../fixed.ts";
import { COUNTERPARTS_MIN, RAMPS } from "../thresholds.ts";

/** Distances below this count as it: asserted places are as coarse, and near neighbours prove nothing more by it. */
const NEAREST_M = 300;

/**
 * log2 of the nearest plus log2 of the median distance in metres, in 2^-10 octaves; the median of an even number is
 * the lower one. Null below `COUNTERPARTS_MIN` counterparts.
 * @param distancesM one for each distinct counterpart, whole metres.
 */
export function computeDistanceProfileOctaves(distancesM: Int32Array): number | null {
  if (distancesM.length < COUNTERPARTS_MIN) return null;
  const octaves = distancesM.map((distanceM) => computeLogOctaves(Math.max(distanceM, NEAREST_M)));
  const median = takeMedian(octaves);
  // Taking the median has sorted them.
  return octaves[0]! + median;
}

/** Whether the penalty would begin with the nearest and the median counterpart both at this distance. */
export function isProfileBegun(distanceM: number): boolean {
  return 2 * computeLogOctaves(Math.max(distanceM, NEAREST_M)) > RAMPS.distanceProfileOctaves.from;
}

/** Judges where a hotspot says it stands by the distances to its counterparts; evidence: the nearest counterparts. */
export function checkDistanceProfile(distancesM: Int32Array, term: FindingTerm): Finding | null {
  const profile = computeDistanceProfileOctaves(distancesM);
  // The evidence is put in order only where there is something to show.
  if (profile === null || computeFactorPpm(profile, RAMPS.distanceProfileOctaves) === PPM) return null;
  const nearestFirst = Array.from(distancesM.keys()).sort((a, b) => distancesM[a]! - distancesM[b]! || a - b);
  return createFinding("distance_profile", profile, RAMPS.distanceProfileOctaves, nearestFirst, term);
}
