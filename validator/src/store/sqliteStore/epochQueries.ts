/** Reads of closed epochs' own records. */
import type { DatabaseSync } from "node:sqlite";
import type { EpochRow, QueryStore } from "../store.ts";
import { askPage } from "./askPage.ts";
import {
  decodeAmounts,
  decodePayments,
  decodePools,
  readBytes,
  readNumber,
  readNumberOrNull,
  type SqlRow,
} from "./columns.ts";
import { prepareReading } from "./prepareReading.ts";

function readEpoch(row: SqlRow): EpochRow {
  return {
    epoch: readNumber(row, "epoch"),
    firstRound: readNumber(row, "first_round"),
    lastRound: readNumber(row, "last_round"),
    startTimeMs: readNumber(row, "start_time_ms"),
    endTimeMs: readNumber(row, "end_time_ms"),
    seed: readBytes(row, "seed"),
    nextSeed: readBytes(row, "next_seed"),
    pools: decodePools(row.pools as string),
    validatorsPaid: decodePayments(row.validators_paid as string),
    beaconsClosed: readNumber(row, "beacons_closed"),
    witnessesAccepted: readNumber(row, "witnesses_accepted"),
    witnessesUnpaid: JSON.parse(row.witnesses_unpaid as string),
    witnessesRefused: JSON.parse(row.witnesses_refused as string),
    beaconsRefused: JSON.parse(row.beacons_refused as string),
    accounts: readNumber(row, "accounts"),
    record: readBytes(row, "record"),
    recordDigest: readBytes(row, "record_digest"),
    inputsDigest: readBytes(row, "inputs_digest"),
    rewardRoot: readBytes(row, "reward_root"),
    stateRoot: readBytes(row, "state_root"),
    escrow: decodeAmounts<keyof EpochRow["escrow"]>(row.escrow as string),
    shares: decodeAmounts<keyof EpochRow["shares"]>(row.shares as string),
  };
}

type EpochQueries = Pick<QueryStore, "getEpoch" | "latestEpoch" | "oldestEpoch" | "listEpochs">;

export function createEpochQueries(db: DatabaseSync): EpochQueries {
  const one = prepareReading(db, "SELECT * FROM epochs WHERE epoch = ?");
  const latest = prepareReading(db, "SELECT * FROM epochs ORDER BY epoch DESC LIMIT 1");
  const oldest = prepareReading(db, "SELECT min(epoch) AS epoch FROM epochs");
  const below = prepareReading(db, "SELECT * FROM epochs WHERE epoch < ? ORDER BY epoch DESC LIMIT ?");
  return {
    getEpoch: async (epoch) => one.one(readEpoch, epoch),
    latestEpoch: async () => latest.one(readEpoch),
    oldestEpoch: async () => oldest.one((row) => readNumberOrNull(row, "epoch")),
    listEpochs: async (beforeEpoch, limit) =>
      askPage(
        limit,
        (rows) => below.all(readEpoch, beforeEpoch ?? Number.MAX_SAFE_INTEGER, rows),
        ({ epoch }) => epoch,
      ),
  };
}
