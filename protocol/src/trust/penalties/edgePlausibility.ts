/**
 * Edge plausibility: how likely a hotspot's links are if it stands where it says, against the best place for the same
 * links. Four parts, each a log-likelihood in octaves with a weight: the links' distances against the best place's; the
 * nearest and the median distance; the neighbours of the asserted place with which there is no link, where the graph is
 * known; and how strengths fall off with distance, where strengths are. Validators know the graph and no strengths; the form
 * for links alone is the evaluation's, whose data are such links (docs/truth.md has both on the same cases).
 * Evaded by a real radio near the claimed place; blind below 2 km.
 */
import { PPM } from "../../network/parameters.ts";
import { PAID_DISTANCE_MAX_M } from "../../radio/gates.ts";
import { computeFactorPpm, createFinding, type Finding, type FindingTerm } from "../finding.ts";
import { computeLogOctaves, computeLogOfDouble, computeLogSumOctaves, OCTAVE, takeMedian } from "../fixed.ts";
import { computeEastM, computeNorthM, createLocalPlane, type LocalPlane } from "../localPlane.ts";
import type { Places } from "../neighbourhood.ts";
import { COUNTERPARTS_MIN, PLACE_COUNTERPARTS_MIN, RAMPS } from "../thresholds.ts";

/** Counterparts looked at, evenly spaced over the list: the cost of a place grows with their number times the tried ones. */
export const PLACE_COUNTERPARTS_MAX = 64;
/** Places tried besides the asserted one: the middle of the counterparts, and so many of theirs. */
const TRIED_COUNTERPARTS_MAX = 16;
/** Neighbours of the asserted place that are asked for links. */
export const NEARBY_MAX = 24;

/** Weights of the parts where the graph is known, per cent. Fitted on moves of our own over a real city's graph. */
const GRAPH_WEIGHT = { gain: 300, missing: 200, nearest: 60, median: 100 } as const;
/**
 * Weights where only the links are known, per cent, with three counterparts and with ten or more; between, by the
 * logarithm of their number. The nearest one says most where there are few, the best place where there are many; the
 * offset brings the honest of all numbers to one scale.
 */
const FEW_WEIGHT = { gain: 60, nearest: 250, median: 30, misfit: 20, level: 0, offset: 0 } as const;
const MANY_WEIGHT = { gain: 300, nearest: 0, median: 100, misfit: 29, level: 7, offset: 1_150_000 } as const;

/** Nearer than this places are not told apart: the links' likelihood is flat there, more so where the graph speaks too. */
const FLAT_M = { links: 500, graph: 1_000 } as const;
const NEAREST_M = 300;
/** More than rounding down to metres and units takes from a distance of `NEAREST_M`. */
const ROUNDING_OCTAVES = 8;
const FEW_OCTAVES = computeLogOctaves(COUNTERPARTS_MIN);
const MANY_OCTAVES = computeLogOctaves(10) - FEW_OCTAVES;
const ONE_KM_OCTAVES = computeLogOctaves(1_000);
/** Half of two median hotspots at this distance are linked, and the log-odds fall by 1.6 an octave (Pittsburgh: 1.62). */
const LINKED_HALF_OCTAVES = computeLogOctaves(2_000);
const LINK_DECAY_PERCENT = 160;
/** Log-odds for each octave of either end's degree over the network's median. */
const LINK_DEGREE_PERCENT = 80;
/** One silent neighbourhood, behind a hill or a wall, is not everything: what is missing counts up to 1.5 octaves. */
const MISSING_MAX = 1.5 * OCTAVE;
/** Strengths fall 15 dB a decade among real gateways (exponent 1.5, offset free), and scatter 6 dB around it. */
const FALL_OFF_CENTI_DB_PER_OCTAVE = 452;
const SCATTER_CENTI_DB = 600;
/** A link's level: its loss against a decay of 30 dB a decade from 1 km. */
const LEVEL_CENTI_DB_PER_OCTAVE = 903;
/** More than this much misfit is one antenna's, not a place's: 7 nats. */
const MISFIT_MAX = 7 * OCTAVE;

/** What is known about a hotspot's place. Places are in 1e-7 degrees. */
export type PlaceEvidence = {
  readonly latE7: number;
  readonly lngE7: number;
  /** Columns of places, and which of their rows are the counterparts: a network's columns serve all its hotspots. */
  readonly places: Places;
  readonly counterparts: Uint32Array;
  /** EIRP less mean signal of each counterpart's link in hundredths of a dB; null where strengths are unknown. */
  readonly lossCentiDb: Int32Array | null;
  /** The hotspots nearest to the asserted place; null where only the links are known and not the graph. */
  readonly findNearby: (() => Nearby) | null;
};

/** The hotspots nearest to the asserted place, linked or not: `count`, at most `NEARBY_MAX`, rows of these columns. */
export type Nearby = {
  readonly count: number;
  readonly latE7: Int32Array;
  readonly lngE7: Int32Array;
  /** Distinct counterparts of each. */
  readonly links: Int32Array;
  readonly linked: Uint8Array;
  /** Distinct counterparts of the hotspot itself, and of the network's median hotspot. */
  readonly ownLinks: number;
  readonly medianLinks: number;
};

/** Columns of one place's counterparts, of which the first `count` rows are in use. */
type Points = {
  count: number;
  readonly eastM: Float64Array;
  readonly northM: Float64Array;
  /** Logarithms of the distances from the asserted place. */
  readonly octaves: Int32Array;
  readonly lossCentiDb: Int32Array;
};

// One place's at a time, overwritten by the next: making arrays takes longer than filling them, a million times over.
const POINTS: Points = {
  count: 0,
  eastM: new Float64Array(PLACE_COUNTERPARTS_MAX),
  northM: new Float64Array(PLACE_COUNTERPARTS_MAX),
  octaves: new Int32Array(PLACE_COUNTERPARTS_MAX),
  lossCentiDb: new Int32Array(PLACE_COUNTERPARTS_MAX),
};
/** East and north of the tried places. */
const TRIED = new Float64Array(2 * (1 + TRIED_COUNTERPARTS_MAX));
const SORTED = new Float64Array(PLACE_COUNTERPARTS_MAX);

/**
 * The score of the asserted place in 2^-10 octaves, the higher the less plausible; null below `PLACE_COUNTERPARTS_MIN`
 * counterparts, or `COUNTERPARTS_MIN` where the graph is not known. Scores with and without neighbours lie on different
 * scales, each with its ramp.
 * @param from neighbours cost most to find: they are not asked for where the score stays below this whatever they say,
 *   and what comes back then is an upper bound, below `from` too.
 */
export function computePlaceScoreOctaves(
  evidence: PlaceEvidence,
  from: number = Number.MIN_SAFE_INTEGER,
): number | null {
  const { counterparts, findNearby } = evidence;
  if (counterparts.length < (findNearby === null ? COUNTERPARTS_MIN : PLACE_COUNTERPARTS_MIN)) return null;
  const plane = createLocalPlane(evidence.latE7, evidence.lngE7);
  const points = selectPoints(evidence, plane);
  const median = takeMedianOf(points.octaves, points.count) - ONE_KM_OCTAVES;
  // Taking the median has sorted them.
  const nearest = SORTED[0]! - ONE_KM_OCTAVES;
  if (findNearby !== null) {
    // No place makes the links shorter than flat: most hotspots are cleared by that alone.
    const most = computeGainMost(points, FLAT_M.graph);
    const bound = weigh(GRAPH_WEIGHT, { gain: most, nearest, median, missing: MISSING_MAX });
    if (bound < from) return bound;
    const gain = computeGain(points, listTried(points), FLAT_M.graph);
    const known = { gain, nearest, median };
    const closer = weigh(GRAPH_WEIGHT, { ...known, missing: MISSING_MAX });
    if (closer < from) return closer;
    return weigh(GRAPH_WEIGHT, { ...known, missing: computeMissing(plane, findNearby()) });
  }
  const tried = listTried(points);
  const gain = computeGain(points, tried, FLAT_M.links);
  const hasLosses = evidence.lossCentiDb !== null;
  const misfit = hasLosses ? computeMisfitGain(points, tried) : 0;
  const level = hasLosses ? computeLevel(points) : 0;
  return weigh(weightsFor(points.count), { gain, nearest, median, misfit, level, offset: 1 });
}

/** Judges the asserted place; evidence: the longest links first. */
export function checkEdgePlausibility(evidence: PlaceEvidence, term: FindingTerm): Finding | null {
  const ramp = evidence.findNearby === null ? RAMPS.linkPlausibilityOctaves : RAMPS.edgePlausibilityOctaves;
  const score = computePlaceScoreOctaves(evidence, ramp.from);
  if (score === null) return null;
  // The evidence is put in order only where there is something to show.
  if (computeFactorPpm(score, ramp) === PPM) return null;
  return createFinding("edge_implausible", score, ramp, listLongestFirst(evidence), term);
}

function listLongestFirst(evidence: PlaceEvidence): number[] {
  const { count, octaves } = selectPoints(evidence, createLocalPlane(evidence.latE7, evidence.lngE7));
  return Array.from({ length: count }, (_, i) => i)
    .sort((a, b) => octaves[b]! - octaves[a]! || a - b)
    .map((place) => sourceOf(place, count, evidence.counterparts.length));
}

/** At most `PLACE_COUNTERPARTS_MAX` counterparts on the map around the asserted place. */
function selectPoints({ places, counterparts, lossCentiDb }: PlaceEvidence, plane: LocalPlane): Points {
  const total = counterparts.length;
  POINTS.count = Math.min(total, PLACE_COUNTERPARTS_MAX);
  for (let i = 0; i < POINTS.count; i++) {
    const from = sourceOf(i, POINTS.count, total);
    const counterpart = counterparts[from]!;
    const eastM = computeEastM(plane, places.lngE7[counterpart]!);
    const northM = computeNorthM(plane, places.latE7[counterpart]!);
    const lengthM = Math.sqrt(eastM * eastM + northM * northM);
    // In its direction, but no farther than is paid: nor does the history keep a longer distance.
    const share = lengthM > PAID_DISTANCE_MAX_M ? PAID_DISTANCE_MAX_M / lengthM : 1;
    const distanceM = Math.min(Math.floor(lengthM), PAID_DISTANCE_MAX_M);
    POINTS.eastM[i] = eastM * share;
    POINTS.northM[i] = northM * share;
    POINTS.octaves[i] = computeLogOctaves(Math.max(distanceM, NEAREST_M));
    if (lossCentiDb !== null) POINTS.lossCentiDb[i] = lossCentiDb[from]!;
  }
  return POINTS;
}

/** Which counterpart is point i of `count`, evenly spaced over all. */
function sourceOf(i: number, count: number, total: number): number {
  return Math.floor((i * total) / count);
}

/** The tried places: the middle of the counterparts by each coordinate, and some of theirs. */
function listTried({ count, eastM, northM }: Points): Float64Array {
  const counterparts = Math.min(count, TRIED_COUNTERPARTS_MAX);
  TRIED[0] = takeMedianOf(eastM, count);
  TRIED[1] = takeMedianOf(northM, count);
  for (let i = 0; i < counterparts; i++) {
    const from = Math.floor((i * count) / counterparts);
    TRIED[2 * i + 2] = eastM[from]!;
    TRIED[2 * i + 3] = northM[from]!;
  }
  return TRIED.subarray(0, 2 * counterparts + 2);
}

function takeMedianOf(values: Int32Array | Float64Array, count: number): number {
  for (let i = 0; i < count; i++) SORTED[i] = values[i]!;
  return takeMedian(SORTED, count);
}

/** By how much the best tried place makes the links shorter: the mean of their logarithms, in 2^-10 octaves. */
function computeGain(points: Points, tried: Float64Array, flatM: number): number {
  const asserted = computeLogSquares(points, 0, 0, flatM);
  let best = asserted;
  for (let i = 0; i < tried.length; i += 2) {
    best = Math.min(best, computeLogSquares(points, tried[i]!, tried[i + 1]!, flatM));
  }
  return Math.floor((asserted - best) / (2 * points.count));
}

/** What `computeGain` gives at most; distances are rounded down by up to a unit and a metre. */
function computeGainMost({ count, octaves }: Points, flatM: number): number {
  const flat = computeLogOctaves(flatM);
  let sum = 0;
  for (let i = 0; i < count; i++) sum += Math.max(0, octaves[i]! - flat) + ROUNDING_OCTAVES;
  return Math.ceil(sum / count);
}

/** A square of a distance on Earth is below 2^49, so a product of this many is a finite double. */
const SQUARES_PER_PRODUCT = 16;

/** The sum of the logarithms of the squared lengths of all links from a place: of products, as logarithms cost most. */
function computeLogSquares(
  { count, eastM, northM }: Points,
  atEastM: number,
  atNorthM: number,
  flatM: number,
): number {
  const flatSquare = flatM * flatM;
  let sum = 0;
  let product = 1;
  for (let i = 0; i < count; i++) {
    const dx = eastM[i]! - atEastM;
    const dy = northM[i]! - atNorthM;
    product *= Math.max(dx * dx + dy * dy, flatSquare);
    if (i % SQUARES_PER_PRODUCT < SQUARES_PER_PRODUCT - 1) continue;
    sum += computeLogOfDouble(product);
    product = 1;
  }
  return sum + computeLogOfDouble(product);
}

/** By how much the best tried place explains the strengths better, in nats times 1,024, capped. */
function computeMisfitGain(points: Points, tried: Float64Array): number {
  const asserted = computeMisfit(points, 0, 0);
  let best = asserted;
  for (let i = 0; i < tried.length; i += 2) {
    best = Math.min(best, computeMisfit(points, tried[i]!, tried[i + 1]!));
  }
  return Math.min(MISFIT_MAX, asserted - best);
}

/** The squares around the mean over twice the variance: nats, in 2^-10. */
function computeMisfit(
  { count, eastM, northM, lossCentiDb }: Points,
  atEastM: number,
  atNorthM: number,
): number {
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < count; i++) {
    const dx = eastM[i]! - atEastM;
    const dy = northM[i]! - atNorthM;
    const distanceM = Math.floor(Math.sqrt(dx * dx + dy * dy));
    const fall = computeLogOctaves(Math.max(distanceM, NEAREST_M)) * FALL_OFF_CENTI_DB_PER_OCTAVE;
    const rest = Math.floor(fall / OCTAVE) - lossCentiDb[i]!;
    sum += rest;
    squares += rest * rest;
  }
  const around = squares - Math.floor((sum * sum) / count);
  return Math.floor((around * OCTAVE) / (2 * SCATTER_CENTI_DB * SCATTER_CENTI_DB));
}

/** The best link's level over a usual one's, in dB times 1,024: who is heard that well that far away? */
function computeLevel({ count, octaves, lossCentiDb }: Points): number {
  let best = Number.MIN_SAFE_INTEGER;
  for (let i = 0; i < count; i++) {
    const usual = Math.floor(((octaves[i]! - ONE_KM_OCTAVES) * LEVEL_CENTI_DB_PER_OCTAVE) / OCTAVE);
    best = Math.max(best, usual - lossCentiDb[i]!);
  }
  return Math.floor((best * OCTAVE) / 100);
}

/** The weights between few and many counterparts, by the logarithm of their number. */
function weightsFor(count: number): Readonly<Record<keyof typeof FEW_WEIGHT, number>> {
  const many = Math.min(Math.max(computeLogOctaves(count) - FEW_OCTAVES, 0), MANY_OCTAVES);
  const between = (part: keyof typeof FEW_WEIGHT): number =>
    FEW_WEIGHT[part] + Math.floor(((MANY_WEIGHT[part] - FEW_WEIGHT[part]) * many) / MANY_OCTAVES);
  return {
    gain: between("gain"),
    nearest: between("nearest"),
    median: between("median"),
    misfit: between("misfit"),
    level: between("level"),
    offset: between("offset"),
  };
}

/** The sum of parts times weights in per cent, rounded down. */
function weigh<Part extends string>(
  weights: Readonly<Record<Part, number>>,
  parts: Readonly<Record<Part, number>>,
): number {
  let sum = 0;
  for (const part in parts) sum += parts[part] * weights[part];
  return Math.floor(sum / 100);
}

/** How unlikely the links and the missing links with the asserted place's neighbours are, in 2^-10 octaves over `NEARBY_MAX`. */
function computeMissing(plane: LocalPlane, nearby: Nearby): number {
  const typical = computeLogOctaves(nearby.medianLinks + 1);
  const own = computeLogOctaves(nearby.ownLinks + 1) - typical;
  let sum = 0;
  for (let i = 0; i < nearby.count; i++) {
    const eastM = computeEastM(plane, nearby.lngE7[i]!);
    const northM = computeNorthM(plane, nearby.latE7[i]!);
    const distanceM = Math.floor(Math.sqrt(eastM * eastM + northM * northM));
    const distance = computeLogOctaves(Math.max(distanceM, NEAREST_M)) - LINKED_HALF_OCTAVES;
    const degree = computeLogOctaves(nearby.links[i]! + 1) - typical + own;
    const logOdds = Math.floor((degree * LINK_DEGREE_PERCENT - distance * LINK_DECAY_PERCENT) / 100);
    sum += computeLogSumOctaves(nearby.linked[i] === 1 ? -logOdds : logOdds);
  }
  return Math.min(MISSING_MAX, Math.floor(sum / NEARBY_MAX));
}
