/** Whom a hotspot heard and who heard it, as a table and on a map. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { Hotspot, Link } from "../../../../client/api.ts";
import { useRoute } from "../../data/useRoute.ts";
import type { OpenMap } from "../../map/openMap.ts";
import { formatCount } from "../../ui/format.ts";
import { Empty, Shown } from "../../ui/states.tsx";
import { type Column, Table } from "../../ui/table.tsx";
import { currentTheme, useTheme } from "../../ui/theme.ts";
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

/** The table has all that the map shows, so a browser that cannot draw it leaves it out. */
function LinkMap({ own, links }: LinkMapProps) {
  const place = useRef<HTMLDivElement>(null);
  const [map, setMap] = useState<OpenMap | null>(null);
  const theme = useTheme();
  const { latitude, longitude } = own;
  useEffect(() => {
    let opened: OpenMap | null = null;
    let isWanted = true;
    const start = { centre: [longitude, latitude] as const, zoom: 9 };
    const options = { theme: currentTheme(), start, onView: () => {}, onPick: () => {} };
    void import("../../map/openMap.ts")
      .then(({ openMap }) => openMap(place.current!, options))
      .then((open) => {
        opened = open;
        if (isWanted) setMap(open);
        else open.close();
      })
      .catch((error: unknown) => console.warn("The map cannot be drawn", error));
    return () => {
      isWanted = false;
      opened?.close();
    };
  }, [latitude, longitude]);
  useEffect(() => {
    if (map === null) return;
    map.setTheme(theme);
    map.showLinks(own, links);
  }, [map, theme, own, links]);
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
