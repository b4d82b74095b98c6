/** Land and borders of Natural Earth (public domain, by way of world-atlas), as files of the explorer's own. */
import type { FeatureCollection } from "geojson";
import { feature, mesh } from "topojson-client";
import type { GeometryCollection, Topology } from "topojson-specification";
import fineUrl from "world-atlas/countries-50m.json";
import coarseUrl from "world-atlas/countries-110m.json";
import { unwrap } from "./unwrap.ts";

type Atlas = Topology<{ countries: GeometryCollection; land: GeometryCollection }>;
export type Land = { readonly land: FeatureCollection; readonly borders: FeatureCollection };

/** `coarse` is 1:110,000,000, `fine` 1:50,000,000. @throws where the file cannot be had. */
export async function loadLand(grade: "coarse" | "fine"): Promise<Land> {
  const response = await fetch(grade === "coarse" ? coarseUrl : fineUrl);
  if (!response.ok) throw new Error(`the land could not be loaded (${response.status})`);
  const atlas = (await response.json()) as Atlas;
  const { countries, land } = atlas.objects;
  // A line between two countries is drawn once, and coasts are the land's own edge.
  const borders = mesh(atlas, countries, (a, b) => a !== b);
  return {
    land: unwrap(feature(atlas, land)),
    borders: unwrap({ type: "Feature", properties: {}, geometry: borders }),
  };
}
