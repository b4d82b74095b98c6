/**
 * Every detector, asked about one hotspot with what the history holds of it. Where the tally does not rule a finding out,
 * gathers windows, pairs and directions from the rows, and gives findings whose evidence names receptions.
 */
import type { Finding, FindingTerm } from "./finding.ts";
import type { NamedFinding } from "./findingTable.ts";
import type { Judges } from "./judges.ts";
import type { LinkRecord } from "./linkRecord.ts";
import type { LinkRows } from "./linkRows.ts";
import type { LinkTally } from "./linkTally.ts";
import { RSSI_ORIGIN_DECI_DBM } from "./moments.ts";
import { createPlaceEvidence, type NetworkPlaces } from "./networkPlaces.ts";
import { checkConstantWindow } from "./penalties/constantWindow.ts";
import { checkDistanceInsensitivity, type TrendPair } from "./penalties/distanceInsensitivity.ts";
import { checkDistanceProfile } from "./penalties/distanceProfile.ts";
import { checkEdgePlausibility } from "./penalties/edgePlausibility.ts";
import { checkFloorWindow } from "./penalties/floorWindow.ts";
import { checkMissingReverse, REVERSE_DUE_RECEPTIONS, type TwoWay } from "./penalties/missingReverse.ts";
import { checkPowerSlope } from "./penalties/powerSlope.ts";
import { checkSnrGrid } from "./penalties/snrGrid.ts";
import { checkUnexplainedRssi } from "./penalties/unexplainedRssi.ts";
import { COUNTERPARTS_MIN, PLACE_COUNTERPARTS_MIN } from "./thresholds.ts";
import type { TrustHistory } from "./trustHistory.ts";

/** What all hotspots are judged with. */
export type FindingContext = {
  readonly history: TrustHistory;
  /** The pairs with a valid report. */
  readonly rows: LinkRows;
  readonly tally: LinkTally;
  readonly judges: Judges;
  readonly network: NetworkPlaces;
  readonly owner: Uint32Array;
  /** 1 where the graph gives enough to be paid: who has less says nothing about others. */
  readonly trusted: Uint8Array;
  readonly term: FindingTerm;
};

/** Places of a hotspot's pairs in `rows`, in the order in which a detector is shown them. */
type Pairs = readonly number[] | Uint32Array;

/** What a hotspot's links and receptions say against it; empty for most. Order: that of `PENALTY_REASONS`. */
export function listFindings(context: FindingContext, hotspot: number): NamedFinding[] {
  const { rows, tally, judges, network, term } = context;
  const findings: NamedFinding[] = [];
  if (rows.start[hotspot] === rows.start[hotspot + 1]) return findings;
  const add = (finding: Finding | null, source: Pairs): void => {
    if (finding !== null) findings.push(nameEvidence(context, finding, hotspot, source));
  };
  const judgedBy = judges.select(hotspot);
  const { pairs, counterparts, others } = judgedBy;
  const isWhole = judgedBy.dropped === 0;
  if (others >= COUNTERPARTS_MIN && tally.mayBeFar(hotspot, judgedBy))
    add(checkDistanceProfile(listDistancesM(context, pairs), term), pairs);
  if (others >= PLACE_COUNTERPARTS_MIN)
    add(checkEdgePlausibility(createPlaceEvidence(network, hotspot, counterparts), term), pairs);
  for (const [finding, source] of checkWindows(context, hotspot)) add(finding, source);
  if (tally.hasTrend(hotspot)) {
    const heard = judges.select(hotspot, true);
    const records = listHeard(context, hotspot, heard.pairs);
    if (heard.others >= COUNTERPARTS_MIN)
      add(checkDistanceInsensitivity(records.map(createTrendPair), term), heard.pairs);
  }
  if (tally.hasTwoWays(hotspot)) {
    // Asks for three other owners itself, each of whom is one there.
    const often = listOftenReceived(context, hotspot);
    add(checkMissingReverse(listTwoWay(context, hotspot, often), term), often);
  }
  if (tally.maySlopeLittle(hotspot, isWhole)) {
    const heard = judges.select(hotspot, true);
    if (heard.others >= COUNTERPARTS_MIN)
      add(checkPowerSlope(listHeard(context, hotspot, heard.pairs), term), heard.pairs);
  }
  return findings;
}

/** A hotspot's pairs with trusted counterparts that `isListed` answers for; counterparts ascend. */
function listTrusted(
  { rows, trusted }: FindingContext,
  hotspot: number,
  isListed: (pair: number) => boolean,
): number[] {
  const pairs: number[] = [];
  for (let pair = rows.start[hotspot]!; pair < rows.start[hotspot + 1]!; pair++) {
    if (trusted[rows.neighbour[pair]!] === 1 && isListed(pair)) pairs.push(pair);
  }
  return pairs;
}

/** The pairs with other owners' of whom enough was received one way that the other is due. */
function listOftenReceived(context: FindingContext, hotspot: number): number[] {
  const { history, rows, owner } = context;
  return listTrusted(context, hotspot, (pair) => {
    const row = rows.row[pair]!;
    const most = Math.max(history.links.readCount(row, true), history.links.readCount(row, false));
    return most >= REVERSE_DUE_RECEPTIONS && owner[rows.neighbour[pair]!] !== owner[hotspot];
  });
}

const listDistancesM = ({ history, rows }: FindingContext, pairs: Uint32Array): Int32Array =>
  Int32Array.from(pairs, (pair) => history.links.readDistanceM(rows.row[pair]!));

/** What the hotspot heard of its counterparts. */
const listHeard = (context: FindingContext, hotspot: number, pairs: Pairs): LinkRecord[] =>
  Array.from(pairs, (pair) => readDirection(context, hotspot, pair, true));

/** What a hotspot and the counterpart of a pair heard of each other: one way or the other. */
function readDirection(
  { history, rows }: FindingContext,
  hotspot: number,
  pair: number,
  isHeard: boolean,
): LinkRecord {
  const isLow = hotspot < rows.neighbour[pair]!;
  return history.links.readRow(rows.row[pair]!, isLow === isHeard);
}

/** In the order of their numbers. */
const WINDOW_CHECKS = [checkConstantWindow, checkUnexplainedRssi, checkFloorWindow, checkSnrGrid] as const;

/** The tests of the receiver alone. Its evidence is whom it heard most, refused reports among them. */
function checkWindows(context: FindingContext, hotspot: number): (readonly [Finding | null, Pairs])[] {
  const { history, rows, term } = context;
  const window = history.receivers.read(hotspot, term.epoch);
  // The evidence is put in order only where there is something to show.
  const broken = WINDOW_CHECKS.filter((check) => check(window, [], term) !== null);
  if (broken.length === 0) return [];
  const counts: number[] = [];
  const heard = listTrusted(context, hotspot, (pair) => {
    const count = history.links.readCount(rows.row[pair]!, hotspot < rows.neighbour[pair]!);
    if (count > 0) counts.push(count);
    return count > 0;
  });
  if (!isUnrelated(context, hotspot, heard)) return [];
  const mostFirst = Array.from(heard.keys()).sort((a, b) => counts[b]! - counts[a]! || a - b);
  return broken.map((check) => [check(window, mostFirst, term), heard] as const);
}

/**
 * Whether what a hotspot received is of enough other owners to judge it by: a quiet link makes values constant, and one
 * over-powered beaconer or repeater makes an honest witness's implausible.
 */
function isUnrelated({ owner, rows }: FindingContext, hotspot: number, pairs: Pairs): boolean {
  const others: number[] = [];
  for (const pair of pairs) {
    const one = owner[rows.neighbour[pair]!]!;
    if (one === owner[hotspot] || others.includes(one)) continue;
    if (others.push(one) === COUNTERPARTS_MIN) return true;
  }
  return false;
}

/** A counterpart's mean signal as if it had always sent at its full power. Signals are in tenths of a dB, powers in dB. */
function createTrendPair(heard: LinkRecord): TrendPair {
  const atFullPower = heard.signal - 10 * heard.power;
  const mean = heard.count === 0 ? 0 : Math.floor((10 * atFullPower) / heard.count);
  return {
    receptions: heard.count,
    signalCentiDbm: mean + 10 * RSSI_ORIGIN_DECI_DBM,
    distanceM: heard.distanceM,
  };
}

function listTwoWay(context: FindingContext, hotspot: number, pairs: readonly number[]): TwoWay[] {
  const { history, rows, owner, term } = context;
  const ownBeacons = history.receivers.countBeacons(hotspot, term.epoch);
  return pairs.map((pair) => {
    const heard = readDirection(context, hotspot, pair, true);
    const heardBy = readDirection(context, hotspot, pair, false);
    return {
      owner: owner[rows.neighbour[pair]!]!,
      heard: heard.count,
      heardBy: heardBy.count,
      counterpartBeacons: history.receivers.countBeacons(rows.neighbour[pair]!, term.epoch),
      ownBeacons,
      marginCentiDb: Math.max(meanMarginCentiDb(heard), meanMarginCentiDb(heardBy)),
    };
  });
}

const meanMarginCentiDb = ({ count, marginsDb }: LinkRecord): number =>
  count === 0 ? 0 : Math.floor((100 * marginsDb) / count);

/** @param source the pairs that the detector was given, whose places the finding's evidence names. */
function nameEvidence(
  { rows, history: { links }, term }: FindingContext,
  finding: Finding,
  hotspot: number,
  source: Pairs,
): NamedFinding {
  const evidence = finding.evidence.map((place) => {
    const pair = source[place]!;
    const counterpart = rows.neighbour[pair]!;
    const [row, isLow] = [rows.row[pair]!, hotspot < counterpart];
    const [heardEpoch, heardByEpoch] = [links.readLastEpoch(row, isLow), links.readLastEpoch(row, !isLow)];
    return { counterpart, heardEpoch, heardByEpoch };
  });
  return { ...finding, madeEpoch: term.epoch, evidence };
}

/** A finding of one of the caps, whose evidence are the other hotspots that stand with this one. */
export function nameCapFinding(finding: Finding, hotspot: number, madeEpoch: number): NamedFinding {
  const evidence = finding.evidence
    .filter((other) => other !== hotspot)
    .map((counterpart) => ({ counterpart, heardEpoch: -1, heardByEpoch: -1 }));
  return { ...finding, madeEpoch, evidence };
}
