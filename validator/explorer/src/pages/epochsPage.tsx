/** Closed epochs, newest first. */
import type { Epoch } from "../../../client/api.ts";
import { usePages } from "../data/useRoute.ts";
import { formatCount } from "../ui/format.ts";
import { Page } from "../ui/page.tsx";
import { Paged } from "../ui/paged.tsx";
import { type Column, Table } from "../ui/table.tsx";
import { Amount, Time } from "../ui/values.tsx";

const COLUMNS: readonly Column<Epoch>[] = [
  {
    title: "Epoch",
    kind: "head",
    value: ({ epoch }) => <a href={`/epochs/${epoch}`}>{formatCount(epoch)}</a>,
  },
  { title: "Ended", value: ({ endTimeMs }) => <Time timeMs={endTimeMs} /> },
  { title: "Beacons", kind: "number", value: ({ beacons }) => formatCount(beacons.closed) },
  {
    title: "Witness reports accepted",
    kind: "number",
    value: ({ witnesses }) => formatCount(witnesses.accepted),
  },
  { title: "Paid for beacons", kind: "number", value: ({ pools }) => <Amount value={pools.beacons.paid} /> },
  {
    title: "Paid for witnesses",
    kind: "number",
    value: ({ pools }) => <Amount value={pools.witnesses.paid} />,
  },
];

export function EpochsPage() {
  const pages = usePages("/v1/epochs", { query: { limit: 30 } });
  return (
    <Page title="Epochs" lead="At the end of an epoch its evidence is scored and its rewards are paid.">
      <section class="card" aria-label="Closed epochs">
        <Paged what="The epochs" pages={pages} empty="No epoch has closed yet.">
          {(read) => (
            <Table columns={COLUMNS} rows={read.flatMap(({ items }) => items)} keyOf={({ epoch }) => epoch} />
          )}
        </Paged>
      </section>
    </Page>
  );
}
