/** A table that scrolls by itself: what its columns say of a row stands in one list. */
import type { ComponentChildren } from "preact";

export type Column<Row> = {
  readonly title: string;
  readonly value: (row: Row) => ComponentChildren;
  /** `number`: aligned at its end; `head`: names the row. */
  readonly kind?: "number" | "head";
};

type TableProps<Row> = {
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string | number;
  readonly caption?: ComponentChildren;
  /** Scrolls within a part of the page, with its head in view. */
  readonly isTall?: boolean;
};

export function Table<Row>({ columns, rows, keyOf, caption, isTall = false }: TableProps<Row>) {
  return (
    <div class={isTall ? "scroll tall" : "scroll"}>
      <table>
        {caption === undefined ? null : <caption class="dim">{caption}</caption>}
        <thead>
          <tr>
            {columns.map(({ title, kind }) => (
              <th key={title} scope="col" class={kind === "number" ? "number" : ""}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)}>
              {columns.map(({ title, kind, value }) =>
                kind === "head" ? (
                  <th key={title} scope="row">
                    {value(row)}
                  </th>
                ) : (
                  <td key={title} class={kind === "number" ? "number" : ""}>
                    {value(row)}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
