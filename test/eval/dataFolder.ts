/** Reads a folder of measurements: gzipped CSV, JSON lines and JSON. The measurements are no part of this repository. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

export type Row = Readonly<Record<string, string>>;

/** Names of the files in the folder that match, sorted. */
export function listFiles(folder: string, pattern: RegExp): string[] {
  return readdirSync(folder)
    .filter((name) => pattern.test(name))
    .sort();
}

const readText = (folder: string, name: string): string =>
  gunzipSync(readFileSync(join(folder, name))).toString("utf8");

const readLines = (folder: string, name: string): string[] => readText(folder, name).trimEnd().split(/\r?\n/);

/** Rows of a CSV file by their columns' names; cells hold no quotes in these files. */
export function readCsv(folder: string, name: string): Row[] {
  const [head, ...lines] = readLines(folder, name);
  const columns = head!.split(",");
  return lines.map((line) => {
    const cells = line.split(",");
    return Object.fromEntries(columns.map((column, i) => [column, cells[i] ?? ""]));
  });
}

/** Values of a file with one JSON value a line. */
export function readJsonLines<T>(folder: string, name: string): T[] {
  return readLines(folder, name).map((line) => JSON.parse(line) as T);
}

/** The value of a JSON file. */
export function readJson<T>(folder: string, name: string): T {
  return JSON.parse(readText(folder, name)) as T;
}
