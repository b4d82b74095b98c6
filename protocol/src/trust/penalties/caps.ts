/**
 * Owner and place caps: how many hotspots of one owner in a neighbourhood, and how many of anyone's on one roof, are
 * worth as much as if they stood alone. They say nothing about honesty: a tenth antenna on a roof covers what the first
 * did. Evaded by splitting ownership, which then costs a bond and an assertion each, and by the place cap's neighbour cells.
 */
import { PPM } from "../../network/parameters.ts";
import { createFinding, FACTOR_MIN_PPM, type Finding, type FindingTerm, type Ramp } from "../finding.ts";
import { RAMPS } from "../thresholds.ts";

/** Resolutions of the H3 cells in which owners' and anyone's hotspots are counted: 5 km2 and 2,150 m2. */
export const OWNER_CAP_RESOLUTION = 7;
export const PLACE_CAP_RESOLUTION = 11;

/** Judges the hotspots that one owner has active in a resolution-7 cell, each alike; evidence: the others. */
export function checkOwnerCap(hotspots: readonly number[], term: FindingTerm): Finding | null {
  return checkCap("owner_cap", hotspots, RAMPS.ownerCapHotspots, term);
}

/** Judges the hotspots active in a resolution-11 cell, each alike; evidence: the others. */
export function checkPlaceCap(hotspots: readonly number[], term: FindingTerm): Finding | null {
  return checkCap("place_cap", hotspots, RAMPS.placeCapHotspots, term);
}

/**
 * Past the cap each counts for cap over number, so that together they count for no more than the cap, down to the least
 * factor there is. The ramp's `to` is where that is reached.
 */
function checkCap(
  reason: "owner_cap" | "place_cap",
  hotspots: readonly number[],
  ramp: Ramp,
  term: FindingTerm,
): Finding | null {
  const finding = createFinding(reason, hotspots.length, ramp, hotspots, term);
  if (finding === null) return null;
  const share = Math.floor((ramp.from * PPM) / hotspots.length);
  return { ...finding, factorPpm: Math.max(FACTOR_MIN_PPM, share) };
}
