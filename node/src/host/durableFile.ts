/**
 * Files that are whole or absent, whatever instant the power fails at: bytes are written beside, flushed, given their
 * name, and the folder that holds the name is flushed too.
 */
import { randomBytes } from "node:crypto";
import { access, copyFile, link, mkdir, open, readdir, readFile, rename, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { CodedError, systemCodeOf } from "./codedError.ts";

/** Flushes a folder's names to the disk. */
export async function syncFolder(folder: string): Promise<void> {
  // Windows opens no folders, and NTFS journals names by itself.
  if (process.platform === "win32") return;
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Creates a folder and its parents, only for its owner, and flushes its name. */
export async function makePrivateFolder(folder: string): Promise<void> {
  try {
    const first = await mkdir(folder, { recursive: true, mode: 0o700 });
    if (first !== undefined) await syncFolder(dirname(first));
  } catch (cause) {
    throw new CodedError("file_unwritable", `cannot create the folder ${folder}`, cause);
  }
}

/** Whether there is anything under a name; what may not be looked at counts as there. */
export async function isThere(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    return systemCodeOf(error) !== "ENOENT";
  }
}

/** Copies a file whose content is then on the disk; its name is when its folder is flushed. */
export async function copyFileDurably(from: string, to: string): Promise<void> {
  await copyFile(from, to);
  const handle = await open(to, "r+");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Replaces a file's content durably. @param mode permissions of the new file. */
export async function replaceFile(path: string, bytes: Uint8Array | string, mode = 0o600): Promise<void> {
  try {
    const temporary = await writeTemporary(path, bytes, mode);
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (cause) {
    throw new CodedError("file_unwritable", `cannot write ${path}`, cause);
  }
}

/**
 * Creates a file durably where none is. Two that race: one wins, and the loser gets false; a file is never overwritten
 * and never seen half written.
 */
export async function createFile(path: string, bytes: Uint8Array | string, mode = 0o600): Promise<boolean> {
  let temporary: string | null = null;
  try {
    temporary = await writeTemporary(path, bytes, mode);
    await link(temporary, path);
    await syncFolder(dirname(path));
    return true;
  } catch (cause) {
    if (systemCodeOf(cause) === "EEXIST") return false;
    throw new CodedError("file_unwritable", `cannot create ${path}`, cause);
  } finally {
    if (temporary !== null) await unlink(temporary).catch(() => undefined);
  }
}

/** A file's bytes, or null where there is none. @throws CodedError where it cannot be read. */
export async function readFileIfAny(path: string): Promise<Uint8Array | null> {
  try {
    return await readFile(path);
  } catch (cause) {
    if (systemCodeOf(cause) === "ENOENT") return null;
    throw new CodedError("file_unreadable", `cannot read ${path}`, cause);
  }
}

/**
 * Removes what writes have left in a folder that were interrupted for good, perhaps a key that was being sealed. A write
 * that is under way beside it fails and changes nothing. @returns how many files it removed.
 */
export async function removeTemporaries(folder: string): Promise<number> {
  let count = 0;
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    if (!entry.isFile() || !TEMPORARY.test(entry.name)) continue;
    // What may not be removed harms nothing but room.
    await unlink(join(folder, entry.name)).then(
      () => count++,
      () => undefined,
    );
  }
  return count;
}

/** What a file is called before it is whole: a dot, its name, 12 random digits. */
const TEMPORARY = /^\..+\.[0-9a-f]{12}\.tmp$/;

async function writeTemporary(path: string, bytes: Uint8Array | string, mode: number): Promise<string> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}.tmp`);
  const handle = await open(temporary, "wx", mode);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  } finally {
    await handle.close();
  }
  return temporary;
}
