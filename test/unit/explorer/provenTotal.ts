/** A proof with a real certificate over an account that a made-up history knows, as the API gives it out. */
import {
  type Attest,
  computeValidatorsHash,
  encodeAttest,
  type RewardCert,
  RULES_VERSION,
} from "../../../protocol/src/agreement/attest.ts";
import { assembleSignatures, createValidatorSet } from "../../../protocol/src/agreement/certificates.ts";
import {
  encodeRewardEvidence,
  type RewardEvidenceJson,
} from "../../../protocol/src/agreement/rewardEvidence.ts";
import type { Genesis } from "../../../protocol/src/network/genesis.ts";
import { computeParametersHash } from "../../../protocol/src/network/parameters.ts";
import { createRewardTree } from "../../../protocol/src/reward/rewardTree.ts";
import { EPOCHS } from "../api/apiFixture.ts";
import { named } from "../store/history.ts";
import { contextOf, createTestGenesis, keyNamed, signBody } from "../validator/support/network.ts";

export type ProvenTotal = {
  readonly account: Uint8Array;
  readonly certificate: RewardCert;
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
export function proveTotal(total: bigint): ProvenTotal {
  const context = contextOf(FOUR_GENESIS);
  const keys = FOUR_GENESIS.validators.map(({ key }) => key);
  const account = named("owner 0");
  const epoch = EPOCHS - 1;
  const tree = createRewardTree(account, BigUint64Array.of(total));
  const attest: Attest = {
    epoch,
    rewardRoot: tree.root,
    stateRoot: named("state"),
    nextValidatorsHash: computeValidatorsHash({ keys }),
    parametersHash: computeParametersHash(FOUR_GENESIS.parameters),
    rulesVersion: RULES_VERSION,
  };
  const body = encodeAttest(attest);
  const signatures = keys
    .slice(0, -1)
    .map((_, seat): [number, Uint8Array] => [
      seat,
      signBody(context, keyNamed(`validator ${seat}`), "attest", body),
    ]);
  const certificate = { attest, ...assembleSignatures(new Map(signatures), createValidatorSet(keys)) };
  const { networkId } = context;
  const evidence = { networkId, proof: tree.prove(0), epoch, certificate, setHistory: [] };
  return { account, certificate, evidence: encodeRewardEvidence(evidence) };
}
