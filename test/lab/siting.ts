/**
 * What stands around a hotspot's antenna. The devnet's channel is one between roofs; most real hotspots stand behind a
 * window, low, with the aerial that came in the box, and each has walls of its own. Without them every simulated hotspot
 * of a city heard every other.
 */
import { createRandom, drawGaussian, mixSeed } from "../ether/prng.ts";

/**
 * Loss at one end in dB, the same in all directions, both ways and for the whole run. A traditional building's wall takes
 * 12.5 dB in the median at 0.9 GHz, with a deviation of 9.5 dB (ITU-R P.2109). A place indoors lacks the 5 dB an end that
 * the channel gives for a roof, and most hotspots' 1.2 dBi lack 1.8 dB of the 3 dBi that the laboratory reckons with: 19.3 dB.
 * Of 18 to 21 dB, 20 gives Pittsburgh's links by distance best (`npm run lab -- --air`). Measured beside it: 86
 * hotspots in Grenoble lost 59 dB over free space, brought to 1 km, with a deviation of 15 dB between them.
 */
const SITING_MEAN_DB = 20;
const SITING_SIGMA_DB = 9.5;

/** What a station's surroundings take from all that it sends and hears, in dB, never less than none. */
export function drawSitingDb(seed: number, stationId: string): number {
  const random = createRandom(mixSeed(seed, "siting", stationId));
  return Math.max(0, SITING_MEAN_DB + SITING_SIGMA_DB * drawGaussian(random));
}
