/** SHA-256, the one hash of the protocol (FIPS 180-4). */
import { sha256 as nobleSha256 } from "@noble/hashes/sha2.js";
import { asciiBytes, concatBytes } from "../bytes/bytes.ts";

/** SHA-256 of the concatenation of the parts: 32 bytes. */
export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  return nobleSha256(parts.length === 1 ? parts[0]! : concatBytes(...parts));
}

/** The bytes of each label, encoded once: labels are literals of this code, a dozen, and never what a peer sent. */
const prefixes = new Map<string, Uint8Array>();

/**
 * A hash under a label, `H(label, ...)` in the protocol's text: SHA-256 over `hexbeacon/`, the label, a zero byte and
 * the parts. Callers pass parts of fixed lengths, so that no two different lists have the same bytes.
 */
export function hashLabelled(label: string, ...parts: readonly Uint8Array[]): Uint8Array {
  let prefix = prefixes.get(label);
  if (prefix === undefined) {
    prefix = asciiBytes(`hexbeacon/${label}\0`);
    prefixes.set(label, prefix);
  }
  return sha256(prefix, ...parts);
}
