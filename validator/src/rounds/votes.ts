/**
 * What this validator has ever signed for agreement, durable before it leaves: votes, tips and values of rounds, and
 * the batches and acknowledgements of lanes. Two conflicting messages under one key are punishable, so each has a
 * unique name here, and a second, different one under the same name is refused, also after a crash.
 *
 * It is a database of its own so that the volume of reports never delays a vote.
 */
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { CodedError } from "../../../node/src/host/codedError.ts";
import { equalBytes } from "../../../protocol/src/bytes/bytes.ts";

/** Messages of a round. `tips` and `value` have one view, 0; `propose` names the value that was proposed. */
export const VOTE_KINDS = ["tips", "value", "propose", "notarize", "nullify", "finalize"] as const;
export type VoteKind = (typeof VOTE_KINDS)[number];

export type Vote = {
  readonly round: number;
  readonly view: number;
  readonly kind: VoteKind;
  /** What was signed, by its digest: two votes conflict when these differ. */
  readonly digest: Uint8Array;
};

/** A batch of the own lane. */
export type AuthoredBatch = { readonly seq: number; readonly digest: Uint8Array };

/** A decided round: the value's encoding and the certificate's. */
export type DecidedRound = { readonly round: number; readonly value: Uint8Array; readonly cert: Uint8Array };

/** Signing again what was signed before is harmless; signing anything else under its name is refused. */
export type VoteVerdict = "recorded" | "repeated" | "conflict";

/** One handle, one writer. Every method is synchronous and durable when it returns. */
export type Votes = {
  /** Records all of them or, where one conflicts, none. */
  readonly recordVotes: (votes: readonly Vote[], decided?: DecidedRound) => VoteVerdict;
  /** Decided rounds from this one on, in order; they wait here until execution has stored them. */
  readonly decidedFrom: (round: number) => DecidedRound[];
  /** The highest round that anything was signed for, or -1. */
  readonly highestRound: () => number;
  /** Records the next batches of the own lane in order, with their acknowledgement, all or none. */
  readonly recordBatches: (batches: readonly AuthoredBatch[]) => VoteVerdict;
  /** The newest batch of the own lane; null before the first. */
  readonly lastBatch: () => AuthoredBatch | null;
  /** Forgets what lies below the round and the sequence number; the newest of both always stays. */
  readonly prune: (belowRound: number, belowSeq: number) => void;
  readonly close: () => void;
};

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS binding (id INTEGER PRIMARY KEY CHECK (id = 1), network BLOB NOT NULL, validator BLOB NOT NULL);
  CREATE TABLE IF NOT EXISTS vote (
    round INTEGER NOT NULL, view INTEGER NOT NULL, kind TEXT NOT NULL, digest BLOB NOT NULL,
    PRIMARY KEY (round, view, kind)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS decided (round INTEGER PRIMARY KEY, value BLOB NOT NULL, cert BLOB NOT NULL);
  CREATE TABLE IF NOT EXISTS batch (seq INTEGER PRIMARY KEY, digest BLOB NOT NULL);
`;

/**
 * Opens or creates the database.
 * @param path a file, or ":memory:" in tests.
 * @param binding the network id and the validator's key, 32 bytes each, fixed at creation.
 * @throws CodedError "store_foreign" where the file belongs to another network or validator: signing on with it could
 *   contradict what that key said elsewhere.
 */
export function openVotes(path: string, binding: { network: Uint8Array; validator: Uint8Array }): Votes {
  const db = openExclusively(path);
  bind(db, binding);
  const statements = prepareStatements(db);
  const transact = (body: () => VoteVerdict): VoteVerdict => {
    db.exec("BEGIN IMMEDIATE");
    let verdict: VoteVerdict = "conflict";
    try {
      verdict = body();
    } finally {
      db.exec(verdict === "recorded" ? "COMMIT" : "ROLLBACK");
    }
    return verdict;
  };
  return {
    recordVotes: (votes, decided) => transact(() => insertVotes(statements, votes, decided)),
    decidedFrom: (round) => statements.decidedFrom.all(round).map(readDecided),
    highestRound: () => Number(statements.highestRound.get()!.round ?? -1),
    recordBatches: (batches) => transact(() => insertBatches(statements, batches)),
    lastBatch: () => readBatch(statements.lastBatch.get()),
    prune: (belowRound, belowSeq) => {
      statements.pruneVotes.run(belowRound);
      statements.pruneDecided.run(belowRound);
      statements.pruneBatches.run(belowSeq);
    },
    close: () => db.close(),
  };
}

/**
 * Opens the file for this process alone, until it closes it or ends in whatever way: two processes that sign with one
 * key would contradict each other.
 */
function openExclusively(path: string): DatabaseSync {
  const db = new DatabaseSync(path);
  try {
    // FULL syncs the log at every commit; with NORMAL a power cut loses votes that have already left.
    db.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
    db.exec(SCHEMA);
    return db;
  } catch (cause) {
    db.close();
    if ((cause as { errcode?: number }).errcode !== SQLITE_BUSY) throw cause;
    throw new CodedError("home_in_use", "another process runs with this home", cause);
  }
}

/** SQLite's result code for a file that another connection holds. */
const SQLITE_BUSY = 5;

type Row = Record<string, unknown>;

function prepareStatements(db: DatabaseSync) {
  return {
    voteOf: db.prepare("SELECT digest FROM vote WHERE round = ? AND view = ? AND kind = ?"),
    addVote: db.prepare("INSERT INTO vote (round, view, kind, digest) VALUES (?, ?, ?, ?)"),
    addDecided: db.prepare("INSERT INTO decided (round, value, cert) VALUES (?, ?, ?)"),
    decidedFrom: db.prepare("SELECT round, value, cert FROM decided WHERE round >= ? ORDER BY round"),
    // Votes below the pruning line were all cast, so nothing below the lowest kept one may be signed again.
    lowestRound: db.prepare("SELECT MIN(round) AS round FROM vote"),
    highestRound: db.prepare("SELECT MAX(round) AS round FROM vote"),
    batchOf: db.prepare("SELECT digest FROM batch WHERE seq = ?"),
    addBatch: db.prepare("INSERT INTO batch (seq, digest) VALUES (?, ?)"),
    lastBatch: db.prepare("SELECT seq, digest FROM batch ORDER BY seq DESC LIMIT 1"),
    pruneVotes: db.prepare("DELETE FROM vote WHERE round < min(?, (SELECT MAX(round) FROM vote))"),
    pruneDecided: db.prepare("DELETE FROM decided WHERE round < min(?, (SELECT MAX(round) FROM decided))"),
    pruneBatches: db.prepare("DELETE FROM batch WHERE seq < min(?, (SELECT MAX(seq) FROM batch))"),
  } satisfies Record<string, StatementSync>;
}
type Statements = ReturnType<typeof prepareStatements>;

function insertVotes(statements: Statements, votes: readonly Vote[], decided?: DecidedRound): VoteVerdict {
  const lowest = statements.lowestRound.get()!.round as number | null;
  let repeated = 0;
  for (const { round, view, kind, digest } of votes) {
    const before = statements.voteOf.get(round, view, kind);
    if (before === undefined) {
      if (lowest !== null && round < lowest) return "conflict";
      statements.addVote.run(round, view, kind, digest);
    } else if (equalBytes(before.digest as Uint8Array, digest)) repeated++;
    else return "conflict";
  }
  if (repeated === votes.length) return "repeated";
  if (decided !== undefined) statements.addDecided.run(decided.round, decided.value, decided.cert);
  return "recorded";
}

/** A lane has no gaps: a new batch is the one after the newest. */
function insertBatches(statements: Statements, batches: readonly AuthoredBatch[]): VoteVerdict {
  let repeated = 0;
  for (const { seq, digest } of batches) {
    const before = statements.batchOf.get(seq);
    if (before === undefined) {
      if (seq !== Number(statements.lastBatch.get()?.seq ?? 0) + 1) return "conflict";
      statements.addBatch.run(seq, digest);
    } else if (equalBytes(before.digest as Uint8Array, digest)) repeated++;
    else return "conflict";
  }
  return repeated === batches.length ? "repeated" : "recorded";
}

function bind(
  db: DatabaseSync,
  { network, validator }: { network: Uint8Array; validator: Uint8Array },
): void {
  db.prepare("INSERT OR IGNORE INTO binding (id, network, validator) VALUES (1, ?, ?)").run(
    network,
    validator,
  );
  const row = db.prepare("SELECT network, validator FROM binding").get()!;
  if (equalBytes(row.network as Uint8Array, network) && equalBytes(row.validator as Uint8Array, validator))
    return;
  db.close();
  throw new CodedError("store_foreign", "the votes in this home belong to another network or validator");
}

const readBatch = (row: Row | undefined): AuthoredBatch | null =>
  row === undefined ? null : { seq: row.seq as number, digest: row.digest as Uint8Array };

const readDecided = (row: Row): DecidedRound => ({
  round: row.round as number,
  value: row.value as Uint8Array,
  cert: row.cert as Uint8Array,
});
