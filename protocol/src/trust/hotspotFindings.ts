/**
 * Every detector, asked about one hotspot with what the history holds of it: gathers windows, pairs and directions from
 * the rows and gives findings whose evidence names receptions.
 */
import type { Finding, FindingTerm, PenaltyReason } from "./finding.ts";
import type { LinkRecord } from "./linkHistory.ts";
import type { LinkRows } from "./linkRows.ts";
import { RSSI_ORIGIN_DECI_DBM } from "./moments.ts";
import { createPlaceEvidence, type NetworkPlaces } from "./networkPlaces.ts";
import { checkConstantWindow } from "./penalties/constantWindow.ts";
import {
  checkDistanceInsensitivity,
  TREND_PAIRS_MIN,
  type TrendPair,
} from "./penalties/distanceInsensitivity.ts";
import { checkDistanceProfile } from "./penalties/distanceProfile.ts";
import { checkEdgePlausibility } from "./penalties/edgePlausibility.ts";
import { checkFloorWindow } from "./penalties/floorWindow.ts";
import { checkMissingReverse, REVERSE_DUE_RECEPTIONS, type TwoWay } from "./penalties/missingReverse.ts";
import { checkPowerSlope } from "./penalties/powerSlope.ts";
import { checkSnrGrid } from "./penalties/snrGrid.ts";
import { checkUnexplainedRssi } from "./penalties/unexplainedRssi.ts";
import { COUNTERPARTS_MIN } from "./thresholds.ts";
import type { TrustHistory } from "./trustHistory.ts";

/**
 * One piece of evidence: a counterpart, with the newest epochs in which the hotspot validly heard it and was heard by it
 * (-1: never on record). A hotspot sends at most one beacon an epoch, so with both keys that names the reports.
 */
export type Reception = {
  readonly counterpart: number;
  readonly heardEpoch: number;
  readonly heardByEpoch: number;
};

/** A finding with its evidence by name; `madeEpoch`: from whose start it is in force. */
export type NamedFinding = {
  readonly reason: PenaltyReason;
  readonly factorPpm: number;
  readonly madeEpoch: number;
  readonly endsEpoch: number;
  readonly evidence: readonly Reception[];
};

/** What one hotspot and a counterpart know of each other. */
type Acquaintance = {
  readonly counterpart: number;
  /** What the hotspot heard of the counterpart. */
  readonly heard: LinkRecord;
  /** The row from which `readHeardBy` takes what the counterpart heard of the hotspot, for the few that ask. */
  readonly row: number;
  readonly isLow: boolean;
};

/** What all hotspots are judged with. */
export type FindingContext = {
  readonly history: TrustHistory;
  readonly rows: LinkRows;
  readonly network: NetworkPlaces;
  readonly term: FindingTerm;
};

/** What a hotspot's links and receptions say against it; empty for most. Order: that of `PENALTY_REASONS`. */
export function listFindings(context: FindingContext, hotspot: number): NamedFinding[] {
  const known = listAcquaintances(context, hotspot);
  if (known.length === 0) return [];
  const { term } = context;
  const { links } = context.history;
  const valid = known.filter(({ heard, row, isLow }) => heard.epochs + links.readEpochs(row, !isLow) > 0);
  const findings: NamedFinding[] = [];
  const add = (finding: Finding | null, source: readonly Acquaintance[]): void => {
    if (finding !== null) findings.push(nameEvidence(context, finding, source));
  };
  add(checkDistanceProfile(Int32Array.from(valid, distanceOf), term), valid);
  // The graph's rows are the valid acquaintances in the same order.
  add(checkEdgePlausibility(createPlaceEvidence(context.network, hotspot), term), valid);
  for (const [finding, source] of checkWindows(context, hotspot, known)) add(finding, source);
  const heard = valid.filter((one) => one.heard.epochs > 0);
  if (heard.length >= TREND_PAIRS_MIN)
    add(checkDistanceInsensitivity(heard.map(createTrendPair), term), heard);
  // The other way is due only of who was received often enough one way.
  const often = valid.filter(
    ({ heard: { count }, row, isLow }) =>
      Math.max(count, links.readCount(row, !isLow)) >= REVERSE_DUE_RECEPTIONS,
  );
  if (often.length >= COUNTERPARTS_MIN)
    add(checkMissingReverse(listTwoWay(context, hotspot, often), term), often);
  add(
    checkPowerSlope(
      heard.map((one) => one.heard),
      term,
    ),
    heard,
  );
  return findings;
}

function listAcquaintances({ history, rows }: FindingContext, hotspot: number): Acquaintance[] {
  const known: Acquaintance[] = [];
  for (let i = rows.start[hotspot]!; i < rows.start[hotspot + 1]!; i++) {
    const counterpart = rows.neighbour[i]!;
    const isLow = hotspot < counterpart;
    const row = rows.row[i]!;
    known.push({ counterpart, heard: history.links.readRow(row, isLow), row, isLow });
  }
  return known;
}

const readHeardBy = ({ history }: FindingContext, { row, isLow }: Acquaintance): LinkRecord =>
  history.links.readRow(row, !isLow);

const distanceOf = ({ heard }: Acquaintance): number => heard.distanceM;

/** In the order of their numbers. */
const WINDOW_CHECKS = [checkConstantWindow, checkUnexplainedRssi, checkFloorWindow, checkSnrGrid] as const;

/** The tests of the receiver alone. Its evidence is whom it heard most, refused reports among them. */
function checkWindows(
  { history, term }: FindingContext,
  hotspot: number,
  known: readonly Acquaintance[],
): (readonly [Finding | null, readonly Acquaintance[]])[] {
  const window = history.receivers.read(hotspot, term.epoch);
  // The evidence is put in order only where there is something to show.
  const broken = WINDOW_CHECKS.filter((check) => check(window, [], term) !== null);
  if (broken.length === 0) return [];
  const heard = known.filter((one) => one.heard.count > 0);
  const mostFirst = Array.from(heard.keys()).sort(
    (a, b) => heard[b]!.heard.count - heard[a]!.heard.count || a - b,
  );
  return broken.map((check) => [check(window, mostFirst, term), heard] as const);
}

/** A counterpart's mean signal as if it had always sent at its full power. Signals are in tenths of a dB, powers in dB. */
function createTrendPair({ heard }: Acquaintance): TrendPair {
  const atFullPower = heard.signal - 10 * heard.power;
  const mean = heard.count === 0 ? 0 : Math.floor((10 * atFullPower) / heard.count);
  return {
    receptions: heard.count,
    signalCentiDbm: mean + 10 * RSSI_ORIGIN_DECI_DBM,
    distanceM: heard.distanceM,
  };
}

function listTwoWay(context: FindingContext, hotspot: number, known: readonly Acquaintance[]): TwoWay[] {
  const { history, term } = context;
  const ownBeacons = history.receivers.countBeacons(hotspot, term.epoch);
  return known.map((one) => {
    const heardBy = readHeardBy(context, one);
    return {
      heard: one.heard.count,
      heardBy: heardBy.count,
      counterpartBeacons: history.receivers.countBeacons(one.counterpart, term.epoch),
      ownBeacons,
      marginCentiDb: Math.max(meanMarginCentiDb(one.heard), meanMarginCentiDb(heardBy)),
    };
  });
}

const meanMarginCentiDb = ({ count, marginsDb }: LinkRecord): number =>
  count === 0 ? 0 : Math.floor((100 * marginsDb) / count);

function nameEvidence(
  context: FindingContext,
  finding: Finding,
  source: readonly Acquaintance[],
): NamedFinding {
  const evidence = finding.evidence.map((place) => {
    const one = source[place]!;
    const heardByEpoch = readHeardBy(context, one).lastEpoch;
    return { counterpart: one.counterpart, heardEpoch: one.heard.lastEpoch, heardByEpoch };
  });
  return { ...finding, madeEpoch: context.term.epoch, evidence };
}

/** A finding of one of the caps, whose evidence are the other hotspots that stand with this one. */
export function nameCapFinding(finding: Finding, hotspot: number, madeEpoch: number): NamedFinding {
  const evidence = finding.evidence
    .filter((other) => other !== hotspot)
    .map((counterpart) => ({ counterpart, heardEpoch: -1, heardByEpoch: -1 }));
  return { ...finding, madeEpoch, evidence };
}
