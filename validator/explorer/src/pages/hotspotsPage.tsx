/** All hotspots, or those of a cell, by status. */
import { useState } from "preact/hooks";
import type { Hotspot } from "../../../client/api.ts";
import { usePages } from "../data/useRoute.ts";
import { useLocation } from "../routing/location.ts";
import { Page } from "../ui/page.tsx";
import { CellLink } from "../ui/values.tsx";
import { HotspotTable } from "./hotspot/hotspotTable.tsx";

const STATUSES = [
  "active",
  "idle",
  "silent",
  "unasserted",
  "leaving",
  "gone",
] as const satisfies readonly Hotspot["status"][];

export function HotspotsPage() {
  const cell = useLocation().query.get("cell");
  const [status, setStatus] = useState("");
  const pages = usePages("/v1/hotspots", {
    query: { limit: 50, ...(status === "" ? {} : { status }), ...(cell === null ? {} : { cell }) },
  });
  return (
    <Page
      title="Hotspots"
      lead={cell === null ? "In the order in which they were registered." : <InCell cell={cell} />}
    >
      <section class="card" aria-label="Hotspots">
        <p>
          <label>
            Show{" "}
            <select value={status} onChange={(event) => setStatus(event.currentTarget.value)}>
              <option value="">all</option>
              {STATUSES.map((each) => (
                <option key={each} value={each}>
                  {each}
                </option>
              ))}
            </select>
          </label>
        </p>
        <HotspotTable pages={pages} empty="There is no such hotspot." />
      </section>
    </Page>
  );
}

function InCell({ cell }: { readonly cell: string }) {
  return (
    <>
      In cell <CellLink cell={cell} />. <a href="/hotspots">All hotspots</a>
    </>
  );
}
