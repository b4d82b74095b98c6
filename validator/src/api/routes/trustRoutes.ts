/**
 * Trust in the open: whose trust is what, by which findings on which evidence, until when; and every reward taken apart to
 * the base unit. Everything comes from the epoch's record and rows, computed by the same functions that paid.
 */
import { Type } from "typebox";
import { encodeHex } from "../../../../protocol/src/bytes/hex.ts";
import { encodeDidKey } from "../../../../protocol/src/crypto/didKey.ts";
import { computeName } from "../../../../protocol/src/crypto/names.ts";
import type { AppealView } from "../../../../protocol/src/ledger/appeal.ts";
import type { TrustRow } from "../../../../protocol/src/ledger/types.ts";
import { FACTOR_MIN_PPM, PENALTY_REASONS } from "../../../../protocol/src/trust/finding.ts";
import { PENALTY_TABLE } from "../../../../protocol/src/trust/penaltyTable.ts";
import { explainReward } from "../explain.ts";
import { presentReportId } from "../present.ts";
import { notFound } from "../problem.ts";
import { readKey, readNumberCursor, sendByContent } from "../requests.ts";
import { Cursor, json, KeyInput, Limit, object, PROBLEMS, UNCHANGED } from "../schemas/common.ts";
import {
  Explanation,
  Penalties,
  TrustHistory,
  type TrustHistoryJson,
  type TrustStateJson,
} from "../schemas/trust.ts";
import type { RouteContext, Routes } from "./context.ts";

/** Computations shown at once, with findings and evidence: a month of days. */
const DEFAULT_TRUST_ROWS = 30;

const IdParams = object({ id: KeyInput });

export function addTrustRoutes(routes: Routes, context: RouteContext): void {
  addPenalties(routes, context);
  addTrustHistory(routes, context);
  addExplanation(routes, context);
}

function addPenalties(routes: Routes, { options }: RouteContext): void {
  const { parameters } = options.network;
  const table = {
    paidMinPpm: parameters.trustPaidMinPpm,
    intervalEpochs: parameters.trustIntervalEpochs,
    penaltyEpochs: parameters.penaltyEpochs,
    escrowEpochs: parameters.escrowEpochs,
    items: PENALTY_TABLE.map(({ reason, ramp, asks, unit, source }) => ({
      number: PENALTY_REASONS.indexOf(reason) + 1,
      penalty: reason,
      asks,
      unit,
      source,
      begins: ramp.from,
      largest: ramp.to,
      leastFactorPpm: FACTOR_MIN_PPM,
    })),
  };
  routes.get(
    "/v1/trust/penalties",
    {
      schema: {
        summary: "Every penalty that there is: what it asks, its thresholds and their source",
        tags: ["trust"],
        response: { 200: json("The table.", Penalties), ...PROBLEMS },
      },
    },
    async () => table,
  );
}

function addTrustHistory(routes: Routes, { options, modules }: RouteContext): void {
  const { store, ledger } = modules;
  const { trustPaidMinPpm } = options.network.parameters;
  routes.get(
    "/v1/hotspots/:id/trust",
    {
      config: { work: "walk" },
      schema: {
        summary: "A hotspot's trust, newest first: findings, evidence, and when they end",
        description:
          "One item for each computation by which it was not wholly trusted, or became so. `current` is null for one that always was, and for one that came after the newest computation: that counts wholly only as long as no seeds decide. `escrow` is what is held of its pay, soonest ending first, and `held` the sum.",
        tags: ["trust"],
        params: IdParams,
        querystring: object({ limit: Type.Optional(Limit), cursor: Type.Optional(Cursor) }),
        response: { 200: json("The history.", TrustHistory), ...PROBLEMS },
      },
    },
    async ({ params, query }) => {
      const key = readKey("id", params.id);
      if ((await store.getHotspot(key)) === null) throw notFound("hotspot");
      const before = readNumberCursor(query.cursor);
      const page = await store.listTrust(key, before, query.limit ?? DEFAULT_TRUST_ROWS);
      const newest = before === null ? page.rows[0] : (await store.listTrust(key, null, 1)).rows[0];
      const shown = newest === undefined ? page.rows : [newest, ...page.rows];
      const reports = await listNamed(store, key, shown);
      return {
        hotspot: encodeDidKey(key),
        name: computeName(key),
        paidMinPpm: trustPaidMinPpm,
        ...presentAppeal(await ledger.appeal(key)),
        current: newest === undefined ? null : presentTrust(newest, reports),
        items: page.rows.map((row) => presentTrust(row, reports)),
        next: page.next === null ? null : `${page.next}`,
      };
    },
  );
}

/** Ids of the witness reports of a hotspot's receptions, by `nameReceptions`. */
type NamedReports = ReadonlyMap<string, readonly string[]>;

const nameReceptions = (counterpart: Uint8Array, isHeard: boolean, closedEpoch: number): string =>
  `${encodeHex(counterpart)} ${isHeard ? "heard" : "heardBy"} ${closedEpoch}`;

/** The reports of the epochs that any evidence names; none where nothing is to be named. */
async function listNamed(
  store: RouteContext["modules"]["store"],
  key: Uint8Array,
  rows: readonly TrustRow[],
): Promise<NamedReports> {
  const epochs = rows
    .flatMap(({ findings }) => findings)
    .flatMap(({ evidence }) => evidence)
    .flatMap(({ heardEpoch, heardByEpoch }) => [heardEpoch, heardByEpoch])
    .filter((epoch) => epoch >= 0);
  const reports = new Map<string, string[]>();
  if (epochs.length === 0) return reports;
  const [from, to] = epochs.reduce(
    ([least, most], epoch) => [Math.min(least, epoch), Math.max(most, epoch)],
    [epochs[0]!, epochs[0]!],
  );
  for (const one of await store.listReceptions(key, from, to)) {
    const name = nameReceptions(one.counterpart, one.isHeard, one.closedEpoch);
    const named = reports.get(name) ?? [];
    named.push(presentReportId(one.reportId));
    reports.set(name, named);
  }
  return reports;
}

/** What is held and how an appeal stands; of a hotspot that is gone nothing can be released any more. */
function presentAppeal(view: AppealView | null): Pick<TrustHistoryJson, "held" | "escrow" | "appeal"> {
  if (view === null) return { held: "0", escrow: [], appeal: null };
  const { escrow, isPending, decidedFromEpoch, barredUntilEpoch } = view;
  return {
    held: `${escrow.reduce((sum, { amount }) => sum + amount, 0n)}`,
    escrow: escrow.map(({ owner, amount, untilEpoch }) => ({
      owner: encodeDidKey(owner),
      amount: `${amount}`,
      untilEpoch,
    })),
    appeal: { pending: isPending, decidedFromEpoch, barredUntilEpoch },
  };
}

/** A row of trust as the API shows it, with the reports that its evidence names. */
export function presentTrust(row: TrustRow, reports: NamedReports): TrustStateJson {
  const reportsOf = (counterpart: Uint8Array, isHeard: boolean, epoch: number): readonly string[] =>
    reports.get(nameReceptions(counterpart, isHeard, epoch)) ?? [];
  return {
    fromEpoch: row.fromEpoch,
    graphPpm: row.graphPpm,
    trustPpm: row.trustPpm,
    suspended: row.isSuspended,
    appealed: row.isAppealed,
    findings: row.findings.map(({ reason, factorPpm, madeEpoch, endsEpoch, evidence }) => ({
      penalty: reason,
      factorPpm,
      madeEpoch,
      endsEpoch,
      evidence: evidence.map(({ counterpart, heardEpoch, heardByEpoch }) => ({
        counterpart: encodeDidKey(counterpart),
        name: computeName(counterpart),
        heardEpoch: heardEpoch < 0 ? null : heardEpoch,
        heardByEpoch: heardByEpoch < 0 ? null : heardByEpoch,
        reports: [
          ...reportsOf(counterpart, true, heardEpoch),
          ...reportsOf(counterpart, false, heardByEpoch),
        ],
      })),
    })),
  };
}

function addExplanation(routes: Routes, { options, modules: { store } }: RouteContext): void {
  const { parameters } = options.network;
  routes.get(
    "/v1/hotspots/:id/rewards/:epoch/explain",
    {
      config: { work: "walk" },
      schema: {
        summary: "A hotspot's reward of an epoch, every factor multiplied out to the base unit",
        tags: ["trust"],
        params: object({ id: KeyInput, epoch: Type.String({ pattern: "^[0-9]{1,15}$" }) }),
        response: { 200: json("The reward, taken apart.", Explanation), 304: UNCHANGED, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { params } = request;
      const key = readKey("id", params.id);
      const explanation = await explainReward(store, parameters, key, Number(params.epoch));
      if (explanation === null) throw notFound("reward of that hotspot in that epoch");
      // Its reports' factors go when what they rest on is kept no longer, or a hotspot moves.
      return sendByContent(request, reply, explanation) as never;
    },
  );
}
