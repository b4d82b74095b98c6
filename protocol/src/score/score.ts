/**
 * What a score takes and gives, and the table of its versions. A score is a pure function from an epoch's paid
 * evidence to shares of the reward; its version stands in genesis and in the epoch's record, so that a network with a
 * better one and every epoch of an older network are computed by one program.
 */
import { computeScoreV1 } from "./scoreV1.ts";
import { computeScoreV2, type DetailedUnits, type TrustedEvidence } from "./scoreV2.ts";

/**
 * Who witnessed whom in an epoch. A hotspot is its dense index, 0 to `hotspotCount` - 1; beacon b was sent by
 * `beaconHotspot[b]` and witnessed by `witnessHotspot[beaconWitnessOffset[b] .. beaconWitnessOffset[b + 1]]` (end
 * exclusive), so `beaconWitnessOffset` is one longer than the beacons.
 */
export type Evidence = {
  readonly hotspotCount: number;
  /** High and low halves of each hotspot's asserted H3 cell, of resolution 10 or finer. */
  readonly cellHi: Uint32Array;
  readonly cellLo: Uint32Array;
  readonly beaconHotspot: Uint32Array;
  readonly beaconWitnessOffset: Uint32Array;
  readonly witnessHotspot: Uint32Array;
};

/** The evidence a score pays: only paid witnesses, and every beacon that closed with at least one of them. */
export type ScoreInput = Evidence & {
  /** 1 for each hotspot with verified recent activity; the density is computed over these and those paid here. */
  readonly active: Uint8Array;
  /** What version 2 asks for; its evidence holds all accepted witnesses, and says which of them are paid. */
  readonly trusted?: TrustedEvidence;
};

/** Per hotspot, whole numbers: units and scale in parts per million, shares as units times scale (10^-12). */
export type ScoreOutput = {
  readonly version: number;
  /** 0 for a hotspot that is neither active nor in the evidence. */
  readonly scalePpm: Uint32Array;
  readonly beaconUnitsPpm: Float64Array;
  readonly witnessUnitsPpm: Float64Array;
  readonly beaconShares: Float64Array;
  readonly witnessShares: Float64Array;
  /** What each beacon and reception was worth, where the version says it one by one. */
  readonly detail?: DetailedUnits;
};

/** Every version that ever paid, by the number that `scoreVersion` of the parameters names. */
const SCORES: Readonly<Record<number, (input: ScoreInput) => ScoreOutput>> = {
  1: computeScoreV1,
  2: computeScoreV2,
};
/** Scores an epoch with a version; an unknown version is a bug of the caller and throws. */
export function computeScore(version: number, input: ScoreInput): ScoreOutput {
  const score = SCORES[version];
  if (score === undefined) throw new RangeError(`No score has version ${version}`);
  return score(input);
}
