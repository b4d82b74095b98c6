/** All hotspots, by status. */
import { useState } from "preact/hooks";
import type { Hotspot } from "../../../client/api.ts";
import { usePages } from "../data/useRoute.ts";
import { Page } from "../ui/page.tsx";
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
  const [status, setStatus] = useState("");
  const pages = usePages("/v1/hotspots", { query: { limit: 50, ...(status === "" ? {} : { status }) } });
  return (
    <Page title="Hotspots" lead="In the order in which they were registered.">
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
