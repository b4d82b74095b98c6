/**
 * Remembers signatures that were found valid. Tips, acknowledgements and votes come once alone and again inside values
 * and certificates; a signature that was valid stays valid.
 */
import { hash } from "node:crypto";
import type { VerifySignature } from "../../../protocol/src/agreement/certificates.ts";
import { concatBytes } from "../../../protocol/src/bytes/bytes.ts";

/** Two rounds of a hundred validators: their tips, votes of three kinds, and acknowledgements of a cut. */
const REMEMBERED = 32_768;

/** The same judgement as `verify`, mostly without its cost. */
export function createRememberedVerifier(verify: VerifySignature): VerifySignature {
  const valid = new Set<string>();
  return (publicKey, message, signature) => {
    const name = hash("sha256", concatBytes(publicKey, signature, message), "base64");
    if (valid.has(name)) return true;
    if (!verify(publicKey, message, signature)) return false;
    valid.add(name);
    if (valid.size > REMEMBERED) valid.delete(valid.values().next().value!);
    return true;
  };
}
