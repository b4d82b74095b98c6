/**
 * The form an Ed25519 key and signature must have before any curve arithmetic: the half of the verification rule that
 * libraries disagree about most, so it stands here in our own integer comparisons and holds whichever library judges
 * the rest. The rule and its cases: Chalkias, Garillot, Nikolaenko, "Taming the Many EdDSAs" (SSR 2020), and
 * RFC 8032, sections 5.1.3 and 5.1.7.
 */
import { decodeHex } from "../bytes/hex.ts";
import { ED25519_PUBLIC_KEY_BYTES, ED25519_SIGNATURE_BYTES } from "./ed25519.ts";

/**
 * Why a key or signature is refused by its bytes alone. A is the public key, R and S are the signature's halves.
 * Their order is the order of the checks.
 */
export const SIGNATURE_FORM_REASONS = [
  "key_length",
  "signature_length",
  "s_not_canonical",
  "key_not_canonical",
  "key_small_order",
  "r_not_canonical",
  "r_small_order",
] as const;
export type SignatureFormReason = (typeof SIGNATURE_FORM_REASONS)[number];

const POINT_BYTES = 32;

/** The order of the base point, L = 2^252 + 27742317777372353535851937790883648493, little-endian. */
const GROUP_ORDER = decodeHex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010")!;

/**
 * The y coordinates of the eight points whose order divides the cofactor 8, little-endian with the sign bit clear:
 * order 4 (y = 0), order 1 (y = 1), order 2 (y = -1) and order 8 (two values of y, each with two signs of x).
 */
const SMALL_ORDER_YS = [
  decodeHex("0000000000000000000000000000000000000000000000000000000000000000")!,
  decodeHex("0100000000000000000000000000000000000000000000000000000000000000")!,
  decodeHex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")!,
  decodeHex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")!,
  decodeHex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a")!,
] as const;

/** Those of `SMALL_ORDER_YS` where x = 0, which has no second sign: a set sign bit is not canonical there. */
const ZERO_X_YS = [SMALL_ORDER_YS[1], SMALL_ORDER_YS[2]] as const;

/**
 * Checks lengths, S < L, and that A and R are canonical encodings and not of small order. Whether they are points of
 * the curve at all is left to the arithmetic.
 * @returns the first reason that applies, or null for a signature worth verifying.
 */
export function checkSignatureForm(publicKey: Uint8Array, signature: Uint8Array): SignatureFormReason | null {
  if (publicKey.length !== ED25519_PUBLIC_KEY_BYTES) return "key_length";
  if (signature.length !== ED25519_SIGNATURE_BYTES) return "signature_length";
  if (!isBelowGroupOrder(signature, POINT_BYTES)) return "s_not_canonical";
  if (!isCanonicalPoint(publicKey, 0)) return "key_not_canonical";
  if (hasSmallOrder(publicKey, 0)) return "key_small_order";
  if (!isCanonicalPoint(signature, 0)) return "r_not_canonical";
  if (hasSmallOrder(signature, 0)) return "r_small_order";
  return null;
}

/** S < L: without it (R, S + L) is a second valid signature of the same message. */
function isBelowGroupOrder(bytes: Uint8Array, offset: number): boolean {
  for (let i = POINT_BYTES - 1; i >= 0; i--) {
    const difference = bytes[offset + i]! - GROUP_ORDER[i]!;
    if (difference !== 0) return difference < 0;
  }
  return false;
}

/** y < p = 2^255 - 19, and no set sign bit where x = 0. */
function isCanonicalPoint(bytes: Uint8Array, offset: number): boolean {
  if (isAtLeastFieldPrime(bytes, offset)) return false;
  const isNegative = (bytes[offset + POINT_BYTES - 1]! & 0x80) !== 0;
  return !(isNegative && ZERO_X_YS.some((y) => hasY(bytes, offset, y)));
}

/** p is 0xed, thirty bytes 0xff, 0x7f: so y >= p only where all but the lowest byte are full. */
function isAtLeastFieldPrime(bytes: Uint8Array, offset: number): boolean {
  if ((bytes[offset + POINT_BYTES - 1]! & 0x7f) !== 0x7f) return false;
  for (let i = POINT_BYTES - 2; i > 0; i--) if (bytes[offset + i] !== 0xff) return false;
  return bytes[offset]! >= 0xed;
}

function hasSmallOrder(bytes: Uint8Array, offset: number): boolean {
  return SMALL_ORDER_YS.some((y) => hasY(bytes, offset, y));
}

/** Whether the encoded y, its sign bit masked, is the given one; honest points part at the first byte or two. */
function hasY(bytes: Uint8Array, offset: number, y: Uint8Array): boolean {
  for (let i = 0; i < POINT_BYTES - 1; i++) if (bytes[offset + i] !== y[i]) return false;
  return (bytes[offset + POINT_BYTES - 1]! & 0x7f) === y[POINT_BYTES - 1];
}
