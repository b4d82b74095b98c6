/** The package's version, for the API's description and `--version`. */
import { readFileSync } from "node:fs";

const PACKAGE_FILE = new URL("../../../package.json", import.meta.url);

export const VERSION: string = (JSON.parse(readFileSync(PACKAGE_FILE, "utf8")) as { version: string })
  .version;
