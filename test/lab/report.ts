/** The laboratory's tables as docs/truth.md has them: a row an attack, and its air beside the measured. */
import { type AirFigures, DISTANCES_M, THINNED_TO } from "./air.ts";
import { type AttackResult, isWithin } from "./figures.ts";

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

export const TABLE_HEAD = [
  "| attack | hotspots | rewards | honest there | gain | caught | half by day | honest halved | honest unpaid (without) | rival keeps | radios | tokens |",
  "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
].join("\n");

export function formatRow(result: AttackResult): string {
  const cells = [
    result.name,
    percent(result.shareOfHotspots),
    percent(result.shareOfRewards),
    percent(result.counterfactualShare),
    `${result.gain.toFixed(2)}${isWithin(result) ? "" : " !"}`,
    percent(result.caught),
    result.halfCaughtDay === null ? "-" : String(result.halfCaughtDay),
    percent(result.honestHalved),
    `${percent(result.honestUnpaid)} (${percent(result.honestUnpaidWithout)})`,
    result.rivalKeeps === null ? "" : percent(result.rivalKeeps),
    String(result.radios),
    String(result.costTokens),
  ];
  return `| ${cells.join(" | ")} |`;
}

/** What honest hotspots were found of without the attack, one sentence. */
export function formatHonestFound({ honestFound }: AttackResult): string {
  const list = Object.entries(honestFound).map(([reason, share]) => `${reason} ${percent(share)}`);
  return `Of honest hotspots' days without an attack: ${list.join(", ") || "no finding"}.`;
}

const distances = DISTANCES_M.slice(1).map((to, range) => `${DISTANCES_M[range]! / 1_000}-${to / 1_000} km`);
const airColumns = [
  "",
  ...distances.map((range) => `linked at ${range}`),
  "links at 10 / 50 / 90 %",
  ...THINNED_TO.map((size) => `implausible of ${size}`),
];
export const AIR_HEAD = [`| ${airColumns.join(" | ")} |`, `|${" --- |".repeat(airColumns.length)}`].join(
  "\n",
);

export function formatAirRow(name: string, { linked, links, implausible }: AirFigures): string {
  const cells = [name, ...linked.map(percent), links.join(" / "), ...implausible.map(percent)];
  return `| ${cells.join(" | ")} |`;
}
