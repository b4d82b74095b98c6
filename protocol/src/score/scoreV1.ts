/**
 * The first score: HIP-15 units times HIP-17 density. Each beacon's units go to its beaconer and its paid witnesses,
 * and each hotspot's sums are scaled by how crowded the place it stands in is.
 */

import { PPM } from "../network/parameters.ts";
import { computeDensityScalesPpm } from "./density.ts";
import type { ScoreInput, ScoreOutput } from "./score.ts";
import { computeUnits } from "./units.ts";

/**
 * The most units of one kind that a hotspot can have with its share, units times scale, still an exact double: 9,007
 * units. An epoch gives it at most one unit for each of its `REPORTS_PER_EPOCH` (256) reports, thirty times less.
 */
const UNITS_PPM_MAX = Math.floor(Number.MAX_SAFE_INTEGER / PPM);

/**
 * Scores an epoch. Order of beacons and of witnesses has no influence, as only whole numbers are added.
 * @returns whole numbers; see `ScoreOutput`.
 */
export function computeScoreV1(input: ScoreInput): ScoreOutput {
  const { hotspotCount, beaconHotspot, beaconWitnessOffset, witnessHotspot } = input;
  const beaconUnitsPpm = new Float64Array(hotspotCount);
  const witnessUnitsPpm = new Float64Array(hotspotCount);
  for (let beacon = 0; beacon < beaconHotspot.length; beacon++) {
    const first = beaconWitnessOffset[beacon]!;
    const end = beaconWitnessOffset[beacon + 1]!;
    const { perWitnessPpm, beaconerPpm } = computeUnits(end - first);
    beaconUnitsPpm[beaconHotspot[beacon]!]! += beaconerPpm;
    for (let i = first; i < end; i++) witnessUnitsPpm[witnessHotspot[i]!]! += perWitnessPpm;
  }
  const scalePpm = computeActiveScales(input, beaconUnitsPpm, witnessUnitsPpm);
  return {
    version: 1,
    scalePpm,
    beaconUnitsPpm,
    witnessUnitsPpm,
    beaconShares: computeShares(beaconUnitsPpm, scalePpm),
    witnessShares: computeShares(witnessUnitsPpm, scalePpm),
  };
}

/**
 * Density scales over the hotspots with verified activity: those the ledger calls active, and those this very epoch
 * pays. One who only asserts a place thins out nobody's reward.
 */
function computeActiveScales(
  { hotspotCount, cellHi, cellLo, active }: ScoreInput,
  beaconUnitsPpm: Float64Array,
  witnessUnitsPpm: Float64Array,
): Uint32Array {
  const members = new Uint32Array(hotspotCount);
  let count = 0;
  for (let hotspot = 0; hotspot < hotspotCount; hotspot++) {
    if (active[hotspot] === 1 || beaconUnitsPpm[hotspot]! + witnessUnitsPpm[hotspot]! > 0) {
      members[count++] = hotspot;
    }
  }
  const hi = new Uint32Array(count);
  const lo = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    hi[i] = cellHi[members[i]!]!;
    lo[i] = cellLo[members[i]!]!;
  }
  const memberScales = computeDensityScalesPpm(hi, lo);
  const scalePpm = new Uint32Array(hotspotCount);
  for (let i = 0; i < count; i++) scalePpm[members[i]!] = memberScales[i]!;
  return scalePpm;
}

function computeShares(unitsPpm: Float64Array, scalePpm: Uint32Array): Float64Array {
  const shares = new Float64Array(unitsPpm.length);
  for (let hotspot = 0; hotspot < unitsPpm.length; hotspot++) {
    const units = unitsPpm[hotspot]!;
    if (units > UNITS_PPM_MAX)
      throw new RangeError("A hotspot has more units than its quota of reports can give");
    shares[hotspot] = units * scalePpm[hotspot]!;
  }
  return shares;
}
