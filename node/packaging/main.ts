/**
 * `npm run package:node`: makes the hotspot's Debian packages, `--arch amd64` or `arm64` or, by default, both, into
 * `--out` (dist/). `--version` names another version than package.json's with the commit and its time; `--compression 0`
 * is quick and large; `--bundle DIR` writes only what runs.
 */
import { execFileSync } from "node:child_process";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { VERSION } from "../src/host/version.ts";
import { ARCHITECTURES, type Architecture, findArchitecture } from "./architectures.ts";
import { writeBundle } from "./bundle.ts";
import { writePackage } from "./debian.ts";
import { findNode } from "./nodeBinary.ts";

const ROOT = join(import.meta.dirname, "../..");
const WORK = join(ROOT, ".cache/package");

/** The commit's time: the same sources give the same package. Outside of a checkout, what the environment says. */
function readEpochS(): number {
  const given = process.env.SOURCE_DATE_EPOCH;
  if (given !== undefined && /^\d{1,12}$/.test(given)) return Number(given);
  return Number(execFileSync("git", ["log", "-1", "--format=%ct"], { cwd: ROOT, encoding: "utf8" }));
}

/** Version, then the commit's time, so that dpkg takes a later commit's package for the newer one, then the commit. */
function readVersion(): string {
  const [release, commit] = VERSION.split("+") as [string, string?];
  if (commit === undefined) return release;
  const digits = new Date(readEpochS() * 1_000).toISOString().replaceAll(/\D/g, "");
  return `${release}+${digits.slice(0, "yyyymmddhhmmss".length)}.${commit}`;
}

const { values } = parseArgs({
  options: {
    arch: { type: "string", multiple: true },
    out: { type: "string", default: join(ROOT, "dist") },
    version: { type: "string" },
    compression: { type: "string", default: "6" },
    bundle: { type: "string" },
  },
});
const version = values.version ?? readVersion();
const found = (values.arch ?? ARCHITECTURES).map(findArchitecture);
const refusals = found.flatMap((one) => (typeof one === "string" ? [] : [one.refused]));
const compression = /^[0-9]$/.test(values.compression) ? Number(values.compression) : null;
if (compression === null) refusals.push("--compression must be 0 to 9");
if (compression === null || refusals.length > 0) {
  for (const refusal of refusals) console.error(refusal);
  process.exit(2);
}
const bundleFolder = values.bundle ?? join(WORK, "bundle");
const { licenses, bytes } = await writeBundle(bundleFolder, version);
console.log(`bundle: ${bytes.toLocaleString("en")} bytes`);
if (values.bundle === undefined) {
  for (const architecture of found as readonly Architecture[]) {
    const nodeFolder = await findNode(architecture, WORK);
    const parts = {
      architecture,
      version,
      epochS: readEpochS(),
      bundleFolder,
      licenses,
      nodeFolder,
      compression,
    };
    const archive = await writePackage(parts, WORK, values.out);
    console.log(`${archive}: ${(await stat(archive)).size.toLocaleString("en")} bytes`);
  }
}
