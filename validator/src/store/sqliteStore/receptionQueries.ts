/** Receptions between a hotspot and others: what a finding's evidence names, found along the hotspot's own chain. */
import type { DatabaseSync } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
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
  WHERE r.kind = ${WITNESS} AND r.state = ${ACCEPTED} AND c.closed_epoch BETWEEN ? AND ?`;

/** A report has its outcome in the epoch of its inclusion or one of the two after it, as a store's contract says. */
const OUTCOME_EPOCHS = 2;
/** Envelopes passed between two turns of the event loop, of which each is one look-up: half a millisecond. */
const SKIPPED_PER_TURN = 500;
/** Envelopes read between two turns, each with its reports, their beacons and those of others: a few milliseconds. */
const READ_PER_TURN = 100;

/** The earliest of some envelopes back from one, down to the first that is below another. */
const SKIP = `WITH RECURSIVE chain (seq) AS (
    SELECT seq FROM envelopes WHERE seq = ?
    UNION ALL
    SELECT e.previous FROM chain c CROSS JOIN envelopes e ON e.seq = c.seq WHERE c.seq >= ? AND e.previous IS NOT NULL
    LIMIT ${SKIPPED_PER_TURN}
  ) SELECT min(seq) AS seq FROM chain`;

/** Walks back along a hotspot's envelopes: its own witness reports, and those of its beacons. */
export function createReceptionWalk(db: DatabaseSync): QueryStore["listReceptions"] {
  const head = prepareReading(
    db,
    "SELECT envelope FROM heads WHERE hotspot = (SELECT position FROM hotspots WHERE key = ?)",
  );
  const afterEpoch = prepareReading(
    db,
    "SELECT first_envelope AS seq FROM rounds WHERE round = (SELECT last_round + 1 FROM epochs WHERE epoch = ?)",
  );
  const skip = prepareReading(db, SKIP);
  const readSeq = (row: SqlRow): number | null => readNumberOrNull(row, "seq");
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
  /** The newest envelope of a chain below `end`. */
  async function skipTo(end: number, head: number | null): Promise<number | null> {
    let seq = head;
    while (seq !== null && seq >= end) {
      const reached: number | null = skip.one(readSeq, seq, end);
      seq = reached === seq ? null : reached;
      await setImmediate();
    }
    return seq;
  }

  return async (hotspot, fromEpoch, toEpoch, maxEnvelopes = MAX_SCAN_ROWS) => {
    const found: ReceptionRow[] = [];
    const begin = afterEpoch.one(readSeq, fromEpoch - OUTCOME_EPOCHS - 1) ?? 0;
    const end = afterEpoch.one(readSeq, toEpoch) ?? Number.MAX_SAFE_INTEGER;
    let seq = await skipTo(
      end,
      head.one((row) => readNumber(row, "envelope"), hotspot),
    );
    for (let walked = 0; seq !== null && seq >= begin; walked++) {
      if (walked === maxEnvelopes || found.length >= MAX_SCAN_ROWS) break;
      const first = seq * MAX_REPORTS_PER_BUNDLE;
      const span = [fromEpoch, toEpoch, first, first + MAX_REPORTS_PER_BUNDLE - 1] as const;
      found.push(...heard.all((row) => read(row, true), ...span));
      found.push(...heardBy.all((row) => read(row, false), ...span));
      seq = previous.one((row) => readNumberOrNull(row, "previous"), seq);
      if (walked % READ_PER_TURN === READ_PER_TURN - 1) await setImmediate();
    }
    return found;
  };
}
