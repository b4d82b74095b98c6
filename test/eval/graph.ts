/**
 * The witness graph of a city: hotspots whose asserted place was moved, and rings of sybils tied in by a few edges. The
 * moved graphs of the data measure; the weights were fitted on moves of our own over the same city (seeds 1 to 8).
 */
import type { FindingTerm } from "../../protocol/src/trust/finding.ts";
import { createPlaceEvidence, measureNetworkPlaces } from "../../protocol/src/trust/networkPlaces.ts";
import {
  checkEdgePlausibility,
  computePlaceScoreOctaves,
} from "../../protocol/src/trust/penalties/edgePlausibility.ts";
import { computeGraphTrustPpm } from "../../protocol/src/trust/sybilRank.ts";
import {
  createWitnessGraph,
  EDGE_WEIGHT_MAX,
  reorderBreadthFirst,
  type WitnessGraph,
} from "../../protocol/src/trust/witnessGraph.ts";
import { type DataFolder, listFiles, readJson } from "./dataFolder.ts";
import { completeFigures, createFigure, type Figure, type SectionResult, type Target } from "./figure.ts";
import { bootstrap, computeAuc, computeTpr, estimateQuantile, estimateShare } from "./statistics.ts";

type GraphFile = {
  readonly asserted: readonly (readonly [lat: number, lng: number])[];
  readonly edges: readonly (readonly [a: number, b: number])[];
  readonly labels_displaced_km?: readonly number[];
  readonly labels_sybil?: readonly number[];
  readonly seeds?: readonly number[];
};

const TERM: FindingTerm = { epoch: 0, penaltyEpochs: 1 };
const LOW_TRUST_PPM = 100_000;

const MOVE_TARGETS: Readonly<Record<string, Target>> = {
  "moved 5 km, TPR5": { atLeast: 0.9 },
  "moved 10 km, TPR1": { atLeast: 0.9 },
  "moved 20 km, TPR1": { atLeast: 1 },
};

export function evaluateMoves(folder: DataFolder): SectionResult {
  const figures: Figure[] = [];
  const scores: number[] = [];
  const leftOut: string[] = [];
  const files = listFiles(folder, /^bench_graph_move\d+\.json\.gz$/).map((name) => ({
    name,
    km: Number(/move(\d+)/.exec(name)![1]),
  }));
  for (const { name, km } of files.toSorted((a, b) => a.km - b.km)) {
    const file = readJson<GraphFile>(folder, name);
    const labels = file.labels_displaced_km;
    if (labels === undefined) {
      leftOut.push(`${name} has no labels_displaced_km`);
      continue;
    }
    const network = measureNetworkPlaces(toGraph(file), toPlaces(file));
    const judged = Array.from(labels, (moved, hotspot) => {
      const evidence = createPlaceEvidence(network, hotspot);
      return {
        moved: moved > 0,
        score: computePlaceScoreOctaves(evidence),
        caught: checkEdgePlausibility(evidence, TERM) !== null,
      };
    });
    scores.push(...judged.map(({ score }) => score ?? -1));
    // With fewer counterparts than a place is judged by there is no score: such hotspots are not counted, moved or not.
    const known = judged.filter(({ score }) => score !== null);
    const honest = known.filter(({ moved }) => !moved);
    const moved = known.filter((one) => one.moved);
    const pair = [honest.map(({ score }) => score!), moved.map(({ score }) => score!)] as const;
    const add = (figure: string, estimate: Parameters<typeof createFigure>[2]) =>
      figures.push(createFigure("moved", figure, estimate, MOVE_TARGETS[figure] ?? null));
    add(`moved ${km} km, AUC`, bootstrap(...pair, computeAuc));
    add(
      `moved ${km} km, TPR1`,
      bootstrap(...pair, (h, g) => computeTpr(h, g, 0.01)),
    );
    add(
      `moved ${km} km, TPR5`,
      bootstrap(...pair, (h, g) => computeTpr(h, g, 0.05)),
    );
    add("  caught at the threshold", shareCaught(moved));
    add("  honest refused at the threshold", shareCaught(honest));
    add("  99 % of honest scores are at most", estimateQuantile(pair[0], 0.99));
  }
  return { figures: completeFigures("moved", figures, MOVE_TARGETS), scores, leftOut };
}

const shareCaught = (list: readonly { readonly caught: boolean }[]) =>
  estimateShare(list.filter(({ caught }) => caught).length, list.length);

const LARGE_RING = 100;
/** A large ring's share of credit, with up to 20 attack edges and with more. */
const CREDIT_MAX = 0.03;
const CREDIT_MAX_MANY_EDGES = 0.06;
const nameCredit = (members: number, attackEdges: number): string =>
  `ring of ${members}, ${attackEdges} attack edges: share of credit`;
const CREDIT_TARGETS: Readonly<Record<string, Target>> = {
  [nameCredit(LARGE_RING, 20)]: { atMost: CREDIT_MAX },
  [nameCredit(LARGE_RING, 60)]: { atMost: CREDIT_MAX_MANY_EDGES },
};

/** Share of credit that a ring takes, and honest hotspots that end up with hardly any trust. */
export function evaluateSybils(folder: DataFolder): SectionResult {
  const figures: Figure[] = [];
  const scores: number[] = [];
  const leftOut: string[] = [];
  for (const name of listFiles(folder, /^bench_graph_sybil_m\d+_g\d+\.json\.gz$/)) {
    const file = readJson<GraphFile>(folder, name);
    const { labels_sybil: labels, seeds } = file;
    if (labels === undefined || seeds === undefined) {
      leftOut.push(`${name} has no labels_sybil or no seeds`);
      continue;
    }
    const [, members, attackEdges] = /_m(\d+)_g(\d+)/.exec(name)!.map(Number) as [number, number, number];
    const graph = toGraph(file);
    const trust = rank(graph, seeds);
    scores.push(...trust);
    const isSybil = (hotspot: number) => labels[hotspot] === 1;
    const ringEdges = file.edges.filter((edge) => edge.some(isSybil));
    const honestEdges = file.edges.length - ringEdges.length;
    const ringCredit = computeCredit(ringEdges, trust) / computeCredit(file.edges, trust);
    const hotspots = Array.from(trust.keys());
    const corrupt = rank(graph, corruptSeeds(seeds, hotspots.filter(isSybil)));
    const linked = (hotspot: number) => graph.start[hotspot + 1]! > graph.start[hotspot]!;
    const honest = hotspots.filter((hotspot) => !isSybil(hotspot) && linked(hotspot));
    const low = honest.filter((hotspot) => trust[hotspot]! < LOW_TRUST_PPM);
    const distrust = (list: readonly number[]) => list.map((hotspot) => -trust[hotspot]!);
    const share = (value: number) => ({ value, low: value, high: value, n: file.edges.length });
    const creditTarget =
      members === LARGE_RING ? { atMost: attackEdges <= 20 ? CREDIT_MAX : CREDIT_MAX_MANY_EDGES } : null;
    figures.push(
      createFigure("sybils", nameCredit(members, attackEdges), share(ringCredit), creditTarget),
      createFigure(
        "sybils",
        "  the same over attack edges per honest edge (at most 4)",
        share(attackEdges === 0 ? 0 : ringCredit / (attackEdges / honestEdges)),
        { atMost: 4 },
      ),
      createFigure(
        "sybils",
        "  share of edges, as they would be paid without trust",
        share(1 - honestEdges / file.edges.length),
      ),
      createFigure(
        "sybils",
        "  honest with trust under 0.1",
        estimateShare(low.length, honest.length),
        attackEdges <= 20 ? { atMost: 0.03 } : null,
      ),
      createFigure(
        "sybils",
        "  share of credit with three seeds in ten among its members",
        share(computeCredit(ringEdges, corrupt) / computeCredit(file.edges, corrupt)),
      ),
      createFigure(
        "sybils",
        "  AUC",
        bootstrap(distrust(honest), distrust(hotspots.filter(isSybil)), computeAuc),
      ),
    );
  }
  return { figures: completeFigures("sybils", figures, CREDIT_TARGETS), scores, leftOut };
}

/** Graph trust as validators compute it: in breadth-first order, by which seeds are dealt. */
function rank(graph: WitnessGraph, seeds: readonly number[]): Uint32Array {
  const { graph: ordered, order } = reorderBreadthFirst(graph);
  const numberOf = new Map(Array.from(order, (hotspot, number) => [hotspot, number]));
  const ranked = computeGraphTrustPpm(
    ordered,
    Uint32Array.from(seeds, (seed) => numberOf.get(seed)!),
  );
  return Uint32Array.from(graph.start.subarray(1), (_, hotspot) => ranked[numberOf.get(hotspot)!]!);
}

/** The seeds with three in ten replaced by a ring's members, spread over both. */
function corruptSeeds(seeds: readonly number[], ring: readonly number[]): number[] {
  const count = Math.round(0.3 * seeds.length);
  const spread = (list: readonly number[], k: number): number => Math.floor((k * list.length) / count);
  const corrupted = new Map(
    Array.from({ length: count }, (_, k) => [spread(seeds, k), ring[spread(ring, k)]!]),
  );
  return seeds.map((seed, i) => corrupted.get(i) ?? seed);
}

const computeCredit = (edges: GraphFile["edges"], trust: Uint32Array): number =>
  edges.reduce((sum, [a, b]) => sum + Math.min(trust[a]!, trust[b]!), 0);

function toGraph({ asserted, edges }: GraphFile): WitnessGraph {
  return createWitnessGraph(asserted.length, {
    a: Uint32Array.from(edges, ([a]) => a),
    b: Uint32Array.from(edges, ([, b]) => b),
    weight: new Uint8Array(edges.length).fill(EDGE_WEIGHT_MAX),
  });
}

const toPlaces = ({ asserted }: GraphFile) => ({
  latE7: Int32Array.from(asserted, ([lat]) => Math.round(lat * 1e7)),
  lngE7: Int32Array.from(asserted, ([, lng]) => Math.round(lng * 1e7)),
});
