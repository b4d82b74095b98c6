/**
 * What SQLite does for each statement of the store: those that look at more than single rows are listed here with what
 * bounds them, so that a new one, or one that the planner sees otherwise than its author did, is looked at.
 */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { beforeAll, expect, test, vi } from "vitest";
import { openSqliteStore } from "../../../validator/src/store/sqliteStore/sqliteStore.ts";
import { commitAll } from "./compliance.ts";
import { createHistory, named } from "./history.ts";

const folder = mkdtempSync(join(tmpdir(), "hexbeacon-plans-"));
const path = join(folder, "store.sqlite");
const prepared = new Set<string>();

beforeAll(async () => {
  const prepare = DatabaseSync.prototype.prepare;
  vi.spyOn(DatabaseSync.prototype, "prepare").mockImplementation(function (this: DatabaseSync, sql, options) {
    prepared.add(sql);
    return prepare.call(this, sql, options);
  });
  const history = createHistory("plans", 6);
  const options = { path, networkId: named("network") };
  const store = await openSqliteStore({ ...options, genesis: history.genesis });
  await commitAll(store, history);
  await store.prune({ keepEpochs: 1 });
  await store.close();
  // What is read of a store that is there.
  await (await openSqliteStore({ ...options, genesis: history.genesis })).close();
  vi.restoreAllMocks();
});

/** Columns of every unique key, as plans name them. */
function listUniqueKeys(db: DatabaseSync): Set<string> {
  // A hotspot has one line an epoch, though that index does not check it.
  const keys = new Set(["rowid", "epoch AND hotspot"]);
  const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all() as {
    name: string;
  }[];
  for (const { name } of tables) {
    for (const index of db.prepare(`PRAGMA index_list(${name})`).all() as {
      name: string;
      unique: number;
    }[]) {
      if (index.unique === 0) continue;
      const columns = db.prepare(`PRAGMA index_info(${index.name})`).all() as { name: string }[];
      keys.add(columns.map((column) => column.name).join(" AND "));
    }
  }
  return keys;
}

/** The steps of a plan that look at more than the one row of a key. */
function listScans(db: DatabaseSync, sql: string, unique: ReadonlySet<string>): string[] {
  const steps = db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all() as { detail: string }[];
  const isPoint = (detail: string): boolean => {
    const columns = /\(([^<>]*)=\?\)(?: LEFT-JOIN)?$/.exec(detail)?.[1]?.replaceAll("=?", "");
    return columns !== undefined && unique.has(columns);
  };
  return steps
    .map(({ detail }) => detail)
    .filter((detail) => /^(?:SCAN|SEARCH|USE TEMP)/.test(detail) && !isPoint(detail));
}

/** One end of a key, which is one row however it is called. */
const isOneEnd = (sql: string, step: string): boolean =>
  / ORDER BY \w+ DESC LIMIT 1\b/.test(sql)
    ? /^SCAN|PRIMARY KEY/.test(step)
    : /\b(?:min|max)\(\w+\)/.test(sql) && /^SEARCH \w+(?: USING PRIMARY KEY)?$/.test(step);
/** A range of the very key that the page is in the order of. */
const isPage = (sql: string, step: string): boolean => / LIMIT \?$/.test(sql) && /[<>]\?\)$/.test(step);
/** As many rows as the caller says, who has numbers of rows at hand and no more than its own limit of them. */
const isSpan = (sql: string, step: string): boolean =>
  /(?: BETWEEN \? AND \?|seq >= \? AND seq < \?)/.test(sql) && />\? AND \w+<\?\)$/.test(step);

/** All others: what bounds them. */
const BOUNDED: readonly (readonly [begins: string, bound: string])[] = [
  ["SELECT sqlite_version()", "no table"],
  ["SELECT count(*) AS n FROM sqlite_schema", "the tables, once at the start"],
  ["SELECT r.*, e.start_time_ms FROM releases", "a hotspot's releases within MAX_REWARD_RANGE_EPOCHS"],
  ["SELECT b.seq, e.id FROM beacons b", "beacons that share 48 bits of their ids"],
  ["SELECT r.*, e.id AS envelope_id", "LIMIT: the witnesses of one beacon, MAX_EVIDENCE_WITNESSES"],
  ["SELECT max( (SELECT coalesce(max(epoch)", "one end of two keys"],
  ["WITH RECURSIVE chain", "LIMIT: SKIPPED_PER_TURN of a hotspot's envelopes"],
  ["DELETE FROM snapshots WHERE epoch <", "snapshots, of which some dozens are kept"],
  ["DELETE FROM snapshots WHERE epoch >", "snapshots, of which some dozens are kept"],
  ["DELETE FROM coverage", "one epoch's map, which its close wrote in one piece"],
  ["DELETE FROM", "PRUNE_ROWS_PER_CALL, by which the highest number is chosen"],
];

test("looks at single rows, or at as many as is said here", () => {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    const unique = listUniqueKeys(db);
    const statements = [...prepared].map((sql) => sql.replace(/\s+/g, " ").trim());
    expect(statements.length).toBeGreaterThan(50);
    const used = new Set<string>();
    const unbounded = statements.flatMap((sql) => {
      const rest = listScans(db, sql, unique).filter(
        (step) => !isOneEnd(sql, step) && !isPage(sql, step) && !isSpan(sql, step),
      );
      if (rest.length === 0) return [];
      const bounded = BOUNDED.find(([begins]) => sql.startsWith(begins));
      if (bounded !== undefined) used.add(bounded[0]);
      return bounded === undefined ? [`${sql}: ${rest.join("; ")}`] : [];
    });
    expect(unbounded).toEqual([]);
    expect(BOUNDED.map(([begins]) => begins).filter((begins) => !used.has(begins))).toEqual([]);
  } finally {
    db.close();
  }
});

test("gives each column of a statement one lower bound, as an index takes one and looks at all up to the other", () => {
  const lower = /([\w.]+)(?:, [\w.]+\))? (?:>=? (?:\?|\(\?)|BETWEEN \?)/g;
  const twice = [...prepared].filter((sql) => {
    const columns = [...sql.replace(/\s+/g, " ").matchAll(lower)].map(([, column]) => column);
    return new Set(columns).size < columns.length;
  });
  expect(twice).toEqual([]);
});

test("sums a hotspot's rewards by the index alone, one look-up an epoch", () => {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    const [sql] = [...prepared].filter((one) => /beacon_withheld, *l.witness_withheld FROM epochs/.test(one));
    const steps = db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all() as { detail: string }[];
    expect(steps.map(({ detail }) => detail)).toContain(
      "SEARCH l USING COVERING INDEX reward_lines_by_hotspot (epoch=? AND hotspot=?)",
    );
  } finally {
    db.close();
  }
});

test("would not let a statement through that looks at an epoch's lines for one of them", () => {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    const sql = "SELECT * FROM reward_lines WHERE epoch = ? AND hotspot = ?";
    expect(listScans(db, sql, listUniqueKeys(db))).toEqual([
      "SEARCH reward_lines USING PRIMARY KEY (epoch=?)",
    ]);
  } finally {
    db.close();
  }
});
