/** A measured figure beside its target, and what a section of the evaluation gives. */
import type { Estimate } from "./statistics.ts";

export type Target = { readonly atLeast: number } | { readonly atMost: number };

export type Figure = Estimate & {
  readonly section: string;
  readonly name: string;
  readonly target: Target | null;
  /** null: the figure has no target, and only says what is. */
  readonly ok: boolean | null;
};

/** Figures, and every score that was computed for them, in order: two machines must have the same. */
export type SectionResult = { readonly figures: readonly Figure[]; readonly scores: readonly number[] };

/** Puts an estimate beside its target. A figure that could not be measured fails its target. */
export function createFigure(
  section: string,
  name: string,
  estimate: Estimate,
  target: Target | null = null,
): Figure {
  const ok =
    target === null
      ? null
      : "atLeast" in target
        ? estimate.value >= target.atLeast
        : estimate.value <= target.atMost;
  return { section, name, ...estimate, target, ok };
}

/** A figure as one line of text. */
export function formatFigure({ name, value, low, high, n, target, ok }: Figure): string {
  const mark = ok === null ? "    " : ok ? "ok  " : "MISS";
  const aim = target === null ? "" : "atLeast" in target ? `>= ${target.atLeast}` : `<= ${target.atMost}`;
  const interval = `${formatNumber(low)}-${formatNumber(high)}`;
  return `${mark} ${formatNumber(value).padStart(8)}  [${interval.padEnd(17)}] ${aim.padEnd(9)} n ${String(n).padStart(6)}  ${name}`;
}

function formatNumber(value: number): string {
  if (Number.isNaN(value)) return "-";
  return Math.abs(value) >= 100
    ? value.toFixed(0)
    : Math.abs(value) >= 10
      ? value.toFixed(2)
      : value.toFixed(4);
}
