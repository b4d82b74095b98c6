/** Node's official binary for an architecture: from the installed packages, or fetched by npm where it is another's. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Architecture, NODE_PACKAGES } from "./architectures.ts";

const ROOT = join(import.meta.dirname, "../..");
const run = promisify(execFile);

/** The folder with `bin/node` and `LICENSE`. @param cache where a fetched one is kept for the next time. */
export async function findNode(architecture: Architecture, cache: string): Promise<string> {
  const name = NODE_PACKAGES[architecture];
  const manifest = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as {
    readonly optionalDependencies: Readonly<Record<string, string>>;
  };
  const version = manifest.optionalDependencies[name]!;
  const installed = join(ROOT, "node_modules", name);
  if (existsSync(join(installed, "bin/node"))) return installed;
  const folder = join(cache, `${name}-${version}`);
  if (!existsSync(join(folder, "bin/node"))) {
    await mkdir(folder, { recursive: true });
    // npm checks the registry's own sum of what it fetches, and knows which registry to ask.
    await run("npm", ["pack", "--silent", "--pack-destination", folder, `${name}@${version}`], { cwd: ROOT });
    const archive = join(folder, `${name}-${version}.tgz`);
    const members = ["package/bin/node", "package/LICENSE"];
    await run("tar", ["-xzf", archive, "-C", folder, "--strip-components=1", ...members]);
  }
  return folder;
}
