/**
 * Light verification: whether an account has earned what a file says, with nothing but the genesis (or a pinned
 * checkpoint) and arithmetic. Whoever made the file is not trusted, and nobody is asked. docs/agreement.md says why a
 * file that leaves something out cannot make a lie pass.
 */
import { equalBytes } from "../bytes/bytes.ts";
import { createSigningDomains, type SigningDomains } from "../crypto/domain.ts";
import { computeNetworkId, type Genesis } from "../network/genesis.ts";
import { computeParametersHash } from "../network/parameters.ts";
import { verifyRewardProof } from "../reward/rewardProof.ts";
import {
  type Attest,
  checkRewardCert,
  computeValidatorsHash,
  type RewardCert,
  RULES_VERSION,
} from "./attest.ts";
import {
  type CertificateReason,
  createValidatorSet,
  type ValidatorSet,
  type VerifySignature,
} from "./certificates.ts";
import type { Checkpoint, RewardEvidence, SetStep } from "./rewardEvidence.ts";

/** Every reason for which evidence of a reward is refused, with the sentence that explains it; cheapest check first. */
export const LIGHT_REASONS = {
  malformed: "The file does not have the form of a reward proof with its certificates.",
  checkpoint_mismatch: "The checkpoint belongs to another network than the genesis.",
  network_mismatch: "The proof was given out for another network than the genesis's.",
  before_checkpoint:
    "The proof is of an epoch before the checkpoint, about which the checkpoint says nothing.",
  not_certified: "No quorum had attested the epoch when the proof was given out; ask for it again.",
  branch_length: "The Merkle path has another length than the tree is deep.",
  index_out_of_range: "The account's place lies beyond the list of accounts.",
  leaf_count_mismatch: "The Merkle path contradicts the number of accounts.",
  root_mismatch: "Account and total do not hash to the reward root: one of them is not what was paid.",
  epoch_mismatch: "The certificate is of another epoch than the proof says.",
  root_not_attested: "The certificate attests another reward root than the proof leads to.",
  parameters_mismatch: "A certificate attests other parameters than the genesis has.",
  rules_unknown: "A certificate attests rules that this program does not know: it may be too old.",
  step_order: "The changes of the validator set do not ascend, or go beyond the proof's epoch.",
  step_validators_mismatch: "The validators of a change are not those that its certificate attests.",
  step_certificate_invalid: "A change of the validator set is not signed by a quorum of the set before it.",
  certificate_invalid: "The certificate is not signed by a quorum of the epoch's validators.",
} as const;
export type LightReason = keyof typeof LIGHT_REASONS;

/** Where trust begins, and what every certificate of the network must say. */
export type LightAnchor = {
  readonly networkId: Uint8Array;
  readonly parametersHash: Uint8Array;
  readonly checkpoint: Checkpoint;
};

/** What was proven: that `account` had earned `total` base units by the end of `epoch`. */
export type ProvenReward = {
  readonly account: Uint8Array;
  readonly total: bigint;
  readonly epoch: number;
  /** Validators that signed, and that there were; the quorum of those is what it took. */
  readonly signers: number;
  readonly validators: number;
  /** Changes of the set that were followed from the anchor. */
  readonly setChanges: number;
  /** Epochs between the anchor and the proof: beyond the unbonding time the anchor's keys may be anybody's. */
  readonly anchorAgeEpochs: number;
};
export type LightVerdict =
  | { readonly valid: true; readonly reward: ProvenReward }
  | { readonly valid: false; readonly reason: LightReason; readonly detail?: string };

/** Whether the anchor's validators had their stakes at risk all the time up to what was proven. */
export const isAnchorFresh = (
  { anchorAgeEpochs }: Pick<ProvenReward, "anchorAgeEpochs">,
  { parameters }: Genesis,
): boolean => anchorAgeEpochs <= parameters.unbondEpochs;

/** The anchor that the genesis is, or that a checkpoint of its network is. */
export function createLightAnchor(genesis: Genesis, checkpoint?: Checkpoint): LightAnchor {
  const networkId = computeNetworkId(genesis);
  const keys = genesis.validators.map(({ key }) => key);
  return {
    networkId,
    parametersHash: computeParametersHash(genesis.parameters),
    // No state can have chosen the first two sets: both are genesis's.
    checkpoint: checkpoint ?? { networkId, epoch: 0, validators: keys, nextValidators: keys },
  };
}

/**
 * Verifies evidence of a reward.
 * @param verify judges one signature by the network's rule: `verifyStrict` in a browser, Node's own elsewhere.
 */
export function verifyRewardEvidence(
  evidence: RewardEvidence,
  anchor: LightAnchor,
  verify: VerifySignature,
): LightVerdict {
  const { certificate, proof, epoch } = evidence;
  const refusal = checkStatement(evidence, anchor);
  if (refusal !== null) return refuse(refusal);
  const walk = followSets(evidence, anchor, verify);
  if (!walk.ok) return refuse(walk.reason, walk.detail);
  const set = walk.setOf(epoch);
  const fault = checkRewardCert(certificate!, set, walk.domains, verify);
  if (fault !== null) return refuse("certificate_invalid", fault);
  return {
    valid: true,
    reward: {
      account: proof.account,
      total: proof.total,
      epoch,
      signers: certificate!.signatures.length,
      validators: set.keys.length,
      setChanges: walk.changes,
      anchorAgeEpochs: epoch - anchor.checkpoint.epoch,
    },
  };
}

/** The checkpoint that was come to, or why the steps lead nowhere. */
export type Advance =
  | { readonly ok: true; readonly checkpoint: Checkpoint }
  | { readonly ok: false; readonly reason: LightReason; readonly detail?: string };

/**
 * Moves a checkpoint on, for who follows the network: to the newest two consecutive epochs of which each one's set is
 * pinned or attested itself. A set that is only taken to have gone on is no place to begin from: a change that was
 * withheld would make an old set look young.
 * @param steps ascending by their certificates' epochs; a step need not change the set.
 */
export function advanceCheckpoint(
  steps: readonly SetStep[],
  anchor: LightAnchor,
  verify: VerifySignature,
): Advance {
  const walk = followSets({ setHistory: steps, epoch: Number.MAX_SAFE_INTEGER }, anchor, verify);
  if (!walk.ok) return walk;
  const { networkId, epoch: pinned } = anchor.checkpoint;
  const attested = new Set([pinned, pinned + 1, ...steps.map(epochOfStep)]);
  const epoch = Math.max(...[...attested].filter((each) => attested.has(each + 1)));
  const validators = walk.setOf(epoch).keys;
  return {
    ok: true,
    checkpoint: { networkId, epoch, validators, nextValidators: walk.setOf(epoch + 1).keys },
  };
}

/** Everything that takes no signature: the networks, the path to the root, and what the certificate says. */
function checkStatement(evidence: RewardEvidence, anchor: LightAnchor): LightReason | null {
  const { networkId, proof, epoch, certificate } = evidence;
  if (!equalBytes(anchor.checkpoint.networkId, anchor.networkId)) return "checkpoint_mismatch";
  if (!equalBytes(networkId, anchor.networkId)) return "network_mismatch";
  if (epoch < anchor.checkpoint.epoch) return "before_checkpoint";
  if (certificate === null) return "not_certified";
  const fault = verifyRewardProof(proof);
  if (fault !== null) return fault;
  const { attest } = certificate;
  if (attest.epoch !== epoch) return "epoch_mismatch";
  if (!equalBytes(attest.rewardRoot, proof.root)) return "root_not_attested";
  return checkRules(attest, anchor);
}

/** What every certificate of the network says alike. */
function checkRules(attest: Attest, { parametersHash }: LightAnchor): LightReason | null {
  if (!equalBytes(attest.parametersHash, parametersHash)) return "parameters_mismatch";
  const isKnown = attest.rulesVersion >= 1 && attest.rulesVersion <= RULES_VERSION;
  return isKnown ? null : "rules_unknown";
}

/** Changes of the set, and the epoch that they are to lead to at most. */
type SetHistory = Pick<RewardEvidence, "setHistory" | "epoch">;

type Walk =
  | {
      readonly ok: true;
      readonly setOf: (epoch: number) => ValidatorSet;
      readonly domains: SigningDomains;
      readonly changes: number;
    }
  | { readonly ok: false; readonly reason: LightReason; readonly detail?: string };

/**
 * Follows the changes of the set from the anchor to the proof's epoch. Changes that the anchor has behind it are passed
 * over: it pins what they led to.
 */
function followSets(history: SetHistory, anchor: LightAnchor, verify: VerifySignature): Walk {
  const { checkpoint } = anchor;
  const order = checkOrder(history);
  if (order !== null) return { ok: false, reason: order };
  const domains = createSigningDomains(anchor.networkId);
  const sets = [
    { fromEpoch: checkpoint.epoch, set: createValidatorSet(checkpoint.validators) },
    { fromEpoch: checkpoint.epoch + 1, set: createValidatorSet(checkpoint.nextValidators) },
  ];
  const setOf = (epoch: number) => sets.findLast(({ fromEpoch }) => fromEpoch <= epoch)!.set;
  const steps = history.setHistory.filter((step) => epochOfStep(step) >= checkpoint.epoch + 2);
  for (const { certificate, validators } of steps) {
    const { attest } = certificate;
    const refusal = checkStep(certificate, validators, anchor);
    if (refusal !== null) return { ok: false, reason: refusal };
    const fault: CertificateReason | null = checkRewardCert(
      certificate,
      setOf(attest.epoch),
      domains,
      verify,
    );
    if (fault !== null) return { ok: false, reason: "step_certificate_invalid", detail: fault };
    sets.push({ fromEpoch: attest.epoch + 2, set: createValidatorSet(validators) });
  }
  return { ok: true, setOf, domains, changes: steps.length };
}

/** The epoch from which a change is in force. */
const epochOfStep = ({ certificate }: SetStep): number => certificate.attest.epoch + 2;

function checkOrder({ setHistory, epoch }: SetHistory): LightReason | null {
  let before = 1;
  for (const step of setHistory) {
    const from = epochOfStep(step);
    if (from <= before || from > epoch) return "step_order";
    before = from;
  }
  return null;
}

function checkStep(
  certificate: RewardCert,
  validators: readonly Uint8Array[],
  anchor: LightAnchor,
): LightReason | null {
  const { attest } = certificate;
  const isAttested = equalBytes(computeValidatorsHash({ keys: validators }), attest.nextValidatorsHash);
  return isAttested ? checkRules(attest, anchor) : "step_validators_mismatch";
}

const refuse = (reason: LightReason, detail?: string): LightVerdict =>
  detail === undefined ? { valid: false, reason } : { valid: false, reason, detail };
