/** Reads of rounds and snapshots: what a validator starts again from. */
import type { DatabaseSync } from "node:sqlite";
import { MAX_PAGE_ROWS, type RoundRow, type RoundStore, type Snapshot } from "../store.ts";
import {
  decodeDigests,
  decodeSpans,
  readBytes,
  readNumber,
  readNumberOrNull,
  type SqlRow,
} from "./columns.ts";
import { prepareReading } from "./prepareReading.ts";

function readRound(row: SqlRow): RoundRow {
  return {
    round: readNumber(row, "round"),
    epoch: readNumber(row, "epoch"),
    timeMs: readNumber(row, "time_ms"),
    value: readBytes(row, "value"),
    valueDigest: readBytes(row, "value_digest"),
    finalCert: readBytes(row, "final_cert"),
    stateDigest: readBytes(row, "state_digest"),
    batchDigests: decodeDigests(readBytes(row, "batch_digests")),
    batchSpans: decodeSpans(readBytes(row, "batch_spans")),
    messages: readNumber(row, "messages"),
    reports: readNumber(row, "reports"),
    transactions: readNumber(row, "transactions"),
    beaconsClosed: readNumber(row, "beacons_closed"),
  };
}

type RoundQueries = Pick<
  RoundStore,
  "latestRound" | "getRound" | "listRounds" | "snapshotAtOrBefore" | "hasSnapshot" | "oldestReplayable"
>;

export function createRoundQueries(db: DatabaseSync): RoundQueries {
  const latest = prepareReading(db, "SELECT * FROM rounds ORDER BY round DESC LIMIT 1");
  const one = prepareReading(db, "SELECT * FROM rounds WHERE round = ?");
  const from = prepareReading(db, "SELECT * FROM rounds WHERE round >= ? ORDER BY round LIMIT ?");
  const snapshot = prepareReading(db, "SELECT * FROM snapshots WHERE epoch <= ? ORDER BY epoch DESC LIMIT 1");
  const snapshotEpoch = prepareReading(db, "SELECT epoch FROM snapshots WHERE epoch = ?");
  const firstRound = prepareReading(db, "SELECT min(round) AS round FROM rounds");
  const bodiesFrom = prepareReading(db, "SELECT value FROM meta WHERE name = 'bodies_from_round'");
  const oldestSnapshot = prepareReading(db, "SELECT min(epoch) AS epoch FROM snapshots");
  const readSnapshot = (row: SqlRow): Snapshot => ({
    epoch: readNumber(row, "epoch"),
    bytes: readBytes(row, "bytes"),
    stateRoot: readBytes(row, "state_root"),
  });
  return {
    latestRound: async () => latest.one(readRound),
    getRound: async (round) => one.one(readRound, round),
    listRounds: async (fromRound, limit) => from.all(readRound, fromRound, Math.min(limit, MAX_PAGE_ROWS)),
    snapshotAtOrBefore: async (epoch) => snapshot.one(readSnapshot, epoch),
    hasSnapshot: async (epoch) => snapshotEpoch.one(() => true, epoch) !== null,
    oldestReplayable: async () => {
      const isWhole = firstRound.one((row) => readNumberOrNull(row, "round")) === 0;
      if (isWhole && bodiesFrom.one(() => true) === null) return 0;
      const oldest = oldestSnapshot.one((row) => readNumberOrNull(row, "epoch"));
      return oldest === null ? null : oldest + 1;
    },
  };
}
