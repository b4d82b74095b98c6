/** Hotspots as rows, of an account or of the whole network. */
import type { Hotspot } from "../../../../client/api.ts";
import type { Pages } from "../../data/useRoute.ts";
import { Paged } from "../../ui/paged.tsx";
import { CellLink, KeyLink } from "../../ui/values.tsx";

type HotspotTableProps = {
  readonly pages: Pages<{ readonly items: readonly Hotspot[] }>;
  readonly empty: string;
};

export function HotspotTable({ pages, empty }: HotspotTableProps) {
  return (
    <Paged what="The hotspots" pages={pages} empty={empty}>
      {(read) => (
        <div class="scroll">
          <table>
            <thead>
              <tr>
                <th scope="col">Hotspot</th>
                <th scope="col">Status</th>
                <th scope="col">Cell</th>
                <th scope="col">Region</th>
                <th scope="col">Last active in</th>
              </tr>
            </thead>
            <tbody>
              {read
                .flatMap(({ items }) => items)
                .map(({ id, name, status, assertion, lastActiveEpoch }) => (
                  <tr key={id}>
                    <td>
                      <KeyLink kind="hotspots" id={id} name={name} />
                    </td>
                    <td>
                      <HotspotStatus status={status} />
                    </td>
                    <td>{assertion === null ? "–" : <CellLink cell={assertion.cell} />}</td>
                    <td>{assertion?.region ?? "–"}</td>
                    <td>
                      {lastActiveEpoch === null ? (
                        "–"
                      ) : (
                        <a href={`/epochs/${lastActiveEpoch}`}>epoch {lastActiveEpoch}</a>
                      )}
                    </td>
                  </tr>
                ))}
            </tbody>
          </table>
        </div>
      )}
    </Paged>
  );
}

const STATUS_CLASS: Readonly<Partial<Record<Hotspot["status"], string>>> = { active: "good", silent: "bad" };

export function HotspotStatus({ status }: { readonly status: Hotspot["status"] }) {
  return <span class={STATUS_CLASS[status] ?? "dim"}>{status}</span>;
}
