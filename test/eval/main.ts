/**
 * Measures trust on real radio data: `node test/eval/main.ts --data FOLDER [--json FILE] [--digest]` prints every figure
 * with its 95 % interval and its target, on any folder of the form that docs/truth.md describes; with `--digest` only the
 * digest of all scores, to compare engines. Exits 1 when a figure misses its target, 2 when there is nothing to measure.
 */
import { existsSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { computeExitCode, evaluateFolder, formatEvaluation, listFigures } from "./evaluation.ts";

const { values } = parseArgs({
  options: {
    data: { type: "string" },
    json: { type: "string" },
    digest: { type: "boolean", default: false },
  },
});

function main(): number {
  const { data, json } = values;
  if (data === undefined || !existsSync(data)) {
    console.error(`There is no data folder${data === undefined ? "" : ` ${data}`}: use --data FOLDER`);
    return 2;
  }
  const evaluation = evaluateFolder(data);
  if (!values.digest) for (const line of formatEvaluation(evaluation)) console.log(line);
  const { node } = process.versions;
  const { scoresDigest, unmeasured, leftOut, unread } = evaluation;
  console.log(`digest of all scores (Node ${node}): ${scoresDigest}`);
  if (json !== undefined) {
    const figures = listFigures(evaluation);
    writeFileSync(
      json,
      `${JSON.stringify({ node, scoresDigest, figures, unmeasured, leftOut, unread }, null, 2)}\n`,
    );
  }
  return computeExitCode(evaluation);
}

process.exitCode = main();
