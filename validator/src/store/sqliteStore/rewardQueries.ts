/** Reads of reward lines, by epoch and rank, and of what a hotspot or an account earned over time. */
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
import { MAX_REWARD_RANGE_EPOCHS, type QueryStore, type RankedLine } from "../store.ts";
import { askPage } from "./askPage.ts";
import { readAmount, readBytes, readNumber, type SqlRow } from "./columns.ts";
import { prepareReading } from "./prepareReading.ts";

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
    hotspot,
    owner,
    rank: Number(rank),
    beaconUnitsPpm: Number(beaconUnits),
    witnessUnitsPpm: Number(witnessUnits),
    scalePpm: Number(scale),
    trustPpm: Number(trust),
    beaconPaid,
    witnessPaid,
    paid: beaconPaid + witnessPaid,
    beaconWithheld,
    witnessWithheld,
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

const LINES = "SELECT l.*, h.key FROM reward_lines l JOIN hotspots h ON h.position = l.hotspot";
/** The planner takes the primary key's epoch, and looks at everybody's lines, where it is not told of this index. */
const BY_HOTSPOT = "reward_lines l INDEXED BY reward_lines_by_hotspot";

type LineQueries = Pick<QueryStore, "listRewardLines" | "listPlainLines" | "getRewardLine">;

/** Reads of an epoch's lines. */
export function createLineQueries(db: DatabaseSync): LineQueries {
  const lines = prepareReading(db, `${LINES} WHERE l.epoch = ? AND l.rank > ? ORDER BY l.rank LIMIT ?`);
  const line = prepareReading(
    db,
    `SELECT l.*, h.key FROM hotspots h JOIN ${BY_HOTSPOT} ON l.hotspot = h.position WHERE l.epoch = ? AND h.key = ?`,
  );
  // Arrays: objects of named columns cost more than all the rest of reading a line.
  const plain = db.prepare(PLAIN_LINES);
  plain.setReadBigInts(true);
  plain.setReturnArrays(true);
  return {
    listRewardLines: async (epoch, afterRank, limit) =>
      askPage(
        limit,
        (rows) => lines.all(readLine, epoch, afterRank, rows),
        ({ rank }) => rank,
      ),
    listPlainLines: async (epoch, afterRank, limit) =>
      askPage(
        limit,
        (rows) => (plain.all(epoch, afterRank, rows) as unknown as PlainColumns[]).map(readPlainLine),
        ({ rank }) => rank,
      ),
    getRewardLine: async (epoch, hotspot) => line.one(readLine, epoch, hotspot),
  };
}

/** Reads of earnings over a range of epochs, summed by periods. */
export function createEarningQueries(
  db: DatabaseSync,
): Pick<QueryStore, "listHotspotRewards" | "listAccountRewards"> {
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
  return {
    listHotspotRewards: async (hotspot, fromEpoch, toEpoch, periods) => {
      const last = lastOfRange(fromEpoch, toEpoch);
      const earned = ofHotspot.all(readHotspotEarning, fromEpoch, last, hotspot, MAX_REWARD_RANGE_EPOCHS);
      const released = releases.all(
        (row) => ({ ...readDate(row), amount: readAmount(row, "amount") }),
        hotspot,
        fromEpoch,
        last,
      );
      return bucketRows(joinReleases(earned, released), periods, addHotspotSums);
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
  };
}
