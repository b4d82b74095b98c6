/**
 * Bodies of batches as files named by their digest. A body is on the disk, and its name in the directory, before
 * `putBatch` returns, because a receipt or an acknowledgement follows it; what is read back is hashed first, because a
 * disk may give anything.
 */
import { createHash } from "node:crypto";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { CodedError, isCodedError } from "../../../node/src/host/codedError.ts";
import { makePrivateFolder, readFileIfAny, replaceFile } from "../../../node/src/host/durableFile.ts";
import { equalBytes } from "../../../protocol/src/bytes/bytes.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";

export type BatchStore = {
  /** Makes a body durable; does nothing where it is there whole. `digest` is its SHA-256, a bug otherwise. */
  readonly putBatch: (digest: Uint8Array, bytes: Uint8Array) => Promise<void>;
  /** The body, or null where it is not there. Throws `file_corrupt` where the file's content has another digest. */
  readonly getBatch: (digest: Uint8Array) => Promise<Uint8Array | null>;
  /** Deletes bodies that `Store.prune` has given up; unknown ones are no error. */
  readonly deleteBatches: (digests: readonly Uint8Array[]) => Promise<void>;
};

/** Two hexadecimal digits a folder: 256 folders, so that none of them grows to millions of names. */
const FOLDER_PATTERN = /^[0-9a-f]{2}$/;
const NAME_PATTERN = /^[0-9a-f]{64}$/;
const BODY_PATH_PATTERN = /^([0-9a-f]{2})\/\1[0-9a-f]{62}$/;

/** Whether a path inside the folder is a body's. One that is being written has another name until it is whole. */
export const isBodyPath = (path: string): boolean => BODY_PATH_PATTERN.test(path);

/** Node's own SHA-256, ten times as fast as the protocol's portable one on bodies of this size. */
const hashBody = (bytes: Uint8Array): Uint8Array => createHash("sha256").update(bytes).digest();

/** Reads bodies and touches nothing: for a process beside the one that writes. */
export function openBatchReader(directory: string): Pick<BatchStore, "getBatch"> {
  return {
    getBatch: async (digest) => {
      const name = encodeHex(digest);
      const bytes = await readFileIfAny(join(directory, name.slice(0, 2), name));
      if (bytes === null || equalBytes(hashBody(bytes), digest)) return bytes;
      throw new CodedError("file_corrupt", `the batch ${name} is damaged on the disk`);
    },
  };
}

/** Opens the folder, made where there is none, and clears away what a crash has left unfinished. */
export async function openBatchStore(directory: string): Promise<BatchStore> {
  await makePrivateFolder(directory);
  const folders = await clearUnfinished(directory);
  const writing = new Map<string, Promise<void>>();
  const folderOf = (name: string) => join(directory, name.slice(0, 2));
  const { getBatch } = openBatchReader(directory);

  /** A damaged file counts as absent: a good body that is offered again replaces it. */
  async function isWhole(digest: Uint8Array): Promise<boolean> {
    try {
      return (await getBatch(digest)) !== null;
    } catch (error) {
      if (isCodedError(error, "file_corrupt")) return false;
      throw error;
    }
  }

  async function write(digest: Uint8Array, name: string, bytes: Uint8Array): Promise<void> {
    const folder = folderOf(name);
    if (!folders.has(folder)) {
      await makePrivateFolder(folder);
      folders.add(folder);
    } else if (await isWhole(digest)) return;
    await replaceFile(join(folder, name), bytes);
  }

  return {
    getBatch,
    putBatch: async (digest, bytes) => {
      if (!equalBytes(hashBody(bytes), digest)) throw new Error("a batch was offered under another digest");
      const name = encodeHex(digest);
      // A body seen in the directory may not be durable yet, so whoever offers it meanwhile waits for its writer.
      const same = writing.get(name);
      if (same !== undefined) return same;
      const written = write(digest, name, bytes).finally(() => writing.delete(name));
      writing.set(name, written);
      return written;
    },
    deleteBatches: async (digests) => {
      for (const digest of digests) {
        const name = encodeHex(digest);
        await rm(join(folderOf(name), name), { force: true });
      }
    },
  };
}

/** Removes files that are no bodies; returns the folders there are. */
async function clearUnfinished(directory: string): Promise<Set<string>> {
  const folders = new Set<string>();
  for (const folder of await readdir(directory)) {
    if (!FOLDER_PATTERN.test(folder)) continue;
    folders.add(join(directory, folder));
    for (const name of await readdir(join(directory, folder))) {
      if (!NAME_PATTERN.test(name)) await rm(join(directory, folder, name), { force: true });
    }
  }
  return folders;
}
