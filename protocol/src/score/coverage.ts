/**
 * The coverage map of an epoch: for each resolution-8 cell in which hotspots stand, how many distinct others could
 * hear them or be heard by them. It pays nobody; it is a product of its own, for the API and the explorer.
 */

import { PPM } from "../network/parameters.ts";
import { groupCells, sortByCell } from "./cellOrder.ts";
import type { Evidence } from "./score.ts";

/** The resolution of the map: cells of 0.74 km2 on average (H3 documentation, "Tables of Cell Statistics"). */
export const COVERAGE_RESOLUTION = 8;

/** Distinct counterparts with which a cell counts as wholly covered: three receivers are what locating a sender takes. */
export const COVERAGE_COUNTERPARTS_FULL = 3;

/** One cell of the map. */
export type CoverageRow = {
  /** H3 index of resolution 8. */
  readonly cell: bigint;
  /** Dense indexes of the hotspots that stand in the cell, ascending. */
  readonly hotspots: readonly number[];
  /** Distinct hotspots at the other end of a link with one of them, wherever those stand. */
  readonly counterparts: number;
  /** min(1, counterparts / 3) in parts per million, rounded down. */
  readonly coveragePpm: number;
};

/**
 * Computes the map over the hotspots of an epoch.
 * @param evidence every beacon with the witnesses that show coverage (`createCoverageEvidence`); hotspots without a link give cells of coverage 0.
 * @param included 1 for each hotspot that belongs on the map; absent means all.
 * @returns rows in ascending order of cell.
 */
export function computeCoverage(evidence: Evidence, included?: Uint8Array): CoverageRow[] {
  const members = listMembers(evidence.hotspotCount, included);
  const memberHi = members.map((hotspot) => evidence.cellHi[hotspot]!);
  const memberLo = members.map((hotspot) => evidence.cellLo[hotspot]!);
  const order = sortByCell(memberHi, memberLo);
  const level = groupCells(
    order.map((member) => memberHi[member]!),
    order.map((member) => memberLo[member]!),
    COVERAGE_RESOLUTION,
  );
  const links = listCounterparts(evidence);
  // A counterpart is counted in a cell when it was last seen in another: one stamp a hotspot instead of a set a cell.
  const stamps = new Uint32Array(evidence.hotspotCount);
  const rows: CoverageRow[] = [];
  for (let cell = 0; cell < level.count; cell++) {
    const hotspots: number[] = [];
    let counterparts = 0;
    for (let i = level.start[cell]!; i < level.start[cell + 1]!; i++) {
      const hotspot = members[order[i]!]!;
      hotspots.push(hotspot);
      for (let link = links.start[hotspot]!; link < links.start[hotspot + 1]!; link++) {
        const counterpart = links.counterpart[link]!;
        if (stamps[counterpart] === cell + 1) continue;
        stamps[counterpart] = cell + 1;
        counterparts++;
      }
    }
    rows.push({
      cell: (BigInt(level.hi[cell]!) << 32n) | BigInt(level.lo[cell]!),
      hotspots: hotspots.sort((a, b) => a - b),
      counterparts,
      coveragePpm: Math.min(PPM, Math.floor((counterparts * PPM) / COVERAGE_COUNTERPARTS_FULL)),
    });
  }
  return rows;
}

function listMembers(hotspotCount: number, included: Uint8Array | undefined): Uint32Array {
  const members = new Uint32Array(hotspotCount);
  let count = 0;
  for (let hotspot = 0; hotspot < hotspotCount; hotspot++) {
    if (included === undefined || included[hotspot] === 1) members[count++] = hotspot;
  }
  return members.slice(0, count);
}

/** The other ends of each hotspot's links, both ways, hotspot after hotspot; the same one may occur again. */
function listCounterparts(evidence: Evidence): { start: Uint32Array; counterpart: Uint32Array } {
  const { hotspotCount, beaconHotspot, beaconWitnessOffset, witnessHotspot } = evidence;
  const start = new Uint32Array(hotspotCount + 1);
  for (let beacon = 0; beacon < beaconHotspot.length; beacon++) {
    const first = beaconWitnessOffset[beacon]!;
    const end = beaconWitnessOffset[beacon + 1]!;
    start[beaconHotspot[beacon]! + 1]! += end - first;
    for (let i = first; i < end; i++) start[witnessHotspot[i]! + 1]!++;
  }
  for (let hotspot = 0; hotspot < hotspotCount; hotspot++) start[hotspot + 1]! += start[hotspot]!;
  const next = start.slice();
  const counterpart = new Uint32Array(start[hotspotCount]!);
  for (let beacon = 0; beacon < beaconHotspot.length; beacon++) {
    const beaconer = beaconHotspot[beacon]!;
    for (let i = beaconWitnessOffset[beacon]!; i < beaconWitnessOffset[beacon + 1]!; i++) {
      const witness = witnessHotspot[i]!;
      counterpart[next[beaconer]!++] = witness;
      counterpart[next[witness]!++] = beaconer;
    }
  }
  return { start, counterpart };
}
