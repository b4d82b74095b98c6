/**
 * Runs the benchmarks and prints their figures beside the limits: `node test/bench/main.ts [name ...]`, without a name
 * all but the one that takes many minutes. One after the other, so the machine should have nothing else to do. Exits 1
 * when a figure is past its limit.
 */
import type { BenchRow } from "./benchRow.ts";

/** A benchmark's module, loaded only when it is asked for. Add yours here. */
const BENCHES: Readonly<Record<string, () => Promise<{ run(): Promise<readonly BenchRow[]> }>>> = {
  agreement: () => import("./agreement.ts"),
  agreementMemory: () => import("./agreementMemory.ts"),
  api: () => import("./api.ts"),
  backup: () => import("./backup.ts"),
  epochClose: () => import("./epochClose.ts"),
  eventStreams: () => import("./eventStreams.ts"),
  explorerView: () => import("./explorerView.ts"),
  hotspotFlood: () => import("./hotspotFlood.ts"),
  hotspotIdle: () => import("./hotspotIdle.ts"),
  hotspotKill: () => import("./hotspotKill.ts"),
  intake: () => import("./intake.ts"),
  judge: () => import("./judge.ts"),
  lightClient: () => import("./lightClient.ts"),
  rewardTree: () => import("./rewardTree.ts"),
  store: () => import("./store.ts"),
  trust: () => import("./trust.ts"),
  verify: () => import("./verify.ts"),
};

/** Run only where it is named. */
const LONG = ["agreementMemory"];

function printRows(rows: readonly BenchRow[]): void {
  for (const { name, value, unit, limit, ratio, ok } of rows) {
    const figure = `${formatFigure(value)} ${unit}`.padStart(16);
    console.log(
      `${ok ? "ok  " : "OVER"} ${figure}  limit ${formatFigure(limit)} (x ${ratio.toFixed(2)})  ${name}`,
    );
  }
}

function formatFigure(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString("en") : value.toPrecision(3);
}

const names =
  process.argv.length > 2
    ? process.argv.slice(2)
    : Object.keys(BENCHES).filter((name) => !LONG.includes(name));
const unknown = names.filter((name) => BENCHES[name] === undefined);
if (unknown.length > 0) {
  console.error(
    `No benchmark is called ${unknown.join(", ")}. There are: ${Object.keys(BENCHES).join(", ")}`,
  );
  process.exit(2);
}
for (const name of names) {
  const rows = await (await BENCHES[name]!()).run();
  console.log(`\n${name}`);
  printRows(rows);
  if (rows.some((row) => !row.ok)) process.exitCode = 1;
}
