/**
 * Owner and place caps: how many hotspots of one owner in a neighbourhood, and how many of anyone's on one roof, are
 * worth as much as if they stood alone. They say nothing about honesty: a tenth antenna on a roof covers what the first
 * did. Each counts for what the graph gives it, or strangers without a radio could crowd a rival off its own roof. Evaded
 * by splitting ownership, which then costs a bond and an assertion each, and by the place cap's neighbour cells.
 */
import { PPM } from "../../network/parameters.ts";
import { EVIDENCE_MAX, FACTOR_MIN_PPM, type Finding, type FindingTerm, type Ramp } from "../finding.ts";
import { RAMPS } from "../thresholds.ts";

/** Resolutions of the H3 cells in which owners' and anyone's hotspots are counted: 5 km2 and 2,150 m2. */
export const OWNER_CAP_RESOLUTION = 7;
export const PLACE_CAP_RESOLUTION = 11;

/**
 * Judges the hotspots that one owner has active in a resolution-7 cell, each alike; evidence: the others.
 * @param graphPpm what the graph gives each hotspot, by its index.
 */
export function checkOwnerCap(
  hotspots: readonly number[],
  graphPpm: Uint32Array,
  term: FindingTerm,
): Finding | null {
  return checkCap("owner_cap", hotspots, graphPpm, RAMPS.ownerCapHotspots, term);
}

/** Judges the hotspots active in a resolution-11 cell, each alike; as `checkOwnerCap`. */
export function checkPlaceCap(
  hotspots: readonly number[],
  graphPpm: Uint32Array,
  term: FindingTerm,
): Finding | null {
  return checkCap("place_cap", hotspots, graphPpm, RAMPS.placeCapHotspots, term);
}

/**
 * Past the cap each counts for cap over what the graph gives them together, so that together they count for no more than
 * the cap, down to the least factor there is. The ramp's `to` is where that is reached.
 */
function checkCap(
  reason: "owner_cap" | "place_cap",
  hotspots: readonly number[],
  graphPpm: Uint32Array,
  { from }: Ramp,
  { epoch, penaltyEpochs }: FindingTerm,
): Finding | null {
  const sumPpm = hotspots.reduce((sum, hotspot) => sum + graphPpm[hotspot]!, 0);
  if (sumPpm <= from * PPM) return null;
  return {
    reason,
    factorPpm: Math.max(FACTOR_MIN_PPM, Math.floor((from * PPM * PPM) / sumPpm)),
    evidence: hotspots.slice(0, EVIDENCE_MAX),
    endsEpoch: epoch + penaltyEpochs,
  };
}
