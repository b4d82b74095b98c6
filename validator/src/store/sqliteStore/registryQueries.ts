/** Reads of the registry: hotspots and accounts as they stand after the newest round. */
import type { DatabaseSync } from "node:sqlite";
import type { AccountView, TrustRow } from "../../../../protocol/src/ledger/types.ts";
import type { RegionName } from "../../../../protocol/src/radio/regions.ts";
import { matchesFilter } from "../hotspotFilter.ts";
import {
  type HotspotCursor,
  type HotspotRow,
  MAX_PAGE_ROWS,
  MAX_SCAN_ROWS,
  type QueryStore,
} from "../store.ts";
import { askPage } from "./askPage.ts";
import {
  decodeFindings,
  readAmount,
  readBytes,
  readNumber,
  readNumberOrNull,
  type SqlRow,
} from "./columns.ts";
import { prepareReading } from "./prepareReading.ts";

function readHotspot(row: SqlRow): HotspotRow {
  return {
    position: readNumber(row, "position"),
    key: readBytes(row, "key"),
    owner: readBytes(row, "owner"),
    registeredEpoch: readNumber(row, "registered_epoch"),
    bond: readAmount(row, "bond"),
    assertion:
      row.cell === null
        ? null
        : {
            cell: row.cell as bigint,
            latE7: readNumber(row, "lat_e7"),
            lngE7: readNumber(row, "lng_e7"),
            gainCentiDbi: readNumber(row, "gain_centi_dbi"),
            elevationM: readNumber(row, "elevation_m"),
            region: row.region as RegionName,
            fromEpoch: readNumber(row, "from_epoch"),
          },
    device:
      row.device_key === null
        ? null
        : { key: readBytes(row, "device_key"), fromEpoch: readNumber(row, "device_from_epoch") },
    lastActiveEpoch: readNumberOrNull(row, "last_active_epoch"),
    silentUntilEpoch: readNumberOrNull(row, "silent_until_epoch"),
    leavingUntilEpoch: readNumberOrNull(row, "leaving_until_epoch"),
  };
}

function readAccount(row: SqlRow): AccountView {
  return {
    key: readBytes(row, "key"),
    balance: readAmount(row, "balance"),
    nonce: readNumber(row, "nonce"),
    earned: readAmount(row, "earned"),
  };
}

function readTrust(row: SqlRow): TrustRow {
  return {
    hotspot: readBytes(row, "key"),
    fromEpoch: readNumber(row, "from_epoch"),
    graphPpm: readNumber(row, "graph_ppm"),
    trustPpm: readNumber(row, "trust_ppm"),
    isSuspended: row.suspended === 1n,
    isAppealed: row.appealed === 1n,
    findings: decodeFindings(row.findings as string),
  };
}

/** After which cell and position a page begins: of two lower bounds the index takes one, and all between them would be looked at. */
const beginInCells = (
  from: bigint,
  after: HotspotCursor | null,
): readonly [cell: bigint, position: number] =>
  after === null || after.cell === null || after.cell < from ? [from, 0] : [after.cell, after.position];

type RegistryQueries = Pick<
  QueryStore,
  "countHotspots" | "getHotspot" | "listHotspots" | "getAccount" | "listTrust"
>;

export function createRegistryQueries(db: DatabaseSync): RegistryQueries {
  // Hotspots are never deleted, so the highest position is their number.
  const count = prepareReading(db, "SELECT coalesce(max(position), 0) AS n FROM hotspots");
  const one = prepareReading(db, "SELECT * FROM hotspots WHERE key = ?");
  const account = prepareReading(db, "SELECT * FROM accounts WHERE key = ?");
  const byCell = prepareReading(
    db,
    "SELECT * FROM hotspots WHERE (cell, position) > (?, ?) AND cell <= ? ORDER BY cell, position LIMIT ?",
  );
  const byOwner = prepareReading(
    db,
    "SELECT * FROM hotspots WHERE owner = ? AND position > ? ORDER BY position LIMIT ?",
  );
  const all = prepareReading(db, "SELECT * FROM hotspots WHERE position > ? ORDER BY position LIMIT ?");
  const trust = prepareReading(
    db,
    `SELECT t.*, h.key FROM trust t JOIN hotspots h ON h.position = t.hotspot
     WHERE t.hotspot = (SELECT position FROM hotspots WHERE key = ?) AND t.from_epoch < ?
     ORDER BY t.from_epoch DESC LIMIT ?`,
  );
  return {
    listTrust: async (hotspot, beforeEpoch, limit) =>
      askPage(
        limit,
        (rows) => trust.all(readTrust, hotspot, beforeEpoch ?? Number.MAX_SAFE_INTEGER, rows),
        ({ fromEpoch }) => fromEpoch,
      ),
    countHotspots: async () => count.one((row) => readNumber(row, "n"))!,
    getHotspot: async (key) => one.one(readHotspot, key),
    getAccount: async (key) => account.one(readAccount, key),
    listHotspots: async (filter, after, limit) => {
      const asked = Math.min(limit, MAX_PAGE_ROWS);
      const position = after?.position ?? 0;
      const inCells = filter.cellFrom !== undefined && filter.cellTo !== undefined;
      const candidates = inCells
        ? byCell.each(...beginInCells(filter.cellFrom!, after), filter.cellTo!, MAX_SCAN_ROWS)
        : filter.owner !== undefined
          ? byOwner.each(filter.owner, position, MAX_SCAN_ROWS)
          : all.each(position, MAX_SCAN_ROWS);
      const rows: HotspotRow[] = [];
      let looked = 0;
      let next: HotspotCursor | null = null;
      for (const row of candidates) {
        looked++;
        const hotspot = readHotspot(row);
        // A page ends before the first match beyond it, or where as much was looked at as one question may cost.
        const matches = matchesFilter(hotspot, filter);
        if (matches && rows.length === asked) return { rows, next };
        if (matches) rows.push(hotspot);
        next = { cell: inCells ? hotspot.assertion!.cell : null, position: hotspot.position };
      }
      return { rows, next: looked === MAX_SCAN_ROWS ? next : null };
    },
  };
}
