/** Closed epochs and what they paid: data that never changes, so every answer has a tag. */
import { setImmediate } from "node:timers/promises";
import { Type } from "typebox";
import { type EpochRow, MAX_PAGE_ROWS, type QueryStore } from "../../store/store.ts";
import { writeCsvHeader, writeCsvRow } from "../csv.ts";
import { presentEpoch, presentLine, REWARD_LINE_COLUMNS } from "../present.ts";
import { badField, notFound } from "../problem.ts";
import { isUnchanged, readLineCursor, readNumberCursor, restOn, wantsCsv } from "../requests.ts";
import {
  Cursor,
  DEFAULT_PAGE_ROWS,
  Format,
  json,
  Limit,
  object,
  PROBLEMS,
  pageOf,
  UNCHANGED,
} from "../schemas/common.ts";
import { Epoch, RewardLine } from "../schemas/entities.ts";
import type { RouteContext, Routes } from "./context.ts";

const EpochParams = object({
  epoch: Type.String({ pattern: "^(latest|[0-9]{1,15})$", description: "An epoch's number, or `latest`." }),
});

export function addEpochRoutes(routes: Routes, context: RouteContext): void {
  addEpochListings(routes, context.modules.store);
  addEpochRewards(routes, context);
}

async function findEpoch(store: QueryStore, text: string): Promise<EpochRow> {
  const row = text === "latest" ? await store.latestEpoch() : await store.getEpoch(Number(text));
  if (row === null) throw notFound("closed epoch");
  return row;
}

function addEpochListings(routes: Routes, store: QueryStore): void {
  routes.get(
    "/v1/epochs",
    {
      schema: {
        summary: "Closed epochs, newest first",
        tags: ["epochs"],
        querystring: object({ limit: Type.Optional(Limit), cursor: Type.Optional(Cursor) }),
        response: { 200: json("A page of epochs.", pageOf(Epoch)), 304: UNCHANGED, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { cursor, limit = DEFAULT_PAGE_ROWS } = request.query;
      const before = readNumberCursor(cursor);
      const { rows, next } = await store.listEpochs(before, limit);
      const [newest] = rows;
      if (newest !== undefined) {
        const isFixed = newest.epoch + 1 === before;
        // Who joined at a checkpoint has fewer on the last page than the others.
        const variant = `epochs-${limit}-${rows.length}`;
        if (isUnchanged(request, reply, { basis: restOn(newest), variant, isFixed }))
          return reply.code(304).send(null);
      }
      return { items: rows.map(presentEpoch), next: next === null ? null : `${next}` };
    },
  );
  routes.get(
    "/v1/epochs/:epoch",
    {
      schema: {
        summary: "A closed epoch: its books, counts and roots",
        tags: ["epochs"],
        params: EpochParams,
        response: { 200: json("The epoch.", Epoch), 304: UNCHANGED, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const row = await findEpoch(store, request.params.epoch);
      const isFixed = request.params.epoch !== "latest";
      if (isUnchanged(request, reply, { basis: restOn(row), variant: "epoch", isFixed }))
        return reply.code(304).send(null);
      return presentEpoch(row);
    },
  );
}

function addEpochRewards(routes: Routes, { modules: { store }, longAnswers }: RouteContext): void {
  routes.get(
    "/v1/epochs/:epoch/rewards",
    {
      schema: {
        summary: "What an epoch paid, hotspot by hotspot, the best paid first",
        description: "As CSV the answer is the whole epoch, unless a limit is given.",
        tags: ["epochs"],
        params: EpochParams,
        querystring: object({
          limit: Type.Optional(Limit),
          cursor: Type.Optional(Cursor),
          format: Type.Optional(Format),
        }),
        response: {
          200: {
            description: "A page of reward lines.",
            content: {
              "application/json": { schema: pageOf(RewardLine) },
              "text/csv": { schema: Type.String() },
            },
          },
          304: UNCHANGED,
          ...PROBLEMS,
        },
      },
    },
    async (request, reply) => {
      const { limit, format } = request.query;
      const cursor = readLineCursor(request.query.cursor);
      // A page of `latest` goes on in the epoch in which it began, whatever has closed since.
      const row = await findEpoch(store, cursor === null ? request.params.epoch : `${cursor.epoch}`);
      const { epoch } = row;
      const isFixed = request.params.epoch !== "latest";
      if (isFixed && Number(request.params.epoch) !== epoch)
        throw badField("cursor", "must be one of the same epoch");
      const after = cursor?.rank ?? 0;
      const isCsv = wantsCsv(request, format);
      const variant = `${isCsv ? "rewards-csv" : "rewards"}-${after}-${limit ?? ""}`;
      if (isUnchanged(request, reply, { basis: restOn(row), variant, isFixed }))
        return reply.code(304).send(null);
      if (isCsv) {
        reply.header("content-type", "text/csv; charset=utf-8");
        reply.header("content-disposition", `attachment; filename="rewards-epoch-${epoch}.csv"`);
        const parts = streamLines(store, epoch, after, limit ?? Number.POSITIVE_INFINITY);
        const lines = longAnswers.open(parts, request.ip);
        // The schema describes the text that the stream gives.
        return reply.send(lines as unknown as string);
      }
      const { rows, next } = await store.listRewardLines(epoch, after, limit ?? DEFAULT_PAGE_ROWS);
      return { items: rows.map(presentLine), next: next === null ? null : `${epoch}.${next}` };
    },
  );
}

/** Lines as CSV, read page by page as fast as the client takes them. */
async function* streamLines(
  store: Pick<QueryStore, "listRewardLines">,
  epoch: number,
  after: number,
  limit: number,
): AsyncGenerator<string> {
  yield writeCsvHeader(REWARD_LINE_COLUMNS);
  let left = limit;
  for (let next: number | null = after; next !== null && left > 0; ) {
    const page = await store.listRewardLines(epoch, next, Math.min(left, MAX_PAGE_ROWS));
    yield page.rows.map((line) => writeCsvRow(presentLine(line), REWARD_LINE_COLUMNS)).join("");
    left -= page.rows.length;
    // As in an export: a fast client's table would hold the rounds up to its end.
    await setImmediate();
    next = page.next;
  }
}
