/**
 * The witness graph: who has verifiably heard whom, as rows of neighbours in typed arrays. An edge has one weight for
 * both directions, from the epochs in which it was verified: many count more, to a cap, and young edges little, so that
 * neither a burst of reports nor a fresh acquaintance buys trust.
 */

/** A graph of `count` hotspots: the neighbours of h are at `start[h]` to `start[h + 1]` (end exclusive), ascending. */
export type WitnessGraph = {
  readonly count: number;
  readonly start: Uint32Array;
  readonly neighbour: Uint32Array;
  /** 1 to `EDGE_WEIGHT_MAX`, parallel to `neighbour`. */
  readonly weight: Uint8Array;
};

/** Undirected edges, each once, in any order; parallel columns. */
export type EdgeList = {
  readonly a: Uint32Array;
  readonly b: Uint32Array;
  readonly weight: Uint8Array;
};

/** An edge verified in this many epochs is as good as any: twice what a day of beacons every six hours gives. */
export const EDGE_WEIGHT_MAX = 8;
/** A young edge weighs at most this, a quarter. */
export const YOUNG_EDGE_WEIGHT_MAX = 2;

/**
 * The weight of an edge, 0 (none) to `EDGE_WEIGHT_MAX`.
 * @param verifiedEpochs epochs in which either direction was verified.
 * @param ageEpochs since the first of them.
 * @param youngEpochs an edge younger than this is young; a quarter of what the history keeps is the rule.
 */
export function computeEdgeWeight(verifiedEpochs: number, ageEpochs: number, youngEpochs: number): number {
  const most = ageEpochs < youngEpochs ? YOUNG_EDGE_WEIGHT_MAX : EDGE_WEIGHT_MAX;
  return Math.min(verifiedEpochs, most);
}

/** Sorts edges into rows by counting, in time linear in hotspots and edges. Edges to oneself and of weight 0 are left out. */
export function createWitnessGraph(count: number, edges: EdgeList): WitnessGraph {
  const { a, b, weight } = edges;
  const start = new Uint32Array(count + 1);
  const kept = (i: number): boolean => weight[i]! > 0 && a[i] !== b[i];
  for (let i = 0; i < a.length; i++) {
    if (!kept(i)) continue;
    start[a[i]! + 1]!++;
    start[b[i]! + 1]!++;
  }
  for (let h = 0; h < count; h++) start[h + 1]! += start[h]!;
  const neighbour = new Uint32Array(start[count]!);
  const weights = new Uint8Array(start[count]!);
  const next = start.slice();
  const append = (row: number, other: number, edgeWeight: number): void => {
    const at = next[row]!++;
    neighbour[at] = other;
    weights[at] = edgeWeight;
  };
  for (let i = 0; i < a.length; i++) {
    if (!kept(i)) continue;
    append(a[i]!, b[i]!, weight[i]!);
    append(b[i]!, a[i]!, weight[i]!);
  }
  return transpose({ count, start, neighbour, weight: weights });
}

/** A symmetric graph with its rows in ascending order: visiting rows in order appends each row's neighbours in order. */
function transpose({ count, start, neighbour, weight }: WitnessGraph): WitnessGraph {
  const next = start.slice();
  const sorted = new Uint32Array(neighbour.length);
  const sortedWeight = new Uint8Array(weight.length);
  for (let h = 0; h < count; h++) {
    for (let i = start[h]!; i < start[h + 1]!; i++) {
      const at = next[neighbour[i]!]!++;
      sorted[at] = h;
      sortedWeight[at] = weight[i]!;
    }
  }
  return { count, start, neighbour: sorted, weight: sortedWeight };
}

/** A graph whose hotspots have new numbers, and for each of these the old one. */
export type OrderedGraph = { readonly graph: WitnessGraph; readonly order: Uint32Array };

/**
 * The same graph with hotspots numbered as a breadth-first search finds them, from the lowest number of each part: then
 * neighbours lie near each other in memory. Fetching them is what trust costs; a million hotspots in the order of their
 * registration take five times as long.
 */
export function reorderBreadthFirst(graph: WitnessGraph): OrderedGraph {
  const { count, start, neighbour, weight } = graph;
  const { order, numberOf } = numberBreadthFirst(graph);
  const newStart = new Uint32Array(count + 1);
  for (let number = 0; number < count; number++) {
    const hotspot = order[number]!;
    newStart[number + 1] = newStart[number]! + start[hotspot + 1]! - start[hotspot]!;
  }
  const next = newStart.slice();
  const newNeighbour = new Uint32Array(neighbour.length);
  const newWeight = new Uint8Array(weight.length);
  // Appending each to its neighbours' rows keeps these in ascending order.
  for (let number = 0; number < count; number++) {
    const hotspot = order[number]!;
    for (let i = start[hotspot]!; i < start[hotspot + 1]!; i++) {
      const at = next[numberOf[neighbour[i]!]!]!++;
      newNeighbour[at] = number;
      newWeight[at] = weight[i]!;
    }
  }
  return { graph: { count, start: newStart, neighbour: newNeighbour, weight: newWeight }, order };
}

/** A breadth-first search from the lowest number of each part: for each place in it the hotspot, and for each hotspot its place. */
export function numberBreadthFirst({ count, start, neighbour }: WitnessGraph): {
  readonly order: Uint32Array;
  readonly numberOf: Int32Array;
} {
  const order = new Uint32Array(count);
  const numberOf = new Int32Array(count).fill(-1);
  let found = 0;
  for (let first = 0; first < count; first++) {
    if (numberOf[first] !== -1) continue;
    numberOf[first] = found;
    order[found++] = first;
    for (let visited = found - 1; visited < found; visited++) {
      const hotspot = order[visited]!;
      for (let i = start[hotspot]!; i < start[hotspot + 1]!; i++) {
        const other = neighbour[i]!;
        if (numberOf[other] !== -1) continue;
        numberOf[other] = found;
        order[found++] = other;
      }
    }
  }
  return { order, numberOf };
}
