/** The place of the map in the page, and its buttons. */
import { useEffect, useRef } from "preact/hooks";
import type { MapCell } from "../../../../client/api.ts";
import type { Scale } from "../../map/colours.ts";
import type { OpenMap } from "../../map/openMap.ts";
import { useOpenMap } from "../../map/useOpenMap.ts";
import { type Box, computeScaleBar, readStart, type Start, type View, writeAt } from "../../map/viewport.ts";
import { useLocation } from "../../routing/location.ts";
import { formatCount } from "../../ui/format.ts";

type MapCanvasProps = {
  readonly cells: readonly MapCell[];
  readonly scale: Scale;
  readonly selected: string | null;
  readonly start: Start;
  readonly view: View | null;
  /** Of everything there is: where a map opens that was told no place. */
  readonly bounds: Box | null;
  readonly onView: (view: View) => void;
  readonly onPick: (cell: string) => void;
};

export function MapCanvas({ cells, scale, selected, start, view, bounds, onView, onPick }: MapCanvasProps) {
  const { place, map, hasFailed } = useOpenMap({ start, onView, onPick });
  useFollowing(map, { view, selected, bounds });
  const isPlaced = useRef(start !== null);
  useEffect(() => {
    map?.show(cells, (cell) => scale.steps[scale.stepOf(cell)]!.colour, selected);
  }, [map, cells, scale, selected]);
  useEffect(() => {
    if (map === null || bounds === null || isPlaced.current) return;
    isPlaced.current = true;
    map.fit(bounds);
  }, [map, bounds]);

  return (
    <section class="map" aria-label="Map">
      <div class="map-place" ref={place} data-ready={map !== null} />
      {hasFailed ? (
        <p class="state map-note" role="alert">
          This browser cannot draw the map, which takes WebGL 2. The table of cells says the same.
        </p>
      ) : null}
      {map === null ? null : (
        <div class="map-buttons">
          <button type="button" aria-label="Zoom in" onClick={() => map.zoomBy(1)}>
            +
          </button>
          <button type="button" aria-label="Zoom out" onClick={() => map.zoomBy(-1)}>
            −
          </button>
          {bounds === null ? null : (
            <button type="button" aria-label="Show everything" onClick={() => map.fit(bounds)}>
              ⤢
            </button>
          )}
        </div>
      )}
      {view === null ? null : <ScaleBar view={view} />}
    </section>
  );
}

/** Links and the browser's history within the map's pages: one is led to the place of the address, else to its cell, else to all there is. */
function useFollowing(
  map: OpenMap | null,
  { view, selected, bounds }: Pick<MapCanvasProps, "view" | "selected" | "bounds">,
): void {
  const { query, visit } = useLocation();
  const followed = useRef(visit);
  useEffect(() => {
    if (map === null || followed.current === visit) return;
    followed.current = visit;
    // A click on the map leads to where one is already.
    if (view !== null && query.get("at") === writeAt(view)) return;
    const place = readStart(query, selected ?? undefined);
    if (place !== null) map.goTo(place);
    else if (bounds !== null) map.fit(bounds);
  }, [map, visit]);
}

/** Where there are no streets to compare with: how long a line on the map is on the ground, in the middle of it. */
function ScaleBar({ view }: { readonly view: View }) {
  const { lengthM, pixels } = computeScaleBar(view);
  const length = lengthM < 1_000 ? `${formatCount(lengthM)} m` : `${formatCount(lengthM / 1_000)} km`;
  return (
    <p class="map-scale">
      {length}
      <span style={{ width: `${pixels}px` }} />
    </p>
  );
}
