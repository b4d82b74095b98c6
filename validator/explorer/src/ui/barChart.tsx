/** Values over time as bars. The table beside it has the same numbers, so to screen readers it is one image. */
import { useEffect, useRef } from "preact/hooks";
import UPlot from "uplot";
import type { ChartProps } from "./chart.tsx";
import { useTheme } from "./theme.ts";

const HEIGHT_PX = 220;
const AXIS_MIN_PX = 72;
/** Of uPlot's 12 pixel font, and what it leaves between a label and the bars. */
const DIGIT_PX = 7;
const GAP_PX = 18;

export function BarChart({ bars, title, formatHeight }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const theme = useTheme();
  useEffect(() => {
    const target = place.current!;
    const plot = new UPlot(
      createOptions(bars, formatHeight, target),
      [bars.map((_, index) => index), bars.map(({ height }) => height)],
      target,
    );
    const watcher = new ResizeObserver(() => plot.setSize({ width: target.clientWidth, height: HEIGHT_PX }));
    watcher.observe(target);
    return () => {
      watcher.disconnect();
      plot.destroy();
    };
  }, [bars, formatHeight, theme]);
  return <div class="chart" ref={place} role="img" aria-label={`${title}, ${bars.length} bars`} />;
}

/** Room for the longest label: amounts of a few base units have eight decimals. @param labels null before there are any. */
const measureAxis = (labels: readonly string[] | null): number =>
  Math.max(AXIS_MIN_PX, ...(labels ?? []).map(({ length }) => length * DIGIT_PX + GAP_PX));

function createOptions(
  bars: ChartProps["bars"],
  formatHeight: ChartProps["formatHeight"],
  target: HTMLElement,
): UPlot.Options {
  // A canvas takes no variables of CSS: the chart's own properties have the colours, resolved.
  const { caretColor: mark, borderTopColor: line, color: dim } = getComputedStyle(target);
  const axis = { stroke: dim, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 } };
  return {
    width: target.clientWidth,
    height: HEIGHT_PX,
    legend: { show: false },
    cursor: { points: { show: false }, drag: { x: false, y: false } },
    scales: {
      x: { time: false, range: [-0.6, Math.max(bars.length, 1) - 0.4] },
      y: { range: (_, __, most) => [0, most > 0 ? most * 1.05 : 1] },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        values: (_, places) => places.map((at) => bars[at]?.label ?? ""),
        incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000],
      },
      {
        ...axis,
        size: (_, labels) => measureAxis(labels),
        values: (_, heights) => heights.map(formatHeight),
      },
    ],
    series: [
      {},
      {
        fill: mark,
        stroke: mark,
        width: 0,
        points: { show: false },
        paths: UPlot.paths.bars!({ size: [0.8, 48] }),
      },
    ],
  };
}
