/**
 * A population of hotspots as the world has them: towns of very unequal size, dense in the middle and thin outside,
 * and loners between them. Uniform places would make density cheap and wrong: no cell would ever be over its limit.
 */
import { latLngToCell } from "h3-js";
import type { Evidence } from "../../protocol/src/score/score.ts";
import { drawGaussian } from "../ether/prng.ts";

/** One hotspot in so many stands alone. */
const LONER_EVERY = 20;
/** The share of a town's rank in the population falls as 1 / rank, as cities' sizes do (Zipf). */
const TOWNS = 4_000;
/** Half of a town's hotspots stand within some 0.7 times this of its middle: 0.05 degrees are 5.6 km. */
const TOWN_SPREAD_DEGREES = 0.05;
/** Belts in which people live, as south and north latitude and west and east longitude. */
const REGIONS = [
  [36, 58, -9, 30],
  [28, 48, -123, -70],
  [8, 30, 70, 90],
  [-38, -12, 115, 153],
] as const;

/** mulberry32: a small generator of numbers from 0 to 1, the same for the same seed. */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Resolution-12 cells of so many hotspots, as high and low halves. */
export function createPopulation(count: number, seed = 1): { cellHi: Uint32Array; cellLo: Uint32Array } {
  const random = createRandom(seed);
  const anywhere = (): [lat: number, lng: number] => {
    const [south, north, west, east] = REGIONS[Math.floor(random() * REGIONS.length)]!;
    return [south + random() * (north - south), west + random() * (east - west)];
  };
  const towns = Array.from({ length: TOWNS }, anywhere);
  const logTowns = Math.log(TOWNS);
  const cellHi = new Uint32Array(count);
  const cellLo = new Uint32Array(count);
  for (let hotspot = 0; hotspot < count; hotspot++) {
    let [lat, lng] = anywhere();
    if (hotspot % LONER_EVERY !== 0) {
      // A rank drawn with density 1 / rank is the exponential of a uniform number.
      [lat, lng] = towns[Math.floor(Math.exp(random() * logTowns)) - 1]!;
      lat += drawGaussian(random) * TOWN_SPREAD_DEGREES;
      lng += drawGaussian(random) * TOWN_SPREAD_DEGREES;
    }
    const cell = latLngToCell(lat, lng, 12);
    cellHi[hotspot] = Number.parseInt(cell.slice(0, -8), 16);
    cellLo[hotspot] = Number.parseInt(cell.slice(-8), 16);
  }
  return { cellHi, cellLo };
}

/**
 * Evidence in which every hotspot beacons once and is heard by so many of those next to it in `order`.
 * @param order hotspots so that neighbours in the list are neighbours on the ground.
 */
export function createLinks(
  order: Uint32Array,
  witnessesPerBeacon: number,
  seed = 2,
): Omit<Evidence, "cellHi" | "cellLo"> {
  const random = createRandom(seed);
  const count = order.length;
  const beaconWitnessOffset = new Uint32Array(count + 1);
  const witnessHotspot = new Uint32Array(count * witnessesPerBeacon);
  let written = 0;
  for (let place = 0; place < count; place++) {
    // Two to five places further each time: distinct witnesses, spread over a neighbourhood of some 35.
    let step = 0;
    for (let i = 0; i < witnessesPerBeacon; i++) {
      step += 2 + Math.floor(random() * 4);
      witnessHotspot[written++] = order[(place + step) % count]!;
    }
    beaconWitnessOffset[place + 1] = written;
  }
  return { hotspotCount: count, beaconHotspot: order, beaconWitnessOffset, witnessHotspot };
}
