/** The pairs of a history as rows: every pair stands at both of its ends. */

/** Rows of a symmetric graph: the neighbours of h, ascending, and the pair's row, at `start[h]` to `start[h + 1]`. */
export type LinkRows = {
  readonly start: Uint32Array;
  readonly neighbour: Uint32Array;
  readonly row: Uint32Array;
};

/**
 * Sorts pairs by counting, once by either end: visiting the hotspots in order then appends each to its neighbours' rows
 * in order. Linear in hotspots and pairs.
 * @param count hotspots; every end lies below.
 * @param ends both ends of pair r at 2r and 2r + 1.
 */
export function createLinkRows(count: number, ends: Uint32Array): LinkRows {
  const start = new Uint32Array(count + 1);
  for (let half = 0; half < ends.length; half++) start[ends[half]! + 1]!++;
  for (let hotspot = 0; hotspot < count; hotspot++) start[hotspot + 1]! += start[hotspot]!;
  const halves = new Uint32Array(ends.length);
  const next = start.slice();
  for (let half = 0; half < ends.length; half++) halves[next[ends[half]!]!++] = half;
  const neighbour = new Uint32Array(ends.length);
  const row = new Uint32Array(ends.length);
  next.set(start);
  for (let hotspot = 0; hotspot < count; hotspot++) {
    for (let i = start[hotspot]!; i < start[hotspot + 1]!; i++) {
      const half = halves[i]!;
      // The pair's other end.
      const at = next[ends[half ^ 1]!]!++;
      neighbour[at] = hotspot;
      row[at] = half >>> 1;
    }
  }
  return { start, neighbour, row };
}
