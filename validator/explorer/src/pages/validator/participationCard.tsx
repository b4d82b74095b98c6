/** What a validator did in the epochs that it had a seat in, and was paid for: a chart, and the same as a table. */
import { useMemo, useState } from "preact/hooks";
import type { Participation } from "../../../../client/api.ts";
import { usePages } from "../../data/useRoute.ts";
import { Chart, formatTokens, toTokens } from "../../ui/chart.tsx";
import { formatCount, formatPpm, PPM } from "../../ui/format.ts";
import { Paged } from "../../ui/paged.tsx";
import { type Column, Table } from "../../ui/table.tsx";
import { Amount } from "../../ui/values.tsx";
import { formatPart } from "../network/validatorTable.tsx";

/** As many epochs as bars of a screen. */
const EPOCHS_A_PAGE = 96;

/** What a chart can show of an epoch. */
const VIEWS = {
  part: {
    words: "part taken",
    title: "Part taken over time",
    heightOf: ({ rounds, epochRounds }: Participation) => (epochRounds === 0 ? 0 : rounds / epochRounds),
    formatHeight: (part: number) => formatPpm(part * PPM),
  },
  pay: {
    words: "pay",
    title: "Pay over time",
    heightOf: ({ paid }: Participation) => toTokens(paid),
    formatHeight: formatTokens,
  },
} as const;

const COLUMNS: readonly Column<Participation>[] = [
  {
    title: "Epoch",
    kind: "head",
    value: ({ epoch }) => <a href={`/epochs/${epoch}`}>{formatCount(epoch)}</a>,
  },
  { title: "Seat", kind: "number", value: ({ seat }) => formatCount(seat) },
  {
    title: "Rounds",
    kind: "number",
    value: ({ rounds, epochRounds }) => `${formatCount(rounds)} of ${formatCount(epochRounds)}`,
  },
  { title: "Took part", kind: "number", value: formatPart },
  { title: "Paid", kind: "number", value: ({ paid }) => <Amount value={paid} /> },
];

export function ParticipationCard({ id }: { readonly id: string }) {
  const [view, setView] = useState<keyof typeof VIEWS>("part");
  const pages = usePages("/v1/validators/{id}/participation", {
    path: { id },
    query: { limit: EPOCHS_A_PAGE },
  });
  return (
    <section class="card" aria-labelledby="participation">
      <div class="beside">
        <h2 id="participation">Participation and pay</h2>
        <label>
          draw{" "}
          <select value={view} onChange={(event) => setView(event.currentTarget.value as keyof typeof VIEWS)}>
            {Object.entries(VIEWS).map(([name, { words }]) => (
              <option key={name} value={name}>
                {words}
              </option>
            ))}
          </select>
        </label>
      </div>
      <Paged what="The participation" pages={pages} empty="It had a seat in no epoch that has closed.">
        {(read) => <Epochs rows={read.flatMap(({ items }) => items)} view={view} />}
      </Paged>
    </section>
  );
}

type EpochsProps = { readonly rows: readonly Participation[]; readonly view: keyof typeof VIEWS };

function Epochs({ rows, view }: EpochsProps) {
  const { heightOf, title, formatHeight } = VIEWS[view];
  const newest = rows[0]?.epoch;
  const bars = useMemo(
    () => rows.toReversed().map((row) => ({ label: `${row.epoch}`, height: heightOf(row) })),
    // What an epoch had stays as it is: only another number of them is another chart.
    [newest, rows.length, heightOf],
  );
  return (
    <>
      <Chart bars={bars} title={title} formatHeight={formatHeight} />
      <Table isTall columns={COLUMNS} rows={rows} keyOf={({ epoch }) => epoch} />
    </>
  );
}
