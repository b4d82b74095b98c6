/**
 * Remembers which messages' signatures were found valid. A message comes by gossip, from its hotspot and in the batches
 * of two and more validators; its signature is worth 60 microseconds of a core once, and a hash of two after that.
 */
import { createHash } from "node:crypto";
import type { SignatureClaim } from "./signatureJob.ts";
import type { VerifierPool } from "./verifierPool.ts";

/** Some ten seconds of the most that a validator verifies: copies of a message are a few rounds apart. */
const REMEMBERED = 131_072;

const VALID = 1;
const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;

type Verifier = Pick<VerifierPool, "verify" | "canAcceptWork">;

/** The same judgement as the verifier's, mostly without its cost for what comes again. Only what is valid is remembered. */
export function rememberClaims(verifier: Verifier): Verifier {
  const valid = new Set<string>();
  return {
    canAcceptWork: () => verifier.canAcceptWork(),
    verify: async (batch) => {
      const names = batch.map(nameOf);
      const unknown = [...batch.keys()].filter((i) => names[i] === null || !valid.has(names[i]!));
      const answers = new Uint8Array(batch.length).fill(VALID);
      if (unknown.length === 0) return answers;
      const judged = await verifier.verify(unknown.map((i) => batch[i]!));
      for (const [at, i] of unknown.entries()) {
        answers[i] = judged[at]!;
        const name = names[i];
        if (judged[at] === VALID && name != null) valid.add(name);
        if (valid.size > REMEMBERED) valid.delete(valid.values().next().value!);
      }
      return answers;
    },
  };
}

/** What no other claim is called; null where a length is wrong, since parts could then be cut otherwise. */
function nameOf({ publicKey, message, signature }: SignatureClaim): string | null {
  if (publicKey.length !== KEY_BYTES || signature.length !== SIGNATURE_BYTES) return null;
  const hash = createHash("sha256").update(publicKey).update(signature);
  for (const part of message) hash.update(part);
  return hash.digest("binary");
}
