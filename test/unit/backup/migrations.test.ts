import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { gunzipSync } from "node:zlib";
import { beforeEach, describe, expect, test } from "vitest";
import { SNAPSHOT_VERSION } from "../../../protocol/src/ledger/snapshot.ts";
import { migrateHome } from "../../../validator/src/storage.ts";
import { planMigration } from "../../../validator/src/store/sqliteStore/migrations.ts";
import { SCHEMA_VERSION } from "../../../validator/src/store/sqliteStore/schema.ts";
import { openSqliteStore } from "../../../validator/src/store/sqliteStore/sqliteStore.ts";
import { createHistory, named } from "../store/history.ts";

/**
 * The store of a devnet of one validator and twelve hotspots after three epochs, as the last program with schema 4 wrote it
 * (`npm start -- --epochs 3 --hotspots 12 --validators 1 --preset test --data DIR`, then VACUUM INTO; only its newest snapshot is left).
 * Its snapshot is of the layout of that day; all but one test number it as today's, as an older schema with this program's rules has it.
 */
const FIXTURE = gunzipSync(readFileSync(new URL("../../vectors/store-schema-4.sqlite.gz", import.meta.url)));

const folder = mkdtempSync(join(tmpdir(), "hexbeacon-migrations-"));

let path = "";
let stores = 0;
beforeEach(() => {
  path = join(folder, `${++stores}.sqlite`);
  writeFileSync(path, FIXTURE);
  change(numberSnapshots(SNAPSHOT_VERSION));
});

/** A snapshot's first byte is its layout. */
const numberSnapshots = (layout: number): string =>
  `UPDATE snapshots SET bytes = unhex('${layout.toString(16).padStart(2, "0")}' || substr(hex(bytes), 3))`;

function read<Row>(file: string, sql: string): Row[] {
  const db = new DatabaseSync(file);
  try {
    return db.prepare(sql).all() as Row[];
  } finally {
    db.close();
  }
}
function change(sql: string): void {
  const db = new DatabaseSync(path);
  db.exec(sql);
  db.close();
}
const networkOf = (file: string): Uint8Array =>
  read<{ value: Uint8Array }>(file, "SELECT value FROM meta WHERE name = 'network'")[0]!.value;
const versionOf = (file: string) =>
  read<{ user_version: number }>(file, "PRAGMA user_version")[0]!.user_version;
/** The statements of all tables and indexes, spaces aside: a column that was added stands otherwise apart. */
const tablesOf = (file: string): string[] =>
  read<{ sql: string | null }>(file, "SELECT sql FROM sqlite_schema")
    .flatMap(({ sql }) => sql?.replaceAll(/\s+/g, " ").replaceAll(/ ?([,()]) ?/g, "$1") ?? [])
    .sort();

describe("a store of the schema before", () => {
  test("is opened after its migration, has a new one's tables, and what accounts earned to the unit", async () => {
    const network = networkOf(path);
    await expect(openSqliteStore({ path, networkId: network, genesis: null })).rejects.toMatchObject({
      code: "store_schema",
      message: expect.stringContaining("validator migrate"),
    });
    const told: unknown[] = [];
    const plan = await migrateHome(path, network, (each) => told.push(each));
    expect(plan).toMatchObject({ from: 4, to: SCHEMA_VERSION, copy: `${path}.schema-4` });
    expect(told).toEqual([plan]);

    const fresh = join(folder, "fresh.sqlite");
    const { genesis } = createHistory("fresh", 1);
    await (await openSqliteStore({ path: fresh, networkId: named("network"), genesis })).close();
    expect(tablesOf(path)).toEqual(tablesOf(fresh));

    const store = await openSqliteStore({ path, networkId: network, genesis: null });
    const epochs = await store.listEpochs(null, 10);
    expect(epochs.rows.map(({ epoch }) => epoch)).toEqual([2, 1, 0]);
    const earned = read<{ account: Uint8Array; earned: number }>(
      path,
      `SELECT account, sum(beacon_paid + witness_paid + validator_paid + released) AS earned FROM earnings GROUP BY account`,
    );
    expect(earned.length).toBeGreaterThan(5);
    for (const { account, earned: sum } of earned)
      expect((await store.getAccount(account))?.earned).toBe(BigInt(sum));
    await store.close();
    expect(await migrateHome(path, network, () => {})).toBeNull();
    // Whoever goes back has what there was.
    expect(versionOf(`${path}.schema-4`)).toBe(4);
    expect(read(`${path}.schema-4`, "SELECT * FROM rounds")).toEqual(read(path, "SELECT * FROM rounds"));
  });

  test.each([
    ["is another network's", "UPDATE meta SET value = zeroblob(32)", "store_foreign", "another network"],
    ["is newer", "PRAGMA user_version = 99", "store_schema", "of a newer program"],
    ["is too old", "PRAGMA user_version = 3", "store_schema", "nothing before 4"],
    [
      "released escrow, which it does not say to whom",
      `UPDATE epochs SET escrow = replace(escrow, '"released":"0"', '"released":"7"') WHERE epoch = 1`,
      "store_schema",
      "epoch 1 released 7",
    ],
    [
      "has lines that do not make what was earned",
      "UPDATE reward_lines SET beacon_paid = beacon_paid + 1 WHERE epoch = 1 AND rank = 1",
      "store_schema",
      "is damaged",
    ],
  ])("is left as it was, in words, where it %s", async (_, sql, code, words) => {
    const network = networkOf(path);
    change(sql);
    const before = versionOf(path);
    await expect(migrateHome(path, network, () => {})).rejects.toMatchObject({
      code,
      message: expect.stringContaining(words),
    });
    expect(versionOf(path)).toBe(before);
    expect(tablesOf(path).some((table) => table.includes("earnings"))).toBe(false);
  });

  test("is refused before anything is written, in words, where its snapshot is of another layout", async () => {
    const refusal = {
      code: "store_schema",
      message: expect.stringMatching(
        /epoch 2, has layout 7.*run the program that made it, or .* from a checkpoint$/s,
      ),
    };
    const network = networkOf(path);
    change(numberSnapshots(7));
    const before = readFileSync(path);
    expect(() => planMigration(path, network)).toThrow(expect.objectContaining(refusal));
    await expect(migrateHome(path, network, () => {})).rejects.toMatchObject(refusal);
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(existsSync(`${path}.schema-4`)).toBe(false);
    // Of this schema, it is no better.
    change(numberSnapshots(SNAPSHOT_VERSION));
    await migrateHome(path, network, () => {});
    change(numberSnapshots(7));
    expect(() => planMigration(path, network)).toThrow(expect.objectContaining(refusal));
  });

  test("is taken on from where it is: schema 6 lacks what is summed of a line in its index by hotspot", async () => {
    const network = networkOf(path);
    await migrateHome(path, network, () => {});
    const tables = tablesOf(path);
    change(`DROP INDEX reward_lines_by_hotspot; PRAGMA user_version = 6;
      CREATE INDEX reward_lines_by_hotspot ON reward_lines (epoch, hotspot)`);
    expect(tablesOf(path)).not.toEqual(tables);
    const plan = await migrateHome(path, network, () => {});
    expect(plan).toMatchObject({ from: 6, copy: `${path}.schema-6` });
    expect(tablesOf(path)).toEqual(tables);
  });

  test("that is missing or of this schema needs nothing", async () => {
    const network = networkOf(path);
    expect(await migrateHome(join(folder, "none.sqlite"), network, () => {})).toBeNull();
    await migrateHome(path, network, () => {});
    expect(planMigration(path, network)).toBeNull();
  });
});
