/**
 * Where the devnet's hotspots stand: squares, stations and streets of four real cities, all on land, dense near the
 * centre, with villages and hills outside that only few can hear. Coordinates are of the named places themselves, to
 * about 30 m, read off public maps.
 */
import type { RegionName } from "../../../protocol/src/radio/regions.ts";

/** How built-up a place is: it decides path loss and how far a neighbour may be moved from the anchor. */
export type Clutter = "urban" | "suburban" | "open";

export type Place = {
  readonly city: string;
  readonly name: string;
  readonly lat: number;
  readonly lng: number;
  readonly elevationM: number;
  readonly clutter: Clutter;
  readonly region: RegionName;
};

type Row = readonly [name: string, lat: number, lng: number, elevationM: number, clutter: Clutter];

/** Each city's anchors: every sixth is a loner, so that any number of hotspots has its share of them. */
const CITIES: readonly {
  readonly city: string;
  readonly region: RegionName;
  readonly rows: readonly Row[];
}[] = [
  {
    city: "Lyon",
    region: "EU868",
    rows: [
      ["Place Bellecour", 45.7578, 4.832, 195, "urban"],
      ["Place des Terreaux", 45.7676, 4.8344, 190, "urban"],
      ["Part-Dieu station", 45.7605, 4.8597, 200, "urban"],
      ["Fourviere hill", 45.7623, 4.8226, 290, "urban"],
      ["Croix-Rousse", 45.7745, 4.8318, 255, "urban"],
      ["Mont Verdun", 45.8497, 4.7757, 620, "open"],
      ["Villeurbanne Gratte-Ciel", 45.7686, 4.88, 200, "urban"],
      ["Monplaisir-Lumiere", 45.7455, 4.871, 195, "suburban"],
      ["Gerland stadium", 45.7269, 4.8322, 185, "suburban"],
      ["Vaise", 45.7805, 4.805, 185, "urban"],
      ["Bron town hall", 45.7386, 4.913, 215, "suburban"],
      ["L'Arbresle", 45.8353, 4.6167, 240, "open"],
    ],
  },
  {
    city: "Ghent",
    region: "EU868",
    rows: [
      ["Korenmarkt", 51.0546, 3.7219, 30, "urban"],
      ["Sint-Pietersplein", 51.0424, 3.7272, 45, "urban"],
      ["Sint-Pieters station", 51.0359, 3.7106, 30, "urban"],
      ["Sint-Amandsberg", 51.064, 3.748, 25, "suburban"],
      ["Ledeberg", 51.0372, 3.743, 30, "urban"],
      ["Lochristi", 51.096, 3.832, 20, "open"],
      ["Gentbrugge", 51.0376, 3.765, 20, "suburban"],
      ["Mariakerke", 51.0728, 3.678, 20, "suburban"],
      ["Wondelgem", 51.088, 3.712, 20, "suburban"],
      ["Zwijnaarde", 51.003, 3.715, 25, "suburban"],
      ["Evergem", 51.111, 3.709, 20, "suburban"],
      ["Deinze", 50.983, 3.53, 25, "open"],
    ],
  },
  {
    city: "Graz",
    region: "EU868",
    rows: [
      ["Hauptplatz", 47.0709, 15.4383, 370, "urban"],
      ["Jakominiplatz", 47.0672, 15.4418, 370, "urban"],
      ["Hauptbahnhof", 47.0727, 15.4165, 375, "urban"],
      ["University", 47.0779, 15.449, 390, "urban"],
      ["St. Peter", 47.058, 15.47, 385, "suburban"],
      ["Schoeckl summit", 47.1986, 15.4664, 1450, "open"],
      ["Eggenberg", 47.072, 15.39, 385, "suburban"],
      ["Liebenau", 47.039, 15.459, 350, "suburban"],
      ["Andritz", 47.108, 15.423, 375, "suburban"],
      ["Puntigam", 47.033, 15.433, 345, "suburban"],
      ["Mariatrost", 47.105, 15.49, 470, "suburban"],
      ["Gleisdorf", 47.104, 15.709, 370, "open"],
    ],
  },
  {
    city: "Pittsburgh",
    region: "US915",
    rows: [
      ["Market Square", 40.4406, -80.0026, 250, "urban"],
      ["Oakland", 40.4443, -79.9532, 300, "urban"],
      ["Bloomfield", 40.462, -79.948, 290, "urban"],
      ["Shadyside", 40.452, -79.933, 285, "suburban"],
      ["Mount Washington", 40.431, -80.011, 370, "urban"],
      ["Cranberry Township", 40.685, -80.106, 330, "open"],
      ["Squirrel Hill", 40.438, -79.923, 330, "suburban"],
      ["Lawrenceville", 40.468, -79.96, 250, "urban"],
      ["South Side Slopes", 40.424, -79.975, 320, "suburban"],
      ["East Liberty", 40.462, -79.925, 280, "urban"],
      ["Brookline", 40.393, -80.02, 330, "suburban"],
      ["Monroeville", 40.421, -79.788, 370, "open"],
    ],
  },
];

/** Hotspots from which a further city begins: one loner and five who hear each other, as a pair alone earns nothing. */
const TOWN_HOTSPOTS = 6;

/** How far a further hotspot at the same anchor may stand from it: streets away in a city, a field away outside. */
const SPREAD_M: Readonly<Record<Clutter, number>> = { urban: 250, suburban: 350, open: 150 };
const METRES_PER_DEGREE = 111_195;

/**
 * The places of `count` hotspots: round as many cities as they make towns of, in turn, anchor by anchor; when all anchors are taken, further
 * hotspots stand at a random distance from them.
 * @param random uniform numbers in [0, 1), from the devnet's seed: the same seed gives the same places.
 */
export function choosePlaces(count: number, random: () => number): Place[] {
  const places: Place[] = [];
  const cities = Math.min(Math.max(Math.floor(count / TOWN_HOTSPOTS), 1), CITIES.length);
  for (let index = 0; index < count; index++) {
    const { city, region, rows } = CITIES[index % cities]!;
    const turn = Math.floor(index / cities);
    const [name, lat, lng, elevationM, clutter] = rows[turn % rows.length]!;
    // A few metres are always random, so that two seeds never give the same network.
    const reachM = turn < rows.length ? 30 : SPREAD_M[clutter];
    const bearing = 2 * Math.PI * random();
    const distanceM = reachM * Math.sqrt(random());
    const north = (distanceM * Math.cos(bearing)) / METRES_PER_DEGREE;
    const east = (distanceM * Math.sin(bearing)) / (METRES_PER_DEGREE * Math.cos((lat * Math.PI) / 180));
    places.push({ city, name, lat: lat + north, lng: lng + east, elevationM, clutter, region });
  }
  return places;
}
