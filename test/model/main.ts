/**
 * Runs the models of agreement, of lanes and of the validator set with quint, sees their broken forms caught, and replays
 * agreement's traces against the code:
 * `npm run model -- [--samples 2000] [--steps 45] [--traces 50] [--write] [--model agreement|lanes|sets] [--quint PATH]`.
 * Quint is `@informalsystems/quint` 0.33.0, taken from this package or from where `--quint` or `HEXBEACON_QUINT` says.
 * Exits 1 when anything differs from what is expected, 2 when quint is not there.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { CORE_URL, loadCore } from "../sim/agreement/core.ts";
import { replay } from "./replay.ts";
import { readItf, TRACES_URL, type Trace } from "./trace.ts";

/** How many traces `--write` commits. */
const KEPT_TRACES = 12;

type Model = {
  readonly file: string;
  /** Enough for everything that the model can do to have happened; absent: as the flag says. */
  readonly steps?: string;
  readonly safe: readonly string[];
  /** A rule left out, or more faulty validators than may be: the invariant must be seen broken. */
  readonly broken: readonly string[];
  /** What a run must reach: a model in which nothing happens would be safe too. */
  readonly reached: readonly (readonly [module: string, invariant: string])[];
};

const AGREEMENT: Model = {
  file: "agreement.qnt",
  safe: ["byzLeadsLate", "byzLeadsFirst", "byzLeadsSecond", "byzLeadsAll"],
  broken: ["twoByzantine", "dropParent", "dropSkips", "dropOnce", "dropAfterNullify", "dropAfterFinalize"],
  reached: [["byzLeadsAll", "undecided"]],
};
const LANES: Model = {
  file: "lanes.qnt",
  steps: "30",
  safe: ["oneSet", "newSeat"],
  broken: ["laneDropOnce", "laneDropChain", "laneDropSync", "laneDropEnd"],
  // Where a seat has changed, a decided batch need not follow the one before: execution is made for that.
  reached: [
    ["oneSet", "undecided"],
    ["newSeatSynced", "chained"],
  ],
};
const SETS: Model = {
  file: "sets.qnt",
  steps: "40",
  safe: ["setsKept"],
  broken: ["setsDropAge", "setsDropLastSeat"],
  reached: [["setsKept", "unchanged"]],
};

const { values: flags } = parseArgs({
  options: {
    samples: { type: "string", default: "2000" },
    steps: { type: "string", default: "45" },
    traces: { type: "string", default: "50" },
    write: { type: "boolean", default: false },
    model: { type: "string" },
    quint: { type: "string" },
  },
});
const quint =
  flags.quint ??
  process.env.HEXBEACON_QUINT ??
  join(import.meta.dirname, "../../node_modules/@informalsystems/quint/dist/src/cli.js");
if (!existsSync(quint)) {
  console.error(
    "quint is not installed: put @informalsystems/quint@0.33.0 into a folder of its own (npm overrides: antlr4ts " +
      "0.5.0-alpha.4), and say --quint FOLDER/node_modules/@informalsystems/quint/dist/src/cli.js",
  );
  process.exit(2);
}

for (const [name, model] of Object.entries({ agreement: AGREEMENT, lanes: LANES, sets: SETS })) {
  if (flags.model !== undefined && flags.model !== name) continue;
  for (const module of model.safe) expectFinding(model, module, "safe", false);
  for (const module of model.broken) expectFinding(model, module, "safe", true);
  for (const [module, invariant] of model.reached) expectFinding(model, module, invariant, true);
}
if (flags.model === undefined || flags.model === "agreement") await replayTraces(Number(flags.traces));

function expectFinding(model: Model, module: string, invariant: string, isExpected: boolean): void {
  const run = runQuint(model, module, ["--max-samples", flags.samples, "--invariant", invariant]);
  const isFound = run.stdout.includes("[violation]");
  const isRun = isFound || run.stdout.includes("[ok]");
  const verdict = !isRun ? "DID NOT RUN" : isFound === isExpected ? "as expected" : "NOT EXPECTED";
  console.log(`${module}, ${invariant}: ${isFound ? "violated" : "holds"}, ${verdict}`);
  if (verdict !== "as expected") {
    console.log(run.stdout.slice(-2_000), run.stderr.slice(-2_000));
    process.exitCode = 1;
  }
}

async function replayTraces(count: number): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), "hexbeacon-model-"));
  try {
    const out = join(home, "trace_{seq}.itf.json");
    runQuint(AGREEMENT, "byzLeadsAll", [
      "--max-samples",
      String(count),
      "--n-traces",
      String(count),
      "--mbt",
      "--out-itf",
      out,
    ]);
    const traces: Trace[] = readdirSync(home).map((name) =>
      readItf(JSON.parse(readFileSync(join(home, name), "utf8")), "byzLeadsAll::agreement"),
    );
    const core = await loadCore(CORE_URL);
    const differences = traces
      .map((trace) => replay(core, trace))
      .filter((difference) => difference !== null);
    const steps = traces.reduce((sum, trace) => sum + trace.steps.length, 0);
    console.log(
      `${traces.length} traces, ${steps} steps replayed against the core: ${differences.length} differ`,
    );
    for (const difference of differences.slice(0, 5)) console.log(`  ${difference}`);
    if (differences.length > 0 || traces.length === 0) process.exitCode = 1;
    if (flags.write) writeFileSync(TRACES_URL, `${traces.slice(0, KEPT_TRACES).map(toLine).join("")}]\n`);
  } finally {
    rmSync(home, { recursive: true });
  }
}

/** One trace a line. */
function toLine(trace: Trace, index: number): string {
  return `${index === 0 ? "[" : ","}${JSON.stringify(trace)}\n`;
}

function runQuint({ file, steps }: Model, module: string, args: readonly string[]) {
  const run = ["run", "--backend=typescript", `--main=${module}`, `--max-steps=${steps ?? flags.steps}`];
  return spawnSync(process.execPath, [quint, ...run, ...args, join(import.meta.dirname, file)], {
    encoding: "utf8",
    maxBuffer: 64 * 1_048_576,
  });
}
