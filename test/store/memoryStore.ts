/**
 * The store's contract in plain maps and arrays: what tests run on, and what the embedded store is compared with. It
 * keeps everything it was given by reference and looks through all of it for every answer.
 */
import { computeValueDigest } from "../../protocol/src/agreement/rounds.ts";
import { equalBytes } from "../../protocol/src/bytes/bytes.ts";
import { encodeHex } from "../../protocol/src/bytes/hex.ts";
import { encodeReason } from "../../protocol/src/evidence/reasons.ts";
import type { AccountView, EscrowRelease, ReportId, TrustRow } from "../../protocol/src/ledger/types.ts";
import { MAX_REPORTS_PER_BUNDLE } from "../../protocol/src/wire/reports.ts";
import { computeCoverageLevels } from "../../validator/src/store/cellRange.ts";
import { listFresh } from "../../validator/src/store/checkCommit.ts";
import { computeEarnings, type EarningRow } from "../../validator/src/store/earnings.ts";
import { matchesFilter } from "../../validator/src/store/hotspotFilter.ts";
import { rankLines } from "../../validator/src/store/rankLines.ts";
import {
  type BeaconClosing,
  type BeaconRow,
  type CoverageCell,
  type EpochRow,
  type GenesisViews,
  type HotspotRow,
  MAX_EVIDENCE_WITNESSES,
  type QueryStore,
  type RankedLine,
  type ReceptionRow,
  type ReportRow,
  type RoundCommit,
  type RoundRow,
  type RoundStore,
  SNAPSHOT_SPACING_EPOCHS,
  SNAPSHOTS_RECENT,
  type Snapshot,
  type Store,
  type TransactionRow,
} from "../../validator/src/store/store.ts";
import { encodeVerdict, listVerdicts } from "../../validator/src/store/verdicts.ts";
import { createRewardMethods } from "./memoryRewards.ts";
import { createMemoryValidators, type MemoryValidators } from "./memoryValidators.ts";

type Envelope = { readonly seq: number; readonly round: number; readonly epoch: number };
type Tables = {
  readonly rounds: RoundRow[];
  readonly snapshots: Map<number, Snapshot>;
  readonly epochs: EpochRow[];
  readonly lines: Map<number, readonly RankedLine[]>;
  readonly earnings: Map<number, readonly EarningRow[]>;
  readonly releases: Map<number, readonly EscrowRelease[]>;
  readonly coverage: Map<number, readonly (readonly CoverageCell[])[]>;
  readonly hotspots: Map<string, HotspotRow>;
  readonly accounts: Map<string, AccountView>;
  readonly envelopes: Map<string, Envelope>;
  /** By the store's number of the report: the envelope's, times sixteen, and the index. */
  readonly reports: Map<number, ReportRow>;
  readonly closings: Map<number, BeaconClosing>;
  readonly transactions: Map<string, TransactionRow>;
  /** By hotspot, oldest first. */
  readonly trust: Map<string, TrustRow[]>;
  bodiesFromRound: number;
};

/** Creates an empty store of a network. */
export function createMemoryStore(genesis: GenesisViews): Store {
  const tables: Tables = {
    rounds: [],
    snapshots: new Map(),
    epochs: [],
    lines: new Map(),
    earnings: new Map(),
    releases: new Map(),
    coverage: new Map(),
    hotspots: new Map(),
    accounts: new Map(),
    envelopes: new Map(),
    reports: new Map(),
    closings: new Map(),
    transactions: new Map(),
    trust: new Map(),
    bodiesFromRound: 0,
  };
  writeRegistry(tables, genesis);
  const validators = createMemoryValidators(genesis, tables.epochs);
  return {
    ...createRoundMethods(tables, validators.writeRound),
    ...validators.queries,
    ...createEpochMethods(tables),
    ...createRewardMethods(tables),
    ...createRegistryMethods(tables),
    ...createEvidenceMethods(tables),
    sizeBytes: async () => 0,
    close: async () => {},
  };
}

function writeRegistry(
  tables: Tables,
  { hotspots, accounts }: Pick<GenesisViews, "hotspots" | "accounts">,
): void {
  for (const hotspot of hotspots) {
    const key = encodeHex(hotspot.key);
    const position = tables.hotspots.get(key)?.position ?? tables.hotspots.size + 1;
    tables.hotspots.set(key, { ...hotspot, position });
  }
  for (const account of accounts) tables.accounts.set(encodeHex(account.key), account);
}

function seqOf(tables: Tables, id: ReportId): number {
  const envelope = tables.envelopes.get(encodeHex(id.envelopeId));
  if (envelope === undefined) throw new Error("a result speaks of an envelope that was never included");
  return envelope.seq * MAX_REPORTS_PER_BUNDLE + id.index;
}

function writeRound(tables: Tables, commit: RoundCommit): void {
  const { result } = commit;
  const before = tables.reports.size;
  writeRegistry(tables, { hotspots: result.hotspotsChanged, accounts: result.accountsChanged });
  for (const id of result.included) {
    const seq = tables.envelopes.size + 1;
    tables.envelopes.set(encodeHex(id), { seq, round: result.round, epoch: result.epoch });
  }
  for (const outcome of result.outcomes) {
    const seq = seqOf(tables, outcome.reportId);
    const old = tables.reports.get(seq);
    tables.reports.set(seq, {
      ...outcome,
      beacon: outcome.beacon ?? old?.beacon ?? null,
      beaconReport: old?.beaconReport ?? outcome.beaconReport,
      measurement: old?.measurement ?? outcome.measurement,
      distanceM: outcome.distanceM ?? old?.distanceM ?? null,
      ceilingCentiDbm: outcome.ceilingCentiDbm ?? old?.ceilingCentiDbm ?? null,
      unitsPpm: outcome.unitsPpm ?? old?.unitsPpm ?? null,
    });
  }
  for (const { reportId, hotspot: _h, includedRound: _i, report: _r, ...closing } of result.beaconsClosed) {
    tables.closings.set(seqOf(tables, reportId), { ...closing, units: null });
  }
  for (const t of result.transactions)
    tables.transactions.set(encodeHex(t.id), { ...t, round: result.round });
  if (result.epochClose !== null) {
    const { lines, beaconUnits, coverage, nextValidators, trustRows, renamedTrust, releases, ...row } =
      result.epochClose;
    tables.epochs.push(row);
    for (const trustRow of [...renamedTrust, ...(trustRows ?? [])]) {
      const key = encodeHex(trustRow.hotspot);
      tables.trust.set(key, [...(tables.trust.get(key) ?? []), trustRow]);
    }
    tables.lines.set(row.epoch, rankLines(lines));
    tables.earnings.set(row.epoch, computeEarnings(result.epochClose));
    tables.releases.set(row.epoch, releases);
    tables.coverage.set(row.epoch, computeCoverageLevels(coverage));
    for (const { reportId, ...units } of beaconUnits) {
      const seq = seqOf(tables, reportId);
      tables.closings.set(seq, { ...tables.closings.get(seq)!, units });
    }
  }
  tables.rounds.push({
    round: result.round,
    epoch: result.epoch,
    timeMs: result.timeMs,
    value: commit.value,
    valueDigest: computeValueDigest(commit.value),
    finalCert: commit.finalCert,
    stateDigest: result.stateDigest,
    batchDigests: commit.batchDigests,
    batchSpans: commit.batchSpans,
    messages: result.included.length,
    reports: tables.reports.size - before,
    transactions: result.transactions.length,
    beaconsClosed: result.beaconsClosed.length,
  });
}

const newestBelow = (epochs: Iterable<number>, limit: number): number | null => {
  const found = [...epochs].filter((epoch) => epoch < limit);
  return found.length === 0 ? null : Math.max(...found);
};

function createRoundMethods(tables: Tables, writeValidators: MemoryValidators["writeRound"]): RoundStore {
  const { rounds, snapshots } = tables;
  const commitRounds: RoundStore["commitRounds"] = async (commits, snapshot) => {
    const fresh = listFresh(commits, rounds, rounds.length - 1);
    for (const commit of fresh) {
      writeRound(tables, commit);
      writeValidators(commit.result);
    }
    if (fresh.length === 0) return "already_committed";
    if (snapshot !== undefined) snapshots.set(snapshot.epoch, snapshot);
    return "committed";
  };
  return {
    commitRounds,
    commitRound: (commit, snapshot) => commitRounds([commit], snapshot),
    latestRound: async () => rounds.at(-1) ?? null,
    getRound: async (round) => rounds[round] ?? null,
    listRounds: async (fromRound, limit) => rounds.slice(fromRound, fromRound + limit),
    snapshotAtOrBefore: async (epoch) => {
      const found = newestBelow(snapshots.keys(), epoch + 1);
      return found === null ? null : snapshots.get(found)!;
    },
    hasSnapshot: async (epoch) => snapshots.has(epoch),
    oldestReplayable: async () => {
      if (rounds.length > 0 && tables.bodiesFromRound === 0) return 0;
      return snapshots.size === 0 ? null : Math.min(...snapshots.keys()) + 1;
    },
    prune: async (policy) => {
      const firstKept = Math.max(0, tables.epochs.length - policy.keepEpochs);
      const base = newestBelow(snapshots.keys(), firstKept);
      for (const epoch of tables.coverage.keys()) if (epoch < firstKept) tables.coverage.delete(epoch);
      for (const [id, { seq, epoch }] of tables.envelopes) {
        if (epoch >= firstKept - 1) continue;
        // The number stays taken, so the entry does; what it stands for goes.
        tables.transactions.delete(id);
        for (let index = 0; index < MAX_REPORTS_PER_BUNDLE; index++) {
          tables.reports.delete(seq * MAX_REPORTS_PER_BUNDLE + index);
        }
      }
      const recentFrom = tables.epochs.length - SNAPSHOTS_RECENT;
      const ends = [base ?? Math.min(...snapshots.keys()), Math.max(...snapshots.keys())];
      for (const epoch of snapshots.keys()) {
        const isSpaced = (epoch + 1) % SNAPSHOT_SPACING_EPOCHS === 0;
        if (!ends.includes(epoch) && epoch < recentFrom && !isSpaced) snapshots.delete(epoch);
      }
      if (base === null) return { batchDigests: [], done: true };
      for (const epoch of snapshots.keys()) if (epoch < base) snapshots.delete(epoch);
      const until = tables.epochs[base]!.lastRound + 1;
      const released = rounds.slice(tables.bodiesFromRound, until).flatMap((round) => round.batchDigests);
      tables.bodiesFromRound = Math.max(tables.bodiesFromRound, until);
      return { batchDigests: released, done: true };
    },
  };
}

type EpochMethods = Pick<
  QueryStore,
  | "getEpoch"
  | "latestEpoch"
  | "oldestEpoch"
  | "listEpochs"
  | "listRewardLines"
  | "listPlainLines"
  | "getRewardLine"
  | "latestCoverageEpoch"
  | "listCoverage"
>;

function createEpochMethods({ epochs, lines, coverage }: Tables): EpochMethods {
  const lineOf = (epoch: number, hotspot: Uint8Array) =>
    lines.get(epoch)?.find((line) => equalBytes(line.hotspot, hotspot)) ?? null;
  return {
    getEpoch: async (epoch) => epochs[epoch] ?? null,
    latestEpoch: async () => epochs.at(-1) ?? null,
    oldestEpoch: async () => epochs[0]?.epoch ?? null,
    listEpochs: async (beforeEpoch, limit) => {
      const below = epochs.filter(({ epoch }) => beforeEpoch === null || epoch < beforeEpoch).reverse();
      return cut(below, limit, (row) => row.epoch);
    },
    listRewardLines: async (epoch, afterRank, limit) =>
      cut((lines.get(epoch) ?? []).slice(afterRank), limit, (line) => line.rank),
    listPlainLines: async (epoch, afterRank, limit) => {
      const plain = (lines.get(epoch) ?? [])
        .slice(afterRank)
        .map(({ penalties: _, hotspot, owner, ...line }) => ({
          ...line,
          ...{ hotspot: encodeHex(hotspot), owner: encodeHex(owner) },
        }));
      return cut(plain, limit, (line) => line.rank);
    },
    getRewardLine: async (epoch, hotspot) => lineOf(epoch, hotspot),
    latestCoverageEpoch: async () => {
      const mapped = [...coverage].filter(([, levels]) => levels[0]!.length > 0).map(([epoch]) => epoch);
      return mapped.length === 0 ? null : Math.max(...mapped);
    },
    listCoverage: async (epoch, resolution, range, after, limit) => {
      const cells = coverage.get(epoch)?.[resolution] ?? [];
      const inRange = cells.filter(
        ({ cell }) => cell >= range.from && cell <= range.to && cell > (after ?? -1n),
      );
      return cut(inRange, limit, (row) => row.cell);
    },
  };
}

function createRegistryMethods(
  tables: Tables,
): Pick<QueryStore, "countHotspots" | "getHotspot" | "listHotspots" | "getAccount" | "listTrust"> {
  return {
    listTrust: async (hotspot, beforeEpoch, limit) => {
      const rows = (tables.trust.get(encodeHex(hotspot)) ?? [])
        .filter(({ fromEpoch }) => beforeEpoch === null || fromEpoch < beforeEpoch)
        .toReversed();
      return cut(rows, limit, (row) => row.fromEpoch);
    },
    countHotspots: async () => tables.hotspots.size,
    getHotspot: async (key) => tables.hotspots.get(encodeHex(key)) ?? null,
    getAccount: async (key) => tables.accounts.get(encodeHex(key)) ?? null,
    listHotspots: async (filter, after, limit) => {
      const byCell = filter.cellFrom !== undefined && filter.cellTo !== undefined;
      const cellOf = (h: HotspotRow) => (byCell ? (h.assertion?.cell ?? 0n) : 0n);
      const matching = [...tables.hotspots.values()]
        .filter((hotspot) => matchesFilter(hotspot, filter))
        .sort((a, b) => Number(cellOf(a) - cellOf(b)) || a.position - b.position)
        .filter((h) => {
          if (after === null) return true;
          const cell = after.cell ?? 0n;
          return cellOf(h) > cell || (cellOf(h) === cell && h.position > after.position);
        });
      return cut(matching, limit, (h) => ({ cell: byCell ? cellOf(h) : null, position: h.position }));
    },
  };
}

function createEvidenceMethods(
  tables: Tables,
): Pick<
  QueryStore,
  "listActivity" | "listReceptions" | "getBeacon" | "messageStatus" | "listReports" | "getTransaction"
> {
  const scaleOf = (closing: BeaconClosing | null, hotspot: Uint8Array): number | null => {
    const lines = closing === null ? undefined : tables.lines.get(closing.closedEpoch);
    return lines?.find((line) => equalBytes(line.hotspot, hotspot))?.scalePpm ?? null;
  };
  return {
    listActivity: async (hotspot, before, limit) => {
      const start = before === null ? null : tables.reports.get(before);
      if (start === undefined || (start !== null && !equalBytes(start.hotspot, hotspot))) {
        return { rows: [], next: null };
      }
      const own = [...tables.reports]
        .filter(([seq, report]) => (before === null || seq < before) && equalBytes(report.hotspot, hotspot))
        .sort(([a], [b]) => b - a);
      const { rows, next } = cut(own, limit, ([seq]) => seq);
      return { rows: rows.map(([, report]) => report), next };
    },
    listReceptions: async (hotspot, fromEpoch, toEpoch) => {
      const found: ReceptionRow[] = [];
      for (const report of tables.reports.values()) {
        if (report.kind !== "witness" || report.state !== "accepted" || report.beacon === null) continue;
        const seq = seqOf(tables, report.beacon);
        const [beacon, closing] = [tables.reports.get(seq), tables.closings.get(seq)];
        if (beacon === undefined || closing === undefined) continue;
        if (closing.closedEpoch < fromEpoch || closing.closedEpoch > toEpoch) continue;
        const isHeard = equalBytes(report.hotspot, hotspot);
        if (!isHeard && !equalBytes(beacon.hotspot, hotspot)) continue;
        const counterpart = isHeard ? beacon.hotspot : report.hotspot;
        found.push({
          ...{ reportId: report.reportId, counterpart, isHeard, closedEpoch: closing.closedEpoch },
          ...{ beacon: report.beacon, unitsPpm: report.unitsPpm },
          beaconerPpm: closing.units?.beaconerPpm ?? null,
        });
      }
      return found;
    },
    getBeacon: async (id): Promise<BeaconRow | null> => {
      const envelope = tables.envelopes.get(encodeHex(id.envelopeId));
      const seq = envelope === undefined ? -1 : envelope.seq * MAX_REPORTS_PER_BUNDLE + id.index;
      const report = tables.reports.get(seq);
      if (report === undefined || report.kind !== "beacon") return null;
      const closing = tables.closings.get(seq) ?? null;
      const heard = [...tables.reports]
        .filter(([, r]) => r.kind === "witness" && r.beacon !== null && seqOf(tables, r.beacon) === seq)
        .sort(([a], [b]) => a - b)
        .map(([, r]) => ({ ...r, scalePpm: scaleOf(closing, r.hotspot) }));
      return {
        report,
        closing,
        scalePpm: scaleOf(closing, report.hotspot),
        witnesses: heard.slice(0, MAX_EVIDENCE_WITNESSES),
        truncated: heard.length > MAX_EVIDENCE_WITNESSES,
      };
    },
    messageStatus: async (ids) =>
      ids.map((id) => {
        const envelope = tables.envelopes.get(encodeHex(id));
        if (envelope === undefined) return { id, state: "unknown", round: 0, verdicts: [] };
        const { seq, round } = envelope;
        const paid = tables.transactions.get(encodeHex(id));
        if (paid !== undefined)
          return { id, state: "included", round, verdicts: [encodeReason(paid.reason)] };
        const codes = new Map<number, number>();
        for (let index = 0; index < MAX_REPORTS_PER_BUNDLE; index++) {
          const report = tables.reports.get(seq * MAX_REPORTS_PER_BUNDLE + index);
          if (report === undefined) continue;
          const { state, selectionPending, reason } = report;
          codes.set(index, encodeVerdict(state, selectionPending, encodeReason(reason)));
        }
        return { id, state: "included", round, verdicts: listVerdicts(codes) };
      }),
    listReports: async (id) => {
      const first = (tables.envelopes.get(encodeHex(id))?.seq ?? -1) * MAX_REPORTS_PER_BUNDLE;
      const places = Array.from({ length: MAX_REPORTS_PER_BUNDLE }, (_, index) =>
        tables.reports.get(first + index),
      );
      return places.flatMap((report) => report ?? []);
    },
    getTransaction: async (id) => tables.transactions.get(encodeHex(id)) ?? null,
  };
}

function cut<Row, Cursor>(rows: readonly Row[], limit: number, cursorOf: (row: Row) => Cursor) {
  const shown = rows.slice(0, limit);
  return { rows: shown, next: rows.length > limit ? cursorOf(shown[limit - 1]!) : null };
}
