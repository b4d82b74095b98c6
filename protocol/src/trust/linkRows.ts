/** The pairs of a history as rows: every pair stands at both of its ends. */

/** Rows of a symmetric graph: the neighbours of h, ascending, and the pair's row, at `start[h]` to `start[h + 1]`. */
export type LinkRows = {
  readonly start: Uint32Array;
  readonly neighbour: Uint32Array;
  readonly row: Uint32Array;
};

/**
 * Sorts unordered rows by transposition: visiting hotspots in order appends each to its neighbours' rows in order.
 * @param rows the pairs of hotspot h, in any order, at `start[h]` to `start[h + 1]`.
 * @param otherEnd the neighbour that a pair joins a hotspot with.
 */
export function sortRows(
  start: Uint32Array,
  rows: Uint32Array,
  otherEnd: (row: number, hotspot: number) => number,
): LinkRows {
  const next = start.slice();
  const neighbour = new Uint32Array(rows.length);
  const sorted = new Uint32Array(rows.length);
  for (let hotspot = 0; hotspot + 1 < start.length; hotspot++) {
    for (let i = start[hotspot]!; i < start[hotspot + 1]!; i++) {
      const at = next[otherEnd(rows[i]!, hotspot)]!++;
      neighbour[at] = hotspot;
      sorted[at] = rows[i]!;
    }
  }
  return { start, neighbour, row: sorted };
}
