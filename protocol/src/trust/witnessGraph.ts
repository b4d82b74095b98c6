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
