/** The pairs of a history as rows: every pair stands at both of its ends. */

/** Rows of a symmetric graph: the neighbours of h, ascending, and the pair's row, at `start[h]` to `start[h + 1]`. */
export type LinkRows = {
  readonly start: Uint32Array;
  readonly neighbour: Uint32Array;
  readonly row: Uint32Array;
};

/**
 * Sorts pairs by counting: by their higher end, from there into the rows of the lower one, which are then in order, and
 * from these, visited in order, into the rows of the higher one. Linear in hotspots and pairs; each is moved thrice.
 * @param count hotspots; every end lies below.
 * @param low the lower end of each pair, @param high the higher one.
 */
export function createLinkRows(count: number, low: Uint32Array, high: Uint32Array): LinkRows {
  const start = new Uint32Array(count + 1);
  // Of a hotspot's row the neighbours below it come first: here how many, then where the next of those above it goes.
  const above = new Uint32Array(count);
  for (let pair = 0; pair < low.length; pair++) {
    start[low[pair]! + 1]!++;
    above[high[pair]!]!++;
  }
  const next = new Uint32Array(count);
  for (let hotspot = 0, ofHigh = 0; hotspot < count; hotspot++) {
    next[hotspot] = ofHigh;
    ofHigh += above[hotspot]!;
    start[hotspot + 1]! += start[hotspot]! + above[hotspot]!;
    above[hotspot]! += start[hotspot]!;
  }
  const byHigh = new Uint32Array(low.length);
  for (let pair = 0; pair < low.length; pair++) byHigh[next[high[pair]!]!++] = pair;
  const neighbour = new Uint32Array(2 * low.length);
  const row = new Uint32Array(2 * low.length);
  next.set(above);
  for (let i = 0; i < byHigh.length; i++) {
    const pair = byHigh[i]!;
    const at = next[low[pair]!]!++;
    neighbour[at] = high[pair]!;
    row[at] = pair;
  }
  next.set(start.subarray(0, count));
  for (let hotspot = 0; hotspot < count; hotspot++) {
    for (let i = above[hotspot]!; i < start[hotspot + 1]!; i++) {
      const at = next[neighbour[i]!]!++;
      neighbour[at] = hotspot;
      row[at] = row[i]!;
    }
  }
  return { start, neighbour, row };
}
