/**
 * Remembers which messages' signatures were found valid. A message comes by gossip, from its hotspot and in the batches
 * of two and more validators; its signature is worth 60 microseconds of a core once, and a hash of two after that.
 */
import { ValidSignatures } from "./validSignatures.ts";
import type { VerifierPool } from "./verifierPool.ts";

/** Some ten seconds of the most that a validator verifies: copies of a message are a few rounds apart. */
const REMEMBERED = 131_072;

const VALID = 1;

type Verifier = Pick<VerifierPool, "verify" | "canAcceptWork">;

/** The same judgement as the verifier's, mostly without its cost for what comes again. Only what is valid is remembered. */
export function rememberClaims(verifier: Verifier): Verifier {
  const valid = new ValidSignatures(REMEMBERED);
  return {
    canAcceptWork: () => verifier.canAcceptWork(),
    verify: async (batch) => {
      const names = batch.map(({ publicKey, signature, message }) =>
        valid.nameOf(publicKey, signature, message),
      );
      const unknown = [...batch.keys()].filter((i) => !valid.has(names[i] ?? null));
      const answers = new Uint8Array(batch.length).fill(VALID);
      if (unknown.length === 0) return answers;
      const judged = await verifier.verify(unknown.map((i) => batch[i]!));
      for (const [at, i] of unknown.entries()) {
        answers[i] = judged[at]!;
        if (judged[at] === VALID) valid.add(names[i] ?? null);
      }
      return answers;
    },
  };
}
