/**
 * The file keystore: one Ed25519 seed in a file that only its owner can read, under a passphrase where one is wanted. It
 * is created whole or not at all, never overwritten, and refused where others could have read or planted it. Nothing
 * here logs, or puts key material into an error.
 */
import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, link, open, rename, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { decodeHex, encodeHex } from "../../../protocol/src/bytes/hex.ts";
import {
  createKeyPair,
  ED25519_SEED_BYTES,
  type Ed25519KeyPair,
} from "../../../protocol/src/crypto/ed25519.ts";
import { CodedError, systemCodeOf } from "./codedError.ts";
import { createFile, replaceFile, syncFolder } from "./durableFile.ts";
import { isSealedText, sealText, unsealText } from "./sealedText.ts";

/** First line of a key file: its kind and version. The second is the seed in hexadecimal. */
const HEADER = "hexbeacon-ed25519-seed-1";
/** First line of a key file whose seed is sealed under a passphrase. */
const SEALED_LABEL = "hexbeacon-ed25519-seed-2";
const MAX_KEY_FILE_BYTES = 512;
const OTHERS_MASK = 0o077;

export type KeyFileOptions = {
  /** Seals the seed; absent for a file that needs none. */
  readonly passphrase?: string;
  /** Source of seed bytes, for tests; the system's by default. */
  readonly random?: (length: number) => Uint8Array;
};

/** Says a key file's passphrase; asked only where the file has one. */
export type AskPassphrase = () => Promise<string>;

/**
 * Creates a new key file. Of several at once one wins; the others get "key_exists".
 * @throws CodedError "key_exists", "file_unwritable".
 */
export async function createKeyFile(path: string, options: KeyFileOptions = {}): Promise<Ed25519KeyPair> {
  const random = options.random ?? randomBytes;
  const keyPair = createKeyPair(Uint8Array.from(random(ED25519_SEED_BYTES)));
  await writeKeyFile(path, keyPair.secretSeed, options.passphrase ?? null);
  return keyPair;
}

/**
 * Writes a given seed (32 bytes) as a new key file, as when a backup is restored. Throws as `createKeyFile` does.
 * @param passphrase seals it; null for none.
 */
export async function writeKeyFile(
  path: string,
  secretSeed: Uint8Array,
  passphrase: string | null = null,
): Promise<void> {
  const created = await createFile(path, await encodeKeyFile(secretSeed, passphrase), 0o600);
  if (!created) throw new CodedError("key_exists", `${path} exists: a key is never overwritten`);
}

/**
 * Writes the same seed under another passphrase, or under none: the file is the old one or the new one at any instant.
 * @param secretSeed what `openKeyFile` gave of this file.
 * @throws CodedError "file_unwritable".
 */
export async function resealKeyFile(
  path: string,
  secretSeed: Uint8Array,
  passphrase: string | null,
): Promise<void> {
  await replaceFile(path, await encodeKeyFile(secretSeed, passphrase), 0o600);
}

/**
 * Puts the next key file in the place of a key file, which is kept beside under another name. There is a key file, the old
 * one or the next, at any instant.
 * @throws CodedError "file_unwritable".
 */
export async function succeedKeyFile(path: string, next: string, former: string): Promise<void> {
  try {
    await unlink(former).catch(() => undefined);
    await link(path, former);
    await rename(next, path);
    await syncFolder(dirname(path));
  } catch (cause) {
    throw new CodedError("file_unwritable", `cannot put ${next} in the place of ${path}`, cause);
  }
}

async function encodeKeyFile(secretSeed: Uint8Array, passphrase: string | null): Promise<string> {
  if (passphrase !== null) return await sealText(SEALED_LABEL, secretSeed, passphrase);
  return `${HEADER}\n${encodeHex(secretSeed)}\n`;
}

/**
 * Opens a key file.
 * @param askPassphrase absent where nobody can be asked.
 * @throws CodedError "key_missing", "key_not_private" (others may read or write it, or it is no regular file),
 *   "key_foreign_owner", "key_malformed", "passphrase_missing", "passphrase_wrong", "file_unreadable".
 */
export async function openKeyFile(path: string, askPassphrase?: AskPassphrase): Promise<Ed25519KeyPair> {
  const text = await readKeyFile(path);
  const seed = isSealedText(SEALED_LABEL, text)
    ? await unsealSeed(path, text, askPassphrase)
    : parseKeyFile(text);
  if (seed === null) throw new CodedError("key_malformed", `${path} is no key file`);
  return createKeyPair(seed);
}

/** Whether a key file asks for a passphrase. Throws as `openKeyFile` does where it cannot be read. */
export async function isKeySealed(path: string): Promise<boolean> {
  return isSealedText(SEALED_LABEL, await readKeyFile(path));
}

async function unsealSeed(
  path: string,
  text: string,
  askPassphrase: AskPassphrase | undefined,
): Promise<Uint8Array | null> {
  if (askPassphrase === undefined) {
    throw new CodedError("passphrase_missing", `${path} is under a passphrase, and none can be asked for`);
  }
  const unsealed = await unsealText(SEALED_LABEL, text, await askPassphrase());
  if (unsealed.ok) return unsealed.bytes.length === ED25519_SEED_BYTES ? unsealed.bytes : null;
  if (unsealed.fault === "malformed") return null;
  throw new CodedError("passphrase_wrong", `the passphrase does not open ${path}, or the file is damaged`);
}

/** The file's text, if it is this user's alone. */
async function readKeyFile(path: string): Promise<string> {
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
    return buffer.subarray(0, bytesRead).toString("latin1");
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
