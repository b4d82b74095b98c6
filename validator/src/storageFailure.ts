/** What a failing disk means, in words: SQLite and the file system each have names of their own for it. */
import { CodedError, isCodedError, systemCodeOf } from "../../node/src/host/codedError.ts";
import { toError } from "./toError.ts";

/** SQLite's result codes (sqlite.org/rescode.html). */
const SQLITE_IOERR = 10;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_NOTADB = 26;
/** Errors have causes, a few deep at most; a circle of them would be a bug of a library. */
const MAX_CAUSES = 8;

/** The failure of a validator's home as one of the rim's errors; anything else stays what it is. */
export function explainStorageFailure(error: unknown, home: string): Error {
  const given = toError(error);
  for (const each of listCauses(given)) {
    const code = systemCodeOf(each);
    const sqlite = code === "ERR_SQLITE_ERROR" ? ((each as { errcode?: number }).errcode ?? 0) & 0xff : 0;
    if (sqlite === SQLITE_FULL || code === "ENOSPC" || code === "EDQUOT") {
      const text = `the disk that holds ${home} is full: make room and start again; nothing acknowledged is lost`;
      return new CodedError("disk_full", text, error);
    }
    if (sqlite === SQLITE_CORRUPT || sqlite === SQLITE_NOTADB) {
      const text = `a database in ${home} is damaged: ${each.message}. Keep the key, move the rest away, and join again`;
      return new CodedError("file_corrupt", text, error);
    }
    if (sqlite === SQLITE_IOERR || code === "EIO" || code === "EROFS") {
      return new CodedError("file_unwritable", `the disk that holds ${home} fails: ${each.message}`, error);
    }
  }
  return given;
}

function listCauses(error: Error): Error[] {
  const causes: Error[] = [];
  for (let each: unknown = error; each instanceof Error && causes.length < MAX_CAUSES; each = each.cause)
    causes.push(each);
  return causes;
}

/** Does something with a home, and says what is wrong with its disk where that fails. */
export async function explainingFailure<T>(home: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw isCodedError(error) && error.cause === undefined ? error : explainStorageFailure(error, home);
  }
}
