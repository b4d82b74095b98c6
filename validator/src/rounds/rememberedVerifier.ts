/**
 * Remembers signatures that were found valid. Tips, acknowledgements and votes come once alone and again inside values
 * and certificates.
 */
import type { VerifySignature } from "../../../protocol/src/agreement/certificates.ts";
import { ValidSignatures } from "../verify/validSignatures.ts";

/** Two rounds of a hundred validators: their tips, votes of three kinds, and acknowledgements of a cut. */
const REMEMBERED = 32_768;

/** The same judgement as `verify`, mostly without its cost. */
export function createRememberedVerifier(verify: VerifySignature): VerifySignature {
  const valid = new ValidSignatures(REMEMBERED);
  return (publicKey, message, signature) => {
    const name = valid.nameOf(publicKey, signature, [message]);
    if (valid.has(name)) return true;
    if (!verify(publicKey, message, signature)) return false;
    valid.add(name);
    return true;
  };
}
