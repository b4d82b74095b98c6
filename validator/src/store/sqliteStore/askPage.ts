/** Pages of lists, as every question for one is asked. */
import { MAX_PAGE_ROWS, type Page } from "../store.ts";

/**
 * A page of a list. It is asked for with one row too many, which says whether there is a next one.
 * @param limit as whoever asks has it; no page has more than `MAX_PAGE_ROWS`.
 * @param ask for at most so many rows.
 */
export function askPage<Row, Cursor>(
  limit: number,
  ask: (rows: number) => readonly Row[],
  cursorOf: (row: Row) => Cursor,
): Page<Row, Cursor> {
  const asked = Math.min(limit, MAX_PAGE_ROWS);
  const rows = ask(asked + 1);
  if (rows.length <= asked) return { rows, next: null };
  return { rows: rows.slice(0, asked), next: cursorOf(rows[asked - 1]!) };
}
