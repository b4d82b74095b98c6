/** One cell: who stands in it and so covers it, how well, and by whose witness. */
import { useState } from "preact/hooks";
import type { Json } from "../../../../client/client.ts";
import { useRoute } from "../../data/useRoute.ts";
import { type ViewName, writeBy } from "../../map/colours.ts";
import { FINEST_RESOLUTION } from "../../map/viewport.ts";
import { formatCount, formatPpm } from "../../ui/format.ts";
import { Empty, Shown } from "../../ui/states.tsx";
import { Fact, KeyLink } from "../../ui/values.tsx";

type CellJson = Json<"/v1/cells/{cell}">;

export function CellPanel({ cell, name }: { readonly cell: string; readonly name: ViewName }) {
  const asked = useRoute("/v1/cells/{cell}", { path: { cell } });
  return (
    <section class="card" aria-label="The cell">
      <p>
        <a href={`/${writeBy(name)}`}>Back to the whole map</a>
      </p>
      <Shown what="The cell" asked={asked}>
        {(data) => (
          <>
            <CellFacts cell={data} />
            <h2>Who covers it</h2>
            {data.hotspots.length === 0 ? <Empty>No hotspot stands in this cell.</Empty> : null}
            <ul class="list">
              {data.hotspots.map((hotspot) => (
                <CellHotspot key={hotspot.id} hotspot={hotspot} isOpen={data.hotspots.length === 1} />
              ))}
            </ul>
            {data.next === null ? null : (
              <p>
                <a href={`/hotspots?cell=${data.cell}`}>
                  More than these {formatCount(data.hotspots.length)}: all hotspots in this cell
                </a>
              </p>
            )}
          </>
        )}
      </Shown>
    </section>
  );
}

/** Of a cell that holds many the map shows the mean; the API tells of one cell what the best-covered in it has. */
function CellFacts({ cell: { resolution, epoch, coverage } }: { readonly cell: CellJson }) {
  const isMapped = resolution >= FINEST_RESOLUTION;
  const when = epoch === null ? "" : ` in epoch ${epoch}`;
  return (
    <dl class="facts">
      <Fact label="Resolution">{resolution}</Fact>
      <Fact label={`${isMapped ? "Covered" : "Best-covered small cell"}${when}`}>
        {coverage === null ? "not at all" : formatPpm(coverage.coveragePpmMax)}
      </Fact>
      <Fact label={isMapped ? "Others in reach" : "Others in its reach"}>
        {coverage === null ? "none" : formatCount(coverage.counterpartsMax)}
      </Fact>
    </dl>
  );
}

function CellHotspot({
  hotspot,
  isOpen,
}: {
  readonly hotspot: CellJson["hotspots"][number];
  readonly isOpen: boolean;
}) {
  const [open, setOpen] = useState(isOpen);
  const { id, name, status, assertion } = hotspot;
  return (
    <li>
      <KeyLink kind="hotspots" id={id} name={name} /> <span class="dim">{status}</span>
      {assertion === null ? null : (
        <span class="dim">
          {" "}
          · {assertion.gainDbi} dBi, {assertion.elevationM} m up
        </span>
      )}
      <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>By whose witness</summary>
        {open ? <HotspotLinks id={id} /> : null}
      </details>
    </li>
  );
}

function HotspotLinks({ id }: { readonly id: string }) {
  const asked = useRoute("/v1/hotspots/{id}/links", { path: { id } });
  return (
    <Shown what="The links" asked={asked}>
      {({ items, fromEpoch }) =>
        items.length === 0 ? (
          <Empty>Nobody heard it, and it heard nobody, since epoch {fromEpoch}.</Empty>
        ) : (
          <ul class="list">
            {items.map(({ hotspot, name, heard, heardBy }) => (
              <li key={hotspot}>
                <KeyLink kind="hotspots" id={hotspot} name={name} />{" "}
                <span class="dim">{describeLink(heardBy, heard)}</span>
              </li>
            ))}
          </ul>
        )
      }
    </Shown>
  );
}

const describeTimes = (count: number): string => (count === 1 ? "once" : `${formatCount(count)} times`);

/** One that neither heard nor was heard is no neighbour. */
function describeLink(heardBy: number, heard: number): string {
  if (heard === 0) return `heard it ${describeTimes(heardBy)}`;
  if (heardBy === 0) return `was heard by it ${describeTimes(heard)}`;
  return `heard it ${describeTimes(heardBy)}, and was heard by it ${describeTimes(heard)}`;
}
