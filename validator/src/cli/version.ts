/** The package's version, for the API's description and `--version`. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

const PACKAGE_FILE = join(import.meta.dirname, "../../../package.json");

export const VERSION: string = (JSON.parse(readFileSync(PACKAGE_FILE, "utf8")) as { version: string })
  .version;
