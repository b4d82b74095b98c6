/** A chart whose code comes after the page's. Without it the table beside it still says everything. */
import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { formatAmount } from "./format.ts";

export type Bar = { readonly label: string; readonly height: number };
export type ChartProps = {
  readonly bars: readonly Bar[];
  readonly title: string;
  /** What stands at the axis; the same function each time. */
  readonly formatHeight: (height: number) => string;
};

export function Chart(props: ChartProps) {
  const [Drawn, setDrawn] = useState<ComponentType<ChartProps> | null>(null);
  useEffect(() => {
    void import("./barChart.tsx").then(({ BarChart }) => setDrawn(() => BarChart)).catch(() => {});
  }, []);
  return Drawn === null ? <div class="chart" /> : <Drawn {...props} />;
}

/** A chart is drawn in doubles: tokens, whose last base units nobody sees in a bar. */
export const toTokens = (amount: string): number => Number(BigInt(amount)) / 1e8;

export const formatTokens = (tokens: number): string => formatAmount(`${Math.round(tokens * 1e8)}`);
