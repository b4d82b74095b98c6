/**
 * One process a hotspot's home: two with one key would beacon twice. The lock is the kernel's, on a database that holds
 * nothing: it ends with its process in whatever way that ends, and it counts between containers on one machine, whose
 * process numbers say nothing to each other. (A validator's votes, which are a database, lock its home.)
 */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { CodedError } from "./codedError.ts";

const LOCK_FILE = "lock.sqlite";
/** SQLite's result code for a file that another connection holds. */
const SQLITE_BUSY = 5;

/** Whether SQLite failed because another connection holds the file. */
export const isSqliteBusy = (error: unknown): boolean =>
  (error as { errcode?: number }).errcode === SQLITE_BUSY;

/**
 * Takes a home for this process.
 * @returns what gives it back.
 * @throws CodedError "home_in_use" while another process has it, "file_unwritable".
 */
export function lockHome(home: string): () => void {
  const path = join(home, LOCK_FILE);
  let db: DatabaseSync | null = null;
  try {
    db = new DatabaseSync(path);
    // Never committed: the lock lasts as long as the transaction does, and the file stays empty. A journal beside it would be
    // written at the transaction's beginning, for which a full disk has no room.
    db.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
    return () => db?.close();
  } catch (cause) {
    db?.close();
    if (isSqliteBusy(cause)) throw new CodedError("home_in_use", `another process uses ${home}`, cause);
    throw new CodedError("file_unwritable", `cannot lock ${path}`, cause);
  }
}
