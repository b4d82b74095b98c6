/**
 * How crowded the place is in which a hotspot stands, for score version 2: the trust of the others around it, counted in
 * resolution-8 cells (0.74 km2) and weighed down by half with each ring of cells, over two rings. That is about a
 * resolution-7 cell, the scale at which pay is compared, but without an edge of its own: who stands beside a border of
 * cells is not in another world (docs/truth.md has the factors).
 */
import { NEIGHBOURS_MAX, writeNeighbours } from "../geo/neighbours.ts";
import { PPM } from "../network/parameters.ts";
import { type CellLevel, findCell, groupCells, sortByCell } from "./cellOrder.ts";

/** The resolution at which the crowd is counted. */
export const CROWD_RESOLUTION = 8;
/** Rings of cells around a hotspot's own that count, each half as much as the one inside it. */
export const CROWD_RINGS = 2;
/** Others' whole trust with which a hotspot's pay is halved: four are worth having, as three locate a sender. */
export const CROWD_HALF = 4;

/** Room for the cells of the rings: 1 + 6 + 12. */
const DISK_CELLS_MAX = 1 + 6 + 12;

/** Hotspots by dense index; those that do not count have trust 0. */
export type Crowd = {
  readonly cellHi: Uint32Array;
  readonly cellLo: Uint32Array;
  /** Parts per million; whatever is below the paying threshold is to be 0: who is not paid crowds out nobody. */
  readonly trustPpm: Uint32Array;
  /** What those would count for whose pay is withheld, in parts per million; 0 for others. They crowd each other alone. */
  readonly withheldPpm?: Uint32Array;
};

/**
 * The scale of the hotspots asked for, in parts per million rounded down: 4 / (4 + the crowd's trust).
 * @param members hotspots that count or are asked for; all with a place. Others get 0.
 */
export function computeCrowdScalesPpm(
  { cellHi, cellLo, trustPpm, withheldPpm = new Uint32Array(cellHi.length) }: Crowd,
  members: Uint32Array,
): Uint32Array {
  const hi = members.map((hotspot) => cellHi[hotspot]!);
  const lo = members.map((hotspot) => cellLo[hotspot]!);
  const order = sortByCell(hi, lo);
  const sorted = [order.map((place) => hi[place]!), order.map((place) => lo[place]!)] as const;
  const level = groupCells(...sorted, CROWD_RESOLUTION);
  const [mass, withheld] = [new Float64Array(level.count), new Float64Array(level.count)];
  for (let cell = 0; cell < level.count; cell++) {
    for (let i = level.start[cell]!; i < level.start[cell + 1]!; i++) {
      mass[cell]! += trustPpm[members[order[i]!]!]!;
      withheld[cell]! += withheldPpm[members[order[i]!]!]!;
    }
  }
  const scales = new Uint32Array(cellHi.length);
  const disk = new Disk();
  for (let cell = 0; cell < level.count; cell++) {
    const around = disk.sum(level, mass, cell);
    const beside = withheld[cell] === 0 ? 0 : disk.sum(level, withheld, cell);
    for (let i = level.start[cell]!; i < level.start[cell + 1]!; i++) {
      const hotspot = members[order[i]!]!;
      const own = withheldPpm[hotspot]!;
      scales[hotspot] = computeScalePpm(around - trustPpm[hotspot]! + (own === 0 ? 0 : beside - own));
    }
  }
  return scales;
}

/** The scale for others' trust around, in parts per million of a hotspot. */
export function computeScalePpm(othersPpm: number): number {
  return Math.floor((CROWD_HALF * PPM * PPM) / (CROWD_HALF * PPM + othersPpm));
}

/** The cells around one, ring by ring; its arrays serve all cells, as a sum a cell would make a million. */
class Disk {
  readonly #cells = new Uint32Array(2 * DISK_CELLS_MAX);
  readonly #ring = new Uint32Array(2 * NEIGHBOURS_MAX);
  #count = 0;

  /** The mass in a cell and its rings, each half as much as the one inside it, rounded down ring by ring. */
  sum(level: CellLevel, mass: Float64Array, cell: number): number {
    this.#count = 0;
    this.#add(level.hi[cell]!, level.lo[cell]!);
    let sum = mass[cell]!;
    let first = 0;
    for (let ring = 1; ring <= CROWD_RINGS; ring++) {
      const end = this.#count;
      for (let inner = first; inner < end; inner++) this.#addNeighbours(inner);
      first = end;
      let around = 0;
      for (let place = end; place < this.#count; place++) {
        const found = findCell(level, this.#cells[2 * place]!, this.#cells[2 * place + 1]!);
        if (found !== -1) around += mass[found]!;
      }
      sum += Math.floor(around / 2 ** ring);
    }
    return sum;
  }

  #addNeighbours(inner: number): void {
    const neighbours = writeNeighbours(this.#cells[2 * inner]!, this.#cells[2 * inner + 1]!, this.#ring, 0);
    for (let i = 0; i < neighbours; i++) this.#add(this.#ring[2 * i]!, this.#ring[2 * i + 1]!);
  }

  #add(hi: number, lo: number): void {
    for (let place = 0; place < this.#count; place++) {
      if (this.#cells[2 * place] === hi && this.#cells[2 * place + 1] === lo) return;
    }
    this.#cells[2 * this.#count] = hi;
    this.#cells[2 * this.#count + 1] = lo;
    this.#count++;
  }
}
