/**
 * Measures trust on real radio data: `node test/eval/main.ts --data FOLDER [--json FILE] [--digest]` prints every figure
 * with its 95 % interval and its target, from the same modules that validators run, on any folder of the form that
 * docs/truth.md describes; with `--digest` only the digest of all scores, to compare engines. Exits 1 when a figure misses
 * its target, 2 when there is nothing to measure.
 */
import { createHash } from "node:crypto";
import { existsSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { type Figure, formatFigure, type SectionResult } from "./figure.ts";
import { evaluateGates } from "./gates.ts";
import { evaluateMoves, evaluateSybils } from "./graph.ts";
import { evaluateLocation } from "./location.ts";
import { evaluateTrends } from "./trends.ts";
import { evaluateWindows } from "./windows.ts";

const SECTIONS: readonly (readonly [title: string, evaluate: (folder: string) => SectionResult])[] = [
  ["gates on single reports", evaluateGates],
  ["windows of reports", evaluateWindows],
  ["places from links (Grenoble's hotspots)", evaluateLocation],
  ["places from the witness graph", evaluateMoves],
  ["rings of sybils", evaluateSybils],
  ["signal against distance and against power", evaluateTrends],
];

const { values } = parseArgs({
  options: {
    data: { type: "string" },
    json: { type: "string" },
    digest: { type: "boolean", default: false },
  },
});
const print = (line: string): void => {
  if (!values.digest) console.log(line);
};
if (values.data === undefined || !existsSync(values.data)) {
  console.error(
    `There is no data folder${values.data === undefined ? "" : ` ${values.data}`}: use --data FOLDER`,
  );
  process.exit(2);
}

const digest = createHash("sha256");
const figures: Figure[] = [];
for (const [title, evaluate] of SECTIONS) {
  const result = evaluate(values.data);
  print(`\n${title}${result.figures.length === 0 ? ": no such data in this folder, skipped" : ""}`);
  for (const figure of result.figures) print(formatFigure(figure));
  figures.push(...result.figures);
  digest.update(Float64Array.from(result.scores));
}
const scoresDigest = digest.digest("hex");
const missed = figures.filter(({ ok }) => ok === false);
const aimed = figures.filter(({ ok }) => ok !== null);
print(`\n${aimed.length - missed.length} of ${aimed.length} targets met`);
for (const { section, name } of missed) print(`missed: ${section}, ${name.trim()}`);
console.log(`digest of all scores (Node ${process.versions.node}): ${scoresDigest}`);
if (values.json !== undefined) {
  writeFileSync(
    values.json,
    `${JSON.stringify({ node: process.versions.node, scoresDigest, figures }, null, 2)}\n`,
  );
}
if (figures.length === 0) process.exit(2);
if (missed.length > 0) process.exitCode = 1;
