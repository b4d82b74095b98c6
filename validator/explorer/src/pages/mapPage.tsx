/** The map of coverage: cells coloured by how well they are covered, what they earn or what is missing, and who stands in one. */
import { useCallback, useMemo, useRef, useState } from "preact/hooks";
import type { Json } from "../../../client/client.ts";
import { useRoute } from "../data/useRoute.ts";
import { createScale, type Scale, VIEW_WORDS, VIEWS, type ViewName } from "../map/colours.ts";
import { computeQuery, readStart, type View, writeAt } from "../map/viewport.ts";
import { navigate, rewriteQuery, useLocation } from "../routing/location.ts";
import { formatCount } from "../ui/format.ts";
import { Page } from "../ui/page.tsx";
import { Empty, Shown } from "../ui/states.tsx";
import { CellPanel } from "./map/cellPanel.tsx";
import { CellTable } from "./map/cellTable.tsx";
import { MapCanvas } from "./map/mapCanvas.tsx";

type MapViewJson = Json<"/v1/map">;

export function MapPage({ params }: { readonly params: Readonly<Record<string, string>> }) {
  const { query } = useLocation();
  const [view, setView] = useState<View | null>(null);
  const [start] = useState(() => readStart(query, params.cell));
  const asked = useRoute("/v1/map", { query: computeQuery(view, start) });
  // While the map moves, what was shown stays until the new cells are there.
  const last = useRef<MapViewJson | null>(null);
  last.current = asked.data ?? last.current;
  const shown = last.current;
  const name = readName(query);
  const scale = useMemo(() => createScale(name, shown?.items ?? []), [name, shown]);
  const selected = params.cell ?? null;

  const onView = useCallback((next: View) => {
    setView(next);
    const at = new URLSearchParams(window.location.search);
    at.set("at", writeAt(next));
    rewriteQuery(at);
  }, []);
  const onPick = useCallback((cell: string) => navigate(`/cells/${cell}${window.location.search}`), []);

  return (
    <div class="map-page">
      <MapCanvas
        cells={shown?.items ?? []}
        bounds={shown?.bounds ?? null}
        scale={scale}
        selected={selected}
        start={start}
        view={view}
        onView={onView}
        onPick={onPick}
      />
      <Page className="map-side" title={selected === null ? "Coverage" : `Cell ${selected}`}>
        {selected === null ? null : <CellPanel cell={selected} name={name} />}
        <ViewChoice name={name} scale={scale} />
        <Shown what="The map" asked={shown === null ? asked : { ...asked, data: shown }}>
          {(map) => <MapSummary map={map} name={name} />}
        </Shown>
      </Page>
    </div>
  );
}

function readName(query: URLSearchParams): ViewName {
  const asked = query.get("by");
  return VIEWS.find((view) => view === asked) ?? "coverage";
}

function chooseView(name: ViewName): void {
  const query = new URLSearchParams(window.location.search);
  query.set("by", name);
  rewriteQuery(query);
}

function ViewChoice({ name, scale }: { readonly name: ViewName; readonly scale: Scale }) {
  return (
    <section class="card" aria-label="Colours">
      <fieldset class="choice">
        <legend>Colour cells by</legend>
        {VIEWS.map((view) => (
          <label key={view}>
            <input
              type="radio"
              name="by"
              value={view}
              checked={view === name}
              onChange={() => chooseView(view)}
            />
            {VIEW_WORDS[view].title}
          </label>
        ))}
      </fieldset>
      <p class="dim">{VIEW_WORDS[name].means}</p>
      <ul class="legend">
        {scale.steps.map(({ colour, label }) => (
          <li key={label}>
            <span class="swatch" style={{ backgroundColor: `rgb(${colour.join(" ")})` }} />
            {label}
          </li>
        ))}
      </ul>
    </section>
  );
}

function MapSummary({ map, name }: { readonly map: MapViewJson; readonly name: ViewName }) {
  const { items, epoch, resolution, bounds } = map;
  if (bounds === null)
    return <Empty>No hotspot has asserted a place yet, so there is nothing to draw.</Empty>;
  const hotspots = items.reduce((sum, cell) => sum + cell.hotspots, 0);
  return (
    <section class="card" aria-label="Cells in view">
      <p>
        In and around the view: {formatCount(hotspots)} hotspots in {formatCount(items.length)} cells of
        resolution {resolution}.{" "}
        {epoch === null
          ? "No epoch has closed yet, so no coverage is proven."
          : `Coverage and pay of epoch ${epoch}.`}
      </p>
      {items.length === 0 ? (
        <Empty>Nobody stands here.</Empty>
      ) : (
        <CellTable key={`${name} ${resolution}`} cells={items} name={name} />
      )}
    </section>
  );
}
