/**
 * What this validator has ever signed for agreement, durable before it leaves: votes, tips and values of rounds, and
 * the batches and acknowledgements of lanes. Two conflicting messages under one key are punishable, so each has a
 * unique name here, and a second, different one under the same name is refused, also after a crash.
 *
 * It is a database of its own so that the volume of reports never delays a vote.
 */
import { backup, DatabaseSync, type StatementSync } from "node:sqlite";
import { CodedError } from "../../../node/src/host/codedError.ts";
import { isSqliteBusy } from "../../../node/src/host/homeLock.ts";
import { concatBytes, equalBytes } from "../../../protocol/src/bytes/bytes.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";

/** What is signed in a round, once a view and kind; `tips` have one view, 0. */
export const VOTE_KINDS = ["tips", "propose", "notarize", "nullify", "finalize"] as const;
export type VoteKind = (typeof VOTE_KINDS)[number];

export type Vote = {
  readonly round: number;
  readonly view: number;
  readonly kind: VoteKind;
  /** What was signed, by its digest: two votes conflict when these differ. */
  readonly digest: Uint8Array;
};

/** A batch by its number. */
export type AuthoredBatch = { readonly seq: number; readonly digest: Uint8Array };

/** A decided round: the value's encoding and the certificate's. */
export type DecidedRound = { readonly round: number; readonly value: Uint8Array; readonly cert: Uint8Array };

/**
 * What a round's instance of agreement keeps: its own encodings, in the order in which they were made. A `value` is
 * the encoding of one, `tips` the own signed tips, `availability` a certificate of a batch that these name, the rest
 * messages between validators.
 */
export const JOURNAL_KINDS = ["availability", "tips", "value", "vote", "proposal", "certificate"] as const;
export type JournalKind = (typeof JOURNAL_KINDS)[number];
export type JournalEntry = { readonly kind: JournalKind; readonly bytes: Uint8Array };

/** An acknowledgement of another validator's batch. */
export type AckRecord = { readonly lane: Uint8Array; readonly seq: number; readonly digest: Uint8Array };

/** Signing again what was signed before is harmless; signing anything else under its name is refused. */
export type VoteVerdict = "recorded" | "repeated" | "conflict";

/** One handle, one writer. Every method is synchronous and durable when it returns. */
export type Votes = {
  /**
   * Appends to a round's journal together with the votes that stand in it: all, or where a vote conflicts, none. A vote
   * that was cast before is no conflict where it says the same.
   */
  readonly recordJournal: (
    round: number,
    entries: readonly JournalEntry[],
    votes: readonly Vote[],
  ) => VoteVerdict;
  /** What was signed under a name, by its digest; null where nothing was, or it is forgotten. */
  readonly voteOf: (round: number, view: number, kind: VoteKind) => Uint8Array | null;
  /** The lowest round that votes are kept of; null where there are none. */
  readonly lowestRound: () => number | null;
  /** A round's journal, in order. */
  readonly journalOf: (round: number) => JournalEntry[];
  /** Keeps rounds that were decided, here or elsewhere; those that are kept already stay as they are. */
  readonly recordDecided: (decided: readonly DecidedRound[]) => void;
  /** Names the digest acknowledged under a lane's number; refuses another under the same. */
  readonly recordAck: (ack: AckRecord) => VoteVerdict;
  /** Says that acknowledgements were given which these votes do not know, until it is recorded for which epochs. */
  readonly recordAcksLost: () => void;
  /** All acknowledgements for this epoch and later ones are known here. */
  readonly recordAcksKnownFrom: (epoch: number) => void;
  /** That epoch: 0 where none were lost, null while it is not known. */
  readonly acksKnownFrom: () => number | null;
  /** Names what was attested of an epoch, with the attestation's bytes; refuses anything else of it. */
  readonly recordAttest: (epoch: number, digest: Uint8Array, bytes: Uint8Array) => VoteVerdict;
  /** Keeps an epoch's reward certificate, for ever. */
  readonly recordRewardCert: (epoch: number, cert: Uint8Array) => void;
  readonly rewardCert: (epoch: number) => Uint8Array | null;
  /** Keeps the keys of an epoch's validators, in the order of their seats: its certificates are read by it. */
  readonly recordValidatorSet: (epoch: number, keys: readonly Uint8Array[]) => void;
  readonly validatorSets: () => { readonly epoch: number; readonly keys: readonly Uint8Array[] }[];
  /** The own attestations from this epoch on that no reward certificate is kept for, in order. */
  readonly openAttests: (fromEpoch: number) => Uint8Array[];
  /** Keeps a piece of evidence against a validator, the first one, until it is forgotten. */
  readonly recordEvidence: (offender: Uint8Array, bytes: Uint8Array) => void;
  readonly forgetEvidence: (offender: Uint8Array) => void;
  readonly evidence: () => Uint8Array[];
  /** What was acknowledged of a lane, from a number on up to another, in order. */
  readonly acksOf: (lane: Uint8Array, fromSeq: number, toSeq?: number) => AuthoredBatch[];
  /** The lanes of which anything acknowledged is remembered. */
  readonly ackedLanes: () => Uint8Array[];
  /** Forgets acknowledgements of a lane's batches below a number that an executed cut holds, with the next commit. */
  readonly pruneAcks: (lane: Uint8Array, belowSeq: number) => void;
  /** Decided rounds from this one on, in order; they wait here until execution has stored them. */
  readonly decidedFrom: (round: number, limit?: number) => DecidedRound[];
  /** The highest round that anything was signed for or decided, or -1. */
  readonly highestRound: () => number;
  /** Records the next batches of the own lane in order, with their acknowledgement, all or none. */
  readonly recordBatches: (batches: readonly AuthoredBatch[]) => VoteVerdict;
  /** Names a batch of the own lane that others hold and these votes did not know: the lane goes on behind it. */
  readonly adoptBatch: (batch: AuthoredBatch) => void;
  /** The newest batch of the own lane; null before the first. */
  readonly lastBatch: () => AuthoredBatch | null;
  /** Keeps that others hold this batch of the own lane, which cannot be adopted yet. */
  readonly recordFoundBatch: (batch: AuthoredBatch) => void;
  /** The newest batch that was found; null where the lane goes on behind it already. */
  readonly foundBatch: () => AuthoredBatch | null;
  /** Forgets what lies below the round and the sequence number; the newest of both always stays. */
  readonly prune: (belowRound: number, belowSeq: number) => void;
  /** Copies everything into a new file while the votes go on: what is recorded meanwhile is in it as well. */
  readonly copyTo: (path: string) => Promise<void>;
  /** Whether these votes come from a backup, and nothing was signed with them since. */
  readonly isRestored: () => boolean;
  /** Says so, and that acknowledgements were given which these votes do not know. */
  readonly markRestored: () => void;
  readonly unmarkRestored: () => void;
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
  CREATE TABLE IF NOT EXISTS found_batch (id INTEGER PRIMARY KEY CHECK (id = 1), seq INTEGER NOT NULL, digest BLOB NOT NULL);
  CREATE TABLE IF NOT EXISTS journal (place INTEGER PRIMARY KEY, round INTEGER NOT NULL, kind TEXT NOT NULL, bytes BLOB NOT NULL);
  CREATE INDEX IF NOT EXISTS journal_by_round ON journal (round, place);
  CREATE TABLE IF NOT EXISTS ack (lane BLOB NOT NULL, seq INTEGER NOT NULL, digest BLOB NOT NULL, PRIMARY KEY (lane, seq)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS lost_acks (id INTEGER PRIMARY KEY CHECK (id = 1), known_from_epoch INTEGER);
  CREATE TABLE IF NOT EXISTS attest (epoch INTEGER PRIMARY KEY, digest BLOB NOT NULL, bytes BLOB NOT NULL);
  CREATE TABLE IF NOT EXISTS reward_cert (epoch INTEGER PRIMARY KEY, cert BLOB NOT NULL);
  CREATE TABLE IF NOT EXISTS evidence (offender BLOB PRIMARY KEY, bytes BLOB NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS validator_set (epoch INTEGER PRIMARY KEY, keys BLOB NOT NULL);
  CREATE TABLE IF NOT EXISTS restored (id INTEGER PRIMARY KEY CHECK (id = 1));
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
  /** Acknowledgements to forget, by lane: part of the next commit, since nobody waits for it. */
  const forgettable = new Map<string, readonly [lane: Uint8Array, belowSeq: number]>();
  const transact = (body: () => VoteVerdict): VoteVerdict => {
    statements.begin.run();
    let verdict: VoteVerdict = "conflict";
    try {
      for (const forgotten of forgettable.values()) statements.pruneAcks.run(...forgotten);
      verdict = body();
    } finally {
      (verdict === "recorded" ? statements.commit : statements.rollback).run();
    }
    if (verdict === "recorded") forgettable.clear();
    return verdict;
  };
  return {
    recordJournal: (round, entries, cast) =>
      transact(() => {
        if (!castVotes(statements, cast)) return "conflict";
        for (const { kind, bytes } of entries) statements.addJournal.run(round, kind, bytes);
        return "recorded";
      }),
    voteOf: (round, view, kind) =>
      (statements.voteOf.get(round, view, kind)?.digest as Uint8Array | undefined) ?? null,
    lowestRound: () => statements.lowestRound.get()!.round as number | null,
    journalOf: (round) => statements.journalOf.all(round).map(readJournal),
    recordDecided: (decided) => {
      transact(() => {
        for (const { round, value, cert } of decided) statements.keepDecided.run(round, value, cert);
        return "recorded";
      });
    },
    recordAck: ({ lane, seq, digest }) =>
      transact(() =>
        nameOnce(statements.ackOf.get(lane, seq), digest, () => statements.addAck.run(lane, seq, digest)),
      ),
    recordAcksLost: () => void statements.loseAcks.run(),
    recordAcksKnownFrom: (epoch) => void statements.settleAcks.run(epoch),
    acksKnownFrom: () => {
      const row = statements.acksLost.get();
      return row === undefined ? 0 : (row.known_from_epoch as number | null);
    },
    recordAttest: (epoch, digest, bytes) =>
      transact(() =>
        nameOnce(statements.attestOf.get(epoch), digest, () =>
          statements.addAttest.run(epoch, digest, bytes),
        ),
      ),
    recordRewardCert: (epoch, cert) => void statements.keepRewardCert.run(epoch, cert),
    rewardCert: (epoch) => (statements.rewardCert.get(epoch)?.cert as Uint8Array | undefined) ?? null,
    recordValidatorSet: (epoch, keys) => {
      statements.keepValidatorSet.run(epoch, concatBytes(...keys));
      statements.pruneValidatorSets.run(epoch - KEPT_SETS);
    },
    validatorSets: () => statements.validatorSets.all().map(readValidatorSet),
    openAttests: (fromEpoch) => statements.openAttests.all(fromEpoch).map((row) => row.bytes as Uint8Array),
    recordEvidence: (offender, bytes) => void statements.keepEvidence.run(offender, bytes),
    forgetEvidence: (offender) => void statements.forgetEvidence.run(offender),
    evidence: () => statements.evidence.all().map((row) => row.bytes as Uint8Array),
    acksOf: (lane, fromSeq, toSeq = Number.MAX_SAFE_INTEGER) =>
      statements.acksOf.all(lane, fromSeq, toSeq).map((row) => readBatch(row)!),
    ackedLanes: () => statements.ackedLanes.all().map((row) => row.lane as Uint8Array),
    pruneAcks: (lane, belowSeq) => void forgettable.set(encodeHex(lane), [lane, belowSeq]),
    // SQLite takes a negative limit for none.
    decidedFrom: (round, limit = -1) => statements.decidedFrom.all(round, limit).map(readDecided),
    highestRound: () => Number(statements.highestRound.get()!.round ?? -1),
    recordBatches: (batches) => transact(() => insertBatches(statements, batches)),
    adoptBatch: ({ seq, digest }) => void statements.addBatch.run(seq, digest),
    lastBatch: () => readBatch(statements.lastBatch.get()),
    recordFoundBatch: ({ seq, digest }) => void statements.keepFoundBatch.run(seq, digest),
    foundBatch: () => readBatch(statements.foundBatch.get()),
    prune: (belowRound, belowSeq) => {
      statements.pruneVotes.run(belowRound);
      statements.pruneDecided.run(belowRound);
      statements.pruneBatches.run(belowSeq);
      statements.pruneJournal.run(belowRound);
    },
    copyTo: async (path) => void (await backup(db, path, { rate: PAGES_PER_STEP })),
    isRestored: () => statements.restored.get() !== undefined,
    markRestored: () => {
      transact(() => {
        statements.markRestored.run();
        statements.loseAcks.run();
        return "recorded";
      });
    },
    unmarkRestored: () => void statements.unmarkRestored.run(),
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
    if (!isSqliteBusy(cause)) throw cause;
    throw new CodedError("home_in_use", "another process runs with this home", cause);
  }
}

const KEY_BYTES = 32;
/** A copy lets votes in between steps of a megabyte, some milliseconds each. */
const PAGES_PER_STEP = 256;
/** Epochs whose sets are kept: more than those of which attestations are still gathered. */
const KEPT_SETS = 32;

type Row = Record<string, unknown>;

function prepareStatements(db: DatabaseSync) {
  return {
    begin: db.prepare("BEGIN IMMEDIATE"),
    commit: db.prepare("COMMIT"),
    rollback: db.prepare("ROLLBACK"),
    voteOf: db.prepare("SELECT digest FROM vote WHERE round = ? AND view = ? AND kind = ?"),
    addVote: db.prepare("INSERT INTO vote (round, view, kind, digest) VALUES (?, ?, ?, ?)"),
    decidedFrom: db.prepare("SELECT round, value, cert FROM decided WHERE round >= ? ORDER BY round LIMIT ?"),
    // Votes below the pruning line were all cast, so nothing below the lowest kept one may be signed again.
    lowestRound: db.prepare("SELECT MIN(round) AS round FROM vote"),
    highestRound: db.prepare(
      "SELECT MAX(round) AS round FROM (SELECT round FROM vote UNION ALL SELECT round FROM decided)",
    ),
    addJournal: db.prepare("INSERT INTO journal (round, kind, bytes) VALUES (?, ?, ?)"),
    journalOf: db.prepare("SELECT kind, bytes FROM journal WHERE round = ? ORDER BY place"),
    keepDecided: db.prepare("INSERT OR IGNORE INTO decided (round, value, cert) VALUES (?, ?, ?)"),
    ackOf: db.prepare("SELECT digest FROM ack WHERE lane = ? AND seq = ?"),
    acksOf: db.prepare("SELECT seq, digest FROM ack WHERE lane = ? AND seq BETWEEN ? AND ? ORDER BY seq"),
    ackedLanes: db.prepare("SELECT DISTINCT lane FROM ack"),
    addAck: db.prepare("INSERT INTO ack (lane, seq, digest) VALUES (?, ?, ?)"),
    loseAcks: db.prepare("INSERT OR REPLACE INTO lost_acks (id, known_from_epoch) VALUES (1, NULL)"),
    settleAcks: db.prepare("UPDATE lost_acks SET known_from_epoch = ?"),
    acksLost: db.prepare("SELECT known_from_epoch FROM lost_acks"),
    attestOf: db.prepare("SELECT digest FROM attest WHERE epoch = ?"),
    addAttest: db.prepare("INSERT INTO attest (epoch, digest, bytes) VALUES (?, ?, ?)"),
    keepRewardCert: db.prepare("INSERT OR IGNORE INTO reward_cert (epoch, cert) VALUES (?, ?)"),
    rewardCert: db.prepare("SELECT cert FROM reward_cert WHERE epoch = ?"),
    keepValidatorSet: db.prepare("INSERT OR REPLACE INTO validator_set (epoch, keys) VALUES (?, ?)"),
    validatorSets: db.prepare("SELECT epoch, keys FROM validator_set ORDER BY epoch"),
    pruneValidatorSets: db.prepare("DELETE FROM validator_set WHERE epoch < ?"),
    openAttests: db.prepare(
      "SELECT bytes FROM attest WHERE epoch >= ? AND epoch NOT IN (SELECT epoch FROM reward_cert) ORDER BY epoch",
    ),
    keepEvidence: db.prepare("INSERT OR IGNORE INTO evidence (offender, bytes) VALUES (?, ?)"),
    forgetEvidence: db.prepare("DELETE FROM evidence WHERE offender = ?"),
    evidence: db.prepare("SELECT bytes FROM evidence ORDER BY offender"),
    pruneAcks: db.prepare("DELETE FROM ack WHERE lane = ? AND seq < ?"),
    pruneJournal: db.prepare("DELETE FROM journal WHERE round < ?"),
    batchOf: db.prepare("SELECT digest FROM batch WHERE seq = ?"),
    addBatch: db.prepare("INSERT INTO batch (seq, digest) VALUES (?, ?)"),
    lastBatch: db.prepare("SELECT seq, digest FROM batch ORDER BY seq DESC LIMIT 1"),
    keepFoundBatch: db.prepare("INSERT OR REPLACE INTO found_batch (id, seq, digest) VALUES (1, ?, ?)"),
    foundBatch: db.prepare(
      "SELECT seq, digest FROM found_batch WHERE seq > (SELECT coalesce(MAX(seq), 0) FROM batch)",
    ),
    restored: db.prepare("SELECT 1 FROM restored"),
    markRestored: db.prepare("INSERT OR IGNORE INTO restored (id) VALUES (1)"),
    unmarkRestored: db.prepare("DELETE FROM restored"),
    pruneVotes: db.prepare("DELETE FROM vote WHERE round < min(?, (SELECT MAX(round) FROM vote))"),
    pruneDecided: db.prepare("DELETE FROM decided WHERE round < min(?, (SELECT MAX(round) FROM decided))"),
    pruneBatches: db.prepare("DELETE FROM batch WHERE seq < min(?, (SELECT MAX(seq) FROM batch))"),
  } satisfies Record<string, StatementSync>;
}
type Statements = ReturnType<typeof prepareStatements>;

/** Casts votes, and those again that say the same as before. @returns false where one contradicts, or may. */
function castVotes(statements: Statements, votes: readonly Vote[]): boolean {
  const lowest = statements.lowestRound.get()!.round as number | null;
  for (const { round, view, kind, digest } of votes) {
    const before = statements.voteOf.get(round, view, kind);
    if (before === undefined) {
      if (lowest !== null && round < lowest) return false;
      statements.addVote.run(round, view, kind, digest);
    } else if (!equalBytes(before.digest as Uint8Array, digest)) return false;
  }
  return true;
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

/** Signs under a name for the first time, again, or not at all. */
function nameOnce(before: Row | undefined, digest: Uint8Array, add: () => void): VoteVerdict {
  if (before !== undefined) return equalBytes(before.digest as Uint8Array, digest) ? "repeated" : "conflict";
  add();
  return "recorded";
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

function readValidatorSet(row: Row): { epoch: number; keys: Uint8Array[] } {
  const bytes = row.keys as Uint8Array;
  const keys = Array.from({ length: bytes.length / KEY_BYTES }, (_, seat) =>
    bytes.slice(seat * KEY_BYTES, (seat + 1) * KEY_BYTES),
  );
  return { epoch: row.epoch as number, keys };
}

const readBatch = (row: Row | undefined): AuthoredBatch | null =>
  row === undefined ? null : { seq: row.seq as number, digest: row.digest as Uint8Array };

const readJournal = (row: Row): JournalEntry => ({
  kind: row.kind as JournalKind,
  bytes: row.bytes as Uint8Array,
});

const readDecided = (row: Row): DecidedRound => ({
  round: row.round as number,
  value: row.value as Uint8Array,
  cert: row.cert as Uint8Array,
});
