/**
 * The network's one verification rule, in plain arithmetic that also runs in a browser: Ed25519 of RFC 8032 without
 * the cofactor, S < L, and no small-order or non-canonical A or R. A signature is valid when the bytes of
 * SB - kA are the bytes of R, with k = SHA-512(R || A || message) mod L.
 *
 * The validators' bulk verification (libsodium) and the hotspots' (OpenSSL) must agree with this file on every input;
 * the conformance vectors and the fuzzed tests hold them to it. noble's own `verify` is not used: its last step
 * multiplies by the cofactor and so accepts more.
 */
import { ed25519 } from "@noble/curves/ed25519.js";
import { sha512 } from "@noble/hashes/sha2.js";
import { concatBytes, equalBytes } from "../bytes/bytes.ts";
import { checkSignatureForm } from "./signatureForm.ts";

const { Point } = ed25519;
type Point = InstanceType<typeof Point>;

/**
 * Whether the signature (64 bytes) is the key's (32 bytes) over the message. Lengths, encodings and values may be a
 * peer's: whatever they are, the answer is a boolean. About 1.5 ms.
 */
export function verifyStrict(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (checkSignatureForm(publicKey, signature) !== null) return false;
  const keyPoint = decodePoint(publicKey);
  if (keyPoint === null) return false;
  const rBytes = signature.subarray(0, 32);
  const s = readScalarLe(signature.subarray(32));
  const k = readScalarLe(sha512(concatBytes(rBytes, publicKey, message))) % Point.Fn.ORDER;
  const expected = Point.BASE.multiplyUnsafe(s).subtract(keyPoint.multiplyUnsafe(k));
  return equalBytes(expected.toBytes(), rBytes);
}

/** noble reports bytes that are no point of the curve by throwing; here that is an answer like any other. */
function decodePoint(bytes: Uint8Array): Point | null {
  try {
    return Point.fromBytes(bytes);
  } catch {
    return null;
  }
}

function readScalarLe(bytes: Uint8Array): bigint {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!);
  return value;
}
