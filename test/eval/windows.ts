/**
 * The window tests on 20 reports each: honest windows of real receivers, and the same forged. Caught or refused is what
 * has a finding at the thresholds that validators use. The fitting half is every second window of a set and kind.
 */
import type { FindingTerm } from "../../protocol/src/trust/finding.ts";
import { type Moments, sumReceptions } from "../../protocol/src/trust/moments.ts";
import {
  checkConstantWindow,
  computeScatterCentiDb,
} from "../../protocol/src/trust/penalties/constantWindow.ts";
import { checkFloorWindow, computeBelowFloorPpm } from "../../protocol/src/trust/penalties/floorWindow.ts";
import { checkSnrGrid, computeOffGridPpm } from "../../protocol/src/trust/penalties/snrGrid.ts";
import {
  checkUnexplainedRssi,
  computeUnexplainedCentiDb,
} from "../../protocol/src/trust/penalties/unexplainedRssi.ts";
import { type DataFolder, readJsonLines } from "./dataFolder.ts";
import { createFigure, type Figure, type SectionResult, type Target } from "./figure.ts";
import { isEndDeviceSet } from "./linkFiles.ts";
import { estimateShare } from "./statistics.ts";

type Window = {
  readonly set: string;
  readonly kind: string;
  readonly bw: number;
  readonly rssi: readonly number[];
  readonly snr: readonly number[];
};

const FILE = "bench_forge.jsonl.gz";
const TERM: FindingTerm = { epoch: 0, penaltyEpochs: 1 };

const TESTS = [
  ["constant_window", checkConstantWindow],
  ["unexplained_rssi", checkUnexplainedRssi],
  ["floor_window", checkFloorWindow],
  ["snr_grid", checkSnrGrid],
] as const;
const SCORES = [computeScatterCentiDb, computeUnexplainedCentiDb, computeBelowFloorPpm, computeOffGridPpm];

const HONEST = "honest";
type Kind = readonly [name: string, pattern: RegExp, reports: number, target: Target | null];
/** Kinds of forgery: how many must be caught within so many reports. Those with a target are asked for in any folder. */
const KINDS: readonly Kind[] = [
  ["constant values", /^const/, 20, { atLeast: 1 }],
  ["uniform, independent", /^uniform/, 20, { atLeast: 0.9 }],
  ["RSSI-25 dB", /RSSI-25/, 20, { atLeast: 0.8 }],
  ["DIY-middleman", /DIY-middleman/, 10, { atLeast: 1 }],
  ["RSSI-15 dB", /RSSI-15/, 20, null],
  ["gauss RSSI", /^gauss/, 20, null],
  ["coupled", /^coupled/, 20, null],
];
/** What is none of those is shown as well. */
const isOther = (kind: string): boolean =>
  kind !== HONEST && !KINDS.some(([, pattern]) => pattern.test(kind));

export function evaluateWindows(folder: DataFolder): SectionResult {
  const all = readJsonLines<Window>(folder, FILE);
  const windows = all.filter(({ set }) => !isEndDeviceSet(set));
  const isMeasuring = splitByOrder(windows);
  const figures: Figure[] = [];
  const others = new Set(all.map(({ kind }) => kind).filter(isOther));
  const isOneOf = (kind: string) => ({ test: (other: string) => kind === other });
  for (const [name, pattern, reports, target] of [
    ...KINDS,
    ...Array.from(others, (kind) => [kind, isOneOf(kind), 20, null] as const),
  ]) {
    const of = windows.filter(({ kind }) => pattern.test(kind));
    const names = [...new Set(of.map(({ kind }) => kind))].join(", ") || name;
    const label = `${names}: caught in ${reports} reports`;
    figures.push(createFigure("windows", label, shareCaught(of, reports), target));
    const measured = of.filter((window) => isMeasuring.has(window));
    figures.push(createFigure("windows", "  on the measuring half", shareCaught(measured, reports)));
    const devices = all.filter(({ set, kind }) => isEndDeviceSet(set) && pattern.test(kind));
    figures.push(createFigure("windows", "  on end devices", shareCaught(devices, reports)));
  }
  const honest = windows.filter(({ kind }) => kind === HONEST);
  figures.push(createFigure("windows", "honest refused", shareCaught(honest, 20), { atMost: 0.01 }));
  for (const [reason, check] of TESTS) {
    const target = reason === "snr_grid" ? { atMost: 0 } : { atMost: 0.01 };
    figures.push(createFigure("windows", `  by ${reason}`, shareCaught(honest, 20, [check]), target));
  }
  const measured = honest.filter((window) => isMeasuring.has(window));
  figures.push(createFigure("windows", "  on the measuring half", shareCaught(measured, 20)));
  for (const set of [...new Set(all.map((window) => window.set))]) {
    const of = all.filter((window) => window.set === set && window.kind === HONEST);
    const mark = isEndDeviceSet(set) ? " (end devices)" : "";
    figures.push(createFigure("windows", `  of ${set}${mark}`, shareCaught(of, 20)));
  }
  const scores = all.flatMap((window) => SCORES.map((score) => score(toMoments(window, 20)) ?? -1));
  return { figures, scores };
}

/** Every second one of each set and kind, in the file's order: what measures, while the others fitted. */
function splitByOrder(windows: readonly Window[]): Set<Window> {
  const seen = new Map<string, number>();
  return new Set(
    windows.filter(({ set, kind }) => {
      const count = seen.get(`${set} ${kind}`) ?? 0;
      seen.set(`${set} ${kind}`, count + 1);
      return count % 2 === 1;
    }),
  );
}

function shareCaught(
  windows: readonly Window[],
  reports: number,
  checks: readonly (typeof TESTS)[number][1][] = TESTS.map(([, check]) => check),
) {
  const caught = windows.filter((window) => {
    const moments = toMoments(window, reports);
    return checks.some((check) => check(moments, [0], TERM) !== null);
  });
  return estimateShare(caught.length, windows.length);
}

function toMoments({ rssi, snr, bw }: Window, reports: number): Moments {
  return sumReceptions(
    rssi.slice(0, reports).map((rssiDbm, i) => ({
      rssiDeciDbm: Math.round(rssiDbm * 10),
      rssiKind: "channel",
      snrCentiDb: Math.round(snr[i]! * 100),
      bandwidthHz: bw,
      powerStepDb: 0,
    })),
  );
}
