/** Hotspots as rows, of an account or of the whole network. */
import type { Hotspot } from "../../../../client/api.ts";
import type { Pages } from "../../data/useRoute.ts";
import { Paged } from "../../ui/paged.tsx";
import { type Column, Table } from "../../ui/table.tsx";
import { CellLink, KeyLink } from "../../ui/values.tsx";

type HotspotTableProps = {
  readonly pages: Pages<{ readonly items: readonly Hotspot[] }>;
  readonly empty: string;
};

const COLUMNS: readonly Column<Hotspot>[] = [
  { title: "Hotspot", value: ({ id, name }) => <KeyLink kind="hotspots" id={id} name={name} /> },
  { title: "Status", value: ({ status }) => <HotspotStatus status={status} /> },
  {
    title: "Cell",
    value: ({ assertion }) => (assertion === null ? "–" : <CellLink cell={assertion.cell} />),
  },
  { title: "Region", value: ({ assertion }) => assertion?.region ?? "–" },
  {
    title: "Last active in",
    value: ({ lastActiveEpoch: epoch }) =>
      epoch === null ? "–" : <a href={`/epochs/${epoch}`}>epoch {epoch}</a>,
  },
];

export function HotspotTable({ pages, empty }: HotspotTableProps) {
  return (
    <Paged what="The hotspots" pages={pages} empty={empty}>
      {(read) => <Table columns={COLUMNS} rows={read.flatMap(({ items }) => items)} keyOf={({ id }) => id} />}
    </Paged>
  );
}

const STATUS_CLASS: Readonly<Partial<Record<Hotspot["status"], string>>> = { active: "good", silent: "bad" };

export function HotspotStatus({ status }: { readonly status: Hotspot["status"] }) {
  return <span class={STATUS_CLASS[status] ?? "dim"}>{status}</span>;
}
