/**
 * Edge plausibility: how likely a hotspot's links are if it stands where it says, against the best place for the same
 * links. Four parts, each a log-likelihood in octaves with a weight: the links' distances against the best place's; the
 * neighbours of the asserted place to which there is no link; each link's length against what its other end usually
 * reaches (where the graph says), or nearest and median distance (where it does not); and, where strengths are known,
 * how strengths fall off with distance. Evaded by a real radio near the claimed place; blind below 2 km.
 */
import { PPM } from "../../network/parameters.ts";
import { computeFactorPpm, createFinding, type Finding, type FindingTerm } from "../finding.ts";
import { computeLogOctaves, computeLogSumOctaves, OCTAVE, takeMedian } from "../fixed.ts";
import { computeEastM, computeNorthM, createLocalPlane, type LocalPlane } from "../localPlane.ts";
import { COUNTERPARTS_MIN, RAMPS } from "../thresholds.ts";

/** Counterparts looked at, evenly spaced over the list: the cost of a place grows with their number times the tried ones. */
export const PLACE_COUNTERPARTS_MAX = 32;
/** Places tried besides the asserted one: the middle of the counterparts, and so many of theirs. */
const TRIED_COUNTERPARTS_MAX = 14;
/** Neighbours of the asserted place that are asked for links. */
export const NEARBY_MAX = 24;

/** Weights of the parts, per cent. Fitted; the strength's two are what a nat of it and a dB of it are worth. */
const WEIGHT = {
  likelihood: 300,
  likelihoodOfMany: 100,
  missing: 200,
  reach: 100,
  nearestInGraph: 30,
  nearest: 100,
  median: 100,
  fallOff: 43,
  level: 20,
} as const;

/** Under 500 m places are not told apart: the links' likelihood is flat there. */
const FLAT_M = 500;
const NEAREST_M = 300;
/** The likelihood of many counterparts counts more from this many on, with full weight from ten. */
const MANY_FROM_OCTAVES = computeLogOctaves(COUNTERPARTS_MIN);
const MANY_TO_OCTAVES = computeLogOctaves(10);
/** Half of two median hotspots at this distance are linked, and the log-odds fall by 1.6 an octave (Pittsburgh: 1.62). */
const LINKED_HALF_M_OCTAVES = computeLogOctaves(1_500);
const LINK_DECAY_PERCENT = 160;
const LINK_DEGREE_PERCENT = 60;
/** Strengths fall 15 dB a decade among real gateways (exponent 1.5, offset free), and scatter 6 dB around it. */
const FALL_OFF_CENTI_DB_PER_OCTAVE = 452;
const SCATTER_CENTI_DB = 600;
/** A link's level: its loss against a decay of 30 dB a decade from 1 km. */
const LEVEL_CENTI_DB_PER_OCTAVE = 903;
const LEVEL_FROM_OCTAVES = computeLogOctaves(1_000);
/** More than this much misfit is one antenna's, not a place's: 7 nats. */
const FALL_OFF_MAX_OCTAVES = 7 * OCTAVE;

/** What is known about a hotspot's place. Columns are parallel; places are in 1e-7 degrees. */
export type PlaceEvidence = {
  readonly latE7: number;
  readonly lngE7: number;
  readonly counterpartLatE7: Int32Array;
  readonly counterpartLngE7: Int32Array;
  /** The median distance of each counterpart's own links as 2^-10 octaves over 1 m; null where the graph is unknown. */
  readonly reachOctaves: Int32Array | null;
  /** EIRP less mean signal of each link in hundredths of a dB; null where strengths are unknown. */
  readonly lossCentiDb: Int32Array | null;
  readonly nearby: Nearby | null;
};

/** The hotspots nearest to the asserted place, linked or not, at most `NEARBY_MAX`. */
export type Nearby = {
  readonly latE7: Int32Array;
  readonly lngE7: Int32Array;
  /** Distinct counterparts of each. */
  readonly links: Int32Array;
  readonly linked: Uint8Array;
  /** Distinct counterparts of the hotspot itself, and of the network's median hotspot. */
  readonly ownLinks: number;
  readonly medianLinks: number;
};

type Points = {
  readonly count: number;
  readonly eastM: Float64Array;
  readonly northM: Float64Array;
  readonly lossCentiDb: Int32Array | null;
  readonly source: Int32Array;
};

/**
 * The score of the asserted place in 2^-10 octaves, the higher the less plausible; null below `COUNTERPARTS_MIN`
 * counterparts. Scores with and without `reachOctaves` lie on different scales, each with its ramp.
 */
export function computePlaceScoreOctaves(evidence: PlaceEvidence): number | null {
  const { counterpartLatE7, reachOctaves, nearby } = evidence;
  if (counterpartLatE7.length < COUNTERPARTS_MIN) return null;
  const plane = createLocalPlane(evidence.latE7, evidence.lngE7);
  const points = selectPoints(evidence, plane);
  const asserted = computeLikelihood(points, 0, 0);
  let bestDistance = asserted.distanceOctaves;
  let bestFallOff = asserted.fallOffOctaves;
  forEachTried(points, (eastM, northM) => {
    const tried = computeLikelihood(points, eastM, northM);
    bestDistance = Math.min(bestDistance, tried.distanceOctaves);
    bestFallOff = Math.min(bestFallOff, tried.fallOffOctaves);
  });
  const distances = computeDistances(points);
  const sorted = distances.slice().sort();
  const gain = Math.floor((asserted.distanceOctaves - bestDistance) / points.count);
  let score = gain * WEIGHT.likelihood;
  if (reachOctaves !== null) {
    score += (sorted[0]! - LEVEL_FROM_OCTAVES) * WEIGHT.nearestInGraph;
    score += computeReach(points, distances, reachOctaves) * WEIGHT.reach;
  } else {
    score += gain * computeManyPercent(points.count);
    score += (sorted[0]! - LEVEL_FROM_OCTAVES) * WEIGHT.nearest;
    score += (takeMedian(sorted) - LEVEL_FROM_OCTAVES) * WEIGHT.median;
  }
  if (points.lossCentiDb !== null) {
    score +=
      Math.min(FALL_OFF_MAX_OCTAVES, Math.max(0, asserted.fallOffOctaves - bestFallOff)) * WEIGHT.fallOff;
    score += computeLevelOctaves(points.lossCentiDb, distances) * WEIGHT.level;
  }
  if (nearby !== null) score += computeMissing(plane, nearby) * WEIGHT.missing;
  return Math.floor(score / 100);
}

/** Judges the asserted place; evidence: the longest links first. */
export function checkEdgePlausibility(evidence: PlaceEvidence, term: FindingTerm): Finding | null {
  const score = computePlaceScoreOctaves(evidence);
  if (score === null) return null;
  const ramp = evidence.reachOctaves === null ? RAMPS.linkPlausibilityOctaves : RAMPS.edgePlausibilityOctaves;
  // The evidence is put in order only where there is something to show.
  if (computeFactorPpm(score, ramp) === PPM) return null;
  return createFinding("edge_implausible", score, ramp, listLongestFirst(evidence), term);
}

function listLongestFirst(evidence: PlaceEvidence): number[] {
  const points = selectPoints(evidence, createLocalPlane(evidence.latE7, evidence.lngE7));
  const distances = computeDistances(points);
  return Array.from(distances.keys())
    .sort((a, b) => distances[b]! - distances[a]! || a - b)
    .map((place) => points.source[place]!);
}

function selectPoints(evidence: PlaceEvidence, plane: LocalPlane): Points {
  const { counterpartLatE7, counterpartLngE7, lossCentiDb } = evidence;
  const total = counterpartLatE7.length;
  const count = Math.min(total, PLACE_COUNTERPARTS_MAX);
  const eastM = new Float64Array(count);
  const northM = new Float64Array(count);
  const source = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const from = Math.floor((i * total) / count);
    source[i] = from;
    eastM[i] = computeEastM(plane, counterpartLngE7[from]!);
    northM[i] = computeNorthM(plane, counterpartLatE7[from]!);
  }
  const losses = lossCentiDb === null ? null : source.map((from) => lossCentiDb[from]!);
  return { count, eastM, northM, lossCentiDb: losses, source };
}

/** The middle of the counterparts, coordinate by coordinate, and the places of some of them. */
function forEachTried(points: Points, visit: (eastM: number, northM: number) => void): void {
  const { count, eastM, northM } = points;
  const middle = (count - 1) >> 1;
  visit(eastM.slice().sort()[middle]!, northM.slice().sort()[middle]!);
  const tried = Math.min(count, TRIED_COUNTERPARTS_MAX);
  for (let i = 0; i < tried; i++) {
    const from = Math.floor((i * count) / tried);
    visit(eastM[from]!, northM[from]!);
  }
}

/** What the links say about one place: the sum of their logarithmic lengths, and the misfit of their strengths. */
function computeLikelihood(
  { count, eastM, northM, lossCentiDb }: Points,
  atEastM: number,
  atNorthM: number,
): { distanceOctaves: number; fallOffOctaves: number } {
  let distanceOctaves = 0;
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < count; i++) {
    const dx = eastM[i]! - atEastM;
    const dy = northM[i]! - atNorthM;
    const distanceM = Math.floor(Math.sqrt(dx * dx + dy * dy));
    distanceOctaves += computeLogOctaves(Math.max(distanceM, FLAT_M));
    if (lossCentiDb === null) continue;
    const fall = computeLogOctaves(Math.max(distanceM, NEAREST_M)) * FALL_OFF_CENTI_DB_PER_OCTAVE;
    const rest = Math.floor(fall / OCTAVE) - lossCentiDb[i]!;
    sum += rest;
    squares += rest * rest;
  }
  // The squares around the mean over twice the variance: nats, in 2^-10.
  const misfit = squares - Math.floor((sum * sum) / count);
  const fallOffOctaves = Math.floor((misfit * OCTAVE) / (2 * SCATTER_CENTI_DB * SCATTER_CENTI_DB));
  return { distanceOctaves, fallOffOctaves };
}

function computeDistances({ count, eastM, northM }: Points): Int32Array {
  const octaves = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const distanceM = Math.floor(Math.sqrt(eastM[i]! * eastM[i]! + northM[i]! * northM[i]!));
    octaves[i] = computeLogOctaves(Math.max(distanceM, NEAREST_M));
  }
  return octaves;
}

/** How much longer than its counterparts' usual links a hotspot's are: the mean, in 2^-10 octaves. */
function computeReach({ count, source }: Points, distances: Int32Array, reachOctaves: Int32Array): number {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += distances[i]! - reachOctaves[source[i]!]!;
  return Math.floor(sum / count);
}

/** The best link's level over a usual one's, in dB times 1,024: who is heard that well that far away? */
function computeLevelOctaves(lossCentiDb: Int32Array, distances: Int32Array): number {
  let best = Number.MIN_SAFE_INTEGER;
  for (let i = 0; i < distances.length; i++) {
    const usual = Math.floor(((distances[i]! - LEVEL_FROM_OCTAVES) * LEVEL_CENTI_DB_PER_OCTAVE) / OCTAVE);
    best = Math.max(best, usual - lossCentiDb[i]!);
  }
  return Math.floor((best * OCTAVE) / 100);
}

function computeManyPercent(count: number): number {
  const over = computeLogOctaves(count) - MANY_FROM_OCTAVES;
  const full = MANY_TO_OCTAVES - MANY_FROM_OCTAVES;
  return Math.floor((Math.min(Math.max(over, 0), full) * WEIGHT.likelihoodOfMany) / full);
}

/** How unlikely the links and the missing links with the asserted place's neighbours are, in 2^-10 octaves over `NEARBY_MAX`. */
function computeMissing(plane: LocalPlane, nearby: Nearby): number {
  const typical = computeLogOctaves(nearby.medianLinks + 1);
  const own = computeLogOctaves(nearby.ownLinks + 1) - typical;
  let sum = 0;
  for (let i = 0; i < nearby.linked.length; i++) {
    const eastM = computeEastM(plane, nearby.lngE7[i]!);
    const northM = computeNorthM(plane, nearby.latE7[i]!);
    const distanceM = Math.floor(Math.sqrt(eastM * eastM + northM * northM));
    const distance = computeLogOctaves(Math.max(distanceM, NEAREST_M)) - LINKED_HALF_M_OCTAVES;
    const degree = computeLogOctaves(nearby.links[i]! + 1) - typical + own;
    const logOdds = Math.floor((degree * LINK_DEGREE_PERCENT - distance * LINK_DECAY_PERCENT) / 100);
    sum += computeLogSumOctaves(nearby.linked[i] === 1 ? -logOdds : logOdds);
  }
  return Math.floor(sum / NEARBY_MAX);
}
