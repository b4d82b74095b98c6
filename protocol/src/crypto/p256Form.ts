/**
 * The form that a device key and its signature must have before any curve arithmetic: the part of the rule for P-256 in
 * which libraries differ, in comparisons of bytes of our own, so that it holds whichever library judges the rest.
 */
import { compareBytes } from "../bytes/bytes.ts";
import { decodeHex } from "../bytes/hex.ts";

/** A compressed point (SEC 1, section 2.3.3): 0x02 or 0x03, then x. */
export const P256_PUBLIC_KEY_BYTES = 33;
/** r, then s, 32 bytes each, big-endian. */
export const P256_SIGNATURE_BYTES = 64;

/** Half of the group's order, rounded down, big-endian: FIPS 186-5's n is odd, so s or n - s is at most this. */
const HALF_ORDER = decodeHex("7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8")!;
/** The group's order n and the field's prime p (SP 800-186, section 3.2.1.3), big-endian. */
const ORDER = decodeHex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551")!;
const FIELD_PRIME = decodeHex("ffffffff00000001000000000000000000000000ffffffffffffffffffffffff")!;
const WORD_BYTES = 32;

/**
 * Whether key and signature have the form that the rule asks for, before any curve arithmetic: lengths, a key that
 * begins with 2 or 3 and whose x is below p, r from 1 to n - 1, s from 1 to half of n. That x is one of a point is
 * left to the arithmetic.
 */
export function hasP256Form(publicKey: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== P256_PUBLIC_KEY_BYTES || signature.length !== P256_SIGNATURE_BYTES) return false;
  if (publicKey[0] !== 2 && publicKey[0] !== 3) return false;
  const [r, s] = [signature.subarray(0, WORD_BYTES), signature.subarray(WORD_BYTES)];
  const isNumber = (word: Uint8Array) => word.some((byte) => byte !== 0);
  return (
    compareBytes(publicKey.subarray(1), FIELD_PRIME) < 0 &&
    isNumber(r) &&
    compareBytes(r, ORDER) < 0 &&
    isNumber(s) &&
    compareBytes(s, HALF_ORDER) <= 0
  );
}
