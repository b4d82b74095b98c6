/**
 * `npm run build:explorer`: the explorer as the validator serves it. With `-- --api URL [--out FOLDER]` a static site that
 * asks the API there, which must allow the site's origin.
 */
import { parseArgs } from "node:util";
import { EXPLORER_FOLDER } from "../../src/api/explorer/serveExplorer.ts";
import { buildExplorer } from "./bundle.ts";

const { values } = parseArgs({ options: { api: { type: "string" }, out: { type: "string" } } });
const { api = "", out = EXPLORER_FOLDER } = values;
if (api !== "" && !/^https?:\/\//.test(api)) {
  process.stderr.write("--api must be an http or https URL\n");
  process.exitCode = 2;
} else {
  const { assets } = await buildExplorer({ folder: out, api, effort: "published" });
  const inKb = (bytes: number): string => `${(bytes / 1_000).toFixed(1)} kB`.padStart(10);
  for (const { name, bytes, compressedBytes } of assets)
    process.stdout.write(`${inKb(bytes)} ${inKb(compressedBytes)} compressed  ${name}\n`);
}
