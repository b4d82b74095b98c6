/** What the map's colours mean: five steps of a scale for each way of looking at a cell, with the words of the legend. */
import type { MapCell } from "../../../client/api.ts";
import { formatPpm, formatRoughAmount, PPM } from "../ui/format.ts";

export const VIEWS = ["coverage", "rewards", "gaps"] as const;
export type ViewName = (typeof VIEWS)[number];

/** The query by which a link keeps the way of looking; none is the first. */
export const writeBy = (view: ViewName): string => (view === VIEWS[0] ? "" : `?by=${view}`);

export type Colour = readonly [red: number, green: number, blue: number];
export type Step = { readonly colour: Colour; readonly label: string };
export type Scale = { readonly steps: readonly Step[]; readonly stepOf: (cell: MapCell) => number };

/** Viridis, plasma (van der Walt and Smith, 2015) and a diverging red to blue, at five places: told apart without red or green. */
const COLOURS: Readonly<Record<ViewName, readonly Colour[]>> = {
  coverage: [
    [68, 1, 84],
    [59, 82, 139],
    [33, 145, 140],
    [94, 201, 98],
    [253, 231, 37],
  ],
  rewards: [
    [13, 8, 135],
    [126, 3, 168],
    [204, 71, 120],
    [248, 149, 64],
    [240, 249, 33],
  ],
  gaps: [
    [33, 102, 172],
    [146, 197, 222],
    [235, 235, 235],
    [244, 165, 130],
    [178, 24, 43],
  ],
};
const STEPS = 5;
/** Pay is spread over orders of magnitude: each step is three times the one below. */
const REWARD_STEP = 3n;

export const VIEW_WORDS: Readonly<Record<ViewName, { readonly title: string; readonly means: string }>> = {
  coverage: {
    title: "Coverage",
    means: "How wholly cells are covered: three others in reach of a cell make 100 %.",
  },
  rewards: { title: "Rewards", means: "Tokens paid in the epoch for each small cell (resolution 8)." },
  gaps: { title: "Gaps", means: "Share of small cells that fewer than three others reach." },
};

const shareLabel = (step: number): string =>
  `${formatPpm((step * PPM) / STEPS)} to ${formatPpm(((step + 1) * PPM) / STEPS)}`;
const shareStep = (ppm: number): number => Math.min(STEPS - 1, Math.floor((ppm * STEPS) / PPM));

const perCell = ({ paid, cells }: MapCell): bigint => BigInt(paid) / BigInt(cells);

/** The scale of a way to look, for the cells that are shown: rewards are told against the best paid of them. */
export function createScale(view: ViewName, cells: readonly MapCell[]): Scale {
  const colours = COLOURS[view];
  if (view === "rewards") return createRewardScale(colours, cells);
  const steps = colours.map((colour, step) => ({ colour, label: shareLabel(step) }));
  return {
    steps,
    stepOf: (cell) => shareStep(view === "coverage" ? cell.coveragePpm : (cell.gaps * PPM) / cell.cells),
  };
}

function createRewardScale(colours: readonly Colour[], cells: readonly MapCell[]): Scale {
  const most = cells.reduce((max, cell) => (perCell(cell) > max ? perCell(cell) : max), 0n);
  // Before the first pay there is nothing to tell apart.
  if (most === 0n) return { steps: [{ colour: colours[0]!, label: "nothing yet" }], stepOf: () => 0 };
  const limits = colours.map((_colour, step) => most / REWARD_STEP ** BigInt(STEPS - 1 - step));
  const steps = colours.map((colour, step) => ({
    colour,
    label: `up to ${formatRoughAmount(`${limits[step]!}`)}`,
  }));
  return {
    steps,
    stepOf: (cell) =>
      Math.max(
        0,
        limits.findIndex((limit) => perCell(cell) <= limit),
      ),
  };
}
