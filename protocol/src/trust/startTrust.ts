/**
 * How trust begins where no seed reaches: a new city. In a region (an H3 cell of resolution 4, 1,770 km2) in which
 * nobody has enough graph trust to be paid, the few hotspots with the most evidence get a fifth of full trust, and their links with each
 * other are paid by it. They are no seeds: trust does not walk from them.
 *
 * Bound: a hotspot earns at most its own trust, so that a region gives away `STARTERS_MAX` x a fifth = two hotspots'
 * worth, and only until one stands in it that the graph itself would have paid: what leaks in over a thin link of a neighbour's
 * pays nobody, and must not keep all others waiting. Whoever invents hotspots can claim as many empty regions as it
 * pays for; so no more of them begin at a time than what `START_MASS_PPM` of all trust is worth, one at least, by lot.
 */
import { compareBytes, uint64Bytes } from "../bytes/bytes.ts";
import { hashLabelled } from "../crypto/sha256.ts";
import { parentHi, parentLo } from "../geo/cell.ts";
import { PPM } from "../network/parameters.ts";
import { type HotspotCells, REGION_RESOLUTION } from "./regions.ts";
import { COUNTERPARTS_MIN } from "./thresholds.ts";
import type { WitnessGraph } from "./witnessGraph.ts";

/** Hotspots of a region that begin: as many seeds as a metropolis is to have, so what a dense town needs to be mapped. */
export const STARTERS_MAX = 10;
/** What they begin with. */
export const START_TRUST_PPM = PPM / 5;
/**
 * What all that begin have, of the trust that there is: one region for each two hundred wholly trusted hotspots. Those crowd each
 * other, and starters in the open do not: where pay is scaled to a fifth, a hundredth of trust is a twentieth of pay.
 */
export const START_MASS_PPM = 10_000;

/** What a region's starters have together. */
const REGION_TRUST_PPM = STARTERS_MAX * START_TRUST_PPM;

/**
 * Gives start trust in regions without enough, and takes nothing where the graph gave more; changes `trustPpm` in place.
 * @param graph hotspots by their own index.
 * @param places where hotspots stand, and the dense region number of each.
 * @param epochSeed 32 bytes by which regions are drawn: unknown when hotspots could still be asserted for this draw.
 * @param paidMinPpm the least trust that is paid.
 */
export function addStartTrust(
  graph: WitnessGraph,
  { cellHi, cellLo, region }: HotspotCells & { readonly region: Uint32Array },
  epochSeed: Uint8Array,
  trustPpm: Uint32Array,
  paidMinPpm: number,
): void {
  const massPpm = trustPpm.reduce((sum, ppm) => sum + ppm, 0);
  const regionsMax = Math.max(1, Math.floor((massPpm * START_MASS_PPM) / (PPM * REGION_TRUST_PPM)));
  const drawn = listStarters(graph, { cellHi, region }, trustPpm, paidMinPpm)
    .map((starters) => {
      const hi = parentHi(cellHi[starters[0]!]!, REGION_RESOLUTION);
      const lo = parentLo(cellLo[starters[0]!]!, REGION_RESOLUTION);
      return { starters, draw: hashLabelled("start-trust", epochSeed, uint64Bytes(hi), uint64Bytes(lo)) };
    })
    .sort((a, b) => compareBytes(a.draw, b.draw));
  for (const { starters } of drawn.slice(0, regionsMax)) {
    for (const hotspot of starters) trustPpm[hotspot] = Math.max(trustPpm[hotspot]!, START_TRUST_PPM);
  }
}

/** By region without paid trust those that would begin there, the best evidenced; regions without such are left out. */
function listStarters(
  graph: WitnessGraph,
  { cellHi, region }: { readonly cellHi: Uint32Array; readonly region: Uint32Array },
  trustPpm: Uint32Array,
  paidMinPpm: number,
): number[][] {
  const hasBegun = new Set<number>();
  for (const [hotspot, ppm] of trustPpm.entries()) if (ppm >= paidMinPpm) hasBegun.add(region[hotspot]!);
  const candidates: { hotspot: number; evidence: number }[] = [];
  for (let hotspot = 0; hotspot < graph.count; hotspot++) {
    // Who is gone may still have links, stands nowhere, and would take the lot from those who stand somewhere.
    if (cellHi[hotspot] === 0) continue;
    const [first, end] = [graph.start[hotspot]!, graph.start[hotspot + 1]!];
    if (end - first < COUNTERPARTS_MIN || hasBegun.has(region[hotspot]!)) continue;
    let evidence = 0;
    for (let i = first; i < end; i++) evidence += graph.weight[i]!;
    candidates.push({ hotspot, evidence });
  }
  // Equal evidence in the order of registration: who was there first.
  candidates.sort((a, b) => b.evidence - a.evidence || a.hotspot - b.hotspot);
  const starters = new Map<number, number[]>();
  for (const { hotspot } of candidates) {
    const known = starters.get(region[hotspot]!);
    if (known === undefined) starters.set(region[hotspot]!, [hotspot]);
    else if (known.length < STARTERS_MAX) known.push(hotspot);
  }
  return [...starters.values()];
}
