/**
 * What the whole network says about each hotspot's place: gathers, from the witness graph and the asserted places, the
 * evidence that edge plausibility judges.
 */
import { takeMedian } from "./fixed.ts";
import { Neighbourhood, type Places } from "./neighbourhood.ts";
import { NEARBY_MAX, type Nearby, type PlaceEvidence } from "./penalties/edgePlausibility.ts";
import type { WitnessGraph } from "./witnessGraph.ts";

/** Rows of counterparts, ascending. */
type Rows = Pick<WitnessGraph, "start" | "neighbour">;

export type NetworkPlaces = {
  readonly rows: Rows;
  readonly places: Places;
  /** Finds trusted hotspots that have links. */
  readonly neighbourhood: Neighbourhood;
  /** Distinct trusted counterparts of each hotspot, and of the median one among those that are found. */
  readonly links: Int32Array;
  readonly medianLinks: number;
};

/**
 * Measures a network once for all its hotspots.
 * @param trusted by hotspot: 1 where it counts, as a counterpart and as a neighbour that is silent; all if left out. Else
 *   strangers who assert places around somebody would be the neighbours that it ought to hear.
 */
export function measureNetworkPlaces(rows: Rows, places: Places, trusted?: Uint8Array): NetworkPlaces {
  const count = rows.start.length - 1;
  const included = new Uint8Array(count);
  const links = new Int32Array(count);
  for (let hotspot = 0; hotspot < count; hotspot++) {
    for (let i = rows.start[hotspot]!; i < rows.start[hotspot + 1]!; i++) {
      if (trusted === undefined || trusted[rows.neighbour[i]!] === 1) links[hotspot]!++;
    }
    if (links[hotspot]! > 0 && (trusted === undefined || trusted[hotspot] === 1)) included[hotspot] = 1;
  }
  return {
    rows,
    places,
    neighbourhood: new Neighbourhood(places, included),
    links,
    medianLinks: takeMedian(links.filter((_, hotspot) => included[hotspot] === 1)),
  };
}

/**
 * The evidence about one hotspot's place, without strengths.
 * @param counterparts by whom it is judged: all if left out.
 */
export function createPlaceEvidence(
  network: NetworkPlaces,
  hotspot: number,
  counterparts?: Uint32Array,
): PlaceEvidence {
  const { rows, places } = network;
  const row = rows.neighbour.subarray(rows.start[hotspot]!, rows.start[hotspot + 1]!);
  return {
    latE7: places.latE7[hotspot]!,
    lngE7: places.lngE7[hotspot]!,
    places,
    counterparts: counterparts ?? row,
    lossCentiDb: null,
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
  const { places, links, medianLinks } = network;
  const nearest = network.neighbourhood.findNearest(hotspot, NEARBY_MAX);
  for (let i = 0; i < nearest.length; i++) {
    const other = nearest[i]!;
    NEARBY.latE7[i] = places.latE7[other]!;
    NEARBY.lngE7[i] = places.lngE7[other]!;
    NEARBY.links[i] = links[other]!;
    NEARBY.linked[i] = includesSorted(row, other) ? 1 : 0;
  }
  return { ...NEARBY, count: nearest.length, ownLinks: links[hotspot]!, medianLinks };
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
