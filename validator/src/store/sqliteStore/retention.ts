/**
 * Retention: what is deleted when epochs grow old. Rounds with their certificates, epochs and reward lines are kept for
 * ever; reports, evidence, coverage, snapshots and the bodies of batches go. The newest snapshot of all and the newest before
 * the oldest kept epoch stay, and so do all bodies after that one, so whatever is kept can be replayed.
 */
import type { DatabaseSync } from "node:sqlite";
import { MAX_REPORTS_PER_BUNDLE } from "../../../../protocol/src/wire/reports.ts";
import {
  PRUNE_ROWS_PER_CALL,
  type Pruned,
  type RetentionPolicy,
  SNAPSHOT_SPACING_EPOCHS,
  SNAPSHOTS_RECENT,
} from "../store.ts";
import { decodeDigests, readBytes, readNumber, type SqlRow } from "./columns.ts";
import { prepareReading } from "./prepareReading.ts";

/** Rounds whose bodies one call gives up; a round of mainnet holds a few batches. */
const ROUNDS_PER_CALL = 1_000;

type Bounds = {
  readonly latestEpoch: number;
  /** The oldest epoch whose evidence the policy keeps. */
  readonly firstKeptEpoch: number;
  /** The snapshot from which that epoch replays; null where replay starts at genesis and all bodies stay. */
  readonly baseEpoch: number | null;
};

/** Deletes one bounded part of everything that has grown old; called inside a transaction. */
export function pruneOld(db: DatabaseSync, policy: RetentionPolicy): Pruned {
  const bounds = computeBounds(db, policy);
  if (bounds === null) return { batchDigests: [], done: true };
  const { firstKeptEpoch, baseEpoch } = bounds;
  thinSnapshots(db, bounds);
  const coverageDone = pruneCoverage(db, firstKeptEpoch);
  const evidenceDone = pruneEvidence(db, firstKeptEpoch);
  const released = baseEpoch === null ? { batchDigests: [], done: true } : releaseBatches(db, baseEpoch);
  return { batchDigests: released.batchDigests, done: coverageDone && evidenceDone && released.done };
}

function computeBounds(db: DatabaseSync, policy: RetentionPolicy): Bounds | null {
  const latest = prepareReading(db, "SELECT max(epoch) AS epoch FROM epochs").one((row) => row.epoch);
  if (typeof latest !== "bigint") return null;
  const firstKeptEpoch = Math.max(0, Number(latest) - policy.keepEpochs + 1);
  const base = prepareReading(db, "SELECT epoch FROM snapshots WHERE epoch < ? ORDER BY epoch DESC LIMIT 1");
  return {
    latestEpoch: Number(latest),
    firstKeptEpoch,
    baseEpoch: base.one((row) => readNumber(row, "epoch"), firstKeptEpoch),
  };
}

/**
 * Deletes the snapshots before the base, and most between the ends. With the newest a validator starts again, however long
 * ago it was made; from the oldest, a checkpoint's perhaps, replays what has no rounds before it.
 */
function thinSnapshots(db: DatabaseSync, { latestEpoch, baseEpoch }: Bounds): void {
  if (baseEpoch !== null) db.prepare("DELETE FROM snapshots WHERE epoch < ?").run(baseEpoch);
  const thinned = db.prepare(
    `DELETE FROM snapshots WHERE epoch > (SELECT min(epoch) FROM snapshots)
       AND epoch < (SELECT max(epoch) FROM snapshots) AND epoch <= ? AND (epoch + 1) % ? <> 0`,
  );
  thinned.run(latestEpoch - SNAPSHOTS_RECENT, SNAPSHOT_SPACING_EPOCHS);
}

/** Deletes the map of the oldest epoch before the first kept one: there are many where less is to be kept than before. */
function pruneCoverage(db: DatabaseSync, firstKeptEpoch: number): boolean {
  db.prepare("DELETE FROM coverage WHERE epoch = (SELECT min(epoch) FROM coverage WHERE epoch < ?)").run(
    firstKeptEpoch,
  );
  const oldest = prepareReading(db, "SELECT min(epoch) AS epoch FROM coverage").one((row) => row.epoch);
  return typeof oldest !== "bigint" || Number(oldest) >= firstKeptEpoch;
}

/**
 * Deletes the oldest envelopes, and all that hangs on them, below the first kept epoch's first round. Evidence of the
 * epoch before it may still be shown with a kept beacon, so one epoch more stays.
 */
function pruneEvidence(db: DatabaseSync, firstKeptEpoch: number): boolean {
  const end = prepareReading(
    db,
    "SELECT first_envelope AS seq FROM rounds WHERE round = (SELECT first_round FROM epochs WHERE epoch = ?)",
  );
  const below = end.one((row) => readNumber(row, "seq"), firstKeptEpoch - 1);
  const oldest = prepareReading(db, "SELECT min(seq) AS seq FROM envelopes").one((row) => row.seq);
  if (below === null || typeof oldest !== "bigint" || Number(oldest) >= below) return true;
  const until = Math.min(below, Number(oldest) + Math.floor(PRUNE_ROWS_PER_CALL / MAX_REPORTS_PER_BUNDLE));
  const untilReport = until * MAX_REPORTS_PER_BUNDLE;
  db.prepare("DELETE FROM reports WHERE seq < ?").run(untilReport);
  db.prepare("DELETE FROM beacons WHERE seq < ?").run(untilReport);
  db.prepare("DELETE FROM transactions WHERE seq < ?").run(until);
  db.prepare("DELETE FROM envelopes WHERE seq < ?").run(until);
  return until === below;
}

/** Names the bodies of rounds up to the base snapshot's epoch, oldest first; the meta row says how far that has got. */
function releaseBatches(db: DatabaseSync, baseEpoch: number): Pruned {
  const meta = prepareReading(db, "SELECT value FROM meta WHERE name = 'bodies_from_round'");
  const from = meta.one((row) => Number(Buffer.from(readBytes(row, "value")).toString("ascii"))) ?? 0;
  const last = prepareReading(db, "SELECT last_round FROM epochs WHERE epoch = ?");
  const lastRound = last.one((row) => readNumber(row, "last_round"), baseEpoch);
  if (lastRound === null || from > lastRound) return { batchDigests: [], done: true };
  const until = Math.min(lastRound, from + ROUNDS_PER_CALL - 1);
  const rounds = prepareReading(db, "SELECT batch_digests FROM rounds WHERE round BETWEEN ? AND ?");
  const read = (row: SqlRow) => decodeDigests(readBytes(row, "batch_digests"));
  const batchDigests = rounds.all(read, from, until).flat();
  db.prepare("INSERT OR REPLACE INTO meta VALUES ('bodies_from_round', ?)").run(
    Buffer.from(String(until + 1), "ascii"),
  );
  return { batchDigests, done: until === lastRound };
}
