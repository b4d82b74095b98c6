/**
 * The Debian package: lays its files out as they will stand on the machine, and has dpkg-deb put them into one archive.
 * The same commit gives the same bytes: times are the commit's, owners are root, and the number of threads is fixed.
 */
import { execFile } from "node:child_process";
import {
  chmod,
  copyFile,
  cp,
  lstat,
  lutimes,
  mkdir,
  readdir,
  readFile,
  rm,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import type { Architecture } from "./architectures.ts";

const HERE = import.meta.dirname;
const run = promisify(execFile);
export const PACKAGE_NAME = "hexbeacon-node";
const SCRIPTS = ["postinst", "prerm", "postrm"] as const;

export type PackageParts = {
  readonly architecture: Architecture;
  readonly version: string;
  /** The time that every file gets, in seconds since 1970. */
  readonly epochS: number;
  /** What `writeBundle` wrote, and the licences that it told. */
  readonly bundleFolder: string;
  readonly licenses: string;
  /** With `bin/node` and `LICENSE`. */
  readonly nodeFolder: string;
  /** How hard xz tries, 0 to 9; most of the time goes there. */
  readonly compression: number;
};

/** Makes the package. @param work a folder to lay files out in, which is emptied. @returns the archive's path. */
export async function writePackage(parts: PackageParts, work: string, out: string): Promise<string> {
  const { architecture, version, epochS } = parts;
  const root = join(work, architecture);
  await rm(root, { recursive: true, force: true });
  await layOut(root, parts);
  await writeControl(root, parts);
  await setTimes(root, epochS);
  await mkdir(out, { recursive: true });
  const archive = join(out, `${PACKAGE_NAME}_${version}_${architecture}.deb`);
  const flags = ["--root-owner-group", "-Zxz", `-z${parts.compression}`, "--threads-max=2"];
  await run("dpkg-deb", [...flags, "--build", root, archive], {
    env: { ...process.env, SOURCE_DATE_EPOCH: String(epochS) },
  });
  return archive;
}

async function layOut(
  root: string,
  { bundleFolder, nodeFolder, licenses, ...rest }: PackageParts,
): Promise<void> {
  const lib = join(root, "usr/lib/hexbeacon");
  const doc = join(root, "usr/share/doc", PACKAGE_NAME);
  await cp(bundleFolder, lib, { recursive: true });
  await copyInto(join(nodeFolder, "bin/node"), join(lib, "bin"), "node", 0o755);
  await copyInto(join(HERE, "debian/hexbeacon"), join(root, "usr/bin"), "hexbeacon", 0o755);
  const unit = "hexbeacon-node.service";
  await copyInto(join(HERE, unit), join(root, "usr/lib/systemd/system"), unit, 0o644);
  await copyInto(join(HERE, "node.toml"), join(root, "etc/hexbeacon"), "node.toml", 0o644);
  await copyInto(join(HERE, "debian/copyright"), doc, "copyright", 0o644);
  await copyInto(join(nodeFolder, "LICENSE"), doc, "LICENSE.node", 0o644);
  await writeFile(join(doc, "LICENSES.packages"), licenses);
  const changes = `${PACKAGE_NAME} (${rest.version}) stable; urgency=medium\n\n  * See the repository's history.\n\n -- Hexbeacon <hexbeacon@localhost>  ${toRfc2822(rest.epochS)}\n`;
  await writeFile(join(doc, "changelog.gz"), gzipSync(changes, { level: 9 }));
}

async function writeControl(root: string, { architecture, version }: PackageParts): Promise<void> {
  const folder = join(root, "DEBIAN");
  const template = await readFile(join(HERE, "debian/control"), "utf8");
  const sizeKiB = Math.ceil((await countBytes(root)) / 1_024);
  await mkdir(folder, { recursive: true });
  const control = template
    .replace("@VERSION@", version)
    .replace("@ARCHITECTURE@", architecture)
    .replace("@SIZE@", String(sizeKiB));
  await writeFile(join(folder, "control"), control);
  await writeFile(join(folder, "conffiles"), "/etc/hexbeacon/node.toml\n");
  for (const script of SCRIPTS) await copyInto(join(HERE, "debian", script), folder, script, 0o755);
}

async function copyInto(from: string, folder: string, name: string, mode: number): Promise<void> {
  await mkdir(folder, { recursive: true });
  await copyFile(from, join(folder, name));
  await chmod(join(folder, name), mode);
}

/** Folders 0755 and files 0644 or 0755, whatever the umask was, and the same time for all. */
async function setTimes(path: string, epochS: number): Promise<void> {
  const stat = await lstat(path);
  if (stat.isDirectory()) for (const name of await readdir(path)) await setTimes(join(path, name), epochS);
  await chmod(path, stat.isDirectory() || (stat.mode & 0o100) !== 0 ? 0o755 : 0o644);
  await lutimes(path, epochS, epochS);
}

async function countBytes(path: string): Promise<number> {
  const stat = await lstat(path);
  if (!stat.isDirectory()) return stat.size;
  const sizes = (await readdir(path)).map((name) => countBytes(join(path, name)));
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

function toRfc2822(epochS: number): string {
  return new Date(epochS * 1_000).toUTCString().replace("GMT", "+0000");
}
