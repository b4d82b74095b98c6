/** Tables as CSV (RFC 4180), for accountants: numbers as they are in the JSON, one line a row, a line of names first. */

type Cell = string | number | null;

/** A field; quoted where it holds what would end it. */
function writeField(value: Cell): string {
  const text = value === null ? "" : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** One line. @param columns which fields, in which order. */
export function writeCsvRow<Row>(row: Row, columns: readonly (keyof Row)[]): string {
  return `${columns.map((column) => writeField(row[column] as Cell)).join(",")}\r\n`;
}

/** The line of names. */
export function writeCsvHeader(columns: readonly PropertyKey[]): string {
  return `${columns.map((column) => writeField(String(column))).join(",")}\r\n`;
}
