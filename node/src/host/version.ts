/**
 * The program's version, for `--version`, the doctor and the API: the package's and, where it is known, the commit that
 * it was made of, "0.1.0+0123456789ab" (build metadata of Semantic Versioning 2.0.0, item 10).
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** An image is built without the repository: its build says the commit (`--build-arg HEXBEACON_COMMIT`). */
const COMMIT_VARIABLE = "HEXBEACON_COMMIT";
const COMMIT_CHARACTERS = 12;

/** The nearest above this file: the repository's, or the one beside a bundle. */
function findPackageFile(folder: string): string {
  const file = join(folder, "package.json");
  return existsSync(file) || folder === dirname(folder) ? file : findPackageFile(dirname(folder));
}

/** Adds a commit's first characters to a version; leaves it as it is where there is no commit, or one stands there. */
export function appendCommit(version: string, commit: string | null | undefined): string {
  const isKnown = commit != null && /^[0-9a-f]{7,64}$/.test(commit) && !version.includes("+");
  return isKnown ? `${version}+${commit.slice(0, COMMIT_CHARACTERS)}` : version;
}

/**
 * The commit at which a repository stands, read from its files: a program's start is not worth a process of git's.
 * @param folder the repository's `.git`; null where it is none, or of another layout (a linked worktree, reftable).
 */
export function readCommit(folder: string): string | null {
  const read = (file: string): string => {
    const path = join(folder, file);
    return existsSync(path) ? readFileSync(path, "utf8").trim() : "";
  };
  const head = read("HEAD");
  if (!head.startsWith("ref: ")) return head === "" ? null : head;
  const ref = head.slice("ref: ".length);
  const loose = read(ref);
  if (loose !== "") return loose;
  const packed = read("packed-refs").split("\n");
  return packed.find((line) => line.endsWith(` ${ref}`))?.split(" ")[0] ?? null;
}

const packageFile = findPackageFile(import.meta.dirname);
const { version } = JSON.parse(readFileSync(packageFile, "utf8")) as { readonly version: string };
export const VERSION = appendCommit(
  version,
  process.env[COMMIT_VARIABLE] ?? readCommit(join(dirname(packageFile), ".git")),
);
