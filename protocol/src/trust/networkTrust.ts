/**
 * Trust of a whole network from what its history holds: the graph's part, every detector's findings, what stands from
 * before, and their product. A pure function: validators run it at an epoch's end, the evaluation and the lab wherever.
 */
import { PPM } from "../network/parameters.ts";
import { type Findings, FindingTable, type NamedFinding } from "./findingTable.ts";
import { listFindings, nameCapFinding } from "./hotspotFindings.ts";
import { computeHotspotTrust } from "./hotspotTrust.ts";
import { Judges } from "./judges.ts";
import { HIGH, LOW, readDistanceM, readEpochs } from "./linkColumns.ts";
import { createLinkGraph, type LinkGraph } from "./linkGraph.ts";
import { LinkTally } from "./linkTally.ts";
import { measureNetworkPlaces } from "./networkPlaces.ts";
import {
  checkOwnerCap,
  checkPlaceCap,
  OWNER_CAP_RESOLUTION,
  PLACE_CAP_RESOLUTION,
} from "./penalties/caps.ts";
import { computeStandingPartPpm } from "./quality.ts";
import { groupByCell, type HotspotCells, numberRegions } from "./regions.ts";
import { addStartTrust } from "./startTrust.ts";
import { computeGraphTrustPpm } from "./sybilRank.ts";
import { RAMPS } from "./thresholds.ts";
import type { TrustHistory } from "./trustHistory.ts";
import { numberBreadthFirst, reorderBreadthFirst, type WitnessGraph } from "./witnessGraph.ts";

/** Hotspots by dense index. Places are those in force at the start of `epoch`; a high half of 0 is none. */
export type TrustNetwork = HotspotCells & {
  readonly history: TrustHistory;
  readonly latE7: Int32Array;
  readonly lngE7: Int32Array;
  readonly owner: Uint32Array;
  /** Trusted hotspots, from which the graph's part walks; none: it is what stands from before, or full for everyone. */
  readonly seeds: Uint32Array;
};

export type TrustTerms = {
  /** From whose start the result is in force: evidence of all epochs before it counts. */
  readonly epoch: number;
  readonly penaltyEpochs: number;
  /** To the next computation: the caps are about who stands where, and are counted anew by each. */
  readonly intervalEpochs: number;
  /** Edges younger than this weigh little: a quarter of what the history keeps. */
  readonly youngEpochs: number;
  /** The least trust that is paid. */
  readonly paidMinPpm: number;
  /** 32 bytes that draw which regions begin: nobody knew them when the last evidence was made. */
  readonly epochSeed: Uint8Array;
};

/** What stands from before: findings, whose have been appealed against, and what the graph gave. */
export type Standing = {
  readonly findings: Findings;
  readonly appealed: ReadonlySet<number>;
  /** What the graph's part stays at where there are no seeds; without it everyone's is full. */
  readonly held?: { readonly graphPpm: Uint32Array; readonly newcomerPpm: number } | null;
};

/** By hotspot, in parts per million. */
export type NetworkTrust = {
  /** What the graph alone gives, and what findings leave of it (`HotspotTrust`). */
  readonly graphPpm: Uint32Array;
  readonly beliefPpm: Uint32Array;
  readonly trustPpm: Uint32Array;
  readonly creditPpm: Uint32Array;
  /** Of all distinct counterparts on record that the hotspot has heard: the links' values over its own credit, summed. */
  readonly standingPpm: Float64Array;
  readonly findings: FindingTable;
};

const NOTHING_STANDS: Standing = { findings: new Map(), appealed: new Set() };

/** Computes the trust of all hotspots. Time and memory are linear in hotspots and links, for each step of the walk. */
export function computeNetworkTrust(
  network: TrustNetwork,
  terms: TrustTerms,
  standing: Standing = NOTHING_STANDS,
): NetworkTrust {
  const count = network.cellHi.length;
  const links = createLinkGraph(network.history.links, count, terms.epoch, terms.youngEpochs);
  const { graphPpm, order } = computeGraphPart(network, links.graph, terms, standing.held);
  const findings = findAll(network, links, { graphPpm, order }, terms);
  addStanding(findings, standing, network.history, terms.epoch);
  const [beliefPpm, trustPpm, creditPpm] = [graphPpm.slice(), graphPpm.slice(), graphPpm.slice()];
  for (const [hotspot, list] of findings) {
    const found = computeHotspotTrust(graphPpm[hotspot]!, list, terms.epoch, terms.paidMinPpm);
    beliefPpm[hotspot] = found.beliefPpm;
    trustPpm[hotspot] = found.trustPpm;
    creditPpm[hotspot] = found.creditPpm;
  }
  const standingPpm = sumStanding(network, trustPpm, creditPpm);
  return { graphPpm, beliefPpm, trustPpm, creditPpm, standingPpm, findings };
}

/** A hotspot's trust by the graph, and the breadth-first order of hotspots in which it was found. */
type GraphPart = { readonly graphPpm: Uint32Array; readonly order: Uint32Array };

/** SybilRank over the graph in breadth-first order, which is part of the rule: seeds are dealt in that order. */
function computeGraphPart(
  { seeds, cellHi, cellLo }: TrustNetwork,
  graph: WitnessGraph,
  { epochSeed, paidMinPpm }: TrustTerms,
  held: Standing["held"] = null,
): GraphPart {
  if (seeds.length === 0) {
    const { order } = numberBreadthFirst(graph);
    const graphPpm = new Uint32Array(graph.count).fill(held?.newcomerPpm ?? PPM);
    if (held !== null) graphPpm.set(held.graphPpm);
    return { graphPpm, order };
  }
  const { graph: ordered, order } = reorderBreadthFirst(graph);
  const region = numberRegions({ cellHi, cellLo });
  const numberOf = new Uint32Array(graph.count);
  for (let number = 0; number < order.length; number++) numberOf[order[number]!] = number;
  const ranked = computeGraphTrustPpm(
    ordered,
    seeds.map((seed) => numberOf[seed]!),
    order.map((hotspot) => region[hotspot]!),
  );
  const graphPpm = new Uint32Array(graph.count);
  for (let number = 0; number < order.length; number++) graphPpm[order[number]!] = ranked[number]!;
  // A seed is trusted whatever arrived back at it: that is what being one says.
  for (const seed of seeds) graphPpm[seed] = PPM;
  addStartTrust(graph, { cellHi, cellLo, region }, epochSeed, graphPpm, paidMinPpm);
  return { graphPpm, order };
}

/** What every detector says now. */
function findAll(
  network: TrustNetwork,
  links: LinkGraph,
  { graphPpm, order }: GraphPart,
  terms: TrustTerms,
): FindingTable {
  const { history, owner, latE7, lngE7, cellHi } = network;
  const { graph, rows } = links;
  const term = { epoch: terms.epoch, penaltyEpochs: terms.penaltyEpochs };
  const trusted = new Uint8Array(graph.count);
  for (let hotspot = 0; hotspot < graph.count; hotspot++) {
    if (graphPpm[hotspot]! >= terms.paidMinPpm) trusted[hotspot] = 1;
  }
  const context = {
    ...{ history, rows, owner, trusted, term },
    network: measureNetworkPlaces(rows, { latE7, lngE7 }, trusted),
    tally: new LinkTally(history.links, trusted),
    judges: new Judges(history.links, rows, owner, trusted),
  };
  const findings = new FindingTable();
  // Who is worth nothing crowds nobody.
  const counted = new Uint8Array(graph.count);
  // Breadth first, so that a hotspot's neighbours are still at hand from the one before it.
  for (const hotspot of order) {
    const isLinked = graph.start[hotspot + 1]! > graph.start[hotspot]!;
    if (isLinked && trusted[hotspot] === 1) counted[hotspot] = 1;
    if (cellHi[hotspot] === 0) continue;
    for (const finding of listFindings(context, hotspot)) findings.add(hotspot, finding);
  }
  const capTerm = { epoch: terms.epoch, penaltyEpochs: terms.intervalEpochs };
  const cap = (groups: number[][], check: typeof checkOwnerCap): void => {
    for (const group of groups) {
      const finding = check(group, graphPpm, capTerm);
      if (finding === null) continue;
      for (const hotspot of group) findings.add(hotspot, nameCapFinding(finding, hotspot, terms.epoch));
    }
  };
  const { ownerCapHotspots, placeCapHotspots } = RAMPS;
  cap(
    groupByCell(network, OWNER_CAP_RESOLUTION, counted, network.owner, ownerCapHotspots.from + 1),
    checkOwnerCap,
  );
  cap(groupByCell(network, PLACE_CAP_RESOLUTION, counted, null, placeCapHotspots.from + 1), checkPlaceCap);
  return findings;
}

/**
 * Adds to new findings those from before that have not ended, and have not recurred or were harsher, which stand beside the
 * milder ones until they end: who goes on in a milder way is not better off than who stops, nor excused by having done worse.
 * Each computation makes one of a reason at most, so there are no more than computations in `penaltyEpochs`. Where an
 * owner has appealed, only those stand for which too little of the record is left to judge them anew.
 */
function addStanding(
  fresh: FindingTable,
  { findings, appealed }: Standing,
  history: TrustHistory,
  epoch: number,
): void {
  for (const [hotspot, before] of findings) {
    const isAppealed = appealed.has(hotspot);
    const recurred = new Map(fresh.get(hotspot)?.map(({ reason, factorPpm }) => [reason, factorPpm]));
    for (const finding of before) {
      const { reason, factorPpm, endsEpoch } = finding;
      if (endsEpoch <= epoch || factorPpm >= (recurred.get(reason) ?? PPM)) continue;
      if (isAppealed && isOnRecord(history, hotspot, finding, epoch)) continue;
      fresh.add(hotspot, finding);
    }
  }
}

/**
 * Whether at least half of the links that a finding names are still on record. Fewer are left where it is old, or accomplices
 * have asserted other antennas; to move half of them costs them more, as their own trust goes with their links, than
 * the pay of one hotspot that is released. That all be left would let any one of them prevent an honest appeal.
 */
function isOnRecord({ links }: TrustHistory, hotspot: number, finding: NamedFinding, epoch: number): boolean {
  const { evidence, madeEpoch } = finding;
  const left = evidence.filter(({ counterpart }) => {
    const link = links.find(hotspot, counterpart, epoch);
    // One that is younger than the finding is not the one that it named.
    return link !== null && link.firstEpoch < madeEpoch;
  });
  return 2 * left.length >= evidence.length;
}

/** For each hotspot what all the counterparts that it has on record as heard come to: what its receptions are shared by. */
function sumStanding({ history }: TrustNetwork, trustPpm: Uint32Array, creditPpm: Uint32Array): Float64Array {
  const sums = new Float64Array(trustPpm.length);
  history.links.visitRows((_row, table, at) => {
    const [low, high, distanceM] = [table[at + LOW]!, table[at + HIGH]!, readDistanceM(table, at)];
    if (readEpochs(table, at, true) > 0)
      sums[low]! += computeStandingPartPpm(creditPpm[low]!, trustPpm[high]!, distanceM);
    if (readEpochs(table, at, false) > 0)
      sums[high]! += computeStandingPartPpm(creditPpm[high]!, trustPpm[low]!, distanceM);
  });
  return sums;
}
