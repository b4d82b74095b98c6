/**
 * Trust of a million hotspots with ten million edges: the graph's rows, the walk, and every hotspot's place against its
 * links and neighbours. Trust is computed once a day of epochs, so this is what a day costs (docs/truth.md says why).
 */
import { cellToLatLng } from "h3-js";
import { sortByCell } from "../../protocol/src/score/cellOrder.ts";
import { createPlaceEvidence, measureNetworkPlaces } from "../../protocol/src/trust/networkPlaces.ts";
import { checkEdgePlausibility } from "../../protocol/src/trust/penalties/edgePlausibility.ts";
import { computeGraphTrustPpm } from "../../protocol/src/trust/sybilRank.ts";
import { createWitnessGraph, type EdgeList } from "../../protocol/src/trust/witnessGraph.ts";
import { atMost, type BenchRow } from "./benchRow.ts";
import { createLinks, createPopulation, createRandom } from "./population.ts";

const HOTSPOTS = 1_000_000;
const EDGES_PER_HOTSPOT = 10;
/** This population's links run along a line, on which trust walks slowly: so many seeds that it arrives everywhere. */
const SEED_EVERY = 20;
const HOTSPOTS_PER_REGION = 30_000;
const TRUST_MS_MAX = 20_000;
const RSS_MIB_MAX = 2_048;

/** About a minute, most of it making the population. */
export async function run(): Promise<BenchRow[]> {
  const { places, edges, seeds, region } = createNetwork();
  const start = performance.now();
  const graph = createWitnessGraph(HOTSPOTS, edges);
  const built = performance.now();
  const trust = computeGraphTrustPpm(graph, seeds, region);
  const walked = performance.now();
  const network = measureNetworkPlaces(graph, places);
  let findings = 0;
  const term = { epoch: 0, penaltyEpochs: 1 };
  for (let hotspot = 0; hotspot < HOTSPOTS; hotspot++) {
    if (checkEdgePlausibility(createPlaceEvidence(network, hotspot), term) !== null) findings++;
  }
  const end = performance.now();
  const trusted = trust.reduce((count, ppm) => count + (ppm > 0 ? 1 : 0), 0);
  if (trusted === 0) throw new Error("No trust has arrived anywhere");
  const millions = `${HOTSPOTS / 1e6}M hotspots, ${(HOTSPOTS * EDGES_PER_HOTSPOT) / 1e6}M edges`;
  return [
    atMost(`trust, ${millions} (${trusted} trusted, ${findings} findings)`, end - start, "ms", TRUST_MS_MAX),
    atMost("  rows of the graph", built - start, "ms", TRUST_MS_MAX),
    atMost("  SybilRank, three groups of seeds", walked - built, "ms", TRUST_MS_MAX),
    atMost("  places against links and neighbours", end - walked, "ms", TRUST_MS_MAX),
    atMost("trust, most memory ever resident", process.resourceUsage().maxRSS / 1_024, "MiB", RSS_MIB_MAX),
  ];
}

function createNetwork() {
  const { cellHi, cellLo } = createPopulation(HOTSPOTS);
  const order = sortByCell(cellHi, cellLo);
  const links = createLinks(order, EDGES_PER_HOTSPOT);
  const count = HOTSPOTS * EDGES_PER_HOTSPOT;
  const random = createRandom(5);
  const edges: EdgeList = {
    a: Uint32Array.from({ length: count }, (_, i) => links.beaconHotspot[Math.floor(i / EDGES_PER_HOTSPOT)]!),
    b: links.witnessHotspot,
    weight: Uint8Array.from({ length: count }, () => 1 + Math.floor(random() * 8)),
  };
  const latE7 = new Int32Array(HOTSPOTS);
  const lngE7 = new Int32Array(HOTSPOTS);
  for (let hotspot = 0; hotspot < HOTSPOTS; hotspot++) {
    const [lat, lng] = cellToLatLng([cellLo[hotspot]!, cellHi[hotspot]!]);
    latE7[hotspot] = Math.round(lat * 1e7);
    lngE7[hotspot] = Math.round(lng * 1e7);
  }
  const seeds = order.filter((_, place) => place % SEED_EVERY === 0);
  // A stretch of the order is a stretch of the Earth.
  const region = new Uint32Array(HOTSPOTS);
  for (const [place, hotspot] of order.entries()) region[hotspot] = Math.floor(place / HOTSPOTS_PER_REGION);
  return { places: { latE7, lngE7 }, edges, seeds, region };
}
