/**
 * Where a laboratory's hotspots stand: a real city's squares, suburbs and hills, with hotspots scattered around them as
 * densely as the city's size asks for; or the real density of hotspots, where a folder of data has it.
 */
import { latLngToCell } from "h3-js";
import { cellFromHex, cellToBigint } from "../../protocol/src/geo/cell.ts";
import { computeCentre } from "../../protocol/src/geo/centre.ts";
import type { GenesisHotspot } from "../../protocol/src/network/genesis.ts";
import type { RegionName } from "../../protocol/src/radio/regions.ts";
import { type Clutter, choosePlaces, type Place } from "../devnet/src/places.ts";
import { createRandom, drawGaussian, mixSeed, type Random } from "../ether/prng.ts";
import { openDataFolder, type Row, readCsv } from "../eval/dataFolder.ts";

export type Site = {
  readonly latE7: number;
  readonly lngE7: number;
  readonly elevationM: number;
  readonly clutter: Clutter;
};

export type City = {
  readonly name: string;
  readonly region: RegionName;
  readonly centre: Site;
  /** A further place in the city; the same stream gives the same places. */
  readonly draw: (random: Random) => Site;
};

const METRES_PER_DEGREE = 111_195;
const CITY = "Lyon";
/** Hotspots around one of a city's named places, standard deviation by what is built there. */
const SPREAD_M: Readonly<Record<Clutter, number>> = { urban: 1_200, suburban: 2_000, open: 2_500 };
/** Enough turns round all cities for each of their named places. */
const PLACES = 200;
/** A resolution-8 cell's edge is 530 m. */
const CELL_REACH_M = 460;

const DENSITY_FILE = "us_helium_hex8.csv.gz";

/** The city; with a folder that has `us_helium_hex8.csv.gz`, Pittsburgh at its real density. */
export function openCity(dataFolder: string | null): City {
  const rows = dataFolder === null ? [] : readCsv(openDataFolder(dataFolder), DENSITY_FILE);
  if (rows.length > 0) return createRealCity(rows.filter(({ city }) => city === "pittsburgh"));
  const names = new Map<string, Place>();
  for (const place of choosePlaces(PLACES, () => 0)) if (place.city === CITY) names.set(place.name, place);
  const anchors = [...names.values()].map((place) => ({ ...place, ...toE7(place.lat, place.lng) }));
  return {
    name: CITY,
    region: anchors[0]!.region,
    centre: anchors[0]!,
    draw: (random) => {
      const anchor = anchors[Math.floor(random() * anchors.length)]!;
      const sigmaM = SPREAD_M[anchor.clutter];
      // Who lives near a summit does not live on it.
      const low = { ...anchor, elevationM: anchors[0]!.elevationM };
      return moveBy(low, drawGaussian(random) * sigmaM, drawGaussian(random) * sigmaM);
    },
  };
}

function createRealCity(rows: readonly Row[]): City {
  const weights: number[] = [];
  let sum = 0;
  for (const { n_hotspots: count } of rows) {
    sum += Number(count);
    weights.push(sum);
  }
  const siteOf = (row: number): Site => {
    const { lat, lon } = rows[row]!;
    // Neither land use nor height over the roofs is in the file; by the ground's height every valley would see over every hill.
    return { ...toE7(Number(lat), Number(lon)), elevationM: 0, clutter: "urban" };
  };
  return {
    name: "Pittsburgh",
    region: "US915",
    centre: siteOf(0),
    draw: (random) => {
      const drawn = random() * sum;
      const row = weights.findIndex((weight) => weight > drawn);
      const reach = (): number => (2 * random() - 1) * CELL_REACH_M;
      return moveBy(siteOf(row), reach(), reach());
    },
  };
}

const toE7 = (lat: number, lng: number) => ({ latE7: Math.round(lat * 1e7), lngE7: Math.round(lng * 1e7) });

/** The place so many metres east and north, on the same ground. */
export function moveBy({ latE7, lngE7, elevationM, clutter }: Site, eastM: number, northM: number): Site {
  const perDegree = METRES_PER_DEGREE * Math.cos((latE7 / 1e7) * (Math.PI / 180));
  return {
    latE7: latE7 + Math.round((northM / METRES_PER_DEGREE) * 1e7),
    lngE7: lngE7 + Math.round((eastM / perDegree) * 1e7),
    elevationM,
    clutter,
  };
}

/** The place so many metres away in a drawn direction. */
export function moveFar(site: Site, distanceM: number, random: Random): Site {
  const bearing = 2 * Math.PI * random();
  return moveBy(site, distanceM * Math.sin(bearing), distanceM * Math.cos(bearing));
}

/** A place as an assertion has it: the resolution-12 cell around it, and that cell's centre. */
export function assertPlaceOf(site: Site): Pick<GenesisHotspot, "cell" | "latE7" | "lngE7"> {
  const cell = cellFromHex(latLngToCell(site.latE7 / 1e7, site.lngE7 / 1e7, 12))!;
  return { cell: cellToBigint(cell), ...computeCentre(cell) };
}

/** A stream for one purpose, so that adding another changes nothing in it. */
export const streamOf = (seed: number, purpose: string): Random =>
  createRandom(mixSeed(seed, "lab", purpose));
