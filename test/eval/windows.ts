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
import { listFiles, readJsonLines } from "./dataFolder.ts";
import { createFigure, type Figure, type SectionResult, type Target } from "./figure.ts";
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
/**
 * Handheld and single-channel receivers (SX127x end devices), whose strengths lie up to 10 dB below what their SNR
 * allows. No hotspot receives with one; their windows are shown and not judged.
 */
const END_DEVICE_SETS = /^(ghent|perth|shenzhen)/;

const TESTS = [
  ["constant_window", checkConstantWindow],
  ["unexplained_rssi", checkUnexplainedRssi],
  ["floor_window", checkFloorWindow],
  ["snr_grid", checkSnrGrid],
] as const;
const SCORES = [computeScatterCentiDb, computeUnexplainedCentiDb, computeBelowFloorPpm, computeOffGridPpm];

/** Kinds with a target of their own: how many must be caught, within so many reports, and by gateways or by all. */
const KIND_TARGETS: readonly (readonly [kind: RegExp, reports: number, target: Target | null])[] = [
  [/^const/, 20, { atLeast: 1 }],
  [/^uniform/, 20, { atLeast: 0.9 }],
  [/RSSI-25/, 20, { atLeast: 0.8 }],
  [/DIY-middleman/, 10, { atLeast: 1 }],
  [/RSSI-15/, 20, null],
  [/^gauss/, 20, null],
  [/^coupled/, 20, null],
];

export function evaluateWindows(folder: string): SectionResult {
  if (listFiles(folder, /^bench_forge/).length === 0) return { figures: [], scores: [] };
  const all = readJsonLines<Window>(folder, FILE);
  const windows = all.filter(({ set }) => !END_DEVICE_SETS.test(set));
  const isMeasuring = splitByOrder(windows);
  const figures: Figure[] = [];
  for (const [kind, reports, target] of KIND_TARGETS) {
    const of = windows.filter((window) => kind.test(window.kind));
    const names = [...new Set(of.map((window) => window.kind))].join(", ");
    const label = `${names}: caught in ${reports} reports`;
    figures.push(createFigure("windows", label, shareCaught(of, reports), target));
    const measured = of.filter((window) => isMeasuring.has(window));
    figures.push(createFigure("windows", "  on the measuring half", shareCaught(measured, reports)));
    const devices = all.filter((window) => END_DEVICE_SETS.test(window.set) && kind.test(window.kind));
    figures.push(createFigure("windows", "  on end devices", shareCaught(devices, reports)));
  }
  const honest = windows.filter(({ kind }) => kind === "honest");
  figures.push(createFigure("windows", "honest refused", shareCaught(honest, 20), { atMost: 0.01 }));
  for (const [reason, check] of TESTS) {
    const target = reason === "snr_grid" ? { atMost: 0 } : { atMost: 0.01 };
    figures.push(createFigure("windows", `  by ${reason}`, shareCaught(honest, 20, [check]), target));
  }
  const measured = honest.filter((window) => isMeasuring.has(window));
  figures.push(createFigure("windows", "  on the measuring half", shareCaught(measured, 20)));
  for (const set of [...new Set(all.map((window) => window.set))]) {
    const of = all.filter((window) => window.set === set && window.kind === "honest");
    const mark = END_DEVICE_SETS.test(set) ? " (end devices)" : "";
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
