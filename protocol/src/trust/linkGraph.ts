/** The witness graph as the history has it: pairs of both directions merged into edges, each weighed by its evidence. */
import type { LinkHistory } from "./linkHistory.ts";
import type { LinkRows } from "./linkRows.ts";
import { LinkTally } from "./linkTally.ts";
import type { WitnessGraph } from "./witnessGraph.ts";

export type LinkGraph = { readonly graph: WitnessGraph; readonly rows: LinkRows; readonly tally: LinkTally };

/**
 * Weighs every pair with a valid report: by the epochs of its better direction, as a young one where it is known for
 * less than `youngEpochs` or in one direction only: who is heard and never hears may be a claim and not a channel.
 * Pairs of which all reports were refused are left out of the graph and stay in `rows`.
 * @param count hotspots.
 * @param epoch the epoch from whose start the trust is in force.
 */
export function createLinkGraph(
  history: LinkHistory,
  count: number,
  epoch: number,
  youngEpochs: number,
): LinkGraph {
  const rows = history.listRows(count, epoch);
  const tally = new LinkTally(history, count, epoch, youngEpochs);
  const weights = new Uint8Array(rows.neighbour.length);
  let edges = 0;
  for (let i = 0; i < weights.length; i++) {
    weights[i] = tally.weight[rows.row[i]!]!;
    if (weights[i]! > 0) edges++;
  }
  return { graph: dropWeightless(rows, weights, edges), rows, tally };
}

/** The graph of the pairs that weigh anything: nearly always all of them, and then the rows' own columns serve. */
function dropWeightless({ start, neighbour }: LinkRows, weights: Uint8Array, edges: number): WitnessGraph {
  const count = start.length - 1;
  if (edges === neighbour.length) return { count, start, neighbour, weight: weights };
  const graph = {
    count,
    start: new Uint32Array(count + 1),
    neighbour: new Uint32Array(edges),
    weight: new Uint8Array(edges),
  };
  let written = 0;
  for (let hotspot = 0; hotspot < count; hotspot++) {
    for (let i = start[hotspot]!; i < start[hotspot + 1]!; i++) {
      if (weights[i] === 0) continue;
      graph.neighbour[written] = neighbour[i]!;
      graph.weight[written++] = weights[i]!;
    }
    graph.start[hotspot + 1] = written;
  }
  return graph;
}
