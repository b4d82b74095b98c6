/** Stations for tests: a few metres or kilometres east of one place on the plain. */
import type { Station } from "../../ether/channel.ts";

const LAT_E7 = 510_000_000;
/** Degrees of longitude at that latitude: 69.98 km each. */
const E7_PER_METRE = 1e7 / 69_977;

export function createStation(id: string, eastM: number, fields: Partial<Station> = {}): Station {
  const lngE7 = 30_000_000 + Math.round(eastM * E7_PER_METRE);
  return { id, latE7: LAT_E7, lngE7, elevationM: 20, gainCentiDbi: 300, clutter: "open", ...fields };
}
