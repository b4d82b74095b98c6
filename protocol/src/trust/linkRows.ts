/** The pairs of a history as rows: every pair stands at both of its ends. */

/** Rows of a symmetric graph: the neighbours of h, ascending, and the pair's row, at `start[h]` to `start[h + 1]`. */
export type LinkRows = {
  readonly start: Uint32Array;
  readonly neighbour: Uint32Array;
  readonly row: Uint32Array;
};

/** Visiting rows in order appends each hotspot to its neighbours' rows in order: a sort by transposition. */
export function sortRows({ start, neighbour, row }: LinkRows): LinkRows {
  const next = start.slice();
  const sorted = new Uint32Array(neighbour.length);
  const sortedRow = new Uint32Array(row.length);
  for (let hotspot = 0; hotspot + 1 < start.length; hotspot++) {
    for (let i = start[hotspot]!; i < start[hotspot + 1]!; i++) {
      const at = next[neighbour[i]!]!++;
      sorted[at] = hotspot;
      sortedRow[at] = row[i]!;
    }
  }
  return { start, neighbour: sorted, row: sortedRow };
}
