/** Who a validator is on which network: what every part that signs or judges needs, made once from genesis and key. */
import { createSigningDomains, type SigningDomains } from "../../protocol/src/crypto/domain.ts";
import { computeNetworkId, type Genesis } from "../../protocol/src/network/genesis.ts";
import { createSigner, type Signer } from "./signer.ts";

export type Identity = {
  readonly genesis: Genesis;
  readonly networkId: Uint8Array;
  readonly domains: SigningDomains;
  readonly signer: Signer;
};

/** The identity of the key (32-byte seed) on genesis's network. Whether it has a seat is for each epoch's set to say. */
export function createIdentity(genesis: Genesis, secretSeed: Uint8Array): Identity {
  const networkId = computeNetworkId(genesis);
  const domains = createSigningDomains(networkId);
  const signer = createSigner(domains, secretSeed);
  return { genesis, networkId, domains, signer };
}
