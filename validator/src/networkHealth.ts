/**
 * What the metrics say of the whole network, read from the ledger and the store, so that a validator says it from its start
 * on: its books and its hotspots, once an epoch, and the newest epoch.
 */
import { computeBooks } from "../../protocol/src/ledger/books.ts";
import type { Ledger } from "../../protocol/src/ledger/state.ts";
import type { EpochClose } from "../../protocol/src/ledger/types.ts";
import type { Parameters } from "../../protocol/src/network/parameters.ts";
import { COVERAGE_RESOLUTION } from "../../protocol/src/score/coverage.ts";
import { PENALTY_REASONS, type PenaltyReason } from "../../protocol/src/trust/finding.ts";
import { computeWholeRange } from "./store/cellRange.ts";
import {
  computeHotspotStatus,
  computeStatusEpochs,
  HOTSPOT_STATUSES,
  type HotspotStatus,
} from "./store/hotspotStatus.ts";
import { MAX_PAGE_ROWS, type Page, type QueryStore } from "./store/store.ts";

export type NetworkHealth = {
  /** Whether all money ever made is accounted for. */
  readonly booksBalanced: boolean;
  readonly hotspots: Readonly<Record<HotspotStatus, number>>;
  /** Hotspots suspended from pay. */
  readonly suspended: number;
  /** Hotspots with a finding in force. */
  readonly foundAgainst: Readonly<Record<PenaltyReason, number>>;
};

/** What gauges tell of an epoch. */
export type EpochFigures = Pick<EpochClose, "epoch" | "pools" | "escrow"> & {
  readonly hotspotsPaid: number;
  readonly coveredCells: number;
};

/** @param epoch the one that has just begun. Takes a look at every account and hotspot. */
export function readNetworkHealth(
  ledger: Ledger,
  parameters: Pick<Parameters, "activityEpochs">,
  epoch: number,
): NetworkHealth {
  const hotspots = countersOf(HOTSPOT_STATUSES);
  const foundAgainst = countersOf(PENALTY_REASONS);
  let suspended = 0;
  const epochs = computeStatusEpochs(epoch, parameters);
  const { trust } = ledger;
  for (const { index, isGone, places, silence, leaving, lastActiveEpoch } of ledger.registry.list) {
    const assertion = places.at(-1) ?? null;
    const silentUntilEpoch = silence?.untilEpoch ?? null;
    const leavingUntilEpoch = leaving?.untilEpoch ?? null;
    const view = { assertion, silentUntilEpoch, leavingUntilEpoch, lastActiveEpoch };
    hotspots[computeHotspotStatus(view, epochs)]++;
    if (isGone) continue;
    if (trust.trustAt(index, epoch).isSuspended) suspended++;
    const reasons = new Set(trust.findings.get(index)?.map(({ reason }) => reason));
    for (const reason of reasons) foundAgainst[reason]++;
  }
  return { booksBalanced: computeBooks(ledger).isBalanced, hotspots, suspended, foundAgainst };
}

/** Nothing counted yet, by name. */
export const countersOf = <Name extends string>(names: readonly Name[]): Record<Name, number> =>
  Object.fromEntries(names.map((name) => [name, 0])) as Record<Name, number>;

/** The newest epoch that a store has closed; null for none. Takes a look at all its lines and cells. */
export async function readNewestEpoch(
  store: Pick<QueryStore, "latestEpoch" | "listPlainLines" | "listCoverage">,
): Promise<EpochFigures | null> {
  const closed = await store.latestEpoch();
  if (closed === null) return null;
  const { epoch } = closed;
  const range = computeWholeRange(COVERAGE_RESOLUTION);
  const hotspotsPaid = await countRows((after: number | null) =>
    store.listPlainLines(epoch, after ?? 0, MAX_PAGE_ROWS),
  );
  const coveredCells = await countRows((after: bigint | null) =>
    store.listCoverage(epoch, COVERAGE_RESOLUTION, range, after, MAX_PAGE_ROWS),
  );
  return { ...closed, hotspotsPaid, coveredCells };
}

async function countRows<Cursor>(
  ask: (after: Cursor | null) => Promise<Page<unknown, Cursor>>,
): Promise<number> {
  let count = 0;
  let after: Cursor | null = null;
  do {
    const page: Page<unknown, Cursor> = await ask(after);
    count += page.rows.length;
    after = page.next;
  } while (after !== null);
  return count;
}
