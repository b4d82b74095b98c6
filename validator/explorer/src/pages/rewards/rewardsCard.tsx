/** What a hotspot or an account earned over time: a chart, the same as a table, and the same for a spreadsheet. */
import { useMemo, useState } from "preact/hooks";
import type { Gets } from "../../../../client/api.ts";
import { apiUrl } from "../../data/api.ts";
import { useRoute, writePath } from "../../data/useRoute.ts";
import { Chart, formatTokens, toTokens } from "../../ui/chart.tsx";
import { Empty, Shown } from "../../ui/states.tsx";
import { Table, type Column as TableColumn } from "../../ui/table.tsx";
import { Amount } from "../../ui/values.tsx";

type Route = "/v1/hotspots/{id}/rewards" | "/v1/accounts/{id}/rewards";
type Answer<Of extends Route> = Gets[Of]["json"];
export type Bucket<Of extends Route> = Answer<Of>["items"][number];
type Size = "epoch" | "day" | "month";
export type Column<Of extends Route> = TableColumn<Bucket<Of>>;

/** As many epochs as bars of a screen; in days and months a year of hourly epochs, the most that the API is asked for. */
const RANGE_EPOCHS: Readonly<Record<Size, number>> = { epoch: 96, day: 8_784, month: 8_784 };
const HERE = Intl.DateTimeFormat().resolvedOptions().timeZone;

type RewardsCardProps<Of extends Route> = {
  readonly route: Of;
  readonly id: string;
  /** The newest closed epoch, and the first that the validator has; null where none has closed yet. */
  readonly latest: number | null;
  readonly oldest: number | null;
  readonly columns: readonly Column<Of>[];
};

export function RewardsCard<Of extends Route>({ route, id, latest, oldest, columns }: RewardsCardProps<Of>) {
  const [size, setSize] = useState<Size>("epoch");
  const query = {
    bucket: size,
    zone: HERE,
    ...(latest === null ? {} : { from: Math.max(oldest ?? 0, latest - RANGE_EPOCHS[size] + 1), to: latest }),
  };
  const asked = useRoute(route as Route, latest === null ? null : { path: { id }, query });
  const table = apiUrl(writePath(route as "/v1/hotspots/{id}/rewards", { path: { id }, query }));
  return (
    <section class="card" aria-labelledby="rewards">
      <div class="beside">
        <h2 id="rewards">Rewards</h2>
        <label>
          by{" "}
          <select value={size} onChange={(event) => setSize(event.currentTarget.value as Size)}>
            <option value="epoch">epoch</option>
            <option value="day">day</option>
            <option value="month">month</option>
          </select>
        </label>
        <a href={`${table}&format=csv`} download>
          CSV
        </a>
      </div>
      {latest === null ? (
        <Empty>No epoch has closed yet, so nothing is paid yet.</Empty>
      ) : (
        <Shown what="The rewards" asked={asked}>
          {(data) => <Buckets data={data as Answer<Of>} size={size} columns={columns} />}
        </Shown>
      )}
    </section>
  );
}

type BucketsProps<Of extends Route> = {
  readonly data: Answer<Of>;
  readonly size: Size;
  readonly columns: readonly Column<Of>[];
};

function Buckets<Of extends Route>({ data, size, columns }: BucketsProps<Of>) {
  const items = data.items as readonly Bucket<Of>[];
  // Epochs before the first that was asked for, of the same day or month, are not in its row.
  const partial = data.from > 0 ? items[0]?.period : undefined;
  const bars = useMemo(
    () => items.map(({ period, earned }) => ({ label: period, height: toTokens(earned) })),
    [items],
  );
  if (items.length === 0)
    return (
      <Empty>
        Nothing was earned in epochs {data.from} to {data.to}.
      </Empty>
    );
  return (
    <>
      <p>
        <Amount value={data.total.earned} /> earned in epochs {data.from} to {data.to}
        {size === "epoch" ? null : <span class="dim">, by the clocks of {data.zone}</span>}.
      </p>
      <Chart bars={bars} title="Rewards over time" formatHeight={formatTokens} />
      <Table
        isTall
        columns={[periodOf(size, data.from, partial), ...columns]}
        rows={items.toReversed()}
        keyOf={({ period }) => period}
      />
    </>
  );
}

const TITLES: Readonly<Record<Size, string>> = { epoch: "Epoch", day: "Day", month: "Month" };

/** @param partial the period that is counted only from epoch `from` on, where there is one. */
const periodOf = (
  size: Size,
  from: number,
  partial: string | undefined,
): TableColumn<{ readonly period: string }> => ({
  title: TITLES[size],
  kind: "head",
  value: ({ period }) => {
    if (size === "epoch") return <a href={`/epochs/${period}`}>{period}</a>;
    if (period !== partial) return period;
    return (
      <>
        {period} <span class="dim">from epoch {from} on</span>
      </>
    );
  },
});
