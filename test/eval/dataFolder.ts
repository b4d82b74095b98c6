/** Reads a folder of measurements: gzipped CSV, JSON lines and JSON. The measurements are no part of this repository. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

export type DataFolder = {
  readonly path: string;
  /** Names of all its files, sorted. */
  readonly names: readonly string[];
  /** Those that were read so far: what is left says which measurements no figure is of. */
  readonly read: Set<string>;
};

export type Row = Readonly<Record<string, string>>;

/** Lists a folder; throws where there is none. */
export function openDataFolder(path: string): DataFolder {
  return { path, names: readdirSync(path).sort(), read: new Set() };
}

/** Names of the files in the folder that match, sorted. */
export function listFiles({ names }: DataFolder, pattern: RegExp): string[] {
  return names.filter((name) => pattern.test(name));
}

function readText(folder: DataFolder, name: string): string {
  folder.read.add(name);
  return gunzipSync(readFileSync(join(folder.path, name))).toString("utf8");
}

/** Lines that are not empty; none of a file that is not there. */
function readLines(folder: DataFolder, name: string): string[] {
  if (!folder.names.includes(name)) return [];
  return readText(folder, name)
    .split(/\r?\n/)
    .filter((line) => line !== "");
}

/** Rows of a CSV file by their columns' names; cells hold no quotes in these files. None of a file that is not there. */
export function readCsv(folder: DataFolder, name: string): Row[] {
  const [head = "", ...lines] = readLines(folder, name);
  const columns = head.split(",");
  return lines.map((line) => {
    const cells = line.split(",");
    return Object.fromEntries(columns.map((column, i) => [column, cells[i] ?? ""]));
  });
}

/** Values of a file with one JSON value a line; none of a file that is not there. */
export function readJsonLines<T>(folder: DataFolder, name: string): T[] {
  return readLines(folder, name).map((line) => JSON.parse(line) as T);
}

/** The value of a JSON file. */
export function readJson<T>(folder: DataFolder, name: string): T {
  return JSON.parse(readText(folder, name)) as T;
}
