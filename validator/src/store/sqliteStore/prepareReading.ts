/** A prepared question to the store whose rows are read as typed values. */
import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import type { SqlRow } from "./columns.ts";

export type Reading = {
  readonly one: <T>(read: (row: SqlRow) => T, ...given: readonly SQLInputValue[]) => T | null;
  readonly all: <T>(read: (row: SqlRow) => T, ...given: readonly SQLInputValue[]) => T[];
  /** Rows one by one; stop the loop whenever enough is known. */
  readonly each: (...given: readonly SQLInputValue[]) => Iterable<SqlRow>;
};

/** Prepares a question; its integers come as bigints, which the readers of columns.ts expect. */
export function prepareReading(db: DatabaseSync, sql: string): Reading {
  const statement = db.prepare(sql);
  statement.setReadBigInts(true);
  return {
    one: (read, ...given) => {
      const row = statement.get(...given);
      return row === undefined ? null : read(row);
    },
    all: (read, ...given) => statement.all(...given).map(read),
    each: (...given) => statement.iterate(...given),
  };
}
