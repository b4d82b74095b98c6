/**
 * A hotspot's backup: all that makes a home that hotspot and no other, in one file under a passphrase. Not the spool:
 * its reports are worth nothing by the time that a backup is needed.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { decodeHex, encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { createKeyPair, ED25519_SEED_BYTES } from "../../../protocol/src/crypto/ed25519.ts";
import { CodedError, systemCodeOf } from "../host/codedError.ts";
import { createFile, makePrivateFolder, readFileIfAny } from "../host/durableFile.ts";
import { type AskPassphrase, isKeySealed, openKeyFile, writeKeyFile } from "../host/keystore.ts";
import { sealText, unsealText } from "../host/sealedText.ts";
import { BEACON_STATE_FILE } from "../hotspot/beaconState.ts";
import { FIRST_CHALLENGE_FILE } from "../hotspot/firstChallenge.ts";
import { VALIDATORS_FILE } from "../hotspot/knownSets.ts";
import { CONFIG_FILE, decodeConfigToml, GENESIS_FILE, KEY_FILE } from "./config.ts";

const LABEL = "hexbeacon-backup-1";
/** What a backup holds beside the key, where the home has it. */
const FILES = [CONFIG_FILE, BEACON_STATE_FILE, FIRST_CHALLENGE_FILE, VALIDATORS_FILE, GENESIS_FILE] as const;
/** A genesis file with 100,000 hotspots is some 20 MB; a backup is meant to be carried about. */
const MAX_BACKUP_BYTES = 64 * 1_048_576;

export type Backup = {
  readonly secretSeed: Uint8Array;
  /** Whether the key file had a passphrase; a restored one then has the backup's. */
  readonly keySealed: boolean;
  readonly files: Readonly<Partial<Record<(typeof FILES)[number], string>>>;
};

/**
 * Reads a home, running or not: its files are replaced whole.
 * @throws CodedError as `openKeyFile`, "config_invalid" where there is no configuration.
 */
export async function readBackup(home: string, askPassphrase: AskPassphrase): Promise<Backup> {
  const keyFile = join(home, KEY_FILE);
  const keySealed = await isKeySealed(keyFile);
  const { secretSeed } = await openKeyFile(keyFile, askPassphrase);
  const files: Partial<Record<(typeof FILES)[number], string>> = {};
  for (const name of FILES) {
    const bytes = await readFileIfAny(join(home, name));
    if (bytes !== null) files[name] = Buffer.from(bytes).toString("utf8");
  }
  if (files[CONFIG_FILE] === undefined) {
    throw new CodedError("config_invalid", `there is no ${join(home, CONFIG_FILE)}: run init first`);
  }
  return { secretSeed, keySealed, files };
}

/** Writes a backup's file. @throws CodedError "file_exists", "file_unwritable". */
export async function writeBackup(path: string, backup: Backup, passphrase: string): Promise<void> {
  const json = { seed: encodeHex(backup.secretSeed), keySealed: backup.keySealed, files: backup.files };
  const text = await sealText(LABEL, Buffer.from(JSON.stringify(json)), passphrase);
  if (!(await createFile(path, text, 0o600))) {
    throw new CodedError("file_exists", `${path} exists: a backup overwrites nothing`);
  }
}

/** Opens a backup's file. @throws CodedError "file_unreadable", "backup_malformed", "passphrase_wrong". */
export async function openBackup(path: string, askPassphrase: AskPassphrase): Promise<Backup> {
  const malformed = () => new CodedError("backup_malformed", `${path} is no backup of a hotspot`);
  const bytes = await readFile(path).catch((cause: unknown) => {
    const why = systemCodeOf(cause) === "ENOENT" ? "there is no file" : "cannot read";
    throw new CodedError("file_unreadable", `${why} ${path}`, cause);
  });
  const text = bytes.length > MAX_BACKUP_BYTES ? "" : bytes.toString("latin1");
  // Before anybody is asked for a passphrase that could not help.
  if (!text.startsWith(`${LABEL}\n`)) throw malformed();
  const unsealed = await unsealText(LABEL, text, await askPassphrase());
  if (!unsealed.ok && unsealed.fault === "wrong_passphrase") {
    throw new CodedError("passphrase_wrong", `the passphrase does not open ${path}, or the file is damaged`);
  }
  const backup = unsealed.ok ? parseBackup(Buffer.from(unsealed.bytes).toString("utf8")) : null;
  if (backup === null) throw malformed();
  return backup;
}

/**
 * Makes a home of a backup. Nothing is overwritten: files that are there must be the same already, as after a restore
 * that was interrupted. The key comes last, so a home with a key is a whole one.
 * @param passphrase the backup's, which seals the key again where it was sealed.
 * @returns the hotspot's public key.
 * @throws CodedError "file_exists", "key_exists", "file_unwritable".
 */
export async function restoreHome(home: string, backup: Backup, passphrase: string): Promise<Uint8Array> {
  if ((await readFileIfAny(join(home, KEY_FILE))) !== null) {
    throw new CodedError("key_exists", `${join(home, KEY_FILE)} exists: a key is never overwritten`);
  }
  const missing: string[] = [];
  for (const name of FILES) {
    const present = await readFileIfAny(join(home, name));
    if (present === null) missing.push(name);
    else if (Buffer.from(present).toString("utf8") !== backup.files[name]) {
      throw new CodedError(
        "file_exists",
        `${join(home, name)} exists and differs: restore into a new folder`,
      );
    }
  }
  await makePrivateFolder(home);
  for (const name of FILES) {
    const text = backup.files[name];
    if (text !== undefined && missing.includes(name)) await createFile(join(home, name), text);
  }
  await writeKeyFile(join(home, KEY_FILE), backup.secretSeed, backup.keySealed ? passphrase : null);
  return createKeyPair(backup.secretSeed).publicKey;
}

function parseBackup(text: string): Backup | null {
  // It was sealed by who knew the passphrase, so what could be wrong is only its version.
  let json: { seed?: unknown; keySealed?: unknown; files?: Record<string, unknown> };
  try {
    json = JSON.parse(text) as typeof json;
  } catch {
    return null;
  }
  const secretSeed = typeof json.seed === "string" ? decodeHex(json.seed, ED25519_SEED_BYTES) : null;
  const config = json.files?.[CONFIG_FILE];
  if (secretSeed === null || typeof config !== "string" || !decodeConfigToml(config).ok) return null;
  const files: Partial<Record<(typeof FILES)[number], string>> = {};
  for (const name of FILES) {
    const content = json.files?.[name];
    if (typeof content === "string") files[name] = content;
  }
  return { secretSeed, keySealed: json.keySealed === true, files };
}
