/** The cells of the map as a table: the same for whoever reads, hears or tabs through it. */
import { useMemo } from "preact/hooks";
import type { MapCell } from "../../../../client/api.ts";
import type { ViewName } from "../../map/colours.ts";
import { formatCount, formatPpm } from "../../ui/format.ts";
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

export function CellTable({ cells, name }: { readonly cells: readonly MapCell[]; readonly name: ViewName }) {
  const { order, words } = ORDERS[name];
  const rows = useMemo(() => cells.toSorted(order).slice(0, ROWS_MAX), [cells, order]);
  const isPart = rows.length < cells.length;
  return (
    <div class="scroll">
      <table>
        <caption class="dim">
          {isPart ? `${formatCount(rows.length)} of them, ${words}.` : `All of them, ${words}.`}
        </caption>
        <thead>
          <tr>
            <th scope="col">Cell</th>
            <th scope="col" class="number">
              Hotspots
            </th>
            <th scope="col" class="number">
              Covered
            </th>
            <th scope="col" class="number">
              Tokens
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ cell, hotspots, coveragePpm, paid }) => (
            <tr key={cell}>
              <td>
                <CellLink cell={cell} />
              </td>
              <td class="number">{formatCount(hotspots)}</td>
              <td class="number">{formatPpm(coveragePpm)}</td>
              <td class="number">
                <Amount value={paid} brief />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
