/**
 * How trust begins where no seed reaches: a new city. In a region (an H3 cell of resolution 4, 1,770 km2) in which
 * nobody has graph trust, the few hotspots with the most evidence get a fifth of full trust, and their links with each
 * other are paid by it. They are no seeds: trust does not walk from them.
 *
 * Bound: whatever a ring invents, a region without trust gives away `STARTERS_MAX` x a fifth = two hotspots' worth, and
 * only until one trusted hotspot stands in it; a ring beside trusted hotspots gets nothing at all.
 */
import { PPM } from "../network/parameters.ts";
import { COUNTERPARTS_MIN } from "./thresholds.ts";
import type { WitnessGraph } from "./witnessGraph.ts";

/** Hotspots of a region that begin: as many seeds as a metropolis is to have, so what a dense town needs to be mapped. */
export const STARTERS_MAX = 10;
/** What they begin with. */
export const START_TRUST_PPM = PPM / 5;

/**
 * Gives start trust in regions without any; changes `trustPpm` in place.
 * @param graph hotspots by their own index.
 * @param region dense region number of each hotspot.
 */
export function addStartTrust(graph: WitnessGraph, region: Uint32Array, trustPpm: Uint32Array): void {
  const regions = region.reduce((most, number) => Math.max(most, number + 1), 0);
  const hasTrust = new Uint8Array(regions);
  for (let hotspot = 0; hotspot < graph.count; hotspot++) {
    if (trustPpm[hotspot]! > 0) hasTrust[region[hotspot]!] = 1;
  }
  const candidates: { hotspot: number; evidence: number }[] = [];
  for (let hotspot = 0; hotspot < graph.count; hotspot++) {
    const [first, end] = [graph.start[hotspot]!, graph.start[hotspot + 1]!];
    if (hasTrust[region[hotspot]!] === 1 || end - first < COUNTERPARTS_MIN) continue;
    let evidence = 0;
    for (let i = first; i < end; i++) evidence += graph.weight[i]!;
    candidates.push({ hotspot, evidence });
  }
  // Equal evidence in the order of registration: who was there first.
  candidates.sort((a, b) => b.evidence - a.evidence || a.hotspot - b.hotspot);
  const started = new Uint8Array(regions);
  for (const { hotspot } of candidates) {
    if (started[region[hotspot]!]! >= STARTERS_MAX) continue;
    started[region[hotspot]!]!++;
    trustPpm[hotspot] = START_TRUST_PPM;
  }
}
