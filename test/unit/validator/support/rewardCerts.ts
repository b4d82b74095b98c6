/** Reward certificates of made-up networks, signed with the keys of their validators. */
import { type Attest, encodeAttest, type RewardCert } from "../../../../protocol/src/agreement/attest.ts";
import { assembleSignatures, createValidatorSet } from "../../../../protocol/src/agreement/certificates.ts";
import { type SigningDomains, signingMessage } from "../../../../protocol/src/crypto/domain.ts";
import { type Ed25519KeyPair, sign } from "../../../../protocol/src/crypto/ed25519.ts";

/** @param members of the attesting epoch's set, in order. @param doesSign by the place in it; all do by default. */
export function certifyAttest(
  domains: SigningDomains,
  attest: Attest,
  members: readonly Ed25519KeyPair[],
  doesSign: (seat: number) => boolean = () => true,
): RewardCert {
  const message = signingMessage(domains, "attest", encodeAttest(attest));
  const signatures = new Map<number, Uint8Array>();
  for (const [seat, { secretSeed }] of members.entries())
    if (doesSign(seat)) signatures.set(seat, sign(secretSeed, message));
  const set = createValidatorSet(members.map(({ publicKey }) => publicKey));
  return { attest, ...assembleSignatures(signatures, set) };
}
