/**
 * Ed25519 keys and signatures (RFC 8032, section 5.1): how hotspots, validators and accounts are named and how they
 * sign. Judging a signature is `verifyStrict.ts`.
 */
import { ed25519 } from "@noble/curves/ed25519.js";

export const ED25519_SEED_BYTES = 32;
export const ED25519_PUBLIC_KEY_BYTES = 32;
export const ED25519_SIGNATURE_BYTES = 64;

/** `secretSeed` is RFC 8032's private key, the 32 random bytes all else follows from; it never leaves its keystore. */
export interface Ed25519KeyPair {
  readonly publicKey: Uint8Array;
  readonly secretSeed: Uint8Array;
}

/**
 * The key pair of a seed. Randomness is the caller's: the protocol draws none.
 * @param secretSeed 32 bytes, copied; any other length is a RangeError.
 */
export function createKeyPair(secretSeed: Uint8Array): Ed25519KeyPair {
  assertSeed(secretSeed);
  return { publicKey: ed25519.getPublicKey(secretSeed), secretSeed: Uint8Array.from(secretSeed) };
}

/**
 * Signs the message itself (pure Ed25519, no prehash). The same seed and message give the same 64 bytes everywhere.
 * @param secretSeed 32 bytes; any other length is a RangeError.
 */
export function sign(secretSeed: Uint8Array, message: Uint8Array): Uint8Array {
  assertSeed(secretSeed);
  return ed25519.sign(message, secretSeed);
}

function assertSeed(secretSeed: Uint8Array): void {
  if (secretSeed.length !== ED25519_SEED_BYTES) {
    throw new RangeError(`an Ed25519 seed has ${ED25519_SEED_BYTES} bytes, not ${secretSeed.length}`);
  }
}
