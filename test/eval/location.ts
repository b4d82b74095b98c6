/**
 * Lies about a place, judged from links alone: real receptions whose asserted end was moved by 1 to 100 km. ROC figures
 * are read on the data itself; what the thresholds for links alone catch and refuse stands beside them. Stations are
 * split: every second one fitted the weights and thresholds, the others measure.
 *
 * No validator runs that form: they know the graph, and judge by its weights without strengths. So the same cases are put to what they run as well:
 * `distance_profile`, and `edge_implausible` with neighbours of whom nothing is known, as the data has none. Neighbours that
 * are silent only raise a score: more of the moved would be caught, and of the honest.
 */
import { computeDistanceM } from "../../protocol/src/geo/distance.ts";
import type { FindingTerm } from "../../protocol/src/trust/finding.ts";
import { computeSignalDeciDbm } from "../../protocol/src/trust/moments.ts";
import {
  checkDistanceProfile,
  computeDistanceProfileOctaves,
} from "../../protocol/src/trust/penalties/distanceProfile.ts";
import {
  checkEdgePlausibility,
  computePlaceScoreOctaves,
  type Nearby,
  type PlaceEvidence,
} from "../../protocol/src/trust/penalties/edgePlausibility.ts";
import { type DataFolder, readCsv, readJsonLines } from "./dataFolder.ts";
import { completeFigures, createFigure, type Figure, type SectionResult, type Target } from "./figure.ts";
import {
  bootstrap,
  computeAuc,
  computeTpr,
  type Estimate,
  estimateQuantile,
  estimateShare,
} from "./statistics.ts";

type Link = readonly [
  lat: number,
  lng: number,
  rssi: number,
  snr: number,
  freq: number,
  sf: number,
  bw: number,
];
type Case = {
  readonly id: number;
  readonly set: string;
  readonly asserted: readonly [lat: number, lng: number];
  readonly eirp_dbm: number;
  readonly links: readonly Link[];
};
type Scored = {
  readonly set: string;
  readonly links: number;
  readonly movedKm: number;
  readonly station: number;
  readonly score: number;
  readonly profile: number;
  readonly caught: boolean;
  /** By the two detectors as validators run them, and by the first of them alone. */
  readonly caughtByValidators: boolean;
  readonly caughtByProfile: boolean;
  /** Of the ways to leave one of five links out, those by which validators' detectors still catch. */
  readonly caughtOfFour: number;
};

const TERM: FindingTerm = { epoch: 0, penaltyEpochs: 1 };
/** With fewer nobody is judged. */
const LINKS_MIN = 3;
/** The data has no cases of four links, the fewest by which validators judge a place: they are drawn of those with five. */
const FIVE = 5;
/** Real Helium hotspots around one city: the geography that the network has. */
const HOTSPOT_SETS = /^grenoble/;

const TARGETS: Readonly<Record<string, Target>> = {
  "3 links, 10 km, TPR1": { atLeast: 0.65 },
  "3 links, 20 km, TPR1": { atLeast: 1 },
  "10 links, 5 km, TPR1": { atLeast: 0.9 },
  "10 links, 10 km, TPR1": { atLeast: 1 },
};

/** What is found of a case, the different values in order. */
const listValues = (cases: readonly Scored[], by: "links" | "movedKm"): number[] =>
  [...new Set(cases.map((one) => one[by]))].sort((a, b) => a - b);

export function evaluateLocation(folder: DataFolder): SectionResult {
  const { cases, labels, unlabelled } = readCases(folder);
  const scored = scoreCases(cases, labels);
  const hotspots = scored.filter(({ set, links }) => HOTSPOT_SETS.test(set) && links >= LINKS_MIN);
  const figures: Figure[] = [];
  for (const links of listValues(hotspots, "links")) {
    const of = hotspots.filter((one) => one.links === links);
    const honest = of.filter(({ movedKm }) => movedKm === 0);
    const add = (name: string, estimate: Estimate, byValidators: Estimate | null = null) =>
      figures.push(createFigure("location", name, estimate, TARGETS[name] ?? null, byValidators));
    for (const km of listValues(of, "movedKm").filter((moved) => moved > 0)) {
      const moved = of.filter(({ movedKm }) => movedKm === km);
      const scoresOf = (list: readonly Scored[]) => list.map(({ score }) => score);
      const pair = [scoresOf(honest), scoresOf(moved)] as const;
      add(`${links} links, ${km} km, AUC`, bootstrap(...pair, computeAuc));
      add(
        `${links} links, ${km} km, TPR1`,
        bootstrap(...pair, (h, g) => computeTpr(h, g, 0.01)),
        shareCaughtBy("caughtByValidators", moved),
      );
      const measuring = moved.filter(({ station }) => station % 2 === 1);
      add("  caught at the thresholds, measuring half", shareCaught(measuring));
      add("  caught by what validators run", shareCaughtBy("caughtByValidators", moved));
      add("  caught by distance_profile alone", shareCaughtBy("caughtByProfile", moved));
      if (links === FIVE)
        add("  caught by what validators run, by four of the five", shareCaughtByFour(moved));
    }
    add(`${links} links, honest refused at the thresholds`, shareCaught(honest));
    add("  by what validators run", shareCaughtBy("caughtByValidators", honest));
    add("  by distance_profile alone", shareCaughtBy("caughtByProfile", honest));
    if (links === FIVE) add("  by what validators run, by four of the five", shareCaughtByFour(honest));
    add("  on the measuring half", shareCaught(honest.filter(({ station }) => station % 2 === 1)));
    const profiles = honest.filter(({ station }) => station % 2 === 0).map(({ profile }) => profile);
    add(
      "  99 % of the fitting half's honest distance profiles are at most",
      estimateQuantile(profiles, 0.99),
    );
    const fitting = honest.filter(({ station }) => station % 2 === 0).map(({ score }) => score);
    add("  99 % of the fitting half's honest scores are at most", estimateQuantile(fitting, 0.99));
  }
  for (const set of new Set(scored.map((one) => one.set))) {
    const honest = scored.filter((one) => one.set === set && one.movedKm === 0 && one.links >= LINKS_MIN);
    figures.push(createFigure("location", `${set}: honest refused at the thresholds`, shareCaught(honest)));
  }
  return {
    figures: completeFigures("location", figures, TARGETS),
    scores: scored.map(({ score }) => score),
    leftOut: unlabelled === 0 ? [] : [`${unlabelled} cases of ${CASES} have no label in ${LABELS}`],
  };
}

const shareCaughtBy = (by: "caught" | "caughtByValidators" | "caughtByProfile", list: readonly Scored[]) =>
  estimateShare(list.filter((one) => one[by]).length, list.length);

const shareCaught = (list: readonly Scored[]) => shareCaughtBy("caught", list);

/** Draws of one case are not independent: the interval is narrower than what is known. */
const shareCaughtByFour = (list: readonly Scored[]) =>
  estimateShare(
    list.reduce((sum, { caughtOfFour }) => sum + caughtOfFour, 0),
    FIVE * list.length,
  );

const CASES = "bench_location.jsonl.gz";
const LABELS = "bench_location_labels.csv.gz";
/** By a case's id: by how many kilometres it was moved, 0 where it is honest. */
type Labels = ReadonlyMap<number, number>;

/** The cases of which it is known whether they are honest; the others are only counted. */
function readCases(folder: DataFolder): { cases: Case[]; labels: Labels; unlabelled: number } {
  const all = readJsonLines<Case>(folder, CASES);
  const rows = readCsv(folder, LABELS).filter(({ displaced_km = "" }) => displaced_km !== "");
  const labels = new Map(rows.map(({ id, displaced_km }) => [Number(id), Number(displaced_km)]));
  const cases = all.filter(({ id }) => labels.has(id));
  return { cases, labels, unlabelled: all.length - cases.length };
}

function scoreCases(cases: readonly Case[], labels: Labels): Scored[] {
  let station = -1;
  let before: { set: string; links: number; movedKm: number } | null = null;
  return cases.map((one) => {
    const movedKm = labels.get(one.id)!;
    const links = one.links.length;
    // The file goes through stations one by one, honest cases first.
    const isNext =
      before === null ||
      before.set !== one.set ||
      before.links !== links ||
      (movedKm === 0 && before.movedKm > 0);
    if (isNext) station++;
    before = { set: one.set, links, movedKm };
    const evidence = toEvidence(one);
    const profile = computeDistanceProfileOctaves(listDistancesM(one));
    const caughtByProfile = isCaughtByProfile(one);
    const fours = links === FIVE ? one.links.map((_, out) => one.links.toSpliced(out, 1)) : [];
    return {
      set: one.set,
      links,
      movedKm,
      station,
      score: computePlaceScoreOctaves(evidence) ?? -1,
      profile: profile ?? -1,
      caught: checkEdgePlausibility(evidence, TERM) !== null || caughtByProfile,
      caughtByValidators: isCaughtByValidators(one),
      caughtByProfile,
      caughtOfFour: fours.filter((four) => isCaughtByValidators({ ...one, links: four })).length,
    };
  });
}

const isCaughtByProfile = (one: Case): boolean => checkDistanceProfile(listDistancesM(one), TERM) !== null;

/** Whether one of the two detectors finds a case, as validators run them. */
function isCaughtByValidators(one: Case): boolean {
  const findNearby = () => nobodyNear(one.links.length);
  const asInGraph = { ...toEvidence(one), lossCentiDb: null, findNearby };
  return checkEdgePlausibility(asInGraph, TERM) !== null || isCaughtByProfile(one);
}

const listDistancesM = ({ asserted: [lat, lng], links }: Case): Int32Array =>
  Int32Array.from(links, (link) => computeDistanceM(toE7(lat), toE7(lng), toE7(link[0]), toE7(link[1])));

/** Neighbours of whom nothing is known, beside as many links as the network's median hotspot has. */
function nobodyNear(links: number): Nearby {
  const [none, linked] = [new Int32Array(), new Uint8Array()];
  return { count: 0, latE7: none, lngE7: none, links: none, linked, ownLinks: links, medianLinks: links };
}

const toE7 = (degrees: number): number => Math.round(degrees * 1e7);

function toEvidence({ asserted, eirp_dbm, links }: Case): PlaceEvidence {
  const lossCentiDb = Int32Array.from(links, ([, , rssi, snr]) => {
    const signal = computeSignalDeciDbm({
      rssiDeciDbm: Math.round(rssi * 10),
      rssiKind: "channel",
      snrCentiDb: Math.round(snr * 100),
    });
    return Math.round(eirp_dbm * 100) - signal * 10;
  });
  return {
    latE7: toE7(asserted[0]),
    lngE7: toE7(asserted[1]),
    places: {
      latE7: Int32Array.from(links, ([lat]) => toE7(lat)),
      lngE7: Int32Array.from(links, ([, lng]) => toE7(lng)),
    },
    counterparts: Uint32Array.from(links.keys()),
    lossCentiDb,
    findNearby: null,
  };
}
