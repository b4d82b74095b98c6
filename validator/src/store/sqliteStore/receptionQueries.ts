/** Receptions between a hotspot and others: what a finding's evidence names, found along the hotspot's own chain. */
import type { DatabaseSync } from "node:sqlite";
import { MAX_REPORTS_PER_BUNDLE } from "../../../../protocol/src/wire/reports.ts";
import { MAX_SCAN_ROWS, type QueryStore, type ReceptionRow } from "../store.ts";
import {
  REPORT_KINDS,
  readBytes,
  readNumber,
  readNumberOrNull,
  type SqlRow,
  VERDICT_STATES,
} from "./columns.ts";
import { prepareReading } from "./prepareReading.ts";

const WITNESS = REPORT_KINDS.indexOf("witness");
const ACCEPTED = VERDICT_STATES.indexOf("accepted");
const COLUMNS = "r.seq, e.id, r.beacon, f.id AS beacon_envelope, r.units_ppm, c.closed_epoch, c.beaconer_ppm";
/** A report with its envelope's id, and its beacon with what became of it. */
const JOINED = `FROM reports r JOIN envelopes e ON e.seq = r.seq / ${MAX_REPORTS_PER_BUNDLE}
  JOIN reports b ON b.seq = r.beacon JOIN beacons c ON c.seq = r.beacon
  JOIN envelopes f ON f.seq = r.beacon / ${MAX_REPORTS_PER_BUNDLE}
  WHERE r.kind = ${WITNESS} AND r.state = ${ACCEPTED} AND c.closed_epoch >= ?`;

/** Walks back from a hotspot's newest envelope: its own witness reports, and those of its beacons. */
export function createReceptionWalk(db: DatabaseSync): QueryStore["listReceptions"] {
  const head = prepareReading(
    db,
    "SELECT envelope FROM heads WHERE hotspot = (SELECT position FROM hotspots WHERE key = ?)",
  );
  const previous = prepareReading(db, "SELECT previous FROM envelopes WHERE seq = ?");
  const heard = prepareReading(
    db,
    `SELECT b.hotspot AS counterpart, ${COLUMNS} ${JOINED} AND r.seq BETWEEN ? AND ?`,
  );
  const heardBy = prepareReading(
    db,
    `SELECT r.hotspot AS counterpart, ${COLUMNS} ${JOINED} AND r.beacon BETWEEN ? AND ?
     AND r.hotspot <> b.hotspot`,
  );
  const read = (row: SqlRow, isHeard: boolean): ReceptionRow => ({
    reportId: { envelopeId: readBytes(row, "id"), index: readNumber(row, "seq") % MAX_REPORTS_PER_BUNDLE },
    counterpart: readBytes(row, "counterpart"),
    isHeard,
    closedEpoch: readNumber(row, "closed_epoch"),
    beacon: {
      envelopeId: readBytes(row, "beacon_envelope"),
      index: readNumber(row, "beacon") % MAX_REPORTS_PER_BUNDLE,
    },
    unitsPpm: readNumberOrNull(row, "units_ppm"),
    beaconerPpm: readNumberOrNull(row, "beaconer_ppm"),
  });
  return async (hotspot, fromEpoch, maxEnvelopes = MAX_SCAN_ROWS) => {
    const found: ReceptionRow[] = [];
    let seq = head.one((row) => readNumber(row, "envelope"), hotspot);
    for (let walked = 0; seq !== null && walked < maxEnvelopes && found.length < MAX_SCAN_ROWS; walked++) {
      const first = seq * MAX_REPORTS_PER_BUNDLE;
      const last = first + MAX_REPORTS_PER_BUNDLE - 1;
      found.push(...heard.all((row) => read(row, true), fromEpoch, first, last));
      found.push(...heardBy.all((row) => read(row, false), fromEpoch, first, last));
      seq = previous.one((row) => readNumberOrNull(row, "previous"), seq);
    }
    return found;
  };
}
