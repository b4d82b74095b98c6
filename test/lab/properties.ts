/** The properties of score version 2 as plots: what the tests prove, drawn from the same code. */
import { PPM } from "../../protocol/src/network/parameters.ts";
import { computeCrowdScalesPpm } from "../../protocol/src/score/crowd.ts";
import { computeScoreV2 } from "../../protocol/src/score/scoreV2.ts";
import { createTrustedInput, type TrustedHotspot } from "../unit/score/trustedNetwork.ts";
import { drawLines, type Line } from "./svg.ts";

const MIDDLE: TrustedHotspot = { eastM: 0, northM: 0 };
const BLUE = "#3465a4";
const RED = "#c0392b";
const GREEN = "#2d7d46";
const ORANGE = "#c77c1e";
const BLACK = "#2e3436";

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

const onCircle = (count: number, radiusM: number): TrustedHotspot[] =>
  range(count).map((i) => ({
    eastM: Math.round(radiusM * Math.cos((2 * Math.PI * i) / count)),
    northM: Math.round(radiusM * Math.sin((2 * Math.PI * i) / count)),
  }));

/** The scale of the first of these hotspots, 0 to 1. */
function scaleOf(hotspots: readonly TrustedHotspot[]): number {
  const { cellHi, cellLo, trusted } = createTrustedInput(hotspots, []);
  const crowd = { cellHi, cellLo, trustPpm: trusted!.crowdPpm };
  return computeCrowdScalesPpm(crowd, Uint32Array.from(hotspots.keys()))[0]! / PPM;
}

/** A beacon's worth with so many witnesses of a trust, 0 to 1. */
function worthOf(witnesses: number, trustPpm: number): number {
  const hotspots = [MIDDLE, ...onCircle(witnesses, 4_000).map((one) => ({ ...one, trustPpm }))];
  const links = [[0, range(witnesses).map((i) => i + 1)] as const];
  return computeScoreV2(createTrustedInput(hotspots, links)).beaconUnitsPpm[0]! / PPM;
}

const line = (name: string, colour: string, xs: readonly number[], y: (x: number) => number): Line => ({
  name,
  colour,
  points: xs.map((x) => [x, y(x)]),
});

/** File names and SVG texts. */
export function drawProperties(): ReadonlyMap<string, string> {
  const beside = (count: number, part: Partial<TrustedHotspot>): number =>
    scaleOf([MIDDLE, ...range(count).map(() => ({ ...MIDDLE, ...part }))]);
  // A surplus counts nothing: cap over number, a quarter at least (docs/truth.md). On one roof the rival is one of them.
  const cappedTrust = (cap: number, count: number): number =>
    Math.min(PPM, Math.max(PPM / 4, Math.floor((PPM * cap) / Math.max(1, count))));
  const onRoof = (count: number): number => {
    const trustPpm = cappedTrust(3, count + 1);
    return (beside(count, { trustPpm }) * trustPpm) / PPM;
  };
  // Within 350 m one is drawn for a beacon, and receptions are four fifths of hotspots' pay.
  const withinDraw = (count: number): number => beside(count, {}) * (0.2 + 0.8 / (count + 1));
  const [upTo12, upTo40, metres] = [range(13), range(41), range(61).map((step) => step * 100)];
  return new Map([
    [
      "property-coverage.svg",
      drawLines("More witnesses never lower a beacon's worth", "witnesses", [
        line("fully trusted", GREEN, upTo12, (count) => worthOf(count, PPM)),
        line("half trusted", BLUE, upTo12, (count) => worthOf(count, PPM / 2)),
      ]),
    ],
    [
      "property-rival.svg",
      drawLines("What is left of a rival's pay beside hotspots asserted by it", "hotspots", [
        line("trusted, in its cell", BLUE, upTo40, (count) => beside(count, {})),
        line("trusted, within 350 m, with its receptions", BLACK, upTo40, withinDraw),
        line("trusted, on its roof", ORANGE, upTo40, onRoof),
        line("one owner's, in its cell", GREEN, upTo40, (count) =>
          beside(count, { trustPpm: cappedTrust(4, count) }),
        ),
        line("not trusted, on its roof", RED, upTo40, (count) => beside(count, { trustPpm: 50_000 })),
      ]),
    ],
    [
      "property-edge.svg",
      drawLines("The scale, walking away from a cell with twenty hotspots: no cliff", "metres", [
        line("scale", BLUE, metres, (eastM) =>
          scaleOf([{ eastM, northM: 0 }, ...range(20).map(() => MIDDLE)]),
        ),
      ]),
    ],
    [
      "property-nth.svg",
      drawLines("Each further hotspot in a cell has a lower scale", "hotspots in the cell", [
        line("each one's", BLUE, upTo40.slice(1), (count) => beside(count - 1, {})),
        line(
          "all together, of forty alone",
          GREEN,
          upTo40.slice(1),
          (count) => (count * beside(count - 1, {})) / 40,
        ),
      ]),
    ],
    [
      "property-rural.svg",
      drawLines("Three trusted counterparts out of town, or in it", "hotspots around", [
        line("out of town", GREEN, upTo40, () => worthOf(3, PPM)),
        line("in town", BLUE, upTo40, (count) => worthOf(3, PPM) * beside(count, {})),
      ]),
    ],
  ]);
}
