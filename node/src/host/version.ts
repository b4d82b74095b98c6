/** The package's version, for `--version`, the doctor and the API's description. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** The nearest above this file: the repository's, or the one beside a bundle. */
function findPackageFile(folder: string): string {
  const file = join(folder, "package.json");
  return existsSync(file) || folder === dirname(folder) ? file : findPackageFile(dirname(folder));
}

const { version } = JSON.parse(readFileSync(findPackageFile(import.meta.dirname), "utf8")) as {
  readonly version: string;
};
export const VERSION = version;
