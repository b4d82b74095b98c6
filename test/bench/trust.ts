/**
 * Trust of a million hotspots with ten million edges: the graph's rows, the walk, and every hotspot's place against its
 * links and neighbours. Trust is computed once a day of epochs, so this is what a day costs (docs/truth.md says why).
 */
import { cellToLatLng } from "h3-js";
import { computeDistanceM } from "../../protocol/src/geo/distance.ts";
import { sortByCell } from "../../protocol/src/score/cellOrder.ts";
import { createPlaceEvidence, measureNetworkPlaces } from "../../protocol/src/trust/networkPlaces.ts";
import { checkEdgePlausibility } from "../../protocol/src/trust/penalties/edgePlausibility.ts";
import { computeGraphTrustPpm } from "../../protocol/src/trust/sybilRank.ts";
import {
  createWitnessGraph,
  type EdgeList,
  reorderBreadthFirst,
} from "../../protocol/src/trust/witnessGraph.ts";
import { atMost, type BenchRow } from "./benchRow.ts";
import { createLinks, createPopulation, createRandom } from "./population.ts";

const HOTSPOTS = 1_000_000;
/** A few more than ten, as those that would be longer than any in a city's graph are left out. */
const EDGES_PER_HOTSPOT = 13;
const EDGE_MAX_M = 20_000;
/** This population's links run along a line, on which trust walks slowly: so many seeds that it arrives everywhere. */
const SEED_EVERY = 20;
const HOTSPOTS_PER_REGION = 30_000;
const TRUST_MS_MAX = 20_000;
const RSS_MIB_MAX = 2_048;

/** About a minute, most of it making the population. Times are of the processor, as one core does all of it. */
export async function run(): Promise<BenchRow[]> {
  const { places, edges, seeds, region } = createNetwork();
  const start = measureCpuMs();
  const { graph, order } = reorderBreadthFirst(createWitnessGraph(HOTSPOTS, edges));
  const numberOf = new Uint32Array(HOTSPOTS);
  for (const [number, hotspot] of order.entries()) numberOf[hotspot] = number;
  const built = measureCpuMs();
  const trust = computeGraphTrustPpm(
    graph,
    seeds.map((seed) => numberOf[seed]!),
    order.map((hotspot) => region[hotspot]!),
  );
  const walked = measureCpuMs();
  const network = measureNetworkPlaces(graph, {
    latE7: Int32Array.from(order, (hotspot) => places.latE7[hotspot]!),
    lngE7: Int32Array.from(order, (hotspot) => places.lngE7[hotspot]!),
  });
  let findings = 0;
  const term = { epoch: 0, penaltyEpochs: 1 };
  for (let hotspot = 0; hotspot < HOTSPOTS; hotspot++) {
    if (checkEdgePlausibility(createPlaceEvidence(network, hotspot), term) !== null) findings++;
  }
  const end = measureCpuMs();
  const trusted = trust.reduce((count, ppm) => count + (ppm > 0 ? 1 : 0), 0);
  if (trusted === 0) throw new Error("No trust has arrived anywhere");
  const millions = `${HOTSPOTS / 1e6}M hotspots, ${(graph.neighbour.length / 2e6).toFixed(1)}M edges`;
  return [
    atMost(`trust, ${millions} (${trusted} trusted, ${findings} findings)`, end - start, "ms", TRUST_MS_MAX),
    atMost("  rows of the graph, reordered", built - start, "ms", TRUST_MS_MAX),
    atMost("  SybilRank, three groups of seeds", walked - built, "ms", TRUST_MS_MAX),
    atMost("  places against links and neighbours", end - walked, "ms", TRUST_MS_MAX),
    atMost("trust, most memory ever resident", process.resourceUsage().maxRSS / 1_024, "MiB", RSS_MIB_MAX),
  ];
}

function measureCpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

function createNetwork() {
  const { cellHi, cellLo } = createPopulation(HOTSPOTS);
  const order = sortByCell(cellHi, cellLo);
  const links = createLinks(order, EDGES_PER_HOTSPOT);
  const count = HOTSPOTS * EDGES_PER_HOTSPOT;
  const random = createRandom(5);
  const latE7 = new Int32Array(HOTSPOTS);
  const lngE7 = new Int32Array(HOTSPOTS);
  for (let hotspot = 0; hotspot < HOTSPOTS; hotspot++) {
    const [lat, lng] = cellToLatLng([cellLo[hotspot]!, cellHi[hotspot]!]);
    latE7[hotspot] = Math.round(lat * 1e7);
    lngE7[hotspot] = Math.round(lng * 1e7);
  }
  const a = Uint32Array.from(
    { length: count },
    (_, i) => links.beaconHotspot[Math.floor(i / EDGES_PER_HOTSPOT)]!,
  );
  const b = links.witnessHotspot;
  const weight = a.map((hotspot, i) => {
    const other = b[i]!;
    const distanceM = computeDistanceM(latE7[hotspot]!, lngE7[hotspot]!, latE7[other]!, lngE7[other]!);
    return distanceM > EDGE_MAX_M ? 0 : 1 + Math.floor(random() * 8);
  });
  const edges: EdgeList = { a, b, weight: Uint8Array.from(weight) };
  const seeds = order.filter((_, place) => place % SEED_EVERY === 0);
  // A stretch of the order is a stretch of the Earth.
  const region = new Uint32Array(HOTSPOTS);
  for (const [place, hotspot] of order.entries()) region[hotspot] = Math.floor(place / HOTSPOTS_PER_REGION);
  return { places: { latE7, lngE7 }, edges, seeds, region };
}
