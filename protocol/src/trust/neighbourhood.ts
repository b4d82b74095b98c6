/**
 * The hotspots nearest to each hotspot's asserted place: who ought to hear it if it stands there. A grid of squares makes
 * the search linear in hotspots; where squares are crowded, only the first of each are looked at.
 */
import { computeEastM, computeNorthM, createLocalPlane, type LocalPlane } from "./localPlane.ts";

/** A square's side in 1e-7 degrees: 2.2 km of latitude. Three rings of squares are as far as a link is to be expected. */
const SQUARE_E7 = 200_000;
const RINGS_MAX = 3;
const COLUMNS = 3_600_000_000 / SQUARE_E7;
/** Hotspots of one square that are looked at: a network this dense has its neighbours among the first. */
const PER_SQUARE_MAX = 32;

/** Places in 1e-7 degrees, by which the nearest are found. */
export type Places = { readonly latE7: Int32Array; readonly lngE7: Int32Array };

export class Neighbourhood {
  readonly #places: Places;
  /** For each square in use, where its hotspots begin in `#members`; they are as many as `#sizes` says. */
  readonly #squares = new Map<number, number>();
  readonly #starts: Uint32Array;
  readonly #members: Uint32Array;
  /** Places of the members, side by side as a search reads them. */
  readonly #latE7: Int32Array;
  readonly #lngE7: Int32Array;
  /** The nearest found so far, by distance; made once, as a search a hotspot would make a million. */
  readonly #found = new Uint32Array(256);
  readonly #squareM = new Float64Array(256);

  /** @param included hotspots to be found; all if left out. */
  constructor(places: Places, included?: Uint8Array) {
    this.#places = places;
    const count = places.latE7.length;
    const squareNumber = new Int32Array(count).fill(-1);
    for (let hotspot = 0; hotspot < count; hotspot++) {
      if (included !== undefined && included[hotspot] !== 1) continue;
      const square = squareOf(rowOf(places.latE7[hotspot]!), columnOf(places.lngE7[hotspot]!));
      const known = this.#squares.get(square);
      squareNumber[hotspot] = known ?? this.#squares.size;
      if (known === undefined) this.#squares.set(square, this.#squares.size);
    }
    this.#starts = new Uint32Array(this.#squares.size + 1);
    for (const number of squareNumber) if (number >= 0) this.#starts[number + 1]!++;
    for (let i = 0; i < this.#squares.size; i++) this.#starts[i + 1]! += this.#starts[i]!;
    this.#members = new Uint32Array(this.#starts[this.#squares.size]!);
    const next = this.#starts.slice();
    for (let hotspot = 0; hotspot < count; hotspot++) {
      if (squareNumber[hotspot]! >= 0) this.#members[next[squareNumber[hotspot]!]!++] = hotspot;
    }
    this.#latE7 = gather(places.latE7, this.#members);
    this.#lngE7 = gather(places.lngE7, this.#members);
  }

  /**
   * The nearest others to a hotspot's place, nearest first, equal ones by index. The array is overwritten by the next call.
   * @param most how many, at most 255; fewer come back where the squares around hold fewer.
   */
  findNearest(hotspot: number, most: number): Uint32Array {
    const { latE7, lngE7 } = this.#places;
    const plane = createLocalPlane(latE7[hotspot]!, lngE7[hotspot]!);
    const row = rowOf(latE7[hotspot]!);
    const column = columnOf(lngE7[hotspot]!);
    let count = 0;
    let enough = false;
    for (let ring = 0; ring <= RINGS_MAX; ring++) {
      for (let dRow = -ring; dRow <= ring; dRow++) {
        const step = Math.abs(dRow) === ring ? 1 : 2 * ring;
        for (let dColumn = -ring; dColumn <= ring; dColumn += step) {
          const number = this.#squares.get(squareOf(row + dRow, (column + dColumn + COLUMNS) % COLUMNS));
          if (number !== undefined) count = this.#searchSquare(number, hotspot, plane, count, most);
        }
      }
      // A nearer one may still lie across the edge, so one ring more is looked at.
      if (enough) break;
      enough = count === most;
    }
    return this.#found.subarray(0, count);
  }

  /** Inserts a square's hotspots among the nearest so far. */
  #searchSquare(number: number, hotspot: number, plane: LocalPlane, before: number, most: number): number {
    const first = this.#starts[number]!;
    const end = Math.min(this.#starts[number + 1]!, first + PER_SQUARE_MAX);
    let count = before;
    for (let i = first; i < end; i++) {
      const other = this.#members[i]!;
      if (other === hotspot) continue;
      const eastM = computeEastM(plane, this.#lngE7[i]!);
      const northM = computeNorthM(plane, this.#latE7[i]!);
      const squareM = Math.floor(eastM * eastM + northM * northM);
      let place = count < most ? count++ : most;
      for (; place > 0 && this.#isNearer(squareM, other, place - 1); place--) {
        if (place === most) continue;
        this.#found[place] = this.#found[place - 1]!;
        this.#squareM[place] = this.#squareM[place - 1]!;
      }
      if (place === most) continue;
      this.#found[place] = other;
      this.#squareM[place] = squareM;
    }
    return count;
  }

  #isNearer(squareM: number, other: number, place: number): boolean {
    const atPlace = this.#squareM[place]!;
    return squareM < atPlace || (squareM === atPlace && other < this.#found[place]!);
  }
}

// A plain loop: `Int32Array.from` with a function takes ten times as long, a million times over.
function gather(column: Int32Array, indexes: Uint32Array): Int32Array {
  const gathered = new Int32Array(indexes.length);
  for (let i = 0; i < indexes.length; i++) gathered[i] = column[indexes[i]!]!;
  return gathered;
}

const rowOf = (latE7: number): number => Math.floor((latE7 + 900_000_000) / SQUARE_E7);
const columnOf = (lngE7: number): number => Math.floor((lngE7 + 1_800_000_000) / SQUARE_E7) % COLUMNS;
const squareOf = (row: number, column: number): number => row * COLUMNS + column;
