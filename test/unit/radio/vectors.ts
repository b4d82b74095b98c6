/** Where the vectors and measurements lie that are no part of this repository, and whether they are there. */
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";

const SHARED = process.env.HEXBEACON_SHARED ?? resolve(import.meta.dirname, "../../../../shared");

/** The path of a file beside the repository, or null where it is absent (a test then says so and is skipped). */
export function findShared(path: string): string | null {
  const full = resolve(SHARED, path);
  return existsSync(full) ? full : null;
}

/** A JSON file beside the repository, or null where it is absent. */
export function readSharedJson(path: string): unknown {
  const full = findShared(path);
  return full === null ? null : JSON.parse(readFileSync(full, "utf8"));
}
