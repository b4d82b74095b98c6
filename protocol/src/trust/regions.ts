/** Regions and groups of hotspots by their cells, as dense numbers: what trust compares and caps within. */
import { parentHi, parentLo } from "../geo/cell.ts";
import { groupCells, ORDERED_RESOLUTION, sortByCell } from "../score/cellOrder.ts";

/** Cells of 1,770 km2, a metropolis: whose hotspots' ranks are compared with each other. */
export const REGION_RESOLUTION = 4;

/** Hotspots' asserted cells; a high half of 0 is no place. */
export type HotspotCells = { readonly cellHi: Uint32Array; readonly cellLo: Uint32Array };

/** Dense region numbers in the order of first hotspot; all without a place share one of their own. */
export function numberRegions({ cellHi, cellLo }: HotspotCells): Uint32Array {
  const numbers = new Map<number, number>();
  return cellHi.map((hi, hotspot) => {
    // Down to resolution 4 a cell's digits stand in the high half and the uppermost bits of the low one.
    const key = hi === 0 ? -1 : cellKey(hi, cellLo[hotspot]!, REGION_RESOLUTION);
    const known = numbers.get(key) ?? numbers.size;
    numbers.set(key, known);
    return known;
  });
}

/** One exact number for a cell of resolution 7 or coarser: what lies below its digits is the same in all of them. */
function cellKey(hi: number, lo: number, resolution: number): number {
  return (parentHi(hi, resolution) & 0xf_ffff) * 2 ** 32 + parentLo(lo, resolution);
}

/**
 * Groups of at least `least` hotspots that share a cell, and an owner where `owner` is given; members ascending.
 * @param resolution finer than 10 too, but not with owners.
 * @param included 1 for hotspots that count.
 */
export function groupByCell(
  { cellHi, cellLo }: HotspotCells,
  resolution: number,
  included: Uint8Array,
  owner: Uint32Array | null,
  least: number,
): number[][] {
  const members = listIncluded(cellHi, included);
  const [hi, lo] = [members.map((hotspot) => cellHi[hotspot]!), members.map((hotspot) => cellLo[hotspot]!)];
  const order = sortByCell(hi, lo);
  const sorted = [order.map((place) => hi[place]!), order.map((place) => lo[place]!)] as const;
  const level = groupCells(...sorted, Math.min(resolution, ORDERED_RESOLUTION));
  const found: number[][] = [];
  for (let cell = 0; cell < level.count; cell++) {
    // Nearly all cells hold too few, and are passed over before anything is made of them.
    if (level.start[cell + 1]! - level.start[cell]! < least) continue;
    const groups = new Map<number, number[]>();
    for (const place of order.subarray(level.start[cell], level.start[cell + 1]!)) {
      // What is finer than the ordered resolution stands in the low half.
      const key = owner === null ? parentLo(lo[place]!, resolution) : owner[members[place]!]!;
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [members[place]!]);
      else group.push(members[place]!);
    }
    for (const group of groups.values()) if (group.length >= least) found.push(group.sort((a, b) => a - b));
  }
  return found;
}

function listIncluded(cellHi: Uint32Array, included: Uint8Array): Uint32Array {
  const members = new Uint32Array(included.length);
  let count = 0;
  for (let hotspot = 0; hotspot < included.length; hotspot++) {
    if (included[hotspot] === 1 && cellHi[hotspot] !== 0) members[count++] = hotspot;
  }
  return members.slice(0, count);
}
