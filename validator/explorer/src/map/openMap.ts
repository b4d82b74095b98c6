/**
 * The map itself: maplibre draws land and borders, deck.gl the cells above them. Everything comes from the explorer's own files:
 * no tiles, no glyphs, no requests to anyone else.
 */
import { H3HexagonLayer } from "@deck.gl/geo-layers";
import { MapboxOverlay } from "@deck.gl/mapbox";
import { isValidCell } from "h3-js";
import * as maplibre from "maplibre-gl";
import type { MapCell } from "../../../client/api.ts";
import type { Theme } from "../ui/theme.ts";
import type { Colour } from "./colours.ts";
import { loadLand } from "./land.ts";
import { boundsOf, createLinkLayers, type Linked, type Place } from "./linkLayers.ts";
import { type Box, MERCATOR_LIMIT, type Start, type View, wrapLongitude } from "./viewport.ts";

export type MapOptions = {
  readonly theme: Theme;
  readonly start: Start;
  readonly onView: (view: View) => void;
  readonly onPick: (cell: string) => void;
};

export type OpenMap = {
  readonly show: (
    cells: readonly MapCell[],
    colourOf: (cell: MapCell) => Colour,
    selected: string | null,
  ) => void;
  /** A hotspot with those whom it hears, instead of cells; all of them are in view. */
  readonly showLinks: (own: Place, links: readonly Linked[]) => void;
  readonly fit: (box: Box) => void;
  readonly goTo: (place: NonNullable<Start>) => void;
  readonly zoomBy: (steps: number) => void;
  readonly setTheme: (theme: Theme) => void;
  readonly close: () => void;
};

const GROUND: Readonly<Record<Theme, { sea: string; land: string; border: string; line: Colour }>> = {
  light: { sea: "#d5e3ea", land: "#f7f6f1", border: "#a9b3ae", line: [26, 33, 30] },
  dark: { sea: "#0b1013", land: "#1d2522", border: "#48544e", line: [230, 235, 232] },
};
/** The land that is drawn from the start, and the finer one from the zoom on at which the difference shows. */
const FINE_LAND_ZOOM = 3;
const MAX_ZOOM = 16;
/** A single cell fills the view no further than this. */
const FIT_MAX_ZOOM = 11;
const CELL_ALPHA = 190;

/** @throws Error where the browser has no WebGL 2. */
export async function openMap(container: HTMLElement, options: MapOptions): Promise<OpenMap> {
  maplibre.setWorkerUrl(MAP_WORKER_URL);
  const land = await loadLand("coarse");
  const map = new maplibre.Map({
    container,
    style: createStyle(land, options.theme),
    center: options.start === null ? [0, 25] : [...options.start.centre],
    zoom: options.start?.zoom ?? 1,
    maxZoom: MAX_ZOOM,
    renderWorldCopies: true,
    attributionControl: false,
    // Turning and tilting the map shows nothing more and is hard to undo by keyboard.
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
  });
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  map
    .getCanvas()
    .setAttribute("aria-label", "Map of coverage. Arrow keys move it; the table beside it has its cells.");
  const overlay = new MapboxOverlay({ interleaved: false, layers: [] });
  map.addControl(overlay);
  const tell = (): void => options.onView(readView(map));
  map.on("moveend", tell);
  map.on("zoomend", () => void refineLand(map));
  await new Promise<void>((resolve) => void map.once("load", () => resolve()));
  tell();
  void refineLand(map);
  let theme = options.theme;
  let redraw = (): void => {};
  const frame = ({ west, south, east, north }: Box): void =>
    void map.fitBounds([west, south, east, north], { padding: 60, maxZoom: FIT_MAX_ZOOM, animate: false });
  return {
    show: (cells, colourOf, selected) => {
      redraw = () =>
        overlay.setProps({
          layers: [
            createCells(cells, colourOf, GROUND[theme].line, options.onPick),
            createMark(selected, GROUND[theme].line),
          ],
        });
      redraw();
    },
    showLinks: (own, links) => {
      redraw = () => overlay.setProps({ layers: createLinkLayers(own, links, theme) });
      redraw();
      frame(boundsOf(own, links));
    },
    fit: frame,
    goTo: ({ centre: [lng, lat], zoom }) => void map.jumpTo({ center: [lng, lat], zoom }),
    zoomBy: (steps) => void map.zoomTo(map.getZoom() + steps),
    setTheme: (next) => {
      theme = next;
      paintGround(map, next);
      redraw();
    },
    close: () => map.remove(),
  };
}

function createCells(
  cells: readonly MapCell[],
  colourOf: (cell: MapCell) => Colour,
  line: Colour,
  onPick: (cell: string) => void,
) {
  return new H3HexagonLayer<MapCell>({
    id: "cells",
    data: cells,
    getHexagon: ({ cell }) => cell,
    getFillColor: (cell) => [...colourOf(cell), CELL_ALPHA],
    getLineColor: [...line, 70],
    getLineWidth: 1,
    lineWidthUnits: "pixels",
    stroked: true,
    filled: true,
    extruded: false,
    pickable: true,
    autoHighlight: true,
    highlightColor: [255, 255, 255, 90],
    updateTriggers: { getFillColor: [colourOf] },
    onClick: ({ object }) => {
      if (object === undefined) return false;
      onPick(object.cell);
      return true;
    },
  });
}

/** The outline of the cell that is shown beside the map, whatever the resolution of those that are drawn. */
function createMark(selected: string | null, line: Colour) {
  return new H3HexagonLayer<string>({
    id: "selected",
    data: selected === null || !isValidCell(selected) ? [] : [selected],
    getHexagon: (cell) => cell,
    getLineColor: [...line, 255],
    getLineWidth: 3,
    lineWidthUnits: "pixels",
    stroked: true,
    filled: false,
    extruded: false,
    pickable: false,
  });
}

function createStyle(
  { land, borders }: Awaited<ReturnType<typeof loadLand>>,
  theme: Theme,
): maplibre.StyleSpecification {
  const { sea, land: ground, border } = GROUND[theme];
  return {
    version: 8,
    sources: { land: { type: "geojson", data: land }, borders: { type: "geojson", data: borders } },
    layers: [
      { id: "sea", type: "background", paint: { "background-color": sea } },
      { id: "land", type: "fill", source: "land", paint: { "fill-color": ground, "fill-antialias": true } },
      { id: "borders", type: "line", source: "borders", paint: { "line-color": border, "line-width": 0.8 } },
    ],
  };
}

function paintGround(map: maplibre.Map, theme: Theme): void {
  const { sea, land, border } = GROUND[theme];
  map.setPaintProperty("sea", "background-color", sea);
  map.setPaintProperty("land", "fill-color", land);
  map.setPaintProperty("borders", "line-color", border);
}

const refined = new WeakSet<maplibre.Map>();

async function refineLand(map: maplibre.Map): Promise<void> {
  if (map.getZoom() < FINE_LAND_ZOOM || refined.has(map)) return;
  refined.add(map);
  const fine = await loadLand("fine").catch(() => null);
  // The coarse land stays where the finer one cannot be had; and the map may have been closed meanwhile.
  if (fine === null || !map.style) return;
  map.getSource<maplibre.GeoJSONSource>("land")?.setData(fine.land);
  map.getSource<maplibre.GeoJSONSource>("borders")?.setData(fine.borders);
}

function readView(map: maplibre.Map): View {
  const bounds = map.getBounds();
  const { lng, lat } = map.getCenter();
  const isWhole = bounds.getEast() - bounds.getWest() >= 360;
  const box = {
    west: isWhole ? -180 : wrapLongitude(bounds.getWest()),
    south: Math.max(-MERCATOR_LIMIT, bounds.getSouth()),
    east: isWhole ? 180 : wrapLongitude(bounds.getEast()),
    north: Math.min(MERCATOR_LIMIT, bounds.getNorth()),
  };
  return { box, zoom: map.getZoom(), centre: [wrapLongitude(lng), lat] };
}
