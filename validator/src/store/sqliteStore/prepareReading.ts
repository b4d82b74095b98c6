/** A prepared question to the store whose rows are read as typed values. */
import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from "node:sqlite";
import type { SqlRow } from "./columns.ts";

export type Reading = {
  readonly one: <T>(read: (row: SqlRow) => T, ...given: readonly SQLInputValue[]) => T | null;
  readonly all: <T>(read: (row: SqlRow) => T, ...given: readonly SQLInputValue[]) => T[];
  /** Rows one by one; stop the loop whenever enough is known. */
  readonly each: (...given: readonly SQLInputValue[]) => Iterable<SqlRow>;
};

type Values = readonly SQLOutputValue[];

/** Prepares a question; its integers come as bigints, which the readers of columns.ts expect. */
export function prepareReading(db: DatabaseSync, sql: string): Reading {
  const statement = db.prepare(sql);
  statement.setReadBigInts(true);
  statement.setReturnArrays(true);
  const toRow = compileRow(statement);
  return {
    one: (read, ...given) => {
      const values = statement.get(...given) as Values | undefined;
      return values === undefined ? null : read(toRow(values));
    },
    all: (read, ...given) =>
      (statement.all(...given) as unknown as Values[]).map((values) => read(toRow(values))),
    *each(...given) {
      for (const values of statement.iterate(...given) as unknown as Iterable<Values>) yield toRow(values);
    },
  };
}

/**
 * A row by the names of its columns. The library's own objects cost as much as all the rest of a point read; a literal
 * with the names written out, which all rows of a statement share the shape of, costs next to nothing.
 */
function compileRow(statement: StatementSync): (values: Values) => SqlRow {
  const fields = statement.columns().map(({ name }, place) => `${JSON.stringify(name)}: values[${place}]`);
  return new Function("values", `return { ${fields.join(", ")} };`) as (values: Values) => SqlRow;
}
