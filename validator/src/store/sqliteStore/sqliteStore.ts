/**
 * The embedded store: one SQLite file, one writer. WAL with `synchronous = FULL`, so a commit that returned is on the
 * disk; a second process may read the same file (`validator replay`).
 */
import { statSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { listFresh } from "../checkCommit.ts";
import type { GenesisViews, RoundCommit, RoundRow, Snapshot, Store, StoreBase } from "../store.ts";
import { RoundWriter } from "./commit.ts";
import { createEpochQueries } from "./epochQueries.ts";
import { createEvidenceQueries } from "./evidenceQueries.ts";
import { REMEMBERED_EPOCHS, RecentIds } from "./recentIds.ts";
import { createRegistryQueries } from "./registryQueries.ts";
import { pruneBodies } from "./retention.ts";
import { createRoundQueries } from "./roundQueries.ts";
import { openDatabase } from "./schema.ts";
import { createValidatorQueries, ValidatorWriter } from "./validatorRecords.ts";

export type SqliteStoreOptions = {
  /** The file, made where there is none. */
  readonly path: string;
  /** 32 bytes: a store belongs to one network for ever. */
  readonly networkId: Uint8Array;
  /** What a new store starts with; null opens an existing one read-only, perhaps beside its writer. */
  readonly genesis: GenesisViews | null;
  /** Where a new store begins, if not with round 0: then `genesis` is the checkpoint's state. */
  readonly base?: StoreBase;
};

/** Opens or makes the store. Throws `CodedError` of the codes `store_*`. */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const { genesis } = options;
  const initialise = genesis === null ? null : (db: DatabaseSync) => writeStart(db, genesis, options.base);
  const db = openDatabase(options.path, options.networkId, initialise);
  try {
    const recent = loadRecentIds(db, await createRoundQueries(db).latestRound());
    const writer = genesis === null ? null : new RoundWriter(db, recent, readNextSeq(db));
    return compose(db, options.path, recent, writer);
  } catch (error) {
    db.close();
    throw error;
  }
}

function writeStart(db: DatabaseSync, genesis: GenesisViews, base: StoreBase | undefined): void {
  const writer = new RoundWriter(db, new RecentIds(), 1);
  const validators = new ValidatorWriter(db);
  writer.writeHotspots(genesis.hotspots);
  writer.writeAccounts(genesis.accounts);
  validators.writeStart(genesis.validators, base?.sets ?? [{ epoch: 0, keys: genesis.seats }]);
  if (base !== undefined) writer.writeBase(base);
}

function compose(db: DatabaseSync, path: string, recent: RecentIds, writer: RoundWriter | null): Store {
  const rounds = createRoundQueries(db);
  // Nearly every question asks for the newest round; only the writer knows when there is a newer one.
  // Its question is kept, and not the answer, which would be put in place behind a commit that has made it old.
  let newest: Promise<RoundRow | null> | null = null;
  const latestRound = (): Promise<RoundRow | null> => {
    if (writer === null) return rounds.latestRound();
    newest ??= rounds.latestRound().catch((error: unknown) => {
      newest = null;
      throw error;
    });
    return newest;
  };
  const commitRounds: Store["commitRounds"] = async (commits, snapshot) => {
    if (writer === null) throw new Error("the store was opened for reading");
    const there = await rounds.listRounds(commits[0]!.result.round, commits.length);
    const fresh = listFresh(commits, there, (await latestRound())?.round ?? -1);
    if (fresh.length === 0) return "already_committed";
    writeDurably(db, writer, fresh, snapshot);
    newest = null;
    return "committed";
  };
  return {
    ...rounds,
    latestRound,
    ...createEpochQueries(db),
    ...createRegistryQueries(db),
    ...createValidatorQueries(db),
    ...createEvidenceQueries(db, recent),
    commitRounds,
    commitRound: (commit, snapshot) => commitRounds([commit], snapshot),
    prune: async (policy) => inTransaction(db, () => pruneBodies(db, policy)),
    sizeBytes: async () => fileBytes(path) + fileBytes(`${path}-wal`),
    close: async () => db.close(),
  };
}

function writeDurably(
  db: DatabaseSync,
  writer: RoundWriter,
  commits: readonly RoundCommit[],
  snapshot: Snapshot | undefined,
): void {
  writer.begin();
  try {
    inTransaction(db, () => {
      for (const commit of commits) writer.writeRound(commit);
      if (snapshot !== undefined) writer.writeSnapshot(snapshot);
    });
  } catch (error) {
    writer.forget();
    throw error;
  }
}

function inTransaction<T>(db: DatabaseSync, work: () => T): T {
  db.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    db.exec("COMMIT");
    return result;
  } catch (error) {
    // SQLite itself rolls back on some failures, a full disk among them; then there is nothing left to take back.
    if (db.isTransaction) db.exec("ROLLBACK");
    throw error;
  }
}

/** Reads the ids of the epochs in which verdicts may still change: a scan of the warm end of the file. */
function loadRecentIds(db: DatabaseSync, latest: RoundRow | null): RecentIds {
  const recent = new RecentIds();
  if (latest === null) return recent;
  const firstRound = db.prepare("SELECT last_round + 1 AS round FROM epochs WHERE epoch = ?");
  const firstSeq = db.prepare("SELECT first_envelope AS seq FROM rounds WHERE round = ?");
  const rows = db.prepare("SELECT seq, id FROM envelopes WHERE seq >= ? AND seq < ?");
  rows.setReturnArrays(true);
  const lowest = db.prepare("SELECT min(round) AS round FROM rounds").get()!.round as number;
  const startOf = (epoch: number): number => {
    const round = epoch > latest.epoch ? undefined : (firstRound.get(epoch - 1)?.round as number | undefined);
    const found = firstSeq.get(round ?? (epoch > latest.epoch ? -1 : lowest));
    return (found?.seq as number | undefined) ?? Number.MAX_SAFE_INTEGER;
  };
  for (let epoch = Math.max(0, latest.epoch - REMEMBERED_EPOCHS + 1); epoch <= latest.epoch; epoch++) {
    for (const row of rows.iterate(startOf(epoch), startOf(epoch + 1)) as Iterable<unknown>) {
      const [seq, id] = row as [number, Uint8Array];
      recent.add(epoch, id, seq);
    }
  }
  return recent;
}

/**
 * The number of the next envelope. It comes from the newest round, because pruning may have deleted envelopes, and from
 * the envelopes, because a round may have brought word of some that were included before the store began.
 */
function readNextSeq(db: DatabaseSync): number {
  const round = db
    .prepare("SELECT first_envelope + messages AS seq FROM rounds ORDER BY round DESC LIMIT 1")
    .get();
  const newest = db.prepare("SELECT max(seq) + 1 AS seq FROM envelopes").get()!;
  return Math.max(1, (round?.seq as number | undefined) ?? 1, (newest.seq as number | null) ?? 1);
}

function fileBytes(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
