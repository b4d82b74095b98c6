/** Hotspots: who they are, what they earned, and what became of everything they reported. */
import { Type } from "typebox";
import { computeCellRange } from "../../store/cellRange.ts";
import { MAX_REWARD_RANGE_EPOCHS, REWARD_BUCKETS } from "../../store/store.ts";
import { writeCsvHeader, writeCsvRow } from "../csv.ts";
import { presentActivity, presentBeacon, presentBucket, presentHotspot } from "../present.ts";
import { badField, notFound } from "../problem.ts";
import {
  isUnchanged,
  readCell,
  readHotspotCursor,
  readKey,
  readNumberCursor,
  readReportId,
  wantsCsv,
  writeHotspotCursor,
} from "../requests.ts";
import {
  CellInput,
  Cursor,
  DEFAULT_PAGE_ROWS,
  EpochNumber,
  Format,
  json,
  KeyInput,
  Limit,
  object,
  oneOf,
  orNull,
  PROBLEMS,
  pageOf,
  ReportIdText,
  UNCHANGED,
} from "../schemas/common.ts";
import {
  Activity,
  Beacon,
  Hotspot,
  HotspotStatusText,
  RewardBucket,
  type RewardBucketJson,
} from "../schemas/entities.ts";
import { TrustState } from "../schemas/trust.ts";
import { type RouteContext, type Routes, readStatusEpochs } from "./context.ts";
import { presentTrust } from "./trustRoutes.ts";

/** Without a range: thirty days of hourly epochs. */
const DEFAULT_RANGE_EPOCHS = 720;

const IdParams = object({ id: KeyInput });

/** Reports, and by what trust they count now: null for a hotspot that always was wholly trusted. */
const ActivityPage = object({
  items: Type.Array(Activity),
  next: orNull(Cursor),
  trust: orNull(TrustState),
});

export function addHotspotRoutes(routes: Routes, context: RouteContext): void {
  addHotspotListings(routes, context);
  addHotspotRewards(routes, context);
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
    async ({ params }) => {
      const row = await store.getHotspot(readKey("id", params.id));
      if (row === null) throw notFound("hotspot");
      return presentHotspot(row, await readStatusEpochs(context));
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
        trust: trust === undefined ? null : presentTrust(trust, []),
      };
    },
  );
  routes.get(
    "/v1/beacons/:id",
    {
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

const BUCKET_COLUMNS = [
  "startTimeMs",
  "firstEpoch",
  "lastEpoch",
  "epochs",
  "beaconUnitsPpm",
  "witnessUnitsPpm",
  "scalePpm",
  "beaconPaid",
  "witnessPaid",
  "paid",
] as const satisfies readonly (keyof RewardBucketJson)[];

const RangeQuery = object({
  from: Type.Optional(EpochNumber),
  to: Type.Optional(EpochNumber),
  bucket: Type.Optional(
    oneOf(REWARD_BUCKETS, "Days and months are those of UTC in which an epoch began; default `epoch`."),
  ),
  format: Type.Optional(Format),
});

const Rewards = object({ from: EpochNumber, to: EpochNumber, items: Type.Array(RewardBucket) });

function addHotspotRewards(routes: Routes, { modules: { store } }: RouteContext): void {
  routes.get(
    "/v1/hotspots/:id/rewards",
    {
      schema: {
        summary: "What a hotspot earned over a range of epochs, by epoch, day or month",
        description: `Both ends are included; without them the newest ${DEFAULT_RANGE_EPOCHS} epochs. At most ${MAX_REWARD_RANGE_EPOCHS}.`,
        tags: ["hotspots"],
        params: IdParams,
        querystring: RangeQuery,
        response: {
          200: {
            description: "The rewards; buckets without any are left out.",
            content: { "application/json": { schema: Rewards }, "text/csv": { schema: Type.String() } },
          },
          304: UNCHANGED,
          ...PROBLEMS,
        },
      },
    },
    async (request, reply) => {
      const key = readKey("id", request.params.id);
      const { bucket = "epoch", format } = request.query;
      if ((request.query.from ?? 0) > (request.query.to ?? Number.MAX_SAFE_INTEGER))
        throw badField("from", "must not be after the end of the range");
      if ((await store.getHotspot(key)) === null) throw notFound("hotspot");
      const latest = await store.latestEpoch();
      const to = Math.min(request.query.to ?? Number.MAX_SAFE_INTEGER, latest?.epoch ?? 0);
      const from = request.query.from ?? Math.max(0, to - DEFAULT_RANGE_EPOCHS + 1);
      if (to - from >= MAX_REWARD_RANGE_EPOCHS) {
        throw badField(
          "from",
          `must be less than ${MAX_REWARD_RANGE_EPOCHS} epochs before the end of the range`,
        );
      }
      const isCsv = wantsCsv(request, format);
      const last = await store.getEpoch(to);
      if (last !== null) {
        // The range alone decides the sums; an end that is given and closed fixes them for ever.
        const isFixed =
          request.query.to !== undefined &&
          request.query.to <= last.epoch &&
          request.query.from !== undefined;
        const variant = `${from}-${to}-${bucket}${isCsv ? "-csv" : ""}`;
        if (isUnchanged(request, reply, { digest: last.recordDigest, variant, isFixed }))
          return reply.code(304).send(null);
      }
      const items = (await store.listHotspotRewards(key, from, to, bucket)).map(presentBucket);
      if (!isCsv) return { from, to, items };
      reply.header("content-type", "text/csv; charset=utf-8");
      reply.header("content-disposition", `attachment; filename="rewards-${from}-${to}-${bucket}.csv"`);
      return reply.send(
        writeCsvHeader(BUCKET_COLUMNS) + items.map((row) => writeCsvRow(row, BUCKET_COLUMNS)).join(""),
      );
    },
  );
}
