/** Reads of closed epochs: their records, reward lines and coverage maps. */
import type { DatabaseSync } from "node:sqlite";
import { type EarningRow, sumEarning } from "../earnings.ts";
import {
  addAccountSums,
  addHotspotSums,
  bucketRows,
  type DatedRow,
  type HotspotEarning,
  joinReleases,
} from "../rewardBuckets.ts";
import {
  type CoverageCell,
  type EpochRow,
  MAX_PAGE_ROWS,
  MAX_REWARD_RANGE_EPOCHS,
  type QueryStore,
  type RankedLine,
} from "../store.ts";
import {
  decodeAmounts,
  decodePayments,
  decodePools,
  readAmount,
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

function readLine(row: SqlRow): RankedLine {
  const beaconPaid = readAmount(row, "beacon_paid");
  const witnessPaid = readAmount(row, "witness_paid");
  return {
    rank: readNumber(row, "rank"),
    hotspot: readBytes(row, "key"),
    owner: readBytes(row, "owner"),
    beaconUnitsPpm: readNumber(row, "beacon_units_ppm"),
    witnessUnitsPpm: readNumber(row, "witness_units_ppm"),
    scalePpm: readNumber(row, "scale_ppm"),
    beaconPaid,
    witnessPaid,
    paid: beaconPaid + witnessPaid,
    trustPpm: readNumber(row, "trust_ppm"),
    penalties: readNumber(row, "penalties"),
    beaconWithheld: readAmount(row, "beacon_withheld"),
    witnessWithheld: readAmount(row, "witness_withheld"),
  };
}

type PlainColumns = readonly [string, string, ...(readonly bigint[])];

/** The columns of a plain line in the order of `PLAIN_LINES`. */
function readPlainLine([
  hotspot,
  owner,
  rank,
  beaconUnits,
  witnessUnits,
  scale,
  trust,
  ...paid
]: PlainColumns) {
  const [beaconPaid, witnessPaid, beaconWithheld, witnessWithheld] = paid.map((column) =>
    BigInt.asUintN(64, column),
  ) as [bigint, bigint, bigint, bigint];
  return {
    ...{ hotspot, owner, rank: Number(rank) },
    beaconUnitsPpm: Number(beaconUnits),
    witnessUnitsPpm: Number(witnessUnits),
    scalePpm: Number(scale),
    trustPpm: Number(trust),
    ...{ beaconPaid, witnessPaid, paid: beaconPaid + witnessPaid, beaconWithheld, witnessWithheld },
  };
}

const PLAIN_LINES = `SELECT lower(hex(h.key)), lower(hex(l.owner)), l.rank, l.beacon_units_ppm, l.witness_units_ppm, l.scale_ppm,
  l.trust_ppm, l.beacon_paid, l.witness_paid, l.beacon_withheld, l.witness_withheld
  FROM reward_lines l JOIN hotspots h ON h.position = l.hotspot WHERE l.epoch = ? AND l.rank > ? ORDER BY l.rank LIMIT ?`;

const readDate = (row: SqlRow): DatedRow => ({
  epoch: readNumber(row, "epoch"),
  startTimeMs: readNumber(row, "start_time_ms"),
});

const readHotspotEarning = (row: SqlRow): HotspotEarning => ({
  ...readDate(row),
  beaconUnitsPpm: readNumber(row, "beacon_units_ppm"),
  witnessUnitsPpm: readNumber(row, "witness_units_ppm"),
  scalePpm: readNumber(row, "scale_ppm"),
  beaconPaid: readAmount(row, "beacon_paid"),
  witnessPaid: readAmount(row, "witness_paid"),
  withheld: readAmount(row, "beacon_withheld") + readAmount(row, "witness_withheld"),
});

const readEarning = (row: SqlRow): EarningRow => ({
  account: readBytes(row, "account"),
  lines: readNumber(row, "lines"),
  beaconPaid: readAmount(row, "beacon_paid"),
  witnessPaid: readAmount(row, "witness_paid"),
  validatorPaid: readAmount(row, "validator_paid"),
  released: readAmount(row, "released"),
});

/** The last epoch that a question for rewards may look at. */
const lastOfRange = (from: number, to: number): number => Math.min(to, from + MAX_REWARD_RANGE_EPOCHS - 1);

function readCoverage(row: SqlRow): CoverageCell {
  return {
    cell: row.cell as bigint,
    cells: readNumber(row, "cells"),
    hotspots: readNumber(row, "hotspots"),
    counterpartsMax: readNumber(row, "counterparts_max"),
    coveragePpmMax: readNumber(row, "coverage_ppm_max"),
  };
}

const LINES = "SELECT l.*, h.key FROM reward_lines l JOIN hotspots h ON h.position = l.hotspot";
/** The planner takes the primary key's epoch, and looks at everybody's lines, where it is not told of this index. */
const BY_HOTSPOT = "reward_lines l INDEXED BY reward_lines_by_hotspot";

type EpochQueries = Pick<
  QueryStore,
  | "getEpoch"
  | "latestEpoch"
  | "oldestEpoch"
  | "listEpochs"
  | "listRewardLines"
  | "listPlainLines"
  | "getRewardLine"
  | "listHotspotRewards"
  | "listAccountRewards"
  | "latestCoverageEpoch"
  | "listCoverage"
>;

export function createEpochQueries(db: DatabaseSync): EpochQueries {
  const one = prepareReading(db, "SELECT * FROM epochs WHERE epoch = ?");
  const latest = prepareReading(db, "SELECT * FROM epochs ORDER BY epoch DESC LIMIT 1");
  const oldest = prepareReading(db, "SELECT min(epoch) AS epoch FROM epochs");
  const below = prepareReading(db, "SELECT * FROM epochs WHERE epoch < ? ORDER BY epoch DESC LIMIT ?");
  const lines = prepareReading(db, `${LINES} WHERE l.epoch = ? AND l.rank > ? ORDER BY l.rank LIMIT ?`);
  const line = prepareReading(
    db,
    `SELECT l.*, h.key FROM hotspots h JOIN ${BY_HOTSPOT} ON l.hotspot = h.position WHERE l.epoch = ? AND h.key = ?`,
  );
  // Arrays: objects of named columns cost more than all the rest of reading a line.
  const plain = db.prepare(PLAIN_LINES);
  plain.setReadBigInts(true);
  plain.setReturnArrays(true);
  // One look-up an epoch, in the index alone: an index by hotspot before epoch would be written all over the file.
  const ofHotspot = prepareReading(
    db,
    `SELECT e.epoch, e.start_time_ms, l.beacon_units_ppm, l.witness_units_ppm, l.scale_ppm, l.beacon_paid, l.witness_paid,
     l.beacon_withheld, l.witness_withheld FROM epochs e CROSS JOIN ${BY_HOTSPOT}
     WHERE e.epoch BETWEEN ? AND ? AND l.epoch = e.epoch AND l.hotspot = (SELECT position FROM hotspots WHERE key = ?)
     ORDER BY e.epoch LIMIT ?`,
  );
  const releases = prepareReading(
    db,
    `SELECT r.*, e.start_time_ms FROM releases r JOIN epochs e ON e.epoch = r.epoch
     WHERE r.hotspot = (SELECT position FROM hotspots WHERE key = ?) AND r.epoch BETWEEN ? AND ? ORDER BY r.epoch`,
  );
  const earnings = prepareReading(
    db,
    `SELECT a.*, e.start_time_ms FROM epochs e CROSS JOIN earnings a
     WHERE e.epoch BETWEEN ? AND ? AND a.epoch = e.epoch AND a.account = ? ORDER BY e.epoch LIMIT ?`,
  );
  const coverageEpoch = prepareReading(db, "SELECT max(epoch) AS epoch FROM coverage");
  const coverage = prepareReading(
    db,
    "SELECT * FROM coverage WHERE epoch = ? AND resolution = ? AND cell BETWEEN ? AND ? ORDER BY cell LIMIT ?",
  );
  return {
    getEpoch: async (epoch) => one.one(readEpoch, epoch),
    latestEpoch: async () => latest.one(readEpoch),
    oldestEpoch: async () => oldest.one((row) => readNumberOrNull(row, "epoch")),
    listEpochs: async (beforeEpoch, limit) => {
      const rows = below.all(
        readEpoch,
        beforeEpoch ?? Number.MAX_SAFE_INTEGER,
        Math.min(limit, MAX_PAGE_ROWS) + 1,
      );
      return page(rows, Math.min(limit, MAX_PAGE_ROWS), (row) => row.epoch);
    },
    listRewardLines: async (epoch, afterRank, limit) => {
      const rows = lines.all(readLine, epoch, afterRank, Math.min(limit, MAX_PAGE_ROWS) + 1);
      return page(rows, Math.min(limit, MAX_PAGE_ROWS), (row) => row.rank);
    },
    listPlainLines: async (epoch, afterRank, limit) => {
      const asked = Math.min(limit, MAX_PAGE_ROWS);
      const rows = plain.all(epoch, afterRank, asked + 1) as unknown as PlainColumns[];
      return page(rows.map(readPlainLine), asked, (row) => row.rank);
    },
    getRewardLine: async (epoch, hotspot) => line.one(readLine, epoch, hotspot),
    listHotspotRewards: async (hotspot, fromEpoch, toEpoch, periods) => {
      const last = lastOfRange(fromEpoch, toEpoch);
      const lines = ofHotspot.all(readHotspotEarning, fromEpoch, last, hotspot, MAX_REWARD_RANGE_EPOCHS);
      const released = releases.all(
        (row) => ({ ...readDate(row), amount: readAmount(row, "amount") }),
        hotspot,
        fromEpoch,
        last,
      );
      return bucketRows(joinReleases(lines, released), periods, addHotspotSums);
    },
    listAccountRewards: async (account, fromEpoch, toEpoch, periods) => {
      const rows = earnings.all(
        (row) => ({ ...sumEarning(readEarning(row)), ...readDate(row) }),
        fromEpoch,
        lastOfRange(fromEpoch, toEpoch),
        account,
        MAX_REWARD_RANGE_EPOCHS,
      );
      return bucketRows(rows, periods, addAccountSums);
    },
    latestCoverageEpoch: async () => coverageEpoch.one((row) => readNumberOrNull(row, "epoch")),
    listCoverage: async (epoch, resolution, range, after, limit) => {
      // Of two lower bounds the index takes one, and all between them would be looked at.
      const from = after === null || after < range.from ? range.from : after + 1n;
      const asked = Math.min(limit, MAX_PAGE_ROWS);
      const rows = coverage.all(readCoverage, epoch, resolution, from, range.to, asked + 1);
      return page(rows, asked, (row) => row.cell);
    },
  };
}

/** Cuts a list that was asked for with one row too many, which says whether there is a next page. */
export function page<Row, Cursor>(rows: Row[], limit: number, cursorOf: (row: Row) => Cursor) {
  if (rows.length <= limit) return { rows, next: null };
  const shown = rows.slice(0, limit);
  return { rows: shown, next: cursorOf(shown[limit - 1]!) };
}
