/**
 * The tables of the embedded store, and what is checked when a file of it is opened.
 *
 * Reports come by the million, so nothing about them is indexed by a hash. An envelope's `seq` is its place in the order
 * of arrival and the row's key; the key of its report `index` is `seq * 16 + index`, sixteen being the most a bundle
 * holds. A hotspot's envelopes form a chain, each row naming the one before, with the newest in `heads`; the witness
 * reports of a beacon have an index whose keys are as recent as the beacon, so both are written at the warm end of
 * the file. The ids of recent envelopes are found in memory (recentIds.ts), those of beacons, a hundredth of all
 * reports, by an index on 48 bits. Reward lines are sorted by epoch, so their indexes grow at the end too;
 * that by hotspot holds all that is summed of a line, so that a month of one hotspot is one look-up an epoch.
 */
import { DatabaseSync } from "node:sqlite";
import { CodedError } from "../../../../node/src/host/codedError.ts";
import { equalBytes } from "../../../../protocol/src/bytes/bytes.ts";
import { VALIDATOR_TABLES } from "./validatorRecords.ts";

/** Any change of the tables counts one up, and adds a step to migrations.ts. */
export const SCHEMA_VERSION = 7;

/**
 * Older versions can corrupt a WAL database when two connections checkpoint at the same moment (the "WAL-reset" bug,
 * fixed in 3.51.3 of 2026, sqlite.org/wal.html#walresetbug), and `validator replay` is such a second connection.
 */
const LEAST_SQLITE = [3, 51, 3] as const;

const TABLES = `
CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE rounds (
  round INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, time_ms INTEGER NOT NULL,
  value BLOB NOT NULL, value_digest BLOB NOT NULL, final_cert BLOB NOT NULL, state_digest BLOB NOT NULL,
  batch_digests BLOB NOT NULL, batch_spans BLOB NOT NULL, first_envelope INTEGER NOT NULL,
  messages INTEGER NOT NULL, reports INTEGER NOT NULL, transactions INTEGER NOT NULL, beacons_closed INTEGER NOT NULL
) STRICT;
CREATE TABLE snapshots (epoch INTEGER PRIMARY KEY, state_root BLOB NOT NULL, bytes BLOB NOT NULL) STRICT;
CREATE TABLE epochs (
  epoch INTEGER PRIMARY KEY, first_round INTEGER NOT NULL, last_round INTEGER NOT NULL,
  start_time_ms INTEGER NOT NULL, end_time_ms INTEGER NOT NULL, seed BLOB NOT NULL, next_seed BLOB NOT NULL,
  pools TEXT NOT NULL, validators_paid TEXT NOT NULL, beacons_closed INTEGER NOT NULL,
  witnesses_accepted INTEGER NOT NULL, witnesses_unpaid TEXT NOT NULL, witnesses_refused TEXT NOT NULL,
  beacons_refused TEXT NOT NULL,
  accounts INTEGER NOT NULL, record BLOB NOT NULL, record_digest BLOB NOT NULL, inputs_digest BLOB NOT NULL,
  reward_root BLOB NOT NULL, state_root BLOB NOT NULL, escrow TEXT NOT NULL, shares TEXT NOT NULL
) STRICT;
CREATE TABLE reward_lines (
  epoch INTEGER NOT NULL, rank INTEGER NOT NULL, hotspot INTEGER NOT NULL, owner BLOB NOT NULL,
  beacon_units_ppm INTEGER NOT NULL, witness_units_ppm INTEGER NOT NULL, scale_ppm INTEGER NOT NULL,
  beacon_paid INTEGER NOT NULL, witness_paid INTEGER NOT NULL, trust_ppm INTEGER NOT NULL, penalties INTEGER NOT NULL,
  beacon_withheld INTEGER NOT NULL, witness_withheld INTEGER NOT NULL, PRIMARY KEY (epoch, rank)
) STRICT, WITHOUT ROWID;
CREATE INDEX reward_lines_by_hotspot ON reward_lines (
  epoch, hotspot, beacon_units_ppm, witness_units_ppm, scale_ppm, beacon_paid, witness_paid, beacon_withheld,
  witness_withheld
);
CREATE TABLE earnings (
  epoch INTEGER NOT NULL, account BLOB NOT NULL, lines INTEGER NOT NULL, beacon_paid INTEGER NOT NULL,
  witness_paid INTEGER NOT NULL, validator_paid INTEGER NOT NULL, released INTEGER NOT NULL, PRIMARY KEY (epoch, account)
) STRICT, WITHOUT ROWID;
CREATE TABLE releases (
  hotspot INTEGER NOT NULL, epoch INTEGER NOT NULL, owner BLOB NOT NULL, amount INTEGER NOT NULL
) STRICT;
CREATE INDEX releases_by_hotspot ON releases (hotspot, epoch);
CREATE TABLE hotspots (
  position INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, owner BLOB NOT NULL, registered_epoch INTEGER NOT NULL,
  bond INTEGER NOT NULL, cell INTEGER, lat_e7 INTEGER, lng_e7 INTEGER, gain_centi_dbi INTEGER, elevation_m INTEGER,
  region TEXT, from_epoch INTEGER, last_active_epoch INTEGER, silent_until_epoch INTEGER,
  leaving_until_epoch INTEGER, device_key BLOB, device_from_epoch INTEGER
) STRICT;
CREATE INDEX hotspots_by_owner ON hotspots (owner, position);
CREATE INDEX hotspots_by_cell ON hotspots (cell, position) WHERE cell IS NOT NULL;
CREATE TABLE trust (
  hotspot INTEGER NOT NULL, from_epoch INTEGER NOT NULL, graph_ppm INTEGER NOT NULL, trust_ppm INTEGER NOT NULL,
  suspended INTEGER NOT NULL, appealed INTEGER NOT NULL, findings TEXT NOT NULL, PRIMARY KEY (hotspot, from_epoch)
) STRICT, WITHOUT ROWID;
CREATE TABLE accounts (
  key BLOB PRIMARY KEY, balance INTEGER NOT NULL, nonce INTEGER NOT NULL, earned INTEGER NOT NULL
) STRICT;
CREATE TABLE envelopes (seq INTEGER PRIMARY KEY, id BLOB NOT NULL, round INTEGER NOT NULL, previous INTEGER) STRICT;
CREATE TABLE heads (hotspot INTEGER PRIMARY KEY, envelope INTEGER NOT NULL) STRICT;
CREATE TABLE reports (
  seq INTEGER PRIMARY KEY, kind INTEGER NOT NULL, hotspot BLOB NOT NULL, round INTEGER NOT NULL,
  state INTEGER NOT NULL, reason INTEGER NOT NULL, selection_pending INTEGER NOT NULL, beacon INTEGER,
  rssi_deci_dbm INTEGER, rssi_kind INTEGER, snr_centi_db INTEGER, freq_hz INTEGER, spreading_factor INTEGER,
  bandwidth_hz INTEGER, time_ms INTEGER, distance_m INTEGER, ceiling_centi_dbm INTEGER, units_ppm INTEGER
) STRICT;
CREATE INDEX reports_by_beacon ON reports (beacon) WHERE beacon IS NOT NULL;
CREATE TABLE beacons (
  seq INTEGER PRIMARY KEY, id_prefix INTEGER NOT NULL, commit_hash BLOB NOT NULL, freq_hz INTEGER NOT NULL,
  spreading_factor INTEGER NOT NULL, bandwidth_hz INTEGER NOT NULL, power_centi_dbm INTEGER NOT NULL,
  time_ms INTEGER NOT NULL, challenge_epoch INTEGER, closed_epoch INTEGER, closed_round INTEGER, reason INTEGER,
  eirp_centi_dbm INTEGER, secret BLOB, accepted INTEGER, unpaid INTEGER, refused INTEGER, paid_witnesses INTEGER,
  per_witness_ppm INTEGER, beaconer_ppm INTEGER
) STRICT;
CREATE INDEX beacons_by_id ON beacons (id_prefix);
CREATE TABLE transactions (
  seq INTEGER PRIMARY KEY, sender BLOB NOT NULL, kind INTEGER NOT NULL, reason INTEGER NOT NULL
) STRICT;
CREATE TABLE coverage (
  epoch INTEGER NOT NULL, resolution INTEGER NOT NULL, cell INTEGER NOT NULL, cells INTEGER NOT NULL,
  hotspots INTEGER NOT NULL, counterparts_max INTEGER NOT NULL, coverage_ppm_max INTEGER NOT NULL,
  PRIMARY KEY (epoch, resolution, cell)
) STRICT, WITHOUT ROWID;
`;

/** Throws `store_sqlite_old` for a version text such as `3.51.2`. */
export function checkSqliteVersion(version: string): void {
  const parts = version.split(".").map(Number);
  for (const [index, least] of LEAST_SQLITE.entries()) {
    const part = parts[index] ?? 0;
    if (part > least) return;
    if (part < least || Number.isNaN(part)) {
      throw new CodedError("store_sqlite_old", `SQLite ${version} is older than ${LEAST_SQLITE.join(".")}`);
    }
  }
}

/**
 * Opens the file and binds it to a network.
 * @param networkId 32 bytes; a store of another network is refused with `store_foreign`.
 * @param initialise writes what a new store starts with, in the transaction that makes it; null opens read-only.
 */
export function openDatabase(
  path: string,
  networkId: Uint8Array,
  initialise: ((db: DatabaseSync) => void) | null,
): DatabaseSync {
  let db: DatabaseSync;
  try {
    // A reader beside a running validator waits this long for a checkpoint to let it in.
    db = new DatabaseSync(path, { readOnly: initialise === null, timeout: 5_000 });
  } catch (cause) {
    throw new CodedError("store_missing", `cannot open the store ${path}`, cause);
  }
  try {
    checkSqliteVersion(db.prepare("SELECT sqlite_version() AS version").get()!.version as string);
    if (initialise !== null) {
      // FULL: a commit is on the disk when it returns. In 450 simulated power cuts NORMAL lost acknowledged commits in 333.
      db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000;");
      if (isEmpty(db)) createTables(db, networkId, initialise);
    }
    // 64 MiB of pages: the warm ends of the report tables, and the upper levels of all others.
    db.exec("PRAGMA cache_size = -65536;");
    checkBinding(db, networkId);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function isEmpty(db: DatabaseSync): boolean {
  return db.prepare("SELECT count(*) AS n FROM sqlite_schema").get()!.n === 0;
}

/** One transaction, so that a crash leaves an empty file or a store with its genesis. */
function createTables(db: DatabaseSync, networkId: Uint8Array, initialise: (db: DatabaseSync) => void): void {
  db.exec("BEGIN IMMEDIATE");
  db.exec(TABLES + VALIDATOR_TABLES);
  db.prepare("INSERT INTO meta VALUES ('network', ?)").run(networkId);
  initialise(db);
  db.exec(`PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT;`);
}

/** The schema of a store, 0 where it is empty, and the network that it belongs to; null where it has none. */
export function readStoreBinding(db: DatabaseSync): {
  readonly schema: number;
  readonly network: Uint8Array | null;
} {
  const { user_version: schema } = db.prepare("PRAGMA user_version").get() as { user_version: number };
  if (schema === 0) return { schema, network: null };
  const row = db.prepare("SELECT value FROM meta WHERE name = 'network'").get();
  return { schema, network: (row?.value as Uint8Array | undefined) ?? null };
}

function checkBinding(db: DatabaseSync, networkId: Uint8Array): void {
  const { schema, network } = readStoreBinding(db);
  if (schema !== SCHEMA_VERSION) {
    const text = `the store has schema ${schema}, this program needs ${SCHEMA_VERSION}: see validator migrate`;
    throw new CodedError("store_schema", text);
  }
  if (network === null || !equalBytes(network, networkId)) {
    throw new CodedError("store_foreign", "the store belongs to another network");
  }
}
