/** The cells of the map as a table: the same for whoever reads, hears or tabs through it. */
import { useMemo, useState } from "preact/hooks";
import type { MapCell } from "../../../../client/api.ts";
import { type ViewName, writeBy } from "../../map/colours.ts";
import { formatCount, formatPpm } from "../../ui/format.ts";
import { MoreButton } from "../../ui/moreButton.tsx";
import { type Column, Table } from "../../ui/table.tsx";
import { Amount, CellLink } from "../../ui/values.tsx";

/** A screen or two at a time. */
const ROWS_STEP = 30;

type Order = (a: MapCell, b: MapCell) => number;
const byHotspots: Order = (a, b) => b.hotspots - a.hotspots;
const byPay: Order = (a, b) => (BigInt(a.paid) < BigInt(b.paid) ? 1 : -1);
const byGaps: Order = (a, b) => b.gaps - a.gaps;
const ORDERS: Readonly<Record<ViewName, { readonly order: Order; readonly words: string }>> = {
  coverage: { order: byHotspots, words: "those with most hotspots first" },
  rewards: { order: byPay, words: "the best paid first" },
  gaps: { order: byGaps, words: "those with most gaps first" },
};

const columnsOf = (name: ViewName): readonly Column<MapCell>[] => [
  { title: "Cell", value: ({ cell }) => <CellLink cell={cell} query={writeBy(name)} /> },
  { title: "Hotspots", kind: "number", value: ({ hotspots }) => formatCount(hotspots) },
  { title: "Covered", kind: "number", value: ({ coveragePpm }) => formatPpm(coveragePpm) },
  { title: "Tokens", kind: "number", value: ({ paid }) => <Amount value={paid} brief /> },
];

export function CellTable({ cells, name }: { readonly cells: readonly MapCell[]; readonly name: ViewName }) {
  const { order, words } = ORDERS[name];
  const [most, setMost] = useState(ROWS_STEP);
  const sorted = useMemo(() => cells.toSorted(order), [cells, order]);
  const rows = sorted.slice(0, most);
  const isAll = rows.length === cells.length;
  return (
    <>
      <Table
        caption={isAll ? `All of them, ${words}.` : `${formatCount(rows.length)} of them, ${words}.`}
        columns={columnsOf(name)}
        rows={rows}
        keyOf={({ cell }) => cell}
      />
      {isAll && most === ROWS_STEP ? null : (
        <MoreButton onMore={isAll ? null : () => setMost(most + ROWS_STEP)} isAll={isAll} />
      )}
    </>
  );
}
