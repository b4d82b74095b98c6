/** What a hotspot reported, newest first, each with its verdict and the reason in a sentence. */
import type { Reason } from "../../../../../protocol/src/evidence/reasons.ts";
import { describeVerdict } from "../../../../../protocol/src/evidence/reasonWords.ts";
import type { Activity } from "../../../../client/api.ts";
import { usePages } from "../../data/useRoute.ts";
import { formatCount } from "../../ui/format.ts";
import { Paged } from "../../ui/paged.tsx";
import { Time } from "../../ui/values.tsx";

export function ActivityCard({ id }: { readonly id: string }) {
  const pages = usePages("/v1/hotspots/{id}/activity", { path: { id }, query: { limit: 20 } });
  return (
    <section class="card" aria-labelledby="activity">
      <h2 id="activity">Beacons and witness reports</h2>
      <Paged what="The reports" pages={pages} empty="It has reported nothing that is still kept.">
        {(read) => (
          <div class="scroll">
            <table>
              <thead>
                <tr>
                  <th scope="col">When</th>
                  <th scope="col">What</th>
                  <th scope="col">Heard or sent</th>
                  <th scope="col">What became of it</th>
                </tr>
              </thead>
              <tbody>
                {read
                  .flatMap(({ items }) => items)
                  .map((report) => (
                    <tr key={report.id}>
                      <td>
                        {timeOf(report) === null ? "–" : <Time timeMs={timeOf(report)!} />}{" "}
                        <span class="dim">round {formatCount(report.includedRound)}</span>
                      </td>
                      <td>{report.kind}</td>
                      <td>{describeRadio(report)}</td>
                      <td>
                        <Verdict report={report} />
                      </td>
                    </tr>
                  ))}
              </tbody>
            </table>
          </div>
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
  const air = `${(sent.frequencyHz / 1e6).toFixed(1)} MHz, SF${sent.spreadingFactor}`;
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
