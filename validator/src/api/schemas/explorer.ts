/** What the API says for those who look around: the map of a view, what a search finds, and who is heard by whom. */
import { type Static, Type } from "typebox";
import { COVERAGE_RESOLUTION } from "../../../../protocol/src/score/coverage.ts";
import { MAP_CELLS_MAX } from "../explorer/mapIndex.ts";
import {
  Amount,
  CellText,
  Count,
  EpochNumber,
  Key,
  Name,
  object,
  oneOf,
  orNull,
  Ppm,
  ReportIdText,
} from "./common.ts";

export const Latitude = Type.Number({ minimum: -90, maximum: 90 });
export const Longitude = Type.Number({ minimum: -180, maximum: 180 });
export const Resolution = Type.Integer({
  minimum: 0,
  maximum: COVERAGE_RESOLUTION,
  description: "An H3 resolution; coverage is mapped at 8.",
});

export const MapCell = object({
  cell: CellText,
  cells: Count,
  gaps: Count,
  hotspots: Count,
  counterpartsMax: Count,
  coveragePpm: Ppm,
  paid: Amount,
});
export type MapCellJson = Static<typeof MapCell>;

export const MapView = object(
  {
    epoch: orNull(EpochNumber),
    resolution: Resolution,
    bounds: orNull(object({ west: Longitude, south: Latitude, east: Longitude, north: Latitude })),
    items: Type.Array(MapCell, { maxItems: MAP_CELLS_MAX }),
  },
  "Cells with hotspots in them. `cells` counts those of resolution 8, of which `gaps` are not wholly covered; `coveragePpm` is their mean, `hotspots` stand there now and earned `paid` in the epoch. `resolution` is coarser than asked where there are too many. `bounds` hold everything.",
);
export type MapViewJson = Static<typeof MapView>;

export const SEARCH_KINDS = ["hotspot", "account", "validator", "cell"] as const;
export const SearchResults = object(
  {
    items: Type.Array(
      object({
        kind: oneOf(SEARCH_KINDS),
        id: Type.String({ description: "A did:key, or of a cell its index." }),
        name: orNull(Name),
      }),
    ),
  },
  "What a text may mean. Names are not unique; keys are.",
);
export type SearchResultsJson = Static<typeof SearchResults>;

export const Link = object({
  hotspot: Key,
  name: Name,
  cell: orNull(CellText),
  latitude: orNull(Latitude),
  longitude: orNull(Longitude),
  heard: Count,
  heardBy: Count,
  lastEpoch: EpochNumber,
  beacon: ReportIdText,
});
export type LinkJson = Static<typeof Link>;

export const Links = object(
  { fromEpoch: EpochNumber, items: Type.Array(Link) },
  "Who a hotspot heard, and who heard it, by valid reports of beacons that closed since an epoch; `beacon` is the newest of them.",
);
