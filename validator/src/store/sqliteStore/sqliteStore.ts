/**
 * The embedded store: one SQLite file, one writer. WAL with `synchronous = FULL`, so a commit that returned is on the
 * disk; a second process may read the same file (`validator replay`).
 */
import { statSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { listFresh } from "../checkCommit.ts";
import type { GenesisViews, RoundCommit, RoundRow, Snapshot, Store, StoreBase } from "../store.ts";
import { RoundWriter } from "./commit.ts";
import { createCoverageQueries } from "./coverageQueries.ts";
import { createEpochQueries } from "./epochQueries.ts";
import { createEvidenceQueries } from "./evidenceQueries.ts";
import { RecentIds } from "./recentIds.ts";
import { createRecentIdsReader } from "./recentIdsReader.ts";
import { createRegistryQueries } from "./registryQueries.ts";
import { pruneOld } from "./retention.ts";
import { createEarningQueries, createLineQueries } from "./rewardQueries.ts";
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
    const recent = new RecentIds();
    createRecentIdsReader(db, recent)();
    const writer = genesis === null ? null : new RoundWriter(db, recent, readNextSeq(db));
    return compose(db, options.path, { recent, writer, newest: new NewestRound(db, writer === null) });
  } catch (error) {
    db.close();
    throw error;
  }
}

/** A store that another thread or process writes, read from here. */
export type FollowedStore = {
  readonly store: Store;
  /** Takes in what was committed: until then the newest round, and the messages known by their ids, are those before. */
  readonly follow: () => void;
  /** Counts up with every `follow`: what was read under one number may be given again under it. */
  readonly version: () => number;
};

/** Opens a store read-only, beside its writer, who says when there is more. Throws `CodedError` of the codes `store_*`. */
export function followSqliteStore({
  path,
  networkId,
}: Pick<SqliteStoreOptions, "path" | "networkId">): FollowedStore {
  const db = openDatabase(path, networkId, null);
  try {
    const recent = new RecentIds();
    const readRecentIds = createRecentIdsReader(db, recent);
    const newest = new NewestRound(db, false);
    const turn = new ReadingTurn(db);
    let version = 0;
    const follow = (): void => {
      turn.end();
      readRecentIds();
      newest.forget();
      version++;
    };
    follow();
    const store = turn.within(compose(db, path, { recent, writer: null, newest }));
    return { store, follow, version: () => version };
  } catch (error) {
    db.close();
    throw error;
  }
}

/**
 * One read transaction for all that is asked in a turn of the event loop: a transaction locks and unlocks the file, which
 * costs as much as finding a row in it. None is open when the turn ends, or the writer's log could never begin anew.
 */
class ReadingTurn {
  readonly #db: DatabaseSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /** The store, each of whose methods reads within the turn's transaction. */
  within(store: Store): Store {
    const methods = Object.entries(store).map(([name, method]) => {
      const ask = method as (...given: readonly unknown[]) => Promise<unknown>;
      const askWithin = (...given: readonly unknown[]): Promise<unknown> => {
        this.#begin();
        return ask(...given);
      };
      return [name, askWithin];
    });
    return {
      ...(Object.fromEntries(methods) as Store),
      close: async () => {
        this.end();
        await store.close();
      },
    };
  }

  end(): void {
    if (this.#db.isOpen && this.#db.isTransaction) this.#db.exec("COMMIT");
  }

  #begin(): void {
    if (this.#db.isTransaction) return;
    this.#db.exec("BEGIN");
    setImmediate(() => this.end());
  }
}

/**
 * The newest round, which nearly every question asks for. It is kept until whoever knows of a newer one says so; where
 * nobody does, it is read each time.
 */
class NewestRound {
  readonly #rounds: Pick<Store, "latestRound">;
  readonly #isRead: boolean;
  /** The question and not its answer, which would be put in place behind a commit that has made it old. */
  #asked: Promise<RoundRow | null> | null = null;

  constructor(db: DatabaseSync, isReadEachTime: boolean) {
    this.#rounds = createRoundQueries(db);
    this.#isRead = isReadEachTime;
  }

  read = (): Promise<RoundRow | null> => {
    if (this.#isRead) return this.#rounds.latestRound();
    this.#asked ??= this.#rounds.latestRound().catch((error: unknown) => {
      this.#asked = null;
      throw error;
    });
    return this.#asked;
  };

  forget(): void {
    this.#asked = null;
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

type Parts = {
  readonly recent: RecentIds;
  readonly writer: RoundWriter | null;
  readonly newest: NewestRound;
};

function compose(db: DatabaseSync, path: string, { recent, writer, newest }: Parts): Store {
  const rounds = createRoundQueries(db);
  const commitRounds: Store["commitRounds"] = async (commits, snapshot) => {
    if (writer === null) throw new Error("the store was opened for reading");
    const there = await rounds.listRounds(commits[0]!.result.round, commits.length);
    const fresh = listFresh(commits, there, (await newest.read())?.round ?? -1);
    if (fresh.length === 0) return "already_committed";
    writeDurably(db, writer, fresh, snapshot);
    newest.forget();
    return "committed";
  };
  return {
    ...rounds,
    latestRound: newest.read,
    ...createEpochQueries(db),
    ...createLineQueries(db),
    ...createEarningQueries(db),
    ...createCoverageQueries(db),
    ...createRegistryQueries(db),
    ...createValidatorQueries(db),
    ...createEvidenceQueries(db, recent),
    commitRounds,
    commitRound: (commit, snapshot) => commitRounds([commit], snapshot),
    prune: async (policy) => inTransaction(db, () => pruneOld(db, policy)),
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
