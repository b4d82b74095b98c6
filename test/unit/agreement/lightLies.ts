/**
 * Files that prove nothing, each with the reason by which that must be found, on a network of fixed keys. Tests, the
 * golden file and the seeded mistakes in the verifier share them.
 */
import type { Attest } from "../../../protocol/src/agreement/attest.ts";
import type { LightAnchor, LightReason } from "../../../protocol/src/agreement/lightClient.ts";
import type { RewardEvidence, SetStep } from "../../../protocol/src/agreement/rewardEvidence.ts";
import { sha256 } from "../../../protocol/src/crypto/sha256.ts";
import { createLightNetwork, validatorKey } from "./lightNetwork.ts";

export const PARAMETERS_HASH = sha256(new Uint8Array([2]));
export const NETWORK = createLightNetwork(sha256(new Uint8Array([1])), PARAMETERS_HASH);
const { attestOf, certify, evidenceOf, checkpointOf, anchorAt } = NETWORK;
export const GENESIS = anchorAt(0);
const hash = (fill: number) => new Uint8Array(32).fill(fill);

const TRUTH = evidenceOf(9);
const STRANGERS = [6, 7, 8, 9];
/** The truth with something else in its last change. */
const withLastStep = (change: Partial<SetStep>): RewardEvidence => ({
  ...TRUTH,
  setHistory: TRUTH.setHistory.with(-1, { ...TRUTH.setHistory.at(-1)!, ...change }),
});
/** The truth with every change attested by the right validators, who say something else. */
const withAttests = (change: Partial<Attest>): RewardEvidence => ({
  ...TRUTH,
  setHistory: TRUTH.setHistory.map(({ certificate, validators }) => ({
    certificate: certify({ ...certificate.attest, ...change }),
    validators,
  })),
});
const withProof = (change: Partial<RewardEvidence["proof"]>): RewardEvidence => ({
  ...TRUTH,
  proof: { ...TRUTH.proof, ...change },
});

/**
 * For each reason a file that this rule alone refuses: everything else is signed and hashed as if it were true, so that
 * a verifier without the rule would believe it.
 */
export const LIES: readonly (readonly [LightReason, RewardEvidence, LightAnchor?])[] = [
  ["checkpoint_mismatch", TRUTH, { ...GENESIS, checkpoint: { ...checkpointOf(5), networkId: hash(9) } }],
  ["network_mismatch", { ...TRUTH, networkId: hash(9) }],
  ["before_checkpoint", evidenceOf(4), anchorAt(5)],
  ["not_certified", { ...TRUTH, certificate: null }],
  ["branch_length", withProof({ branch: [] })],
  ["index_out_of_range", withProof({ index: 3 })],
  ["leaf_count_mismatch", withProof({ leafCount: 4 })],
  ["root_mismatch", withProof({ total: 7_001n })],
  ["epoch_mismatch", { ...TRUTH, epoch: 8 }],
  // A proof of an older root, under a newer epoch's certificate.
  ["root_not_attested", { ...TRUTH, proof: evidenceOf(8).proof }],
  ["parameters_mismatch", { ...TRUTH, certificate: certify(attestOf(9, { parametersHash: hash(9) })) }],
  ["parameters_mismatch", withAttests({ parametersHash: hash(9) })],
  ["rules_unknown", { ...TRUTH, certificate: certify(attestOf(9, { rulesVersion: 999 })) }],
  ["rules_unknown", withAttests({ rulesVersion: 0 })],
  ["step_order", { ...TRUTH, setHistory: TRUTH.setHistory.toReversed() }],
  ["step_order", { ...TRUTH, setHistory: [TRUTH.setHistory[0]!, ...TRUTH.setHistory] }],
  ["step_order", { ...evidenceOf(5), setHistory: TRUTH.setHistory }],
  // Strangers in seats that a true certificate gives to others, who sign whatever is wanted.
  [
    "step_validators_mismatch",
    {
      ...withLastStep({ validators: STRANGERS.map((index) => validatorKey(index).publicKey) }),
      certificate: certify(attestOf(9), STRANGERS),
    },
  ],
  // A change that fewer than a quorum of the set before signed, one that a stranger signed, one that an older set did.
  ["step_certificate_invalid", withLastStep({ certificate: certify(attestOf(5), [1, 2, 3, 4], [1, 2]) })],
  ["step_certificate_invalid", withLastStep({ certificate: certify(attestOf(5), [6, 2, 3, 4], [6, 2, 3]) })],
  ["step_certificate_invalid", withLastStep({ certificate: certify(attestOf(5), [0, 1, 2, 3], [0, 1, 2]) })],
  ["certificate_invalid", { ...TRUTH, certificate: certify(attestOf(9), [1, 2, 3, 4, 5], [1, 2, 3]) }],
  ["certificate_invalid", { ...TRUTH, certificate: certify(attestOf(9), [1, 2, 3, 4, 9], [1, 2, 3, 9]) }],
  // The members of an older set have no word in a newer epoch, though their file withholds the change.
  ["certificate_invalid", { ...TRUTH, setHistory: [] }],
  // One that left, and f of those that stayed: f + 1 of the older set, and no quorum of it.
  [
    "certificate_invalid",
    { ...TRUTH, setHistory: [], certificate: certify(attestOf(9), [0, 1, 2, 3], [0, 1]) },
  ],
];
