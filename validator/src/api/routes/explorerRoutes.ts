/** For those who look around: the cells in view, what a text may mean, and who is heard by whom. */
import { Type } from "typebox";
import { encodeHex } from "../../../../protocol/src/bytes/hex.ts";
import { encodeDidKey } from "../../../../protocol/src/crypto/didKey.ts";
import { computeName } from "../../../../protocol/src/crypto/names.ts";
import { cellFromHex, resolutionOf } from "../../../../protocol/src/geo/cell.ts";
import { COVERAGE_RESOLUTION } from "../../../../protocol/src/score/coverage.ts";
import { ASSERTION_RESOLUTION } from "../../store/cellRange.ts";
import type { ReceptionRow } from "../../store/store.ts";
import { type MapCell as MapCellRow, MapIndex } from "../explorer/mapIndex.ts";
import { NameIndex } from "../explorer/nameIndex.ts";
import { presentAssertion, presentCell, presentReportId } from "../present.ts";
import { badField, notFound } from "../problem.ts";
import { readKey, sendByContent } from "../requests.ts";
import { json, KeyInput, object, PROBLEMS, UNCHANGED } from "../schemas/common.ts";
import {
  Latitude,
  type LinkJson,
  Links,
  Longitude,
  type MapCellJson,
  MapView,
  type MapViewJson,
  Resolution,
  SearchResults,
  type SearchResultsJson,
} from "../schemas/explorer.ts";
import type { RouteContext, Routes } from "./context.ts";

/** Results of a search: a screen of them. */
const SEARCH_RESULTS_MAX = 20;
/** How far links look back: a day of mainnet's hourly epochs. */
const LINK_EPOCHS = 24;
/** And in how many of a hotspot's messages, newest first: some milliseconds. */
const LINK_ENVELOPES_MAX = 300;
/** Links shown, those with most receptions first. */
const LINKS_MAX = 100;

export function addExplorerRoutes(routes: Routes, context: RouteContext): void {
  addMapView(routes, context);
  addSearch(routes, context);
  addLinks(routes, context);
}

function addMapView(routes: Routes, { modules }: RouteContext): void {
  const index = new MapIndex(modules.store);
  routes.get(
    "/v1/map",
    {
      schema: {
        summary: "The map's cells within a box, at a resolution or a coarser one",
        description: "All four sides or none; `west` above `east` crosses the antimeridian.",
        tags: ["map"],
        querystring: object({
          resolution: Type.Optional(Resolution),
          west: Type.Optional(Longitude),
          south: Type.Optional(Latitude),
          east: Type.Optional(Longitude),
          north: Type.Optional(Latitude),
        }),
        response: { 200: json("The cells.", MapView), 304: UNCHANGED, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { resolution = COVERAGE_RESOLUTION, west, south, east, north } = request.query;
      const sides = [west, south, east, north].filter((side) => side !== undefined);
      if (sides.length % 4 !== 0) throw badField("west", "goes with south, east and north");
      const box = sides.length === 0 ? null : { west: west!, south: south!, east: east!, north: north! };
      const { cells, ...view } = await index.view(resolution, box);
      // Where hotspots stand is what was so when the map was made, which no epoch's record says.
      const answer: MapViewJson = { ...view, items: cells.map(presentMapCell) };
      return sendByContent(request, reply, answer) as never;
    },
  );
}

const presentMapCell = ({ cell, coveragePpmSum, paid, ...counts }: MapCellRow): MapCellJson => ({
  cell: presentCell(cell),
  ...counts,
  coveragePpm: Math.floor(coveragePpmSum / counts.cells),
  paid: `${paid}`,
});

function addSearch(routes: Routes, { modules: { store } }: RouteContext): void {
  const names = new NameIndex(store);
  routes.get(
    "/v1/search",
    {
      schema: {
        summary: "Hotspots, accounts, validators and cells by name, key or index",
        description: `At most ${SEARCH_RESULTS_MAX}; a part of a name is enough. An account has a name here once it has registered a hotspot or staked for a validator of another key; any other is found by its key.`,
        tags: ["map"],
        querystring: object({ q: Type.String({ minLength: 1, maxLength: 100 }) }),
        response: { 200: json("What it may mean.", SearchResults), ...PROBLEMS },
      },
    },
    async ({ query }) => {
      const text = query.q.trim();
      const cell = cellFromHex(text.toLowerCase());
      if (cell !== null && resolutionOf(cell) <= ASSERTION_RESOLUTION)
        return { items: [{ kind: "cell" as const, id: text.toLowerCase().replace(/^0/, ""), name: null }] };
      if (/^did:key:|^(0x)?[0-9a-fA-F]{64}$/.test(text)) return { items: await findKey(readKey("q", text)) };
      const words = text
        .toLowerCase()
        .split(/[\s-]+/)
        .filter((word) => word !== "");
      if (words.length === 0) return { items: [] };
      const found = await names.find(words.join("-"), SEARCH_RESULTS_MAX);
      return { items: found.map(({ kind, name, key }) => ({ kind, id: encodeDidKey(key), name })) };
    },
  );

  /** All that a key is: one may be a hotspot's and an account's at once. */
  async function findKey(key: Uint8Array): Promise<SearchResultsJson["items"]> {
    const [hotspot, account, validator] = await Promise.all([
      store.getHotspot(key),
      store.getAccount(key),
      store.getValidator(key),
    ]);
    const kinds = { hotspot, account, validator };
    return (["hotspot", "account", "validator"] as const)
      .filter((kind) => kinds[kind] !== null)
      .map((kind) => ({ kind, id: encodeDidKey(key), name: computeName(key) }));
  }
}

function addLinks(routes: Routes, { modules: { store } }: RouteContext): void {
  routes.get(
    "/v1/hotspots/:id/links",
    {
      config: { work: "walk" },
      schema: {
        summary: "Who a hotspot heard lately, and who heard it",
        description: `By its newest ${LINK_ENVELOPES_MAX} messages, at most ${LINK_EPOCHS} epochs back; the ${LINKS_MAX} with most receptions.`,
        tags: ["hotspots"],
        params: object({ id: KeyInput }),
        response: { 200: json("The links.", Links), ...PROBLEMS },
      },
    },
    async ({ params }) => {
      const key = readKey("id", params.id);
      if ((await store.getHotspot(key)) === null) throw notFound("hotspot");
      const running = ((await store.latestEpoch())?.epoch ?? -1) + 1;
      const fromEpoch = Math.max(0, running - LINK_EPOCHS);
      const receptions = await store.listReceptions(key, fromEpoch, running, LINK_ENVELOPES_MAX);
      const counted = countLinks(receptions);
      const items = counted.slice(0, LINKS_MAX).map(async ({ counterpart, ...link }): Promise<LinkJson> => {
        const assertion = (await store.getHotspot(counterpart))?.assertion;
        const at = assertion ? presentAssertion(assertion) : null;
        const { cell = null, latitude = null, longitude = null } = at ?? {};
        const name = computeName(counterpart);
        return { hotspot: encodeDidKey(counterpart), name, cell, latitude, longitude, ...link };
      });
      return { fromEpoch, items: await Promise.all(items) };
    },
  );
}

type CountedLink = Pick<LinkJson, "heard" | "heardBy" | "lastEpoch" | "beacon"> & {
  readonly counterpart: Uint8Array;
};

/** Receptions by counterpart, most first. */
function countLinks(receptions: readonly ReceptionRow[]): CountedLink[] {
  const links = new Map<string, CountedLink>();
  for (const { counterpart, isHeard, closedEpoch, beacon } of receptions) {
    const id = encodeHex(counterpart);
    const known = links.get(id) ?? { counterpart, heard: 0, heardBy: 0, lastEpoch: -1, beacon: "" };
    const newest = closedEpoch > known.lastEpoch;
    links.set(id, {
      counterpart,
      heard: known.heard + (isHeard ? 1 : 0),
      heardBy: known.heardBy + (isHeard ? 0 : 1),
      lastEpoch: newest ? closedEpoch : known.lastEpoch,
      beacon: newest ? presentReportId(beacon) : known.beacon,
    });
  }
  return [...links.values()].sort((a, b) => b.heard + b.heardBy - a.heard - a.heardBy);
}
