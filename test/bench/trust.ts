/**
 * Trust as the ledger computes it, of a million hotspots with ten million links heard both ways: the history's memory, the
 * whole computation (graph, SybilRank, every detector, standing), and what a window's turn and the canonical bytes cost.
 * Trust is computed once a day of epochs, so this is what a day costs (docs/truth.md says why).
 */
import { cellToLatLng } from "h3-js";
import { computeDistanceM } from "../../protocol/src/geo/distance.ts";
import { PRESETS } from "../../protocol/src/network/presets.ts";
import { sortByCell } from "../../protocol/src/score/cellOrder.ts";
import { LINK_ROW_BYTES } from "../../protocol/src/trust/linkColumns.ts";
import { createMoments } from "../../protocol/src/trust/moments.ts";
import { computeNetworkTrust } from "../../protocol/src/trust/networkTrust.ts";
import { TrustHistory } from "../../protocol/src/trust/trustHistory.ts";
import { atMost, type BenchRow } from "./benchRow.ts";
import { createLinks, createPopulation, createRandom } from "./population.ts";

const HOTSPOTS = 1_000_000;
/** A few more than ten, as those that would be longer than any in a city's graph are left out. */
const EDGES_PER_HOTSPOT = 13;
const EDGE_MAX_M = 20_000;
/** This population's links run along a line, on which trust walks slowly: so many seeds that it arrives everywhere. */
const SEED_EVERY = 20;
const TRUST_MS_MAX = 20_000;
const RSS_MIB_MAX = 2_048;

/** Two minutes, most of it making the population. Times are of the processor, as one core does all of it. */
export async function run(): Promise<BenchRow[]> {
  const { windowEpochs, penaltyEpochs, ...network } = createNetwork();
  const { links } = network.history;
  const epoch = 2 * windowEpochs;
  const beforeTurn = measureCpuMs();
  links.listRows(HOTSPOTS, epoch - 1);
  const start = measureCpuMs();
  const terms = {
    ...{ epoch: epoch - 1, penaltyEpochs, youngEpochs: Math.floor(windowEpochs / 2) },
    intervalEpochs: PRESETS.mainnet.trustIntervalEpochs,
    paidMinPpm: PRESETS.mainnet.trustPaidMinPpm,
    epochSeed: new Uint8Array(32),
  };
  const { trustPpm, findings } = computeNetworkTrust(network, terms);
  const end = measureCpuMs();
  const trusted = trustPpm.reduce((count, ppm) => count + (ppm > 0 ? 1 : 0), 0);
  if (trusted === 0) throw new Error("No trust has arrived anywhere");
  const maxRssMib = process.resourceUsage().maxRSS / 1_024;
  const millions = `${HOTSPOTS / 1e6}M hotspots, ${(links.size / 1e6).toFixed(1)}M edges`;
  const note = `${trusted} trusted, ${findings.size} with findings`;
  return [
    atMost(`trust, ${millions} (${note})`, end - start, "ms", TRUST_MS_MAX),
    atMost("  rows of the history alone", start - beforeTurn, "ms", TRUST_MS_MAX),
    atMost("  the history's pairs", (links.size * LINK_ROW_BYTES) / 2 ** 20, "MiB", RSS_MIB_MAX),
    atMost("trust, most memory ever resident", maxRssMib, "MiB", RSS_MIB_MAX),
  ];
}

function measureCpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

function createNetwork() {
  const { trustWindowEpochs: windowEpochs, penaltyEpochs } = PRESETS.mainnet;
  const { cellHi, cellLo } = createPopulation(HOTSPOTS);
  const order = sortByCell(cellHi, cellLo);
  const latE7 = new Int32Array(HOTSPOTS);
  const lngE7 = new Int32Array(HOTSPOTS);
  for (let hotspot = 0; hotspot < HOTSPOTS; hotspot++) {
    const [lat, lng] = cellToLatLng([cellLo[hotspot]!, cellHi[hotspot]!]);
    latE7[hotspot] = Math.round(lat * 1e7);
    lngE7[hotspot] = Math.round(lng * 1e7);
  }
  const history = new TrustHistory(windowEpochs);
  // Epochs go up over both windows, as execution's do: what the first half hears the second half's windows have before.
  const { beaconHotspot, witnessHotspot } = createLinks(order, EDGES_PER_HOTSPOT);
  const random = createRandom(5);
  for (let i = 0; i < witnessHotspot.length; i++) {
    const beaconer = beaconHotspot[Math.floor(i / EDGES_PER_HOTSPOT)]!;
    const witness = witnessHotspot[i]!;
    const distanceM = computeDistanceM(latE7[beaconer]!, lngE7[beaconer]!, latE7[witness]!, lngE7[witness]!);
    if (distanceM > EDGE_MAX_M) continue;
    const epoch = Math.floor((i / witnessHotspot.length) * (2 * windowEpochs - 2));
    recordBoth(history, beaconer, witness, epoch, distanceM, random);
  }
  const seeds = order.filter((_, place) => place % SEED_EVERY === 0);
  const owner = Uint32Array.from({ length: HOTSPOTS }, (_, hotspot) => hotspot);
  return { history, cellHi, cellLo, latE7, lngE7, owner, seeds, windowEpochs, penaltyEpochs };
}

/** Both hear each other twice, 30 dB a decade below a usual level, with 6 dB of scatter. */
function recordBoth(
  history: TrustHistory,
  a: number,
  b: number,
  epoch: number,
  distanceM: number,
  random: () => number,
): void {
  for (let reception = 0; reception < 4; reception++) {
    const [witness, beaconer] = reception % 2 === 0 ? [a, b] : [b, a];
    const scatter = random() + random() + random() - 1.5;
    const rssiDeciDbm = Math.round(-850 - 300 * Math.log10(Math.max(distanceM, 300) / 1_000) + 120 * scatter);
    const snrCentiDb = 25 * Math.round(Math.min(1_200, 10 * (rssiDeciDbm + 1_190)) / 25);
    const moments = createMoments({
      ...{ rssiDeciDbm, rssiKind: "signal", snrCentiDb, bandwidthHz: 125_000 },
      powerStepDb: random() < 0.5 ? 0 : 6,
    });
    history.record({
      ...{ witness, beaconer, epoch: epoch + (reception >> 1), verdict: "valid", distanceM, moments },
      marginCentiDb: snrCentiDb + 1_000,
    });
  }
}
