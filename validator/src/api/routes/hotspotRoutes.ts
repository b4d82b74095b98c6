/** Hotspots: who they are, and what became of everything they reported. */
import { Type } from "typebox";
import { computeCellRange } from "../../store/cellRange.ts";
import { PreparedTexts } from "../preparedTexts.ts";
import { presentActivity, presentBeacon, presentHotspot } from "../present.ts";
import { notFound } from "../problem.ts";
import {
  readCell,
  readHotspotCursor,
  readKey,
  readNumberCursor,
  readReportId,
  writeHotspotCursor,
} from "../requests.ts";
import {
  CellInput,
  Cursor,
  DEFAULT_PAGE_ROWS,
  json,
  KeyInput,
  Limit,
  object,
  orNull,
  PROBLEMS,
  pageOf,
  ReportIdText,
} from "../schemas/common.ts";
import { Activity, Beacon, Hotspot, HotspotStatusText } from "../schemas/entities.ts";
import { TrustState } from "../schemas/trust.ts";
import { type RouteContext, type Routes, readStatusEpochs } from "./context.ts";
import { presentTrust } from "./trustRoutes.ts";

const IdParams = object({ id: KeyInput });

/** Reports, and by what trust they count now: null for a hotspot that always was wholly trusted, or was not computed yet. */
const ActivityPage = object({
  items: Type.Array(Activity),
  next: orNull(Cursor),
  trust: orNull(TrustState),
});

export function addHotspotRoutes(routes: Routes, context: RouteContext): void {
  addHotspotListings(routes, context);
  addHotspot(routes, context);
  addEvidenceRoutes(routes, context);
}

function addHotspotListings(routes: Routes, context: RouteContext): void {
  const { store } = context.modules;
  routes.get(
    "/v1/hotspots",
    {
      schema: {
        summary: "Hotspots, by owner, cell and status",
        description: "In the order of registration; with `cell`, those in it, in the order of their cells.",
        tags: ["hotspots"],
        querystring: object({
          owner: Type.Optional(KeyInput),
          cell: Type.Optional(CellInput),
          status: Type.Optional(HotspotStatusText),
          limit: Type.Optional(Limit),
          cursor: Type.Optional(Cursor),
        }),
        response: { 200: json("A page of hotspots.", pageOf(Hotspot)), ...PROBLEMS },
      },
    },
    async ({ query }) => {
      const { owner, cell, status, limit, cursor } = query;
      const range = cell === undefined ? null : computeCellRange(readCell("cell", cell), 12);
      const statusEpochs = await readStatusEpochs(context);
      const filter = {
        ...(owner === undefined ? {} : { owner: readKey("owner", owner) }),
        ...(range === null ? {} : { cellFrom: range.from, cellTo: range.to }),
        ...(status === undefined ? {} : { status, statusEpochs }),
      };
      const after = readHotspotCursor(cursor, range !== null);
      const { rows, next } = await store.listHotspots(filter, after, limit ?? DEFAULT_PAGE_ROWS);
      return {
        items: rows.map((row) => presentHotspot(row, statusEpochs)),
        next: next === null ? null : writeHotspotCursor(next),
      };
    },
  );
}

/** What is asked most of all, so that it is answered without a promise where the answer is at hand. */
function addHotspot(routes: Routes, context: RouteContext): void {
  const { store, storeVersion } = context.modules;
  const texts = new PreparedTexts();
  const write = async (id: string): Promise<string> => {
    const version = storeVersion();
    const row = await store.getHotspot(readKey("id", id));
    if (row === null) throw notFound("hotspot");
    const text = JSON.stringify(presentHotspot(row, await readStatusEpochs(context)));
    texts.keep(id, version, text);
    return text;
  };
  routes.get(
    "/v1/hotspots/:id",
    {
      schema: {
        summary: "A hotspot",
        tags: ["hotspots"],
        params: IdParams,
        response: { 200: json("The hotspot.", Hotspot), ...PROBLEMS },
      },
    },
    ({ params: { id } }, reply) => {
      reply.type("application/json; charset=utf-8");
      const known = texts.find(id, storeVersion());
      // The schema describes the value that is written in the text.
      if (known === undefined) return write(id) as Promise<never>;
      reply.send(known as never);
    },
  );
}

function addEvidenceRoutes(routes: Routes, { modules: { store } }: RouteContext): void {
  routes.get(
    "/v1/hotspots/:id/activity",
    {
      schema: {
        summary: "A hotspot's own reports, newest first, each with its verdict and reason",
        tags: ["hotspots"],
        params: IdParams,
        querystring: object({ limit: Type.Optional(Limit), cursor: Type.Optional(Cursor) }),
        response: { 200: json("A page of reports.", ActivityPage), ...PROBLEMS },
      },
    },
    async ({ params, query }) => {
      const key = readKey("id", params.id);
      if ((await store.getHotspot(key)) === null) throw notFound("hotspot");
      const before = readNumberCursor(query.cursor);
      const { rows, next } = await store.listActivity(key, before, query.limit ?? DEFAULT_PAGE_ROWS);
      const [trust] = (await store.listTrust(key, null, 1)).rows;
      return {
        items: rows.map(presentActivity),
        next: next === null ? null : `${next}`,
        // The reports that findings name are shown with the trust itself.
        trust: trust === undefined ? null : presentTrust(trust, new Map()),
      };
    },
  );
  routes.get(
    "/v1/beacons/:id",
    {
      config: { work: "page" },
      schema: {
        summary: "A beacon with the whole evidence: who heard it, how well, and what was made of it",
        tags: ["hotspots"],
        params: object({ id: ReportIdText }),
        response: { 200: json("The beacon.", Beacon), ...PROBLEMS },
      },
    },
    async ({ params }) => {
      const row = await store.getBeacon(readReportId("id", params.id));
      if (row === null) throw notFound("beacon");
      return presentBeacon(row);
    },
  );
}
