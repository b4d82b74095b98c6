/** What a hotspot reported, newest first, each with its verdict and the reason in a sentence. */
import type { Reason } from "../../../../../protocol/src/evidence/reasons.ts";
import { describeVerdict } from "../../../../../protocol/src/evidence/reasonWords.ts";
import type { Activity } from "../../../../client/api.ts";
import { usePages } from "../../data/useRoute.ts";
import { formatCount, formatMegahertz } from "../../ui/format.ts";
import { Paged } from "../../ui/paged.tsx";
import { type Column, Table } from "../../ui/table.tsx";
import { Time } from "../../ui/values.tsx";

const COLUMNS: readonly Column<Activity>[] = [
  {
    title: "When",
    value: (report) => (
      <>
        {timeOf(report) === null ? "–" : <Time timeMs={timeOf(report)!} />}{" "}
        <span class="dim">round {formatCount(report.includedRound)}</span>
      </>
    ),
  },
  { title: "What", value: ({ kind }) => kind },
  { title: "Heard or sent", value: (report) => describeRadio(report) },
  { title: "What became of it", value: (report) => <Verdict report={report} /> },
];

export function ActivityCard({ id }: { readonly id: string }) {
  const pages = usePages("/v1/hotspots/{id}/activity", { path: { id }, query: { limit: 20 } });
  return (
    <section class="card" aria-labelledby="activity">
      <h2 id="activity">Beacons and witness reports</h2>
      <Paged what="The reports" pages={pages} empty="It has reported nothing that is still kept.">
        {(read) => (
          <Table columns={COLUMNS} rows={read.flatMap(({ items }) => items)} keyOf={(report) => report.id} />
        )}
      </Paged>
    </section>
  );
}

const timeOf = ({ measurement, report }: Activity): number | null =>
  measurement?.timeMs ?? report?.timeMs ?? null;

function describeRadio({ measurement, report, distanceM }: Activity): string {
  const sent = measurement ?? report;
  if (sent === null) return "–";
  const air = `${formatMegahertz(sent.frequencyHz)}, SF${sent.spreadingFactor}`;
  if (measurement === null) return `${air}, ${report!.powerDbm} dBm`;
  const way = distanceM === null ? "" : `, from ${formatCount(distanceM)} m`;
  return `${measurement.rssiDbm} dBm, SNR ${measurement.snrDb} dB, ${air}${way}`;
}

function Verdict({ report: { verdict, reason, selectionPending, unitsPpm } }: { readonly report: Activity }) {
  if (verdict === "pending") return <span class="dim">Waits for its window to close.</span>;
  if (selectionPending) return <span class="dim">Accepted; who is paid is drawn at the epoch's end.</span>;
  const worth = unitsPpm === null || unitsPpm === 0 ? "" : ` Worth ${unitsPpm / 1e6} units.`;
  const className = reason === null ? "good" : verdict === "refused" ? "bad" : "warn";
  return (
    <>
      <span class={className}>{describeVerdict(reason as Reason | null)}</span>
      {worth} {reason === null ? null : <code class="dim">{reason}</code>}
    </>
  );
}
