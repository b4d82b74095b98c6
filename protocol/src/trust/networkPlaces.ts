/**
 * What the whole network says about each hotspot's place: gathers, from the witness graph and the asserted places, the
 * evidence that edge plausibility judges.
 */
import { takeMedian } from "./fixed.ts";
import { Neighbourhood, type Places } from "./neighbourhood.ts";
import { NEARBY_MAX, type Nearby, type PlaceEvidence } from "./penalties/edgePlausibility.ts";
import type { WitnessGraph } from "./witnessGraph.ts";

export type NetworkPlaces = {
  readonly graph: WitnessGraph;
  readonly places: Places;
  /** Finds hotspots that have links. */
  readonly neighbourhood: Neighbourhood;
  /** Distinct counterparts of the median hotspot among those that have any. */
  readonly medianLinks: number;
};

/** Measures a network once for all its hotspots. */
export function measureNetworkPlaces(graph: WitnessGraph, places: Places): NetworkPlaces {
  const { count, start } = graph;
  const linked = new Uint8Array(count);
  const links = new Int32Array(count);
  let linkedCount = 0;
  for (let hotspot = 0; hotspot < count; hotspot++) {
    const degree = start[hotspot + 1]! - start[hotspot]!;
    if (degree === 0) continue;
    linked[hotspot] = 1;
    links[linkedCount++] = degree;
  }
  return {
    graph,
    places,
    neighbourhood: new Neighbourhood(places, linked),
    medianLinks: takeMedian(links.subarray(0, linkedCount)),
  };
}

/** The evidence about one hotspot's place. Strengths are left to those who have them (`lossCentiDb`). */
export function createPlaceEvidence(
  network: NetworkPlaces,
  hotspot: number,
  lossCentiDb: Int32Array | null = null,
): PlaceEvidence {
  const { graph, places } = network;
  const row = graph.neighbour.subarray(graph.start[hotspot]!, graph.start[hotspot + 1]!);
  return {
    latE7: places.latE7[hotspot]!,
    lngE7: places.lngE7[hotspot]!,
    places,
    counterparts: row,
    lossCentiDb,
    findNearby: () => findNearby(network, hotspot, row),
  };
}

// One hotspot's at a time, overwritten by the next.
const NEARBY = {
  latE7: new Int32Array(NEARBY_MAX),
  lngE7: new Int32Array(NEARBY_MAX),
  links: new Int32Array(NEARBY_MAX),
  linked: new Uint8Array(NEARBY_MAX),
};

function findNearby(network: NetworkPlaces, hotspot: number, row: Uint32Array): Nearby {
  const { graph, places, medianLinks } = network;
  const nearest = network.neighbourhood.findNearest(hotspot, NEARBY_MAX);
  for (let i = 0; i < nearest.length; i++) {
    const other = nearest[i]!;
    NEARBY.latE7[i] = places.latE7[other]!;
    NEARBY.lngE7[i] = places.lngE7[other]!;
    NEARBY.links[i] = graph.start[other + 1]! - graph.start[other]!;
    NEARBY.linked[i] = includesSorted(row, other) ? 1 : 0;
  }
  return { ...NEARBY, count: nearest.length, ownLinks: row.length, medianLinks };
}

/** Whether an ascending row has a value. */
function includesSorted(row: Uint32Array, value: number): boolean {
  let low = 0;
  let high = row.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (row[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return row[low] === value;
}
