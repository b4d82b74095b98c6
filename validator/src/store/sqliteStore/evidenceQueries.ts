/** Reads of the evidence: a hotspot's activity, a beacon with all that was heard of it, and the state of messages. */
import type { DatabaseSync } from "node:sqlite";
import { equalBytes } from "../../../../protocol/src/bytes/bytes.ts";
import { encodeReason } from "../../../../protocol/src/evidence/reasons.ts";
import type { ReportId } from "../../../../protocol/src/ledger/types.ts";
import type { MessageStatus } from "../../../../protocol/src/wire/receipts.ts";
import { MAX_REPORTS_PER_BUNDLE, RSSI_KINDS } from "../../../../protocol/src/wire/reports.ts";
import { TRANSACTION_KINDS } from "../../../../protocol/src/wire/transactions.ts";
import {
  type BeaconClosing,
  type BeaconRow,
  MAX_EVIDENCE_WITNESSES,
  MAX_PAGE_ROWS,
  type Page,
  type QueryStore,
  type ReportRow,
  type TransactionRow,
  type WitnessRow,
} from "../store.ts";
import { encodeVerdict, listVerdicts } from "../verdicts.ts";
import {
  REPORT_KINDS,
  readBytes,
  readBytesOrNull,
  readNumber,
  readNumberOrNull,
  readReason,
  type SqlRow,
  VERDICT_STATES,
} from "./columns.ts";
import { prepareReading } from "./prepareReading.ts";
import { computeIdPrefix, type RecentIds } from "./recentIds.ts";
import { createReceptionWalk } from "./receptionQueries.ts";

const REPORTS = `SELECT r.*, e.id AS envelope_id, be.id AS beacon_envelope_id, b.commit_hash, b.freq_hz AS b_freq_hz,
  b.spreading_factor AS b_spreading_factor, b.bandwidth_hz AS b_bandwidth_hz, b.power_centi_dbm, b.time_ms AS b_time_ms
  FROM reports r JOIN envelopes e ON e.seq = r.seq / ${MAX_REPORTS_PER_BUNDLE}
  LEFT JOIN envelopes be ON be.seq = r.beacon / ${MAX_REPORTS_PER_BUNDLE}
  LEFT JOIN beacons b ON b.seq = r.seq`;

const indexOf = (seq: number): number => seq % MAX_REPORTS_PER_BUNDLE;

function readReport(row: SqlRow): ReportRow {
  const beaconEnvelopeId = readBytesOrNull(row, "beacon_envelope_id");
  return {
    reportId: { envelopeId: readBytes(row, "envelope_id"), index: indexOf(readNumber(row, "seq")) },
    hotspot: readBytes(row, "hotspot"),
    kind: REPORT_KINDS[readNumber(row, "kind")]!,
    includedRound: readNumber(row, "round"),
    state: VERDICT_STATES[readNumber(row, "state")]!,
    reason: readReason(row, "reason"),
    selectionPending: row.selection_pending === 1n,
    beacon:
      beaconEnvelopeId === null
        ? null
        : { envelopeId: beaconEnvelopeId, index: indexOf(readNumber(row, "beacon")) },
    beaconReport:
      row.commit_hash === null
        ? null
        : {
            commit: readBytes(row, "commit_hash"),
            freqHz: readNumber(row, "b_freq_hz"),
            spreadingFactor: readNumber(row, "b_spreading_factor"),
            bandwidthHz: readNumber(row, "b_bandwidth_hz"),
            powerCentiDbm: readNumber(row, "power_centi_dbm"),
            timeMs: readNumber(row, "b_time_ms"),
          },
    measurement:
      row.rssi_deci_dbm === null
        ? null
        : {
            rssiDeciDbm: readNumber(row, "rssi_deci_dbm"),
            rssiKind: RSSI_KINDS[readNumber(row, "rssi_kind")]!,
            snrCentiDb: readNumber(row, "snr_centi_db"),
            freqHz: readNumber(row, "freq_hz"),
            spreadingFactor: readNumber(row, "spreading_factor"),
            bandwidthHz: readNumber(row, "bandwidth_hz"),
            timeMs: readNumber(row, "time_ms"),
          },
    distanceM: readNumberOrNull(row, "distance_m"),
    ceilingCentiDbm: readNumberOrNull(row, "ceiling_centi_dbm"),
    unitsPpm: readNumberOrNull(row, "units_ppm"),
  };
}

function readClosing(row: SqlRow): BeaconClosing | null {
  if (row.closed_epoch === null) return null;
  return {
    challengeEpoch: readNumber(row, "challenge_epoch"),
    closedEpoch: readNumber(row, "closed_epoch"),
    closedRound: readNumber(row, "closed_round"),
    reason: readReason(row, "reason"),
    eirpCentiDbm: readNumber(row, "eirp_centi_dbm"),
    secret: readBytesOrNull(row, "secret"),
    witnessesAccepted: readNumber(row, "accepted"),
    witnessesUnpaid: readNumber(row, "unpaid"),
    witnessesRefused: readNumber(row, "refused"),
    units:
      row.paid_witnesses === null
        ? null
        : {
            paidWitnesses: readNumber(row, "paid_witnesses"),
            perWitnessPpm: readNumber(row, "per_witness_ppm"),
            beaconerPpm: readNumber(row, "beaconer_ppm"),
          },
  };
}

function readTransaction(row: SqlRow): TransactionRow {
  return {
    id: readBytes(row, "id"),
    sender: readBytes(row, "sender"),
    kind: TRANSACTION_KINDS[readNumber(row, "kind")]!,
    reason: readReason(row, "reason") as TransactionRow["reason"],
    round: readNumber(row, "round"),
  };
}

function verdictCode(row: SqlRow): number {
  const state = VERDICT_STATES[readNumber(row, "state")]!;
  return encodeVerdict(state, row.selection_pending === 1n, readNumber(row, "reason"));
}

type EvidenceQueries = Pick<
  QueryStore,
  "listActivity" | "listReceptions" | "getBeacon" | "messageStatus" | "listReports" | "getTransaction"
>;

export function createEvidenceQueries(db: DatabaseSync, recent: RecentIds): EvidenceQueries {
  const envelope = prepareReading(db, "SELECT * FROM envelopes WHERE seq = ?");
  const verdicts = prepareReading(
    db,
    "SELECT seq, state, reason, selection_pending FROM reports WHERE seq BETWEEN ? AND ?",
  );
  const reports = prepareReading(db, `${REPORTS} WHERE r.seq BETWEEN ? AND ? ORDER BY r.seq`);
  const transaction = prepareReading(
    db,
    "SELECT t.*, e.id, e.round FROM transactions t JOIN envelopes e ON e.seq = t.seq WHERE t.seq = ?",
  );

  function findEnvelope(id: Uint8Array): { readonly seq: number; readonly round: number } | null {
    for (const seq of recent.candidates(id)) {
      const row = envelope.one((found) => found, seq);
      if (row !== null && equalBytes(readBytes(row, "id"), id))
        return { seq, round: readNumber(row, "round") };
    }
    return null;
  }

  function statusOf(id: Uint8Array): MessageStatus {
    const found = findEnvelope(id);
    if (found === null) return { id, state: "unknown", round: 0, verdicts: [] };
    const { seq, round } = found;
    const first = seq * MAX_REPORTS_PER_BUNDLE;
    const codes = new Map<number, number>();
    for (const row of verdicts.each(first, first + MAX_REPORTS_PER_BUNDLE - 1)) {
      codes.set(indexOf(readNumber(row, "seq")), verdictCode(row));
    }
    // An envelope without reports is a transaction, or wholly over its hotspot's quota.
    const paid = codes.size === 0 ? transaction.one(readTransaction, seq) : null;
    const codesInOrder = paid === null ? listVerdicts(codes) : [encodeReason(paid.reason)];
    return { id, state: "included", round, verdicts: codesInOrder };
  }

  return {
    listActivity: createActivityWalk(db),
    listReceptions: createReceptionWalk(db),
    getBeacon: createBeaconReader(db),
    messageStatus: async (ids) => ids.map(statusOf),
    listReports: async (id) => {
      const first = (findEnvelope(id)?.seq ?? -1) * MAX_REPORTS_PER_BUNDLE;
      return reports.all(readReport, first, first + MAX_REPORTS_PER_BUNDLE - 1);
    },
    getTransaction: async (id) => {
      const found = findEnvelope(id);
      return found === null ? null : transaction.one(readTransaction, found.seq);
    },
  };
}

/** Follows a hotspot's chain of envelopes back from its newest, or from the page before. */
function createActivityWalk(db: DatabaseSync): QueryStore["listActivity"] {
  const head = prepareReading(
    db,
    "SELECT envelope FROM heads WHERE hotspot = (SELECT position FROM hotspots WHERE key = ?)",
  );
  const previous = prepareReading(db, "SELECT previous FROM envelopes WHERE seq = ?");
  const isOwn = prepareReading(db, "SELECT 1 FROM reports WHERE seq = ? AND hotspot = ?");
  const ofEnvelope = prepareReading(db, `${REPORTS} WHERE r.seq BETWEEN ? AND ? ORDER BY r.seq DESC`);
  return async (hotspot, before, limit): Promise<Page<ReportRow, number>> => {
    const asked = Math.min(limit, MAX_PAGE_ROWS);
    const rows: ReportRow[] = [];
    let last = before ?? Number.MAX_SAFE_INTEGER;
    let seq: number | null;
    if (before === null) seq = head.one((row) => readNumber(row, "envelope"), hotspot);
    // A cursor of somebody else's chain would have us walk that one to its end and find nothing.
    else if (isOwn.one(() => true, before, hotspot) === null) return { rows: [], next: null };
    else seq = Math.floor(before / MAX_REPORTS_PER_BUNDLE);
    // Every envelope of the chain holds a report of the hotspot, so the page's limit bounds the walk.
    while (seq !== null) {
      const first = seq * MAX_REPORTS_PER_BUNDLE;
      for (const row of ofEnvelope.each(first, Math.min(first + MAX_REPORTS_PER_BUNDLE, last) - 1)) {
        if (rows.length === asked) return { rows, next: last };
        rows.push(readReport(row));
        last = readNumber(row, "seq");
      }
      seq = previous.one((row) => readNumberOrNull(row, "previous"), seq);
    }
    return { rows, next: null };
  };
}

function createBeaconReader(db: DatabaseSync): QueryStore["getBeacon"] {
  const byId = prepareReading(
    db,
    `SELECT b.seq, e.id FROM beacons b JOIN envelopes e ON e.seq = b.seq / ${MAX_REPORTS_PER_BUNDLE}
     WHERE b.id_prefix = ?`,
  );
  const report = prepareReading(db, `${REPORTS} WHERE r.seq = ?`);
  const closing = prepareReading(db, "SELECT * FROM beacons WHERE seq = ?");
  const witnesses = prepareReading(
    db,
    `${REPORTS} WHERE r.beacon = ? AND r.kind = ${REPORT_KINDS.indexOf("witness")} ORDER BY r.seq LIMIT ?`,
  );
  const scale = prepareReading(
    db,
    `SELECT scale_ppm FROM reward_lines INDEXED BY reward_lines_by_hotspot
     WHERE epoch = ? AND hotspot = (SELECT position FROM hotspots WHERE key = ?)`,
  );

  function findSeq(id: ReportId): number | null {
    for (const row of byId.each(computeIdPrefix(id.envelopeId))) {
      const seq = readNumber(row, "seq");
      if (indexOf(seq) === id.index && equalBytes(readBytes(row, "id"), id.envelopeId)) return seq;
    }
    return null;
  }

  return async (id): Promise<BeaconRow | null> => {
    const seq = findSeq(id);
    if (seq === null) return null;
    const found = report.one(readReport, seq)!;
    const closed = closing.one(readClosing, seq);
    const scaleOf = (hotspot: Uint8Array): number | null =>
      closed === null ? null : scale.one((row) => readNumber(row, "scale_ppm"), closed.closedEpoch, hotspot);
    const heard = witnesses.all(readReport, seq, MAX_EVIDENCE_WITNESSES + 1);
    const shown = heard.slice(0, MAX_EVIDENCE_WITNESSES);
    return {
      report: found,
      closing: closed,
      scalePpm: scaleOf(found.hotspot),
      witnesses: shown.map((row): WitnessRow => ({ ...row, scalePpm: scaleOf(row.hotspot) })),
      truncated: heard.length > shown.length,
    };
  };
}
