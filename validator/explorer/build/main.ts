/**
 * `npm run build:explorer`: the explorer as the validator serves it. With `-- --api URL [--out FOLDER]` a static site that
 * asks the API there, which must allow the site's origin; with `--any-api` one whose readers name the API themselves.
 */
import { parseArgs } from "node:util";
import { EXPLORER_FOLDER } from "../../src/api/explorer/folder.ts";
import { readApiAddress } from "../src/data/apiAddress.ts";
import { buildExplorer } from "./bundle.ts";

const { values } = parseArgs({
  options: { api: { type: "string" }, "any-api": { type: "boolean" }, out: { type: "string" } },
});
const { api, out = EXPLORER_FOLDER, "any-api": isOpen = false } = values;
const read = api === undefined ? null : readApiAddress(api, "http:");
if (read?.ok === false) {
  process.stderr.write(`--api: ${api} ${read.why}\n`);
  process.exitCode = 2;
} else {
  const site = read === null && !isOpen ? null : { api: read?.address ?? "", isOpen };
  const { assets } = await buildExplorer({ folder: out, site, effort: "published" });
  const inKb = (bytes: number): string => `${(bytes / 1_000).toFixed(1)} kB`.padStart(10);
  for (const { name, bytes, compressedBytes } of assets)
    process.stdout.write(`${inKb(bytes)} ${inKb(compressedBytes)} compressed  ${name}\n`);
}
