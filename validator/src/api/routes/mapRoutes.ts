/** The map: coverage as GeoJSON, and what is in one cell. */
import { cellToBoundary } from "h3-js";
import { Type } from "typebox";
import { COVERAGE_RESOLUTION } from "../../../../protocol/src/score/coverage.ts";
import {
  ASSERTION_RESOLUTION,
  cellAtResolution,
  computeCellRange,
  computeWholeRange,
  resolutionOfIndex,
} from "../../store/cellRange.ts";
import type { CoverageCell as CoverageRow } from "../../store/store.ts";
import { presentCell, presentCoverage, presentHotspot } from "../present.ts";
import { ApiProblem, badField } from "../problem.ts";
import { isUnchanged, readCell, readMapCursor, restOn, writeHotspotCursor } from "../requests.ts";
import {
  CellInput,
  CellText,
  Count,
  Cursor,
  DEFAULT_PAGE_ROWS,
  EpochNumber,
  json,
  Limit,
  object,
  orNull,
  PROBLEMS,
  UNCHANGED,
} from "../schemas/common.ts";
import { CoverageCell, Hotspot } from "../schemas/entities.ts";
import { type RouteContext, type Routes, readStatusEpochs } from "./context.ts";

const Position = Type.Array(Type.Number(), { minItems: 2, maxItems: 2 });
const Feature = object({
  type: Type.Literal("Feature"),
  id: CellText,
  geometry: object({ type: Type.Literal("Polygon"), coordinates: Type.Array(Type.Array(Position)) }),
  properties: CoverageCell,
});
const Coverage = object(
  {
    type: Type.Literal("FeatureCollection"),
    epoch: EpochNumber,
    resolution: Count,
    features: Type.Array(Feature),
    next: orNull(Cursor),
  },
  "Cells with their coverage; sums and maxima over the cells of resolution 8 in them.",
);

const Cell = object({
  cell: CellText,
  resolution: Count,
  epoch: orNull(EpochNumber),
  coverage: orNull(CoverageCell),
  hotspots: Type.Array(Hotspot),
  next: orNull(Cursor),
});

/** Hotspots shown with a cell; the rest are a listing of their own. */
const CELL_HOTSPOTS = 100;

export function addMapRoutes(routes: Routes, context: RouteContext): void {
  addCellRoute(routes, context);
  addCoverageRoute(routes, context);
}

function addCellRoute(routes: Routes, context: RouteContext): void {
  const { store } = context.modules;
  routes.get(
    "/v1/cells/:cell",
    {
      config: { work: "page" },
      schema: {
        summary: "A cell: its coverage and its hotspots",
        description:
          "Coverage is mapped at resolution 8; a finer cell shows that of the one it lies in. `next` goes on at /v1/hotspots?cell=.",
        tags: ["map"],
        params: object({ cell: CellInput }),
        response: { 200: json("The cell.", Cell), ...PROBLEMS },
      },
    },
    async ({ params }) => {
      const cell = readCell("cell", params.cell);
      const resolution = resolutionOfIndex(cell);
      const mapped = resolution > COVERAGE_RESOLUTION ? cellAtResolution(cell, COVERAGE_RESOLUTION) : cell;
      const range = computeCellRange(cell, ASSERTION_RESOLUTION);
      const [epoch, epochs, page] = await Promise.all([
        store.latestCoverageEpoch(),
        readStatusEpochs(context),
        store.listHotspots({ cellFrom: range.from, cellTo: range.to }, null, CELL_HOTSPOTS),
      ]);
      const level = Math.min(resolution, COVERAGE_RESOLUTION);
      const covered =
        epoch === null
          ? []
          : (await store.listCoverage(epoch, level, { from: mapped, to: mapped }, null, 1)).rows;
      return {
        cell: presentCell(cell),
        resolution,
        epoch,
        coverage: covered[0] === undefined ? null : presentCoverage(covered[0]),
        hotspots: page.rows.map((row) => presentHotspot(row, epochs)),
        next: page.next === null ? null : writeHotspotCursor(page.next),
      };
    },
  );
}

function addCoverageRoute(routes: Routes, { modules: { store } }: RouteContext): void {
  routes.get(
    "/v1/coverage",
    {
      schema: {
        summary: "The coverage map of an epoch as GeoJSON",
        tags: ["map"],
        querystring: object({
          resolution: Type.Optional(
            Type.Integer({ minimum: 0, maximum: COVERAGE_RESOLUTION, default: COVERAGE_RESOLUTION }),
          ),
          cell: Type.Optional(CellInput),
          epoch: Type.Optional(EpochNumber),
          limit: Type.Optional(Limit),
          cursor: Type.Optional(Cursor),
        }),
        response: {
          200: {
            description: "A page of the map.",
            content: { "application/geo+json": { schema: Coverage } },
          },
          304: UNCHANGED,
          ...PROBLEMS,
        },
      },
    },
    async (request, reply) => {
      const { query } = request;
      const { resolution = COVERAGE_RESOLUTION, cell, limit = DEFAULT_PAGE_ROWS, cursor } = query;
      const after = readMapCursor(cursor);
      // Pages go on in the map in which they began, whatever has closed since.
      const epoch = after?.epoch ?? query.epoch ?? (await store.latestCoverageEpoch());
      if (epoch === null) throw new ApiProblem(404, "There is no coverage map until an epoch has closed.");
      const range = cell === undefined ? computeWholeRange(resolution) : rangeWithin(cell, resolution);
      const { rows, next } = await store.listCoverage(epoch, resolution, range, after?.cell ?? null, limit);
      const closed = await store.getEpoch(epoch);
      // Where there is nothing the map may no longer be kept, or not be made yet.
      if (closed !== null && rows.length > 0) {
        const variant = `coverage-${resolution}-${cell ?? ""}-${after?.cell ?? ""}-${limit}`;
        const isFixed = cursor !== undefined || query.epoch !== undefined;
        if (isUnchanged(request, reply, { basis: restOn(closed), variant, isFixed }))
          return reply.code(304).send(null);
      }
      reply.header("content-type", "application/geo+json; charset=utf-8");
      return reply.send({
        type: "FeatureCollection",
        epoch,
        resolution,
        features: rows.map(presentFeature),
        next: next === null ? null : `${presentCell(next)}.${epoch}`,
      });
    },
  );
}

function rangeWithin(text: string, resolution: number): { readonly from: bigint; readonly to: bigint } {
  const cell = readCell("cell", text);
  if (resolutionOfIndex(cell) > resolution)
    throw badField("cell", "must not be finer than the resolution asked for");
  return computeCellRange(cell, resolution);
}

function presentFeature(row: CoverageRow) {
  const id = presentCell(row.cell);
  return {
    type: "Feature" as const,
    id,
    geometry: { type: "Polygon" as const, coordinates: [closeRing(cellToBoundary(id, true))] },
    properties: presentCoverage(row),
  };
}

/** Half a turn: no cell is that wide, so a wider step between corners goes over the antimeridian. */
const HALF_TURN = 180;

/** A ring that does not jump from 180 to -180 degrees: beyond the antimeridian its longitudes go on counting. */
function closeRing(corners: readonly number[][]): number[][] {
  const isAcross = corners.some(([lng]) => Math.abs(lng! - corners[0]![0]!) > HALF_TURN);
  return isAcross
    ? corners.map(([lng, lat]) => [lng! < 0 ? lng! + 2 * HALF_TURN : lng!, lat!])
    : [...corners];
}
