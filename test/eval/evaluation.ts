/**
 * All figures of one folder of measurements. They come from the modules that validators run, but for the places from links
 * alone, which are judged by strengths as no validator does: those say beside them what validators' form catches.
 */
import { createHash } from "node:crypto";
import { type DataFolder, openDataFolder } from "./dataFolder.ts";
import { type Figure, formatFigure, formatNumber, type SectionResult } from "./figure.ts";
import { evaluateGates } from "./gates.ts";
import { evaluateMoves, evaluateSybils } from "./graph.ts";
import { evaluateLocation } from "./location.ts";
import { evaluateTrends } from "./trends.ts";
import { evaluateWindows } from "./windows.ts";

type Section = readonly [title: string, evaluate: (folder: DataFolder) => SectionResult];
const SECTIONS: readonly Section[] = [
  ["gates on single reports", evaluateGates],
  ["windows of reports", evaluateWindows],
  ["places from links (Grenoble's hotspots), by strengths as no validator judges them", evaluateLocation],
  ["places from the witness graph", evaluateMoves],
  ["rings of sybils", evaluateSybils],
  ["signal against distance and against power", evaluateTrends],
];

export type Evaluation = {
  readonly sections: readonly { readonly title: string; readonly figures: readonly Figure[] }[];
  /** Targets that this folder has no data for. */
  readonly unmeasured: readonly Figure[];
  /** SHA-256 of all scores, hexadecimal. */
  readonly scoresDigest: string;
  /** What was found and could not be used, a sentence each; and files that no section reads. */
  readonly leftOut: readonly string[];
  readonly unread: readonly string[];
};

/** Measures all that a folder has data for; throws where there is no such folder. */
export function evaluateFolder(path: string): Evaluation {
  const folder = openDataFolder(path);
  const digest = createHash("sha256");
  const results = SECTIONS.map(([title, evaluate]) => ({ title, ...evaluate(folder) }));
  for (const { scores } of results) digest.update(Float64Array.from(scores));
  return {
    sections: results.map(({ title, figures }) => ({ title, figures: figures.filter(({ n }) => n > 0) })),
    unmeasured: results.flatMap(({ figures }) =>
      figures.filter(({ n, target }) => n === 0 && target !== null),
    ),
    scoresDigest: digest.digest("hex"),
    leftOut: results.flatMap(({ leftOut = [] }) => leftOut),
    unread: folder.names.filter((name) => !folder.read.has(name)),
  };
}

/** All figures that were measured. */
export const listFigures = ({ sections }: Evaluation): Figure[] => sections.flatMap(({ figures }) => figures);

/** 0 where all targets that could be measured are met, 1 where one is missed, 2 where there was nothing to measure. */
export function computeExitCode(evaluation: Evaluation): 0 | 1 | 2 {
  const figures = listFigures(evaluation);
  if (figures.length === 0) return 2;
  return figures.some(({ ok }) => ok === false) ? 1 : 0;
}

/** Everything there is to say of a folder, line by line. */
export function formatEvaluation(evaluation: Evaluation): string[] {
  const { sections, unmeasured, leftOut, unread } = evaluation;
  const aimed = listFigures(evaluation).filter(({ ok }) => ok !== null);
  const missed = aimed.filter(({ ok }) => ok === false);
  const foreign = aimed.filter(({ byValidators }) => byValidators !== null);
  const nameOf = ({ section, name }: Figure): string => `${section}, ${name.trim()}`;
  return [
    ...sections.flatMap(({ title, figures }) => [
      "",
      `${title}${figures.length === 0 ? ": no such data in this folder, skipped" : ""}`,
      ...figures.map(formatFigure),
    ]),
    "",
    `${aimed.length - missed.length} of ${aimed.length} targets met, ${foreign.length} of these targets by a form that no validator runs`,
    ...foreign.map(
      (figure) =>
        `  ${nameOf(figure)}: ${formatNumber(figure.value)}; at validators' thresholds ${formatNumber(figure.byValidators!.value)}`,
    ),
    ...missed.map((figure) => `missed: ${nameOf(figure)}`),
    ...unmeasured.map((figure) => `not measured, as this folder has no such data: ${nameOf(figure)}`),
    ...leftOut.map((sentence) => `left out: ${sentence}`),
    ...unread.map((name) => `not read, as no section asks for such a file: ${name}`),
  ];
}
