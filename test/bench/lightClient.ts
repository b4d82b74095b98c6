/**
 * What a light client's work costs with a set of 100: a change of the set, and a whole unbonding time of epochs of which
 * each one changes it, which is the longest walk that a checkpoint asks for.
 */
import { verifySignature } from "../../node/src/host/verify.ts";
import {
  type Attest,
  computeValidatorsHash,
  type RewardCert,
  RULES_VERSION,
} from "../../protocol/src/agreement/attest.ts";
import { createValidatorSet } from "../../protocol/src/agreement/certificates.ts";
import { verifyRewardEvidence } from "../../protocol/src/agreement/lightClient.ts";
import {
  decodeRewardEvidence,
  encodeRewardEvidence,
  type RewardEvidence,
} from "../../protocol/src/agreement/rewardEvidence.ts";
import { uint64Bytes } from "../../protocol/src/bytes/bytes.ts";
import { createSigningDomains } from "../../protocol/src/crypto/domain.ts";
import { createKeyPair } from "../../protocol/src/crypto/ed25519.ts";
import { sha256 } from "../../protocol/src/crypto/sha256.ts";
import { MAX_VALIDATORS } from "../../protocol/src/network/parameters.ts";
import { PRESETS } from "../../protocol/src/network/presets.ts";
import { createRewardTree } from "../../protocol/src/reward/rewardTree.ts";
import { certifyAttest } from "../unit/validator/support/rewardCerts.ts";
import { atMost, type BenchRow } from "./benchRow.ts";

const NETWORK_ID = sha256(uint64Bytes(1));
const PARAMETERS_HASH = sha256(uint64Bytes(2));
const DOMAINS = createSigningDomains(NETWORK_ID);
/** Signing takes longer than verifying, so the walk is made of so many changes and its cost is told for all. */
const SIGNED_CHANGES = 24;

const keys = Array.from({ length: MAX_VALIDATORS + SIGNED_CHANGES + 2 }, (_, index) =>
  createKeyPair(sha256(uint64Bytes(index))),
);
/** One validator leaves and another comes every epoch, from epoch 2 on. */
const membersOf = (epoch: number) =>
  keys.slice(Math.max(0, epoch - 1), Math.max(0, epoch - 1) + MAX_VALIDATORS);
const keysOf = (epoch: number) => membersOf(epoch).map(({ publicKey }) => publicKey);
const tree = createRewardTree(keys[0]!.publicKey, BigUint64Array.of(7n));

function certify(epoch: number): RewardCert {
  const members = membersOf(epoch);
  const { quorum } = createValidatorSet(keysOf(epoch));
  const attest: Attest = {
    epoch,
    rewardRoot: tree.root,
    stateRoot: sha256(uint64Bytes(epoch)),
    nextValidatorsHash: computeValidatorsHash({ keys: keysOf(epoch + 2) }),
    parametersHash: PARAMETERS_HASH,
    rulesVersion: RULES_VERSION,
  };
  return certifyAttest(DOMAINS, attest, members, (seat) => seat < quorum);
}

function timeMs(work: () => void): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

export async function run(): Promise<readonly BenchRow[]> {
  const certs = Array.from({ length: SIGNED_CHANGES + 1 }, (_, epoch) => certify(epoch));
  const epoch = SIGNED_CHANGES;
  const evidence: RewardEvidence = {
    networkId: NETWORK_ID,
    proof: tree.prove(0),
    epoch,
    certificate: certs[epoch]!,
    setHistory: certs
      .slice(0, SIGNED_CHANGES - 1)
      .map((certificate) => ({ certificate, validators: keysOf(certificate.attest.epoch + 2) })),
  };
  const text = JSON.stringify(encodeRewardEvidence(evidence));
  const anchor = {
    networkId: NETWORK_ID,
    parametersHash: PARAMETERS_HASH,
    checkpoint: { networkId: NETWORK_ID, epoch: 0, validators: keysOf(0), nextValidators: keysOf(1) },
  };
  const walked = timeMs(() => {
    const decoded = decodeRewardEvidence(JSON.parse(text));
    if (!decoded.ok || !verifyRewardEvidence(decoded.value, anchor, verifySignature).valid)
      throw new Error("not valid");
  });
  const { unbondEpochs } = PRESETS.mainnet;
  const perChange = walked / SIGNED_CHANGES;
  return [
    atMost("change of a set of 100, read and followed", perChange, "ms", 25),
    atMost(
      `${unbondEpochs} such changes, one an epoch of the unbonding time`,
      (perChange * unbondEpochs) / 1_000,
      "s",
      20,
    ),
    atMost("a change in the file", text.length / SIGNED_CHANGES / 1_000, "kB", 24),
  ];
}
