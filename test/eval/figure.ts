/** A measured figure beside its target, and what a section of the evaluation gives. */
import { type Estimate, UNMEASURED } from "./statistics.ts";

export type Target = { readonly atLeast: number } | { readonly atMost: number };

export type Figure = Estimate & {
  readonly section: string;
  readonly name: string;
  readonly target: Target | null;
  /** null: the figure has no target and only says what is, or there was nothing to measure it on (`n` is 0). */
  readonly ok: boolean | null;
  /** Of a figure by a form that no validator runs: what theirs catches of the same cases, at its thresholds. */
  readonly byValidators: Estimate | null;
};

/** What a section measures of a folder: all of its figures, those among them for which there are no data with an `n` of 0. */
export type SectionResult = {
  readonly figures: readonly Figure[];
  /** Every score that was computed for them, in order: two machines must have the same. */
  readonly scores: readonly number[];
  /** What was found and could not be used, a sentence each. */
  readonly leftOut?: readonly string[];
};

/** Puts an estimate beside its target. What there was to measure and came to no number misses it. */
export function createFigure(
  section: string,
  name: string,
  estimate: Estimate,
  target: Target | null = null,
  byValidators: Estimate | null = null,
): Figure {
  const ok = target === null || estimate.n === 0 ? null : isMet(estimate.value, target);
  return { section, name, ...estimate, target, ok, byValidators };
}

const isMet = (value: number, target: Target): boolean =>
  "atLeast" in target ? value >= target.atLeast : value <= target.atMost;

/** Figures whose targets stand in a table by name, and those of the table that there are no data for. */
export function completeFigures(
  section: string,
  figures: readonly Figure[],
  targets: Readonly<Record<string, Target>>,
): Figure[] {
  const names = new Set(figures.map(({ name }) => name));
  const missing = Object.entries(targets).filter(([name]) => !names.has(name));
  return [...figures, ...missing.map(([name, target]) => createFigure(section, name, UNMEASURED, target))];
}

/** A figure as one line of text. */
export function formatFigure({ name, value, low, high, n, target, ok }: Figure): string {
  const mark = ok === null ? "    " : ok ? "ok  " : "MISS";
  const aim = target === null ? "" : "atLeast" in target ? `>= ${target.atLeast}` : `<= ${target.atMost}`;
  const interval = `${formatNumber(low)}-${formatNumber(high)}`;
  return `${mark} ${formatNumber(value).padStart(8)}  [${interval.padEnd(17)}] ${aim.padEnd(9)} n ${String(n).padStart(6)}  ${name}`;
}

/** Four significant digits or so; "-" of what is no number. */
export function formatNumber(value: number): string {
  if (Number.isNaN(value)) return "-";
  return Math.abs(value) >= 100
    ? value.toFixed(0)
    : Math.abs(value) >= 10
      ? value.toFixed(2)
      : value.toFixed(4);
}
