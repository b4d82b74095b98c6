/**
 * One signature at a time, by Node's own OpenSSL: what a hotspot uses, and the validator wherever signatures do not
 * come by the thousand. The rule is the network's (`protocol/src/crypto/verifyStrict.ts`); nothing is cached.
 */
import { verify } from "node:crypto";
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
