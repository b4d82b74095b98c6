/**
 * The laboratory's air beside a real city's: stations at the places of Pittsburgh's hotspots beacon through the
 * simulated channel, and who is linked with whom is compared with the witness graph that was measured there. Nothing is
 * fitted here to what is compared last, the detector's verdicts on honest hotspots.
 */

import { computeChallengePowerCentiDbm } from "../../protocol/src/evidence/challenge.ts";
import { computeDistanceM } from "../../protocol/src/geo/distance.ts";
import { REGION_PLANS } from "../../protocol/src/radio/regions.ts";
import { createPlaceEvidence, measureNetworkPlaces } from "../../protocol/src/trust/networkPlaces.ts";
import { computePlaceScoreOctaves } from "../../protocol/src/trust/penalties/edgePlausibility.ts";
import { RAMPS } from "../../protocol/src/trust/thresholds.ts";
import { createWitnessGraph, EDGE_WEIGHT_MAX } from "../../protocol/src/trust/witnessGraph.ts";
import { createRandom, mixSeed, type Random } from "../ether/prng.ts";
import { openDataFolder, readCsv } from "../eval/dataFolder.ts";
import { Airwaves, GAIN_CENTI_DBI } from "./airwaves.ts";
import { createHonest } from "./population.ts";
import { LAB_PARAMETERS } from "./runner.ts";

/** Hotspots by number, and who has heard whom, either way. */
export type WitnessedCity = {
  readonly latE7: readonly number[];
  readonly lngE7: readonly number[];
  readonly edges: readonly (readonly [a: number, b: number])[];
};

/** What is compared. Shares are 0 to 1; place scores in 2^-10 octaves. */
export type AirFigures = {
  /** Of all pairs in each of `DISTANCES_M`' ranges, those that are linked. */
  readonly linked: readonly number[];
  /** Distinct counterparts of a hotspot at 10, 50 and 90 %. */
  readonly links: readonly number[];
  /** By `THINNED_TO`: of honest hotspots with a place score, those found implausible where they stand. */
  readonly implausible: readonly number[];
};

/** Ranges of distance, each to the next one. */
export const DISTANCES_M = [300, 1_000, 2_000, 4_000, 8_000, 16_000, 24_000] as const;
/** Hotspots that are left of the city, drawn so often: thin cities have more of the implausible, real ones too. */
export const THINNED_TO = [200, 100, 60, 30] as const;
const DRAWS = 20;
const PLAN = REGION_PLANS.US915;

/** The part of Pittsburgh's measured graph that a folder has; hotspots that are linked with none in it are left out. */
export function readWitnessedCity(dataFolder: string): WitnessedCity {
  const folder = openDataFolder(dataFolder);
  const links = readCsv(folder, "pittsburgh_witness_edges.csv.gz");
  const linked = new Set(links.flatMap(({ a, b }) => [a!, b!]));
  const hotspots = readCsv(folder, "pittsburgh_hotspots.csv.gz").filter(({ id }) => linked.has(id!));
  const numberOf = new Map(hotspots.map(({ id }, number) => [id!, number]));
  return {
    latE7: hotspots.map(({ lat }) => Math.round(Number(lat) * 1e7)),
    lngE7: hotspots.map(({ lon }) => Math.round(Number(lon) * 1e7)),
    edges: links.map(({ a, b }) => [numberOf.get(a!)!, numberOf.get(b!)!]),
  };
}

/** Who hears whom over one window of beacons, with the same hotspots in the laboratory's air. */
export function simulateCity({ latE7, lngE7 }: WitnessedCity, seed: number): WitnessedCity {
  const members = latE7.map((lat, i) =>
    createHonest(`hotspot ${i}`, { latE7: lat, lngE7: lngE7[i]!, elevationM: 0, clutter: "urban" }),
  );
  const freqHz = PLAN.beaconFreqsHz[0]!;
  const air = new Airwaves(seed, members, freqHz);
  const random = createRandom(mixSeed(seed, "air"));
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const heard = new Set<number>();
  for (let epoch = 0; epoch < LAB_PARAMETERS.trustWindowEpochs; epoch++) {
    for (const from of members.keys()) {
      const powerCentiDbm = computeChallengePowerCentiDbm(
        PLAN,
        GAIN_CENTI_DBI,
        pick(LAB_PARAMETERS.powerStepsDb),
      );
      const frame = {
        freqHz,
        spreadingFactor: pick(PLAN.dataRates),
        bandwidthHz: PLAN.bwHz,
        powerCentiDbm,
        timeMs: 0,
      };
      for (const { radio: to } of air.transmit(from, frame, random)) {
        heard.add(Math.min(from, to) * members.length + Math.max(from, to));
      }
    }
  }
  const edges = Array.from(
    heard,
    (pair) => [Math.floor(pair / members.length), pair % members.length] as const,
  );
  return { latE7, lngE7, edges };
}

export function measureAir(city: WitnessedCity): AirFigures {
  const random = createRandom(mixSeed(1, "thinning"));
  return {
    linked: computeLinkedShares(city),
    links: computeLinkQuantiles(city),
    implausible: THINNED_TO.map((size) => computeImplausibleShare(city, size, random)),
  };
}

function computeLinkedShares({ latE7, lngE7, edges }: WitnessedCity): number[] {
  const count = (pairs: Iterable<readonly [number, number]>): number[] => {
    const counts = DISTANCES_M.slice(1).map(() => 0);
    for (const [a, b] of pairs) {
      const distanceM = computeDistanceM(latE7[a]!, lngE7[a]!, latE7[b]!, lngE7[b]!);
      const range = DISTANCES_M.findLastIndex((from) => from <= distanceM);
      if (range >= 0 && range < counts.length) counts[range]!++;
    }
    return counts;
  };
  const all = count(latE7.flatMap((_, a) => Array.from({ length: a }, (__, b) => [a, b] as const)));
  return count(edges).map((linked, range) => linked / all[range]!);
}

function computeLinkQuantiles({ latE7, edges }: WitnessedCity): number[] {
  const links = latE7.map(() => 0);
  for (const pair of edges) for (const end of pair) links[end]!++;
  links.sort((a, b) => a - b);
  return [0.1, 0.5, 0.9].map((share) => links[Math.floor(share * (links.length - 1))]!);
}

function computeImplausibleShare(city: WitnessedCity, size: number, random: Random): number {
  let [judged, implausible] = [0, 0];
  for (let draw = 0; draw < DRAWS; draw++) {
    for (const score of listPlaceScores(thin(city, size, random))) {
      judged++;
      if (score > RAMPS.edgePlausibilityOctaves.from) implausible++;
    }
  }
  return implausible / Math.max(1, judged);
}

/** What is left of a city with so many of its hotspots. */
function thin({ latE7, lngE7, edges }: WitnessedCity, size: number, random: Random): WitnessedCity {
  const left = latE7.map((_, hotspot) => ({ hotspot, draw: random() })).sort((a, b) => a.draw - b.draw);
  const kept = new Map(left.slice(0, size).map(({ hotspot }, number) => [hotspot, number]));
  return {
    latE7: Array.from(kept.keys(), (hotspot) => latE7[hotspot]!),
    lngE7: Array.from(kept.keys(), (hotspot) => lngE7[hotspot]!),
    edges: edges.flatMap(([a, b]) => {
      const [from, to] = [kept.get(a), kept.get(b)];
      return from === undefined || to === undefined ? [] : [[from, to] as const];
    }),
  };
}

function listPlaceScores({ latE7, lngE7, edges }: WitnessedCity): number[] {
  const graph = createWitnessGraph(latE7.length, {
    a: Uint32Array.from(edges, ([a]) => a),
    b: Uint32Array.from(edges, ([, b]) => b),
    weight: new Uint8Array(edges.length).fill(EDGE_WEIGHT_MAX),
  });
  const places = { latE7: Int32Array.from(latE7), lngE7: Int32Array.from(lngE7) };
  const network = measureNetworkPlaces(graph, places);
  return latE7.flatMap((_, hotspot) => {
    const score = computePlaceScoreOctaves(createPlaceEvidence(network, hotspot));
    return score === null ? [] : [score];
  });
}
