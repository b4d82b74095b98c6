/**
 * The map as an explorer draws it: for every resolution the cells in which hotspots stand, with what their coverage is and
 * what they were paid. Made from the store's rows once for each closed epoch, when it is first asked for, and kept.
 */
import { setImmediate } from "node:timers/promises";
import { cellToLatLng } from "h3-js";
import { encodeHex } from "../../../../protocol/src/bytes/hex.ts";
import { PPM } from "../../../../protocol/src/network/parameters.ts";
import { COVERAGE_RESOLUTION } from "../../../../protocol/src/score/coverage.ts";
import { cellAtResolution, computeWholeRange } from "../../store/cellRange.ts";
import type { HotspotCursor, Page, QueryStore } from "../../store/store.ts";

/** Rows between two turns of the event loop: some milliseconds. */
const ROWS_PER_TURN = 250;
/** Cells in an answer: as many as a screen can show apart, and some 300 kB. */
export const MAP_CELLS_MAX = 2_000;

/**
 * One cell of the map; all numbers speak of the resolution-8 cells in it, of which there are `cells`. `gaps` of them have fewer
 * than three counterparts in reach, `coveragePpmSum` adds up their coverage. `hotspots` stand there now, `paid` is what those
 * earned in the epoch, in base units.
 */
export type MapCell = {
  readonly cell: bigint;
  readonly cells: number;
  readonly gaps: number;
  readonly hotspots: number;
  readonly counterpartsMax: number;
  readonly coveragePpmSum: number;
  readonly paid: bigint;
};

/** Degrees; `west` above `east` crosses the antimeridian. */
export type Box = {
  readonly west: number;
  readonly south: number;
  readonly east: number;
  readonly north: number;
};

/** `epoch`: the one that coverage and pay are of; null before the first has closed. `bounds`: of everything, null if empty. */
export type MapView = {
  readonly epoch: number | null;
  readonly resolution: number;
  readonly bounds: Box | null;
  readonly cells: readonly MapCell[];
};

type Level = { readonly cells: readonly MapCell[]; readonly lat: Float64Array; readonly lng: Float64Array };
type MapStore = Pick<
  QueryStore,
  "countHotspots" | "latestCoverageEpoch" | "listCoverage" | "listHotspots" | "listPlainLines"
>;

export class MapIndex {
  readonly #store: MapStore;
  #made: { readonly key: string; readonly map: Promise<EpochMap> } | null = null;

  constructor(store: MapStore) {
    this.#store = store;
  }

  /**
   * The cells whose centres lie in a box, at `resolution` (0 to 8), or coarser where they would be more than `MAP_CELLS_MAX`.
   * @param box null for everywhere.
   */
  async view(resolution: number, box: Box | null): Promise<MapView> {
    const epoch = await this.#store.latestCoverageEpoch();
    // Before the first close there is nothing to show but where hotspots stand.
    const key = epoch === null ? `none ${await this.#store.countHotspots()}` : `${epoch}`;
    if (this.#made?.key !== key) {
      const map = readCells(this.#store, epoch).then((cells) => new EpochMap(epoch, cells));
      const made = { key, map };
      this.#made = made;
      // A failed reading is tried again by whoever asks next.
      map.catch(() => {
        if (this.#made === made) this.#made = null;
      });
    }
    return (await this.#made.map).view(resolution, box);
  }
}

class EpochMap {
  readonly #epoch: number | null;
  readonly #bounds: Box | null;
  readonly #levels: Level[] = [];

  constructor(epoch: number | null, cells: readonly MapCell[]) {
    this.#epoch = epoch;
    const finest = locate(cells);
    this.#bounds = computeBounds(finest);
    this.#levels[COVERAGE_RESOLUTION] = finest;
  }

  view(finest: number, box: Box | null): MapView {
    for (let resolution = finest; ; resolution--) {
      const cells = selectWithin(this.#level(resolution), box);
      // At resolution 0 there are 122 cells, so it ends.
      if (cells.length <= MAP_CELLS_MAX)
        return { epoch: this.#epoch, resolution, bounds: this.#bounds, cells };
    }
  }

  #level(resolution: number): Level {
    this.#levels[resolution] ??= locate(mergeCells(this.#level(resolution + 1).cells, resolution));
    return this.#levels[resolution]!;
  }
}

const NOTHING = { cells: 0, gaps: 0, hotspots: 0, counterpartsMax: 0, coveragePpmSum: 0, paid: 0n } as const;

/** The resolution-8 cells, ascending. */
async function readCells(store: MapStore, epoch: number | null): Promise<MapCell[]> {
  const cells = new Map<bigint, MapCell>();
  const paid = new Map<string, bigint>();
  if (epoch !== null) {
    await readCoverage(store, epoch, cells);
    await eachRow(
      (after: number | null) => store.listPlainLines(epoch, after ?? 0, ROWS_PER_TURN),
      (line) => paid.set(line.hotspot, line.paid),
    );
  }
  await eachRow(
    (after: HotspotCursor | null) => store.listHotspots({}, after, ROWS_PER_TURN),
    ({ key, assertion, leavingUntilEpoch }) => {
      if (assertion === null || leavingUntilEpoch !== null) return;
      const cell = cellAtResolution(assertion.cell, COVERAGE_RESOLUTION);
      // Where the epoch has no coverage to tell of, such as for who has just come, there is a gap.
      const known = cells.get(cell) ?? { ...NOTHING, cell, cells: 1, gaps: 1 };
      const earned = paid.get(encodeHex(key)) ?? 0n;
      cells.set(cell, { ...known, hotspots: known.hotspots + 1, paid: known.paid + earned });
    },
  );
  return [...cells.values()].sort((a, b) => (a.cell < b.cell ? -1 : 1));
}

async function readCoverage(store: MapStore, epoch: number, cells: Map<bigint, MapCell>): Promise<void> {
  const range = computeWholeRange(COVERAGE_RESOLUTION);
  await eachRow(
    (after: bigint | null) => store.listCoverage(epoch, COVERAGE_RESOLUTION, range, after, ROWS_PER_TURN),
    ({ cell, counterpartsMax, coveragePpmMax }) => {
      const gaps = coveragePpmMax < PPM ? 1 : 0;
      cells.set(cell, { ...NOTHING, cell, cells: 1, gaps, counterpartsMax, coveragePpmSum: coveragePpmMax });
    },
  );
}

/** Goes through all pages, with a turn of the event loop between two: others wait for it too. */
async function eachRow<Row, Cursor>(
  ask: (after: Cursor | null) => Promise<Page<Row, Cursor>>,
  take: (row: Row) => void,
): Promise<void> {
  let after: Cursor | null = null;
  do {
    const { rows, next }: Page<Row, Cursor> = await ask(after);
    for (const row of rows) take(row);
    after = next;
    await setImmediate();
  } while (after !== null);
}

const addCells = (a: MapCell, b: MapCell): MapCell => ({
  cell: a.cell,
  cells: a.cells + b.cells,
  gaps: a.gaps + b.gaps,
  hotspots: a.hotspots + b.hotspots,
  counterpartsMax: Math.max(a.counterpartsMax, b.counterpartsMax),
  coveragePpmSum: a.coveragePpmSum + b.coveragePpmSum,
  paid: a.paid + b.paid,
});

/** Ascending cells to their parents, which are then ascending too. */
function mergeCells(cells: readonly MapCell[], resolution: number): MapCell[] {
  const merged: MapCell[] = [];
  for (const one of cells) {
    const parent = { ...one, cell: cellAtResolution(one.cell, resolution) };
    const last = merged.at(-1);
    if (last?.cell === parent.cell) merged[merged.length - 1] = addCells(last, parent);
    else merged.push(parent);
  }
  return merged;
}

function locate(cells: readonly MapCell[]): Level {
  const lat = new Float64Array(cells.length);
  const lng = new Float64Array(cells.length);
  for (const [place, { cell }] of cells.entries())
    [lat[place], lng[place]] = cellToLatLng(cell.toString(16)) as [number, number];
  return { cells, lat, lng };
}

function selectWithin({ cells, lat, lng }: Level, box: Box | null): readonly MapCell[] {
  if (box === null) return cells;
  const { west, south, east, north } = box;
  return cells.filter((_cell, place) => {
    const x = lng[place]!;
    const isBetween = west <= east ? x >= west && x <= east : x >= west || x <= east;
    return isBetween && lat[place]! >= south && lat[place]! <= north;
  });
}

function computeBounds({ cells, lat, lng }: Level): Box | null {
  if (cells.length === 0) return null;
  const box = { west: 180, south: 90, east: -180, north: -90 };
  for (let place = 0; place < cells.length; place++) {
    box.west = Math.min(box.west, lng[place]!);
    box.east = Math.max(box.east, lng[place]!);
    box.south = Math.min(box.south, lat[place]!);
    box.north = Math.max(box.north, lat[place]!);
  }
  return box;
}
