/**
 * One signature at a time, by Node's own OpenSSL: what a hotspot uses, and the validator wherever signatures do not
 * come by the thousand. The rule is the network's (`protocol/src/crypto/verifyStrict.ts`); nothing is cached.
 */
import { createPublicKey, verify } from "node:crypto";
import { hasP256Form } from "../../../protocol/src/crypto/p256Form.ts";
import { checkSignatureForm } from "../../../protocol/src/crypto/signatureForm.ts";

/** The DER head of a SubjectPublicKeyInfo for Ed25519 (RFC 8410, section 4); the key's 32 bytes follow. */
const SPKI_HEAD = Uint8Array.of(0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00);

/**
 * Whether the signature (64 bytes) is the key's (32 bytes) over the message. Every argument may be a peer's, of any
 * length. The form is checked here first: OpenSSL 3.0.19, in Node 20, takes 167 signatures of the torsion vectors that
 * the rule refuses, all with a small-order key or R; 3.5.8, in Node 24, takes none of them.
 */
export function verifySignature(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (checkSignatureForm(publicKey, signature) !== null) return false;
  const key = Buffer.concat([SPKI_HEAD, publicKey]);
  return verify(null, message, { key, format: "der", type: "spki" }, signature);
}

/** The same for P-256 with a compressed point (RFC 5480, section 2.1.1; SEC 1, section 2.3.3); its 33 bytes follow. */
const P256_SPKI_HEAD = Buffer.from("3039301306072a8648ce3d020106082a8648ce3d030107032200", "hex");

/**
 * Whether the signature (64 bytes: r, s) is a device key's (33 bytes) over SHA-256 of the message, by the network's rule
 * (`protocol/src/crypto/p256.ts`). Every argument may be a peer's, of any length.
 */
export function verifyDeviceSignature(
  deviceKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (!hasP256Form(deviceKey, signature)) return false;
  try {
    const spki = Buffer.concat([P256_SPKI_HEAD, deviceKey]);
    const key = createPublicKey({ key: spki, format: "der", type: "spki" });
    return verify("sha256", message, { key, dsaEncoding: "ieee-p1363" }, signature);
  } catch {
    // OpenSSL throws at an x that is of no point of the curve.
    return false;
  }
}
