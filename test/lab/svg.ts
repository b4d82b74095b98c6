/** A plot as SVG text, drawn by hand: two or three lines over days need no library, and equal figures give equal bytes. */
import type { AttackResult } from "./figures.ts";

const [WIDTH, HEIGHT] = [640, 300];
const [LEFT, RIGHT, TOP, BOTTOM] = [52, 12, 44, 36];
const COLOURS = { attackers: "#c0392b", honest: "#2d7d46", caught: "#3465a4" } as const;

export type Line = {
  readonly name: string;
  readonly colour: string;
  readonly points: readonly (readonly [number, number])[];
};

/** An attack's course: the attackers' share of rewards, what honest hotspots in their places take, and who is caught. */
export function drawCourse({ name, course, shareOfHotspots }: AttackResult): string {
  const lines: Line[] = [
    {
      name: "attackers' share of rewards",
      colour: COLOURS.attackers,
      points: course.map(({ day, share }) => [day, share]),
    },
    {
      name: "honest hotspots in their places",
      colour: COLOURS.honest,
      points: course.map(({ day, honestShare }) => [day, honestShare]),
    },
    {
      name: "attackers caught",
      colour: COLOURS.caught,
      points: course.map(({ day, caught }) => [day, caught]),
    },
  ];
  return drawLines(`${name}: ${(100 * shareOfHotspots).toFixed(1)} % of hotspots`, "days", lines);
}

/** Lines of shares, 0 to 1, over something that is counted. */
export function drawLines(title: string, xName: string, lines: readonly Line[]): string {
  const xs = lines.flatMap(({ points }) => points.map(([x]) => x));
  const [first, last] = [Math.min(...xs), Math.max(...xs)];
  const x = (value: number): string =>
    (LEFT + ((WIDTH - LEFT - RIGHT) * (value - first)) / Math.max(1, last - first)).toFixed(1);
  const y = (value: number): string => (TOP + (HEIGHT - TOP - BOTTOM) * (1 - value)).toFixed(1);
  const grid = [0, 0.25, 0.5, 0.75, 1].map(
    (share) =>
      `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(share)}" y2="${y(share)}" stroke="#ccc"/>` +
      `<text x="${LEFT - 6}" y="${Number(y(share)) + 4}" text-anchor="end">${100 * share} %</text>`,
  );
  const days = [first, Math.round((first + last) / 2), last].map(
    (day) => `<text x="${x(day)}" y="${HEIGHT - BOTTOM + 16}" text-anchor="middle">${day}</text>`,
  );
  const drawn = lines.map(({ name, colour, points }, i) => {
    const path = points.map(([px, py]) => `${x(px)},${y(py)}`).join(" ");
    const keyX = LEFT + ((WIDTH - 40) / Math.max(3, lines.length)) * i;
    return (
      `<polyline fill="none" stroke="${colour}" stroke-width="2" points="${path}"/>` +
      `<line x1="${keyX}" x2="${keyX + 18}" y1="32" y2="32" stroke="${colour}" stroke-width="2"/>` +
      `<text x="${keyX + 22}" y="36">${name}</text>`
    );
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="11">`,
    `<title>${title}</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    `<text x="${LEFT}" y="18" font-size="14">${title}</text>`,
    ...grid,
    ...days,
    `<text x="${WIDTH - RIGHT}" y="${HEIGHT - 6}" text-anchor="end">${xName}</text>`,
    ...drawn,
    "</svg>\n",
  ].join("\n");
}
