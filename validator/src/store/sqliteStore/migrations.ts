/**
 * From the tables of an older program to this one's. A step takes a store from one schema to the next, all steps are one
 * transaction, and the file as it was stays beside it: whoever goes back to the older program has its store.
 */
import { rename, rm, statfs } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { backup, DatabaseSync } from "node:sqlite";
import { CodedError } from "../../../../node/src/host/codedError.ts";
import { syncFolder } from "../../../../node/src/host/durableFile.ts";
import { equalBytes } from "../../../../protocol/src/bytes/bytes.ts";
import { encodeHex } from "../../../../protocol/src/bytes/hex.ts";
import { SNAPSHOT_VERSION } from "../../../../protocol/src/ledger/snapshot.ts";
import { computeEarnings } from "../earnings.ts";
import { decodeAmounts, decodePayments, readAmount, readBytes, readNumber, toSigned } from "./columns.ts";
import { prepareReading } from "./prepareReading.ts";
import { readStoreBinding, SCHEMA_VERSION } from "./schema.ts";

/** One step; `run` may throw "store_schema" where what the next schema needs is not in the store. */
type Migration = { readonly from: number; readonly run: (db: DatabaseSync) => void };

/** The statements are those of their day: what later schemas change, later steps change. */
const MIGRATIONS: readonly Migration[] = [
  { from: 4, run: addEarnings },
  { from: 5, run: addDevices },
  { from: 6, run: coverRewards },
];
/** Nobody waits for the store meanwhile, so in steps as large as they come. */
const PAGES_PER_STEP = 65_536;
const OLDEST_SCHEMA = Math.min(...MIGRATIONS.map(({ from }) => from));

/** What a migration is about to do, or has done. */
export type MigrationPlan = {
  readonly from: number;
  readonly to: number;
  /** The copy that stays beside the store. */
  readonly copy: string;
  readonly bytes: number;
};

/**
 * What the store needs; null where it is of this program's schema, or there is none.
 * @throws CodedError "store_schema" where it is too old or too new, or its newest snapshot is of another layout, which no
 *   migration changes; "store_foreign", "store_missing".
 */
export function planMigration(path: string, networkId: Uint8Array): MigrationPlan | null {
  const db = openStore(path, true);
  try {
    const { schema, network } = readStoreBinding(db);
    if (schema === 0) return null;
    if (network === null || !equalBytes(network, networkId))
      throw new CodedError("store_foreign", "the store belongs to another network");
    if (schema > SCHEMA_VERSION)
      throw refused(`it has schema ${schema} of a newer program; this one knows ${SCHEMA_VERSION}`);
    if (schema < OLDEST_SCHEMA)
      throw refused(`it has schema ${schema}, and nothing before ${OLDEST_SCHEMA} is read any more`);
    checkSnapshot(db);
    if (schema === SCHEMA_VERSION) return null;
    const { page_count: pages } = db.prepare("PRAGMA page_count").get() as { page_count: number };
    const { page_size: pageBytes } = db.prepare("PRAGMA page_size").get() as { page_size: number };
    const copy = `${path}.schema-${schema}`;
    return { from: schema, to: SCHEMA_VERSION, copy, bytes: pages * pageBytes };
  } finally {
    db.close();
  }
}

/**
 * Carries a plan out. Nobody else may have the store open.
 * @throws CodedError "disk_full", or "store_schema" where a step finds that it cannot be made; the store is then as it was.
 */
export async function migrateStore(path: string, plan: MigrationPlan): Promise<void> {
  const { bavail, bsize } = await statfs(dirname(path));
  // The copy, and as much again for what the transaction writes.
  if (bavail * bsize < 2 * plan.bytes)
    throw new CodedError(
      "disk_full",
      `${path} needs ${2 * plan.bytes} bytes more to be migrated: make room first`,
    );
  const db = openStore(path, false);
  try {
    await copyBeside(db, plan.copy);
    db.exec("PRAGMA synchronous = FULL; BEGIN IMMEDIATE");
    for (const { from, run } of MIGRATIONS) if (from >= plan.from) run(db);
    db.exec(`PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT`);
  } catch (error) {
    if (db.isTransaction) db.exec("ROLLBACK");
    throw error;
  } finally {
    db.close();
  }
}

async function copyBeside(db: DatabaseSync, copy: string): Promise<void> {
  const unfinished = `${copy}.partial`;
  await rm(unfinished, { force: true });
  await backup(db, unfinished, { rate: PAGES_PER_STEP });
  await rename(unfinished, copy);
  await syncFolder(dirname(copy));
}

function openStore(path: string, readOnly: boolean): DatabaseSync {
  try {
    return new DatabaseSync(path, { readOnly });
  } catch (cause) {
    throw new CodedError("store_missing", `cannot open the store ${path}`, cause);
  }
}

/** Before anything is written: the program that made the store must find it as it was. */
function checkSnapshot(db: DatabaseSync): void {
  const newest = "SELECT epoch, substr(bytes, 1, 1) AS version FROM snapshots ORDER BY epoch DESC LIMIT 1";
  const row = prepareReading(db, newest).one((columns) => ({
    epoch: readNumber(columns, "epoch"),
    version: readBytes(columns, "version")[0],
  }));
  if (row === null || row.version === SNAPSHOT_VERSION) return;
  throw new CodedError(
    "store_schema",
    `the store's newest snapshot, of epoch ${row.epoch}, has layout ${row.version}, and this program reads ` +
      `${SNAPSHOT_VERSION} only. Nothing was changed: run the program that made it, or keep the key, move the rest away, ` +
      "and join anew from a checkpoint",
  );
}

const refused = (why: string) =>
  new CodedError(
    "store_schema",
    `the store cannot be migrated: ${why}. Keep the key, move the rest away, and join again`,
  );

/** What each account earned, by epoch: from the reward lines and validators' pay, which schema 4 keeps for ever. */
function addEarnings(db: DatabaseSync): void {
  db.exec(`
CREATE TABLE earnings (
  epoch INTEGER NOT NULL, account BLOB NOT NULL, lines INTEGER NOT NULL, beacon_paid INTEGER NOT NULL,
  witness_paid INTEGER NOT NULL, validator_paid INTEGER NOT NULL, released INTEGER NOT NULL, PRIMARY KEY (epoch, account)
) STRICT, WITHOUT ROWID;
CREATE TABLE releases (
  hotspot INTEGER NOT NULL, epoch INTEGER NOT NULL, owner BLOB NOT NULL, amount INTEGER NOT NULL
) STRICT;
CREATE INDEX releases_by_hotspot ON releases (hotspot, epoch);`);
  const epochs = prepareReading(db, "SELECT epoch, validators_paid, escrow FROM epochs ORDER BY epoch");
  const lines = prepareReading(
    db,
    "SELECT owner, beacon_paid, witness_paid FROM reward_lines WHERE epoch = ?",
  );
  const insert = db.prepare("INSERT INTO earnings VALUES (?, ?, ?, ?, ?, ?, ?)");
  for (const { epoch, validatorsPaid, released } of epochs.all((row) => ({
    epoch: readNumber(row, "epoch"),
    validatorsPaid: decodePayments(row.validators_paid as string),
    released: decodeAmounts<"released">(row.escrow as string).released,
  }))) {
    if (released > 0n)
      throw refused(
        `epoch ${epoch} released ${released} base units of escrow, and schema 4 does not say to whom`,
      );
    const ofEpoch = lines.all(
      (row) => ({
        owner: readBytes(row, "owner"),
        beaconPaid: readAmount(row, "beacon_paid"),
        witnessPaid: readAmount(row, "witness_paid"),
      }),
      epoch,
    );
    for (const row of computeEarnings({ lines: ofEpoch, validatorsPaid, releases: [] })) {
      const { account, lines: count, beaconPaid, witnessPaid, validatorPaid } = row;
      insert.run(
        epoch,
        account,
        count,
        toSigned(beaconPaid),
        toSigned(witnessPaid),
        toSigned(validatorPaid),
        0n,
      );
    }
  }
  checkEarnings(db);
}

/**
 * The device that stands beside a hotspot. The tables before do not tell it, so one that was bound before is shown once
 * the hotspot's row is written again, with its next activity.
 */
function addDevices(db: DatabaseSync): void {
  db.exec(`
ALTER TABLE hotspots ADD COLUMN device_key BLOB;
ALTER TABLE hotspots ADD COLUMN device_from_epoch INTEGER;`);
}

/** The index by hotspot holds all that is summed of a line, so that the line itself is not looked up as well. */
function coverRewards(db: DatabaseSync): void {
  db.exec(`
DROP INDEX reward_lines_by_hotspot;
CREATE INDEX reward_lines_by_hotspot ON reward_lines (
  epoch, hotspot, beacon_units_ppm, witness_units_ppm, scale_ppm, beacon_paid, witness_paid, beacon_withheld,
  witness_withheld
);`);
}

/** Over all epochs they must be what the accounts' rows say, where the store begins with the first epoch. */
function checkEarnings(db: DatabaseSync): void {
  const first = prepareReading(db, "SELECT min(round) AS round FROM rounds").one((row) => row.round);
  if (first !== 0n) return;
  const sums = new Map<string, bigint>();
  const parts = ["beacon_paid", "witness_paid", "validator_paid"] as const;
  for (const row of prepareReading(db, "SELECT * FROM earnings").each()) {
    const account = encodeHex(readBytes(row, "account"));
    const amount = parts.reduce((sum, column) => sum + readAmount(row, column), 0n);
    sums.set(account, (sums.get(account) ?? 0n) + amount);
  }
  for (const row of prepareReading(db, "SELECT key, earned FROM accounts").each()) {
    const account = encodeHex(readBytes(row, "key"));
    if ((sums.get(account) ?? 0n) !== readAmount(row, "earned"))
      throw refused(
        `its lines do not make what ${account} has earned: ${basename(db.location() ?? "it")} is damaged`,
      );
  }
}
