/**
 * Signatures that cost a microsecond: a keyed mix of the message's words, in 64 bytes. Whoever knows a public key could
 * make them, so they prove nothing outside of a simulation, whose adversaries sign with their own keys only.
 */
import type { VerifySignature } from "../../../protocol/src/agreement/certificates.ts";
import { type SigningDomains, signingMessage } from "../../../protocol/src/crypto/domain.ts";
import type { Signer } from "../../../validator/src/signer.ts";

/** Signs a message with the key that belongs to a public key. */
export function signCheaply(publicKey: Uint8Array, message: Uint8Array): Uint8Array {
  let a = 0x811c_9dc5;
  let b = 0x9e37_79b9;
  for (let i = 0; i < 32; i++) a = Math.imul(a ^ publicKey[i]!, 0x0100_0193);
  for (let i = 0; i < message.length; i++) {
    a = Math.imul(a ^ message[i]!, 0x0100_0193);
    b = Math.imul(b + a, 0x85eb_ca6b) ^ (b >>> 13);
  }
  const signature = new Uint8Array(64);
  const words = new DataView(signature.buffer);
  words.setUint32(0, a);
  words.setUint32(4, b);
  return signature;
}

export const verifyCheaply: VerifySignature = (publicKey, message, signature) => {
  const expected = signCheaply(publicKey, message);
  for (let i = 0; i < 64; i++) if (expected[i] !== signature[i]) return false;
  return true;
};

/** A validator's signer on a simulated network. */
export function createCheapSigner(domains: SigningDomains, publicKey: Uint8Array): Signer {
  const signMessage = (message: Uint8Array) => signCheaply(publicKey, message);
  return {
    publicKey,
    sign: (kind, body) => signMessage(signingMessage(domains, kind, body)),
    signMessage,
  };
}
