/** Made-up networks for the tests of trust: hotspots at places, who heard whom and in which epoch, and the history of it. */
import { latLngToCell } from "h3-js";
import { computeDistanceM } from "../../../protocol/src/geo/distance.ts";
import { createMoments } from "../../../protocol/src/trust/moments.ts";
import type { TrustNetwork } from "../../../protocol/src/trust/networkTrust.ts";
import { TrustHistory } from "../../../protocol/src/trust/trustHistory.ts";
import { createRandom } from "../../bench/population.ts";

export const WINDOW_EPOCHS = 20;
export const TERMS = {
  ...{ epoch: 30, penaltyEpochs: 12, intervalEpochs: 4, youngEpochs: 10, paidMinPpm: 100_000 },
  epochSeed: new Uint8Array(32),
};

export type Site = readonly [lat: number, lng: number];
/** Who heard whom, in which epoch; both ways where `oneWay` is not said. */
export type Heard = {
  readonly a: number;
  readonly b: number;
  readonly epoch: number;
  readonly oneWay?: boolean;
};

/** Sites in a square of so many degrees around a place. */
export function sitesAround([lat, lng]: Site, count: number, seed: number, degrees = 0.15): Site[] {
  const random = createRandom(seed);
  return Array.from({ length: count }, () => [lat + degrees * random(), lng + degrees * random()] as const);
}

export function createNetwork(
  sites: readonly (Site | null)[],
  heard: readonly Heard[],
  part: Partial<TrustNetwork> = {},
): TrustNetwork {
  const history = new TrustHistory(WINDOW_EPOCHS);
  const latE7 = Int32Array.from(sites, (site) => Math.round((site?.[0] ?? 0) * 1e7));
  const lngE7 = Int32Array.from(sites, (site) => Math.round((site?.[1] ?? 0) * 1e7));
  const record = (witness: number, beaconer: number, epoch: number): void => {
    const distanceM = computeDistanceM(latE7[witness]!, lngE7[witness]!, latE7[beaconer]!, lngE7[beaconer]!);
    const swing = ((witness * 7 + beaconer * 5 + epoch * 3) % 13) - 6;
    const rssiDeciDbm = -900 - Math.floor(distanceM / 40) + 10 * swing;
    const snrCentiDb = 25 * Math.floor((300 + 90 * swing) / 25);
    history.record({
      ...{ witness, beaconer, epoch, verdict: "valid", distanceM, marginCentiDb: 1_200 },
      moments: createMoments({
        ...{ rssiDeciDbm, rssiKind: "signal", snrCentiDb, bandwidthHz: 125_000 },
        powerStepDb: epoch % 2 === 0 ? 0 : 6,
      }),
    });
  };
  for (const { a, b, epoch, oneWay } of heard.toSorted((x, y) => x.epoch - y.epoch)) {
    record(a, b, epoch);
    if (oneWay !== true) record(b, a, epoch);
  }
  const cells = sites.map((site) => (site === null ? "0".repeat(15) : latLngToCell(site[0], site[1], 12)));
  return {
    history,
    ...{ latE7, lngE7 },
    cellHi: Uint32Array.from(cells, (cell) => Number.parseInt(cell.slice(0, -8), 16)),
    cellLo: Uint32Array.from(cells, (cell) => Number.parseInt(cell.slice(-8), 16)),
    owner: Uint32Array.from(sites.keys()),
    seeds: new Uint32Array(),
    ...part,
  };
}

/** Everyone hears the next so many, in six epochs that make an old edge. */
export function mesh(from: number, count: number, reach: number): Heard[] {
  return Array.from({ length: count }, (_, i) =>
    Array.from({ length: reach }, (_unused, step) =>
      [12, 14, 16, 18, 22, 26].map((epoch) => ({
        a: from + i,
        b: from + ((i + step + 1) % count),
        epoch,
      })),
    ).flat(),
  ).flat();
}

export const VIENNA: Site = [48.1, 16.3];
/** Of squares around them and around Vienna: 139 to 165 km and 69 to 95 km from there. */
export const LINZ: Site = [48.3, 14.28];
export const MELK: Site = [48.2, 15.22];
