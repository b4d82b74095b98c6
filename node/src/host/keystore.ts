/**
 * The file keystore: one Ed25519 seed in a file that only its owner can read. It is created whole or not at all, never
 * overwritten, and refused where others could have read or planted it. Nothing here logs, or puts key material into an
 * error.
 */
import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { decodeHex, encodeHex } from "../../../protocol/src/bytes/hex.ts";
import {
  createKeyPair,
  ED25519_SEED_BYTES,
  type Ed25519KeyPair,
} from "../../../protocol/src/crypto/ed25519.ts";
import { CodedError, systemCodeOf } from "./codedError.ts";
import { createFile } from "./durableFile.ts";

/** First line of a key file: its kind and version. The second is the seed in hexadecimal. */
const HEADER = "hexbeacon-ed25519-seed-1";
const MAX_KEY_FILE_BYTES = 256;
const OTHERS_MASK = 0o077;

/**
 * Creates a new key file. Of several at once one wins; the others get "key_exists".
 * @param random source of seed bytes, for tests; the system's by default.
 * @throws CodedError "key_exists", "file_unwritable".
 */
export async function createKeyFile(
  path: string,
  random: (length: number) => Uint8Array = randomBytes,
): Promise<Ed25519KeyPair> {
  const keyPair = createKeyPair(Uint8Array.from(random(ED25519_SEED_BYTES)));
  await writeKeyFile(path, keyPair.secretSeed);
  return keyPair;
}

/** Writes a given seed (32 bytes) as a new key file, as when a backup is restored. Throws as `createKeyFile` does. */
export async function writeKeyFile(path: string, secretSeed: Uint8Array): Promise<void> {
  const created = await createFile(path, `${HEADER}\n${encodeHex(secretSeed)}\n`, 0o600);
  if (!created) throw new CodedError("key_exists", `${path} exists: a key is never overwritten`);
}

/**
 * Opens a key file.
 * @throws CodedError "key_missing", "key_not_private" (others may read or write it, or it is no regular file),
 *   "key_foreign_owner", "key_malformed", "file_unreadable".
 */
export async function openKeyFile(path: string): Promise<Ed25519KeyPair> {
  let handle: FileHandle;
  try {
    // Not through a symbolic link: its target's permissions would be checked, not who may turn the link elsewhere.
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (cause) {
    const code = systemCodeOf(cause);
    if (code === "ENOENT") throw new CodedError("key_missing", `there is no key file at ${path}`, cause);
    if (code === "ELOOP") throw new CodedError("key_not_private", `${path} is a symbolic link`, cause);
    throw new CodedError("file_unreadable", `cannot read ${path}`, cause);
  }
  try {
    await checkPrivate(handle, path);
    const buffer = Buffer.alloc(MAX_KEY_FILE_BYTES);
    const { bytesRead } = await handle.read(buffer, 0, MAX_KEY_FILE_BYTES, 0);
    const seed = parseKeyFile(buffer.subarray(0, bytesRead).toString("latin1"));
    buffer.fill(0);
    if (seed === null) throw new CodedError("key_malformed", `${path} is no key file`);
    return createKeyPair(seed);
  } finally {
    await handle.close();
  }
}

/** Checks the opened file itself, so that nobody can exchange it between check and use. */
async function checkPrivate(handle: FileHandle, path: string): Promise<void> {
  const stat = await handle.stat();
  if (!stat.isFile()) throw new CodedError("key_not_private", `${path} is no regular file`);
  const user = process.getuid?.();
  if (user === undefined) return; // Windows: permissions are access lists, which mode bits do not show.
  if (stat.uid !== user) throw new CodedError("key_foreign_owner", `${path} belongs to another user`);
  if ((stat.mode & OTHERS_MASK) !== 0) {
    throw new CodedError("key_not_private", `others may use ${path}: run chmod 600 on it`);
  }
}

function parseKeyFile(text: string): Uint8Array | null {
  const match = /^hexbeacon-ed25519-seed-1\n([0-9a-f]{64})\n$/.exec(text);
  return match === null ? null : decodeHex(match[1]!, ED25519_SEED_BYTES);
}
