/** Where one looks, as the address says it and as the API is asked for it. */
import { cellToLatLng, getResolution, isValidCell } from "h3-js";
import type { MapView } from "../../../client/api.ts";

/** Degrees; `west` above `east` crosses the antimeridian. */
export type Box = NonNullable<MapView["bounds"]>;

/** Where one looks: the box that is in view, and the zoom, of which each step doubles the scale. */
export type View = { readonly box: Box; readonly zoom: number; readonly centre: readonly [number, number] };

/** What /v1/map is asked: all four sides of a box, or none. */
export type MapQuery = { readonly resolution: number } & Partial<Box>;

export type Start = { readonly centre: readonly [lng: number, lat: number]; readonly zoom: number } | null;

/** Cells are mapped no finer, and from this zoom on those are large enough to tell apart: some ten pixels an edge. */
export const FINEST_RESOLUTION = 8;
const FINEST_ZOOM = 10;
/** Cells of the next resolution have edges longer by the square root of seven, which is this much zoom. */
const ZOOM_PER_RESOLUTION = Math.log2(Math.sqrt(7));
/** Asked beyond what is seen on each side, as a share of it, so that a small move shows no empty rim. */
const MARGIN = 0.25;
/** What is asked before the map knows what it will show: coarse enough to be small, fine enough to be the answer for a town. */
const FIRST_RESOLUTION = 4;
/** What the API takes at most. */
const POLE = 90;
/** Web Mercator shows nothing beyond some 85 degrees of latitude. */
export const MERCATOR_LIMIT = 85;

export const resolutionAt = (zoom: number): number =>
  Math.max(
    0,
    Math.min(FINEST_RESOLUTION, Math.round(FINEST_RESOLUTION + (zoom - FINEST_ZOOM) / ZOOM_PER_RESOLUTION)),
  );

/** The question for a view; without one yet, for everything. */
export function computeQuery(view: View | null, start: Start): MapQuery {
  if (view === null)
    return {
      resolution: start === null ? FIRST_RESOLUTION : Math.min(FIRST_RESOLUTION, resolutionAt(start.zoom)),
    };
  const { west, south, east, north } = view.box;
  const resolution = resolutionAt(view.zoom);
  const width = east >= west ? east - west : east - west + 360;
  const margin = { lng: width * MARGIN, lat: (north - south) * MARGIN };
  const isWhole = width + 2 * margin.lng >= 360;
  const round = (degrees: number): number => Math.round(degrees * 1e4) / 1e4;
  return {
    resolution,
    west: isWhole ? -180 : round(wrapLongitude(west - margin.lng)),
    south: round(Math.max(-POLE, south - margin.lat)),
    east: isWhole ? 180 : round(wrapLongitude(east + margin.lng)),
    north: round(Math.min(POLE, north + margin.lat)),
  };
}

/** A longitude between -180 and 180, however often the world was gone round. */
export const wrapLongitude = (lng: number): number => ((((lng + 180) % 360) + 360) % 360) - 180;

/** The equator's length in metres over maplibre's 512 pixels at zoom 0 (WGS 84). */
const METRES_PER_PIXEL = 40_075_017 / 512;
const BAR_MAX_PIXELS = 110;

/** A round length, 1, 2 or 5 times a power of ten, and how many pixels it is in the middle of a view. */
export function computeScaleBar({ zoom, centre: [, lat] }: Pick<View, "zoom" | "centre">): {
  readonly lengthM: number;
  readonly pixels: number;
} {
  const metresPerPixel = (METRES_PER_PIXEL * Math.cos((lat * Math.PI) / 180)) / 2 ** zoom;
  const longestM = BAR_MAX_PIXELS * metresPerPixel;
  const power = 10 ** Math.floor(Math.log10(longestM));
  const lengthM = power * (longestM >= 5 * power ? 5 : longestM >= 2 * power ? 2 : 1);
  return { lengthM, pixels: lengthM / metresPerPixel };
}

/** For the address: zoom, latitude, longitude. */
export const writeAt = ({ zoom, centre: [lng, lat] }: View): string =>
  `${zoom.toFixed(2)}/${lat.toFixed(4)}/${lng.toFixed(4)}`;

/** Where the map opens: as the address says, else at the cell that is shown; null leaves it to what there is. */
export function readStart(query: URLSearchParams, cell: string | undefined): Start {
  const [zoom, lat, lng] = (query.get("at") ?? "").split("/").map(Number);
  if (
    [zoom, lat, lng].every((part) => part !== undefined && Number.isFinite(part)) &&
    Math.abs(lat!) <= MERCATOR_LIMIT
  )
    return { zoom: zoom!, centre: [lng!, lat!] };
  if (cell === undefined || !isValidCell(cell)) return null;
  const [cellLat, cellLng] = cellToLatLng(cell);
  const zoomed = FINEST_ZOOM + (getResolution(cell) - FINEST_RESOLUTION) * ZOOM_PER_RESOLUTION;
  return { centre: [cellLng, cellLat], zoom: Math.max(1, zoomed + 0.5) };
}
