/** Whom a hotspot heard and who heard it, as a table and on a map. */
import { useEffect, useMemo } from "preact/hooks";
import type { Hotspot, Link } from "../../../../client/api.ts";
import { useRoute } from "../../data/useRoute.ts";
import { useOpenMap } from "../../map/useOpenMap.ts";
import { formatCount } from "../../ui/format.ts";
import { Empty, Shown } from "../../ui/states.tsx";
import { type Column, Table } from "../../ui/table.tsx";
import { KeyLink } from "../../ui/values.tsx";

export function NeighboursCard({ hotspot }: { readonly hotspot: Hotspot }) {
  const asked = useRoute("/v1/hotspots/{id}/links", { path: { id: hotspot.id } });
  return (
    <section class="card" aria-labelledby="neighbours">
      <h2 id="neighbours">Neighbours</h2>
      <Shown what="The neighbours" asked={asked}>
        {({ items, fromEpoch }) =>
          items.length === 0 ? (
            <Empty>Since epoch {fromEpoch} it has heard nobody, and nobody has heard it.</Empty>
          ) : (
            <>
              {hotspot.assertion === null ? null : <LinkMap own={hotspot.assertion} links={items} />}
              <Table
                caption={`By valid reports of beacons that closed since epoch ${formatCount(fromEpoch)}.`}
                columns={COLUMNS}
                rows={items}
                keyOf={({ hotspot: other }) => other}
              />
            </>
          )
        }
      </Shown>
    </section>
  );
}

type LinkMapProps = { readonly own: NonNullable<Hotspot["assertion"]>; readonly links: readonly Link[] };

/** A town: what is shown until the map holds all of them. */
const START_ZOOM = 9;

/** The table has all that the map shows, so a browser that cannot draw it leaves it out. */
function LinkMap({ own, links }: LinkMapProps) {
  const { latitude, longitude } = own;
  const start = useMemo(
    () => ({ centre: [longitude, latitude] as const, zoom: START_ZOOM }),
    [latitude, longitude],
  );
  const { place, map, hasFailed } = useOpenMap({ start });
  useEffect(() => map?.showLinks(own, links), [map, own, links]);
  if (hasFailed) return null;
  return (
    <div class="small-map">
      <div class="map-place" ref={place} data-ready={map !== null} />
    </div>
  );
}

const COLUMNS: readonly Column<Link>[] = [
  { title: "Hotspot", value: ({ hotspot, name }) => <KeyLink kind="hotspots" id={hotspot} name={name} /> },
  { title: "Heard it", kind: "number", value: ({ heardBy }) => formatCount(heardBy) },
  { title: "It heard", kind: "number", value: ({ heard }) => formatCount(heard) },
  {
    title: "Last in",
    value: ({ lastEpoch }) => <a href={`/epochs/${lastEpoch}`}>epoch {formatCount(lastEpoch)}</a>,
  },
];
