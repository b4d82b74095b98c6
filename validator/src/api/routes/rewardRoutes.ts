/** What hotspots and accounts earned over time, by epoch, day or month, as JSON and as CSV for accountants. */
import type { FastifyReply, FastifyRequest } from "fastify";
import { type Static, type TSchema, Type } from "typebox";
import { openCalendar } from "../../store/calendar.ts";
import {
  addAccountSums,
  addHotspotSums,
  NO_ACCOUNT_SUMS,
  NO_HOTSPOT_SUMS,
} from "../../store/rewardBuckets.ts";
import {
  type EpochRow,
  MAX_REWARD_RANGE_EPOCHS,
  REWARD_BUCKETS,
  type RewardPeriods,
} from "../../store/store.ts";
import { writeCsvHeader, writeCsvRow } from "../csv.ts";
import {
  ACCOUNT_BUCKET_COLUMNS,
  presentAccountBucket,
  presentAccountSums,
  presentHotspotAmounts,
  presentRewardBucket,
  REWARD_BUCKET_COLUMNS,
} from "../presentRewards.ts";
import { ApiProblem, badField, notFound } from "../problem.ts";
import { isUnchanged, readKey, restOn, wantsCsv } from "../requests.ts";
import { EpochNumber, Format, KeyInput, object, oneOf, PROBLEMS, UNCHANGED } from "../schemas/common.ts";
import { AccountRewards, HotspotRewards } from "../schemas/rewards.ts";
import type { RouteContext, Routes } from "./context.ts";

/** Without a range: thirty days of hourly epochs. */
const DEFAULT_RANGE_EPOCHS = 720;

const IdParams = object({ id: KeyInput });

const RangeQuery = object({
  from: Type.Optional(EpochNumber),
  to: Type.Optional(EpochNumber),
  bucket: Type.Optional(
    oneOf(REWARD_BUCKETS, "Days and months are those in which an epoch began; default `epoch`."),
  ),
  zone: Type.Optional(
    Type.String({
      maxLength: 64,
      description: "The time zone of days and months by its IANA name, like Europe/Paris; default UTC.",
    }),
  ),
  format: Type.Optional(Format),
});

const RANGE_TEXT = `Both ends are included; without them the newest ${DEFAULT_RANGE_EPOCHS} epochs. At most ${MAX_REWARD_RANGE_EPOCHS}. Periods without any are left out. A range that begins before this validator's \`oldestEpoch\` (/v1/status) is not found: it joined at a checkpoint, and part of a sum is none.`;

const describeTable = <Schema extends TSchema>(schema: Schema) => ({
  200: {
    description: "The rewards.",
    content: { "application/json": { schema }, "text/csv": { schema: Type.String() } },
  },
  304: UNCHANGED,
  ...PROBLEMS,
});

export function addRewardRoutes(routes: Routes, context: RouteContext): void {
  addHotspotRewards(routes, context);
  addAccountRewards(routes, context);
}

function addHotspotRewards(routes: Routes, context: RouteContext): void {
  const { store } = context.modules;
  routes.get(
    "/v1/hotspots/:id/rewards",
    {
      schema: {
        summary: "What a hotspot earned over a range of epochs, by epoch, day or month",
        description: RANGE_TEXT,
        tags: ["hotspots"],
        params: IdParams,
        querystring: RangeQuery,
        response: describeTable(HotspotRewards),
      },
    },
    async (request, reply) => {
      const key = readKey("id", request.params.id);
      if ((await store.getHotspot(key)) === null) throw notFound("hotspot");
      const range = await readRange(context, request.query);
      const isCsv = wantsCsv(request, request.query.format);
      if (isKnown(request, reply, range, isCsv)) return reply.code(304).send(null);
      const rows = await store.listHotspotRewards(key, range.from, range.to, range.periods);
      const items = rows.map(presentRewardBucket);
      if (isCsv) return reply.send(writeTable(reply, range, items, REWARD_BUCKET_COLUMNS) as never);
      const total = presentHotspotAmounts(rows.reduce(addHotspotSums, NO_HOTSPOT_SUMS));
      return { from: range.from, to: range.to, zone: range.periods.zone, total, items };
    },
  );
}

function addAccountRewards(routes: Routes, context: RouteContext): void {
  const { store } = context.modules;
  routes.get(
    "/v1/accounts/:id/rewards",
    {
      schema: {
        summary: "What an account earned over a range of epochs, by epoch, day or month",
        description: `${RANGE_TEXT} Over all epochs the total is what /v1/accounts/{id} says that the account has earned.`,
        tags: ["accounts"],
        params: IdParams,
        querystring: RangeQuery,
        response: describeTable(AccountRewards),
      },
    },
    async (request, reply) => {
      const key = readKey("id", request.params.id);
      if ((await store.getAccount(key)) === null) throw notFound("account");
      const range = await readRange(context, request.query);
      const isCsv = wantsCsv(request, request.query.format);
      if (isKnown(request, reply, range, isCsv)) return reply.code(304).send(null);
      const rows = await store.listAccountRewards(key, range.from, range.to, range.periods);
      const items = rows.map(presentAccountBucket);
      if (isCsv) return reply.send(writeTable(reply, range, items, ACCOUNT_BUCKET_COLUMNS) as never);
      const total = presentAccountSums(rows.reduce(addAccountSums, NO_ACCOUNT_SUMS));
      return { from: range.from, to: range.to, zone: range.periods.zone, total, items };
    },
  );
}

/** What was asked for; `last` is the row of its last epoch, which is null only where none has closed. */
type Range = {
  readonly from: number;
  readonly to: number;
  readonly periods: Required<RewardPeriods>;
  readonly last: EpochRow | null;
  /** Whether both ends were given and are closed: the answer never changes. */
  readonly isFixed: boolean;
};

async function readRange(
  { modules: { store } }: RouteContext,
  query: Static<typeof RangeQuery>,
): Promise<Range> {
  const { bucket: size = "epoch", zone = "UTC" } = query;
  if (openCalendar(zone) === null) throw badField("zone", "must be an IANA time zone, like Europe/Paris");
  if ((query.from ?? 0) > (query.to ?? Number.MAX_SAFE_INTEGER))
    throw badField("from", "must not be after the end of the range");
  const latest = await store.latestEpoch();
  const to = Math.min(query.to ?? Number.MAX_SAFE_INTEGER, latest?.epoch ?? 0);
  // Before the first close, that is the epoch in which a new network is, or which somebody joined at.
  const oldest = (await store.oldestEpoch()) ?? (await store.latestRound())?.epoch ?? 0;
  const from = query.from ?? Math.max(oldest, to - DEFAULT_RANGE_EPOCHS + 1);
  if (to - from >= MAX_REWARD_RANGE_EPOCHS) {
    throw badField("from", `must be less than ${MAX_REWARD_RANGE_EPOCHS} epochs before the end of the range`);
  }
  // What is paid before a checkpoint is not here, and the sum of the rest would pass for that of the whole range.
  if (Math.min(from, to) < oldest)
    throw new ApiProblem(
      404,
      `This validator has no epoch before ${oldest}: ask for later ones, or ask another.`,
    );
  const last = to === latest?.epoch ? latest : await store.getEpoch(to);
  const isFixed = query.from !== undefined && query.to !== undefined && query.to === last?.epoch;
  return { from, to, periods: { size, zone }, last, isFixed };
}

/** Whether the client has the answer already: it follows from the range's epochs alone. */
function isKnown(
  request: FastifyRequest,
  reply: FastifyReply,
  { from, to, periods: { size, zone }, last, isFixed }: Range,
  isCsv: boolean,
): boolean {
  if (last === null) return false;
  const variant = `${from}-${to}-${size}-${zone}${isCsv ? "-csv" : ""}`;
  return isUnchanged(request, reply, { basis: restOn(last), variant, isFixed });
}

/** The rows as CSV, and the headers that make a spreadsheet of them. */
function writeTable<Row>(
  reply: FastifyReply,
  { from, to, periods: { size } }: Range,
  rows: readonly Row[],
  columns: readonly (keyof Row)[],
): string {
  reply.header("content-type", "text/csv; charset=utf-8");
  reply.header("content-disposition", `attachment; filename="rewards-${from}-${to}-${size}.csv"`);
  return writeCsvHeader(columns) + rows.map((row) => writeCsvRow(row, columns)).join("");
}
