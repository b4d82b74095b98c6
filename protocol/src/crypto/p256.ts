/**
 * P-256 (FIPS 186-5, ECDSA over SHA-256): the signature of a hotspot's secure element, which co-signs what binds the
 * device to its hotspot. Only low-S signatures count, so that one signing has one signature; chips that give either
 * half are put right by `lowerP256Signature`. Verification here takes milliseconds, which is enough for one signature;
 * a validator has OpenSSL judge, by the same rule.
 */
import { p256 } from "@noble/curves/nist.js";
import { hasP256Form, P256_SIGNATURE_BYTES } from "./p256Form.ts";

export interface P256KeyPair {
  readonly publicKey: Uint8Array;
  readonly secret: Uint8Array;
}

/**
 * The key pair of a software device key, for tests and for machines without a secure element.
 * @param secret 32 bytes, a big-endian number from 1 to the group's order less 1; anything else is a RangeError.
 */
export function createP256KeyPair(secret: Uint8Array): P256KeyPair {
  if (!p256.utils.isValidSecretKey(secret)) throw new RangeError("a P-256 secret is 32 bytes in [1, n - 1]");
  return { publicKey: p256.getPublicKey(secret, true), secret: Uint8Array.from(secret) };
}

/** Signs SHA-256 of the message, deterministically (RFC 6979), with low S: 64 bytes. */
export function signP256(secret: Uint8Array, message: Uint8Array): Uint8Array {
  return p256.sign(message, secret, { prehash: true, lowS: true, format: "compact" });
}

/**
 * Whether the signature is the key's over SHA-256 of the message, by the network's rule: `hasP256Form`, and then ECDSA as
 * FIPS 186-5, section 6.4.2, has it, in which libraries do not differ. The arguments may be a peer's: a wrong length, a
 * key that is no point, an r or s of zero or out of range, and a high s all answer false.
 */
export function verifyP256(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (!hasP256Form(publicKey, signature)) return false;
  try {
    return p256.verify(signature, message, publicKey, { prehash: true, lowS: true, format: "compact" });
  } catch {
    // noble throws at a key that is no point of the curve.
    return false;
  }
}

/**
 * The low-S form of a signature that a secure element gave: s or n - s, whichever is smaller.
 * @returns 64 bytes, or null where r or s is not a number in [1, n - 1].
 */
export function lowerP256Signature(signature: Uint8Array): Uint8Array | null {
  if (signature.length !== P256_SIGNATURE_BYTES) return null;
  try {
    const parsed = p256.Signature.fromBytes(signature, "compact");
    if (!parsed.hasHighS()) return signature.slice();
    return new p256.Signature(parsed.r, p256.Point.Fn.ORDER - parsed.s).toBytes("compact");
  } catch {
    // noble throws at numbers out of range.
    return null;
  }
}
