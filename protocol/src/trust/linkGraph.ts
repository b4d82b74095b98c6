/** The witness graph as the history has it: pairs of both directions merged into edges, each weighed by its evidence. */
import { FIRST_EPOCH, readEpochs } from "./linkColumns.ts";
import type { LinkHistory } from "./linkHistory.ts";
import type { LinkRows } from "./linkRows.ts";
import { computeEdgeWeight, type WitnessGraph, YOUNG_EDGE_WEIGHT_MAX } from "./witnessGraph.ts";

/** The graph, and for each of its edges where its pair stands in the history: the same rows. */
export type LinkGraph = { readonly graph: WitnessGraph; readonly rows: LinkRows };

/**
 * Weighs every pair with a valid report: by the epochs of its better direction, as a young one where it is known for
 * less than `youngEpochs` or in one direction only: who is heard and never hears may be a claim and not a channel.
 * Pairs of which all reports were refused are left out.
 * @param count hotspots.
 * @param epoch the epoch from whose start the trust is in force.
 */
export function createLinkGraph(
  history: LinkHistory,
  count: number,
  epoch: number,
  youngEpochs: number,
): LinkGraph {
  const all = history.listRows(count, epoch);
  const weights = weighPairs(history, epoch, youngEpochs);
  const rows = keepValid(all, weights);
  const { start, neighbour, row } = rows;
  const weight = new Uint8Array(neighbour.length);
  for (let i = 0; i < weight.length; i++) weight[i] = weights[row[i]!]!;
  return { graph: { count, start, neighbour, weight }, rows };
}

/** By row, in the order in which rows stand in memory; 0 where no report was valid. */
function weighPairs(history: LinkHistory, epoch: number, youngEpochs: number): Uint8Array {
  const weights = new Uint8Array(history.size);
  history.visitRows((row, table, at) => {
    const lowHeard = readEpochs(table, at, true);
    const highHeard = readEpochs(table, at, false);
    const ageEpochs = epoch - table[at + FIRST_EPOCH]!;
    const weight = computeEdgeWeight(Math.max(lowHeard, highHeard), ageEpochs, youngEpochs);
    const isOneWay = lowHeard === 0 || highHeard === 0;
    weights[row] = isOneWay ? Math.min(weight, YOUNG_EDGE_WEIGHT_MAX) : weight;
  });
  return weights;
}

/** The pairs that weigh anything: nearly always all of them, and then the same columns serve. */
function keepValid(rows: LinkRows, weights: Uint8Array): LinkRows {
  let count = 0;
  for (let i = 0; i < rows.row.length; i++) if (weights[rows.row[i]!] !== 0) count++;
  if (count === rows.row.length) return rows;
  const kept = {
    start: new Uint32Array(rows.start.length),
    neighbour: new Uint32Array(count),
    row: new Uint32Array(count),
  };
  let written = 0;
  for (let hotspot = 0; hotspot + 1 < rows.start.length; hotspot++) {
    for (let i = rows.start[hotspot]!; i < rows.start[hotspot + 1]!; i++) {
      if (weights[rows.row[i]!] === 0) continue;
      kept.neighbour[written] = rows.neighbour[i]!;
      kept.row[written++] = rows.row[i]!;
    }
    kept.start[hotspot + 1] = written;
  }
  return kept;
}
