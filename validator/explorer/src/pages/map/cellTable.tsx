/** The cells of the map as a table: the same for whoever reads, hears or tabs through it. */
import { useMemo } from "preact/hooks";
import type { MapCell } from "../../../../client/api.ts";
import type { ViewName } from "../../map/colours.ts";
import { formatCount, formatPpm } from "../../ui/format.ts";
import { type Column, Table } from "../../ui/table.tsx";
import { Amount, CellLink } from "../../ui/values.tsx";

/** More rows than one reads through; the map and the search lead to the rest. */
const ROWS_MAX = 30;

type Order = (a: MapCell, b: MapCell) => number;
const byHotspots: Order = (a, b) => b.hotspots - a.hotspots;
const byPay: Order = (a, b) => (BigInt(a.paid) < BigInt(b.paid) ? 1 : -1);
const byGaps: Order = (a, b) => b.gaps - a.gaps;
const ORDERS: Readonly<Record<ViewName, { readonly order: Order; readonly words: string }>> = {
  coverage: { order: byHotspots, words: "those with most hotspots first" },
  rewards: { order: byPay, words: "the best paid first" },
  gaps: { order: byGaps, words: "those with most gaps first" },
};

const COLUMNS: readonly Column<MapCell>[] = [
  { title: "Cell", value: ({ cell }) => <CellLink cell={cell} /> },
  { title: "Hotspots", kind: "number", value: ({ hotspots }) => formatCount(hotspots) },
  { title: "Covered", kind: "number", value: ({ coveragePpm }) => formatPpm(coveragePpm) },
  { title: "Tokens", kind: "number", value: ({ paid }) => <Amount value={paid} brief /> },
];

export function CellTable({ cells, name }: { readonly cells: readonly MapCell[]; readonly name: ViewName }) {
  const { order, words } = ORDERS[name];
  const rows = useMemo(() => cells.toSorted(order).slice(0, ROWS_MAX), [cells, order]);
  const isPart = rows.length < cells.length;
  return (
    <Table
      caption={isPart ? `${formatCount(rows.length)} of them, ${words}.` : `All of them, ${words}.`}
      columns={COLUMNS}
      rows={rows}
      keyOf={({ cell }) => cell}
    />
  );
}
