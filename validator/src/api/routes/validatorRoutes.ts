/** Validators: who sits in which epoch, who has staked, what each did and was paid, and what was found against it. */
import { Type } from "typebox";
import { computeQuorum } from "../../../../protocol/src/agreement/rounds.ts";
import { equalBytes } from "../../../../protocol/src/bytes/bytes.ts";
import { encodeDidKey } from "../../../../protocol/src/crypto/didKey.ts";
import { computeName } from "../../../../protocol/src/crypto/names.ts";
import { SET_LEAD_EPOCHS, type SetChange } from "../../store/validatorRows.ts";
import { LED_ROUNDS_MAX, LeaderIndex } from "../explorer/leaderIndex.ts";
import { presentConviction, presentLed, presentParticipation, presentStake } from "../presentValidators.ts";
import { notFound } from "../problem.ts";
import { readKey, readNumberCursor } from "../requests.ts";
import { Conviction, LedRounds, Participation, Stake, Validator, Validators } from "../schemas/agreement.ts";
import {
  Cursor,
  DEFAULT_PAGE_ROWS,
  json,
  KeyInput,
  Limit,
  object,
  PROBLEMS,
  pageOf,
} from "../schemas/common.ts";
import type { RouteContext, Routes } from "./context.ts";

/** Epochs and pieces of evidence that are shown with a validator itself. */
const SHOWN_WITH_VALIDATOR = 12;

const IdParams = object({ id: KeyInput });
const Paging = { limit: Type.Optional(Limit), cursor: Type.Optional(Cursor) } as const;

export function addValidatorRoutes(routes: Routes, context: RouteContext): void {
  addSeats(routes, context);
  addStakes(routes, context);
  addValidator(routes, context);
  addLedRounds(routes, context);
  addEvidence(routes, context);
}

const toCursor = (next: number | null): string | null => (next === null ? null : `${next}`);

/** The epoch that the newest executed round belongs to, and its set. */
async function readRunning({ modules: { store } }: RouteContext): Promise<{ epoch: number; set: SetChange }> {
  const epoch = (await store.latestRound())?.epoch ?? 0;
  const set = await store.findSet(epoch);
  if (set === null) throw new Error("the running epoch has no set");
  return { epoch, set };
}

const seatIn = ({ keys }: SetChange, key: Uint8Array): number | null => {
  const seat = keys.findIndex((each) => equalBytes(each, key));
  return seat === -1 ? null : seat;
};

function addSeats(routes: Routes, context: RouteContext): void {
  const { store, agreement } = context.modules;
  routes.get(
    "/v1/validators",
    {
      schema: {
        summary: "The validator set of an epoch, in the order of its seats",
        description: "By default the running epoch's. Stakes and addresses are those of now.",
        tags: ["validators"],
        querystring: object({
          epoch: Type.Optional(Type.String({ pattern: "^[0-9]{1,15}$", description: "An epoch's number." })),
        }),
        response: { 200: json("The validators.", Validators), ...PROBLEMS },
      },
    },
    async ({ query }) => {
      const epoch = query.epoch === undefined ? (await readRunning(context)).epoch : Number(query.epoch);
      const set = await store.findSet(epoch);
      if (set === null) throw notFound("epoch with fixed validators");
      const rows = await Promise.all(set.keys.map((key) => store.getValidator(key)));
      const connected = await Promise.all(set.keys.map(agreement.isConnected));
      return {
        epoch,
        fromEpoch: set.fromEpoch,
        quorum: computeQuorum(set.keys.length),
        items: set.keys.map((key, seat) => ({
          seat,
          id: encodeDidKey(key),
          name: computeName(key),
          stake: `${rows[seat]?.stake ?? 0n}`,
          multiaddrs: [...(rows[seat]?.multiaddrs ?? [])],
          connected: connected[seat] ?? null,
        })),
      };
    },
  );
}

function addStakes(routes: Routes, context: RouteContext): void {
  routes.get(
    "/v1/stakes",
    {
      schema: {
        summary: "Everyone who ever staked as a validator, in the order of the first time",
        tags: ["validators"],
        querystring: object(Paging),
        response: { 200: json("A page of validators.", pageOf(Stake)), ...PROBLEMS },
      },
    },
    async ({ query }) => {
      const { set } = await readRunning(context);
      const { rows, next } = await context.modules.store.listValidators(
        readNumberCursor(query.cursor) ?? 0,
        query.limit ?? DEFAULT_PAGE_ROWS,
      );
      const items = rows.map((row) => presentStake(row, seatIn(set, row.key) !== null));
      return { items, next: toCursor(next) };
    },
  );
}

function addValidator(routes: Routes, context: RouteContext): void {
  const { options, modules } = context;
  const { store, agreement } = modules;
  routes.get(
    "/v1/validators/:id",
    {
      schema: {
        summary: "A validator: its stake, seats, participation, pay, and evidence against it",
        tags: ["validators"],
        params: IdParams,
        response: { 200: json("The validator.", Validator), ...PROBLEMS },
      },
    },
    async ({ params }) => {
      const row = await store.getValidator(readKey("id", params.id));
      if (row === null) throw notFound("validator");
      const { epoch, set } = await readRunning(context);
      const ahead = Array.from({ length: SET_LEAD_EPOCHS }, (_, lead) => epoch + lead + 1);
      const fixed = await Promise.all(
        ahead.map(async (later) => ({ epoch: later, set: await store.findSet(later) })),
      );
      const participation = await store.listParticipation(row.key, null, SHOWN_WITH_VALIDATOR);
      const convictions = await store.listConvictions(row.key, null, SHOWN_WITH_VALIDATOR);
      return {
        ...presentStake(row, seatIn(set, row.key) !== null),
        connected: await agreement.isConnected(row.key),
        seats: [{ epoch, set }, ...fixed].flatMap(({ epoch: at, set: each }) =>
          each === null ? [] : [{ epoch: at, seat: seatIn(each, row.key) }],
        ),
        participation: participation.rows.map(presentParticipation),
        evidence: convictions.rows.map((piece) => presentConviction(piece, options.network.id)),
      };
    },
  );
  routes.get(
    "/v1/validators/:id/participation",
    {
      schema: {
        summary: "What a validator did in its seats and was paid, newest epoch first",
        tags: ["validators"],
        params: IdParams,
        querystring: object(Paging),
        response: { 200: json("A page of epochs.", pageOf(Participation)), ...PROBLEMS },
      },
    },
    async ({ params, query }) => {
      const key = readKey("id", params.id);
      if ((await store.getValidator(key)) === null) throw notFound("validator");
      const before = readNumberCursor(query.cursor);
      const { rows, next } = await store.listParticipation(key, before, query.limit ?? DEFAULT_PAGE_ROWS);
      return { items: rows.map(presentParticipation), next: toCursor(next) };
    },
  );
}

function addLedRounds(routes: Routes, { modules: { store } }: RouteContext): void {
  const leaders = new LeaderIndex(store);
  routes.get(
    "/v1/validators/:id/rounds",
    {
      schema: {
        summary: "The newest rounds that a validator led, or in which it was passed over",
        description: `Among the newest ${LED_ROUNDS_MAX} executed rounds, from seed, set and certificate, as anybody can compute it.`,
        tags: ["validators"],
        params: IdParams,
        response: { 200: json("The rounds.", LedRounds), ...PROBLEMS },
      },
    },
    async ({ params }) => {
      const key = readKey("id", params.id);
      if ((await store.getValidator(key)) === null) throw notFound("validator");
      return { items: (await leaders.listOf(key)).map(presentLed) };
    },
  );
}

function addEvidence(routes: Routes, { options, modules: { store } }: RouteContext): void {
  routes.get(
    "/v1/evidence",
    {
      schema: {
        summary: "Evidence that convicted validators, newest first",
        description:
          "Check a piece offline: `hexbeacon tool verify-evidence --genesis genesis.json < item.json`.",
        tags: ["validators"],
        querystring: object({ offender: Type.Optional(KeyInput), ...Paging }),
        response: { 200: json("A page of evidence.", pageOf(Conviction)), ...PROBLEMS },
      },
    },
    async ({ query }) => {
      const offender = query.offender === undefined ? null : readKey("offender", query.offender);
      const before = readNumberCursor(query.cursor);
      const { rows, next } = await store.listConvictions(offender, before, query.limit ?? DEFAULT_PAGE_ROWS);
      return { items: rows.map((row) => presentConviction(row, options.network.id)), next: toCursor(next) };
    },
  );
}
