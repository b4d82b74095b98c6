/** Who a validator is on which network: what every part that signs or judges needs, made once from genesis and key. */
import { CodedError } from "../../node/src/host/codedError.ts";
import { createValidatorSet, type ValidatorSet } from "../../protocol/src/agreement/certificates.ts";
import { createSigningDomains, type SigningDomains } from "../../protocol/src/crypto/domain.ts";
import { computeNetworkId, type Genesis } from "../../protocol/src/network/genesis.ts";
import { createSigner, type Signer } from "./signer.ts";

export type Identity = {
  readonly genesis: Genesis;
  readonly networkId: Uint8Array;
  readonly domains: SigningDomains;
  readonly set: ValidatorSet;
  readonly signer: Signer;
};

/**
 * The identity of the key (32-byte seed) on genesis's network.
 * @throws CodedError "config_invalid" where genesis gives the key no seat.
 */
export function createIdentity(genesis: Genesis, secretSeed: Uint8Array): Identity {
  const networkId = computeNetworkId(genesis);
  const domains = createSigningDomains(networkId);
  const set = createValidatorSet(genesis.validators.map(({ key }) => key));
  const signer = createSigner(domains, secretSeed);
  if (set.positionOf(signer.publicKey) === undefined) {
    throw new CodedError("config_invalid", "genesis does not name this validator's key");
  }
  return { genesis, networkId, domains, set, signer };
}
