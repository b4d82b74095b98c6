/** The evaluation on folders that lack something: each figure is measured or named as missing, and no honest one is made up. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { computeExitCode, evaluateFolder, formatEvaluation, listFigures } from "../../eval/evaluation.ts";

/** A folder of gzipped files, a text each. */
function createFolder(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "eval-"));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), gzipSync(text));
  return folder;
}
const evaluate = (files: Readonly<Record<string, string>>) => evaluateFolder(createFolder(files));
const namesOf = (figures: readonly { readonly name: string }[]): string[] =>
  figures.map(({ name }) => name.trim());

const REPORTS = 20;
const strong = (i: number): number => -80 - 3 * (i % 7);
const createWindow = (kind: string, rssi: (i: number) => number, set = "new_town") => {
  const dbm = Array.from({ length: REPORTS }, (_, i) => rssi(i));
  return { set, kind, bw: 125_000, rssi: dbm, snr: dbm.map((value) => (value + 90) / 2) };
};
const toLines = (values: readonly unknown[]): string =>
  values.map((value) => `${JSON.stringify(value)}\n`).join("");

const COLUMNS = "set,distance_m,rssi_dbm,snr_db,freq_hz,sf,bw_hz,eirp_max_dbm";
const GOOD = "5000,-110,-3.5,868100000,9,125000,16";

/** A case of three links each 2 km away, some 20 km from where it says it stands if it was moved. */
const createCase = (id: number, movedKm: number) => ({
  id,
  set: "grenoble_other",
  asserted: [45.2 + movedKm / 111, 5.7],
  eirp_dbm: 16,
  links: [45.182, 45.218, 45.2].map((lat, i) => [
    lat,
    5.7 + 0.01 * (i + 1),
    -105,
    2,
    868_100_000,
    9,
    125_000,
  ]),
});

describe("the evaluation", () => {
  test("of an empty folder has nothing to measure, and names every target", () => {
    const evaluation = evaluate({});
    expect(listFigures(evaluation)).toEqual([]);
    expect(computeExitCode(evaluation)).toBe(2);
    // What a folder lacks is never left unsaid; rings of other sizes have their targets by what is found.
    expect(namesOf(evaluation.unmeasured)).toContain("room of radios, 20 pairs, TPR1");
    expect(evaluation.unmeasured).toHaveLength(21);
    expect(formatEvaluation(evaluation).filter((line) => line.includes("skipped"))).toHaveLength(6);
  });

  test("skips kinds that a file of windows lacks, and shows those it does not know", () => {
    const windows = [
      createWindow("honest", strong),
      createWindow("const", () => -100),
      createWindow("something new", strong),
    ];
    const evaluation = evaluate({ "bench_forge.jsonl.gz": `\n${toLines(windows)}\n` });
    const missing = namesOf(evaluation.unmeasured);
    expect(missing).toContain("DIY-middleman: caught in 10 reports");
    expect(missing).not.toContain("const: caught in 20 reports");
    expect(namesOf(listFigures(evaluation))).toContain("something new: caught in 20 reports");
    expect(computeExitCode(evaluation)).toBe(0);
  });

  test("measures nothing of an empty file", () => {
    const evaluation = evaluate({ "bench_forge.jsonl.gz": "", "lyon_urban.csv.gz": "" });
    expect(computeExitCode(evaluation)).toBe(2);
  });

  test("judges every gateway's set by its columns, whatever it is called, and shows end devices beside", () => {
    const refused = GOOD.replace("-3.5", "-3.47");
    const town = [COLUMNS, `new_town,${GOOD}`, `new_town,${refused}`, "new_town,5000,,,,,,", ""].join("\n");
    const evaluation = evaluate({
      "new_town.csv.gz": town,
      "other_town.csv.gz": `${COLUMNS}\nother_town,${GOOD}\n`,
      "ghent_quay.csv.gz": `${COLUMNS}\nghent_quay,${refused}\n`,
      "hotspots.csv.gz": "id,lat,lon\nhs1,45,5\n",
    });
    const gates = listFigures(evaluation).map(({ name, value, n, ok }) => [name, value, n, ok]);
    expect(gates).toEqual([
      ["honest gateways refused", 1 / 3, 3, false],
      ["second worst set: other_town refused", 0, 1, true],
      ["new_town refused", 0.5, 2, null],
      ["other_town refused", 0, 1, null],
      ["ghent_quay refused (end devices)", 1, 1, null],
    ]);
    expect(computeExitCode(evaluation)).toBe(1);
    expect(evaluation.unread).toEqual(["hotspots.csv.gz"]);
  });

  test("knows no ceiling where distance or power is unknown", () => {
    // Free space lets -95.9 dBm through over 5 km, the margin 20 dB more.
    const rows = ["5000,-60,10,868100000,9,125000,", ",-60,10,868100000,9,125000,16"];
    const evaluation = evaluate({
      "new_town.csv.gz": [COLUMNS, ...rows.map((row) => `new_town,${row}`)].join("\n"),
    });
    expect(listFigures(evaluation)[0]).toMatchObject({ value: 0, n: 2 });
  });

  test("counts no case as honest that has no label, and says what validators catch of the others", () => {
    const cases = [
      ...Array.from({ length: 10 }, (_, id) => createCase(id, 0)),
      createCase(10, 20),
      createCase(11, 20),
    ];
    const labels = cases.slice(0, -1).map(({ id }) => `${id},${id === 10 ? 20 : 0}\n`);
    const files = { "bench_location.jsonl.gz": toLines(cases) };
    const evaluation = evaluate({
      ...files,
      "bench_location_labels.csv.gz": `id,displaced_km\n${labels.join("")}`,
    });
    expect(evaluation.leftOut).toEqual([
      "1 cases of bench_location.jsonl.gz have no label in bench_location_labels.csv.gz",
    ]);
    const figure = listFigures(evaluation).find(({ name }) => name === "3 links, 20 km, TPR1");
    expect(figure).toMatchObject({ n: 1, byValidators: { n: 1 } });
    expect(formatEvaluation(evaluation).join("\n")).toContain(
      "1 of these targets by a form that no validator runs",
    );

    const unlabelled = evaluate(files);
    expect(computeExitCode(unlabelled)).toBe(2);
    expect(unlabelled.leftOut).toHaveLength(1);
  });

  test("leaves out graphs whose truth is not told", () => {
    const graph = JSON.stringify({ asserted: [[45, 5]], edges: [] });
    const evaluation = evaluate({
      "bench_graph_move5.json.gz": graph,
      "bench_graph_sybil_m2_g1.json.gz": graph,
    });
    expect(evaluation.leftOut).toEqual([
      "bench_graph_move5.json.gz has no labels_displaced_km",
      "bench_graph_sybil_m2_g1.json.gz has no labels_sybil or no seeds",
    ]);
    expect(computeExitCode(evaluation)).toBe(2);
  });
});
