/**
 * Bytes under a passphrase, as a short text: scrypt makes the key, AES-256-GCM seals. Whatever opens it again stands in
 * the text, so that the cost can be raised later without losing older files. For key files and their backups.
 */
import {
  type CipherGCMTypes,
  createCipheriv,
  createDecipheriv,
  randomBytes,
  type ScryptOptions,
  scrypt,
} from "node:crypto";
import { promisify } from "node:util";
import { decodeHex, encodeHex } from "../../../protocol/src/bytes/hex.ts";

/** Why a text could not be opened. GCM cannot tell a wrong passphrase from a changed byte. */
export const UNSEAL_FAULTS = ["malformed", "wrong_passphrase"] as const;
export type UnsealFault = (typeof UNSEAL_FAULTS)[number];
export type Unsealed =
  | { readonly ok: true; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly fault: UnsealFault };

/** Shorter ones fall to a dictionary whatever scrypt costs. */
export const MIN_PASSPHRASE_CHARACTERS = 8;

/**
 * OWASP's password storage cheat sheet counts N = 2^15, r = 8, p = 3 as equal to its first choice, 2^17, 8, 1; it needs
 * 32 MiB for a moment where that needs 128, on machines that have 512.
 */
const COST = { log2N: 15, r: 8, p: 3 } as const;
/** What is accepted of a file: eight times the memory of today's cost. */
const MAX_COST = { log2N: 18, r: 8, p: 16 } as const;
const CIPHER: CipherGCMTypes = "aes-256-gcm";
const KEY_BYTES = 32;
const SALT_BYTES = 16;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

type Cost = { readonly log2N: number; readonly r: number; readonly p: number };

const runScrypt = promisify<string, Uint8Array, number, ScryptOptions, Buffer>(scrypt);

/**
 * Seals bytes.
 * @param label names the kind and version of the text; it is its first line, and is sealed with it.
 */
export async function sealText(label: string, bytes: Uint8Array, passphrase: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const nonce = randomBytes(NONCE_BYTES);
  const { log2N, r, p } = COST;
  const head = `${label}\nscrypt ${log2N} ${r} ${p} ${encodeHex(salt)}\n${CIPHER} ${encodeHex(nonce)}\n`;
  const cipher = createCipheriv(CIPHER, await deriveKey(passphrase, salt, COST), nonce);
  cipher.setAAD(Buffer.from(head));
  const sealed = Buffer.concat([cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
  return `${head}${sealed.toString("base64")}\n`;
}

/** Opens a sealed text of the given label. Never throws on what the text or the passphrase say. */
export async function unsealText(label: string, text: string, passphrase: string): Promise<Unsealed> {
  const parts =
    /^(([a-z0-9-]+)\nscrypt (\d{1,2}) (\d{1,2}) (\d{1,2}) ([0-9a-f]{32})\naes-256-gcm ([0-9a-f]{24})\n)([A-Za-z0-9+/]+=*)\n$/.exec(
      text,
    );
  if (parts === null || parts[2] !== label) return { ok: false, fault: "malformed" };
  const cost = { log2N: Number(parts[3]), r: Number(parts[4]), p: Number(parts[5]) };
  const sealed = Buffer.from(parts[8]!, "base64");
  if (!isBearable(cost) || sealed.length < TAG_BYTES) return { ok: false, fault: "malformed" };
  const key = await deriveKey(passphrase, decodeHex(parts[6]!, SALT_BYTES)!, cost);
  const decipher = createDecipheriv(CIPHER, key, decodeHex(parts[7]!, NONCE_BYTES)!);
  decipher.setAAD(Buffer.from(parts[1]!));
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
  const opened = decipher.update(sealed.subarray(0, sealed.length - TAG_BYTES));
  try {
    return { ok: true, bytes: Buffer.concat([opened, decipher.final()]) };
  } catch {
    return { ok: false, fault: "wrong_passphrase" };
  }
}

/** Whether a text begins as one sealed under this label. */
export function isSealedText(label: string, text: string): boolean {
  return text.startsWith(`${label}\n`);
}

function isBearable({ log2N, r, p }: Cost): boolean {
  const isWithin = (value: number, most: number) => value >= 1 && value <= most;
  return isWithin(log2N, MAX_COST.log2N) && isWithin(r, MAX_COST.r) && isWithin(p, MAX_COST.p);
}

async function deriveKey(passphrase: string, salt: Uint8Array, { log2N, r, p }: Cost): Promise<Uint8Array> {
  const N = 2 ** log2N;
  // One form for what looks the same, whichever keyboard typed it.
  return await runScrypt(passphrase.normalize("NFKC"), salt, KEY_BYTES, { N, r, p, maxmem: 256 * N * r });
}
