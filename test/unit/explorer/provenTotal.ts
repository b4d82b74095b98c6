/** A proof with a real certificate over an account that a made-up history knows, as the API gives it out. */
import {
  type Attest,
  computeValidatorsHash,
  type RewardCert,
  RULES_VERSION,
} from "../../../protocol/src/agreement/attest.ts";
import {
  encodeRewardEvidence,
  type RewardEvidenceJson,
} from "../../../protocol/src/agreement/rewardEvidence.ts";
import type { Genesis } from "../../../protocol/src/network/genesis.ts";
import { computeParametersHash } from "../../../protocol/src/network/parameters.ts";
import type { RewardProof } from "../../../protocol/src/reward/rewardProof.ts";
import { createRewardTree } from "../../../protocol/src/reward/rewardTree.ts";
import { EPOCHS } from "../api/apiFixture.ts";
import { named } from "../store/history.ts";
import { contextOf, createTestGenesis, keyNamed } from "../validator/support/network.ts";
import { certifyAttest } from "../validator/support/rewardCerts.ts";

export type ProvenTotal = {
  readonly account: Uint8Array;
  readonly certificate: RewardCert;
  readonly proof: RewardProof;
  readonly evidence: RewardEvidenceJson;
};

const one = createTestGenesis(0);
/** A network of four validators. */
export const FOUR_GENESIS: Genesis = {
  ...one,
  validators: [0, 1, 2, 3].map((seat) => ({
    ...one.validators[0]!,
    key: keyNamed(`validator ${seat}`).publicKey,
  })),
};

/** All but the last of the genesis's validators sign that `owner 0` had earned `total` by the newest epoch. */
export function proveTotal(total: bigint, genesis: Genesis = FOUR_GENESIS): ProvenTotal {
  const keys = genesis.validators.map(({ key }) => key);
  const account = named("owner 0");
  const epoch = EPOCHS - 1;
  const tree = createRewardTree(account, BigUint64Array.of(total));
  const attest: Attest = {
    epoch,
    rewardRoot: tree.root,
    stateRoot: named("state"),
    nextValidatorsHash: computeValidatorsHash({ keys }),
    parametersHash: computeParametersHash(genesis.parameters),
    rulesVersion: RULES_VERSION,
  };
  const { networkId, domains } = contextOf(genesis);
  const members = keys.map((_, seat) => keyNamed(`validator ${seat}`));
  const certificate = certifyAttest(domains, attest, members, (seat) => seat < keys.length - 1);
  const proof = tree.prove(0);
  const evidence = encodeRewardEvidence({ networkId, proof, epoch, certificate, setHistory: [] });
  return { account, certificate, proof, evidence };
}
