/**
 * A backup as a folder: a copy of each file, `manifest.json`, and `SHA256SUMS` over all of them in the form of the command
 * sha256sum, so that anybody can check it without this program. The manifest is written last but one and counts the files,
 * so that one taken away together with its sum is missed too.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { CodedError, systemCodeOf } from "../../../node/src/host/codedError.ts";
import { readFileIfAny } from "../../../node/src/host/durableFile.ts";

export const BACKUP_FORMAT = "hexbeacon-validator-backup-1";
export const MANIFEST_FILE = "manifest.json";
export const SUMS_FILE = "SHA256SUMS";

export type BackupManifest = {
  readonly format: typeof BACKUP_FORMAT;
  /** In hexadecimal. */
  readonly networkId: string;
  /** The did:key of the validator whose votes these are. */
  readonly validator: string;
  /** The newest executed round; null before the first. */
  readonly round: number | null;
  readonly time: string;
  readonly version: string;
  /** Without the manifest and the sums. */
  readonly files: number;
  readonly bytes: number;
};
/** A file of a backup: its path inside, and its SHA-256 in hexadecimal. */
export type BackupSum = { readonly path: string; readonly sha256: string };
/** A backup that was whole when it was opened: where it lies, and its files without the manifest and the sums. */
export type OpenedArchive = {
  readonly folder: string;
  readonly manifest: BackupManifest;
  readonly paths: readonly string[];
};

const SUM_PATTERN = /^([0-9a-f]{64}) {2}([a-z0-9][a-zA-Z0-9./-]*)$/;

/** A file's SHA-256 in hexadecimal, and its length; read in pieces. */
export async function hashFile(
  path: string,
  signal?: AbortSignal,
): Promise<{ readonly sha256: string; readonly bytes: number }> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    signal?.throwIfAborted();
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { sha256: hash.digest("hex"), bytes };
}

export const encodeSums = (sums: readonly BackupSum[]): string =>
  sums.map(({ path, sha256 }) => `${sha256}  ${path}\n`).join("");

/**
 * Opens a backup and checks every byte of it.
 * @throws CodedError "backup_malformed" with what is wrong, in words: nothing of a damaged backup is worth having, since
 *   what a validator signs rests on it.
 */
export async function openArchive(folder: string): Promise<OpenedArchive> {
  const refuse = (why: string) =>
    new CodedError("backup_malformed", `${folder}: ${why}; restore another backup`);
  const text = await readFileIfAny(join(folder, SUMS_FILE));
  if (text === null) throw refuse(`there is no ${SUMS_FILE}: it is no backup, or was never finished`);
  const sums = readSums(Buffer.from(text).toString("utf8"));
  if (sums === null) throw refuse(`${SUMS_FILE} is damaged`);
  let bytes = 0;
  for (const { path, sha256 } of sums) {
    const found = await hashFile(join(folder, path)).catch((error: unknown) => {
      throw refuse(systemCodeOf(error) === "ENOENT" ? `${path} is missing` : `${path} cannot be read`);
    });
    if (found.sha256 !== sha256) throw refuse(`${path} is damaged`);
    if (path !== MANIFEST_FILE) bytes += found.bytes;
  }
  const paths = sums.map(({ path }) => path).filter((path) => path !== MANIFEST_FILE);
  if (paths.length === sums.length) throw refuse(`${MANIFEST_FILE} is missing`);
  const manifest = readManifest((await readFileIfAny(join(folder, MANIFEST_FILE)))!);
  if (manifest === null) throw refuse(`${MANIFEST_FILE} is of another version of this program`);
  if (manifest.files !== paths.length || manifest.bytes !== bytes)
    throw refuse(`it has ${paths.length} files of ${manifest.files}`);
  return { folder, manifest, paths };
}

/** Each path is one that a backup has: relative, inside, and named once. */
function readSums(text: string): BackupSum[] | null {
  const sums = text
    .split("\n")
    .slice(0, -1)
    .map((line) => SUM_PATTERN.exec(line))
    .map((match) =>
      match === null || match[2]!.includes("..") ? null : { sha256: match[1]!, path: match[2]! },
    );
  if (!text.endsWith("\n") || !sums.every((sum) => sum !== null)) return null;
  return new Set(sums.map(({ path }) => path)).size === sums.length ? sums : null;
}

function readManifest(bytes: Uint8Array): BackupManifest | null {
  const manifest = JSON.parse(Buffer.from(bytes).toString("utf8")) as BackupManifest;
  return manifest.format === BACKUP_FORMAT ? manifest : null;
}

/** Files below a folder, as paths relative to it, in order; none where there is no folder. */
export async function listFiles(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1))
      .sort();
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return [];
    throw error;
  }
}
