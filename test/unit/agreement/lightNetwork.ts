/**
 * A small network seen from outside: its validator sets change three times, every epoch is attested, and three accounts have
 * earned something. Signed with keys that have names, so that it is the same in every run.
 */
import {
  type Attest,
  computeValidatorsHash,
  type RewardCert,
  RULES_VERSION,
} from "../../../protocol/src/agreement/attest.ts";
import type { Checkpoint, RewardEvidence } from "../../../protocol/src/agreement/rewardEvidence.ts";
import { concatBytes } from "../../../protocol/src/bytes/bytes.ts";
import { createSigningDomains } from "../../../protocol/src/crypto/domain.ts";
import { sha256 } from "../../../protocol/src/crypto/sha256.ts";
import { createRewardTree } from "../../../protocol/src/reward/rewardTree.ts";
import { keyNamed } from "../validator/support/network.ts";
import { certifyAttest } from "../validator/support/rewardCerts.ts";

export const validatorKey = (index: number) => keyNamed(`light validator ${index}`);
/** Changes in two epochs that follow each other, and one later: a fifth comes, the first leaves, a sixth comes. */
const SEATS = [
  { fromEpoch: 0, seats: [0, 1, 2, 3] },
  { fromEpoch: 2, seats: [0, 1, 2, 3, 4] },
  { fromEpoch: 3, seats: [1, 2, 3, 4] },
  { fromEpoch: 7, seats: [1, 2, 3, 4, 5] },
] as const;
export const seatsOf = (epoch: number): readonly number[] =>
  SEATS.findLast(({ fromEpoch }) => fromEpoch <= epoch)!.seats;
export const keysOf = (epoch: number) => seatsOf(epoch).map((index) => validatorKey(index).publicKey);

const ACCOUNTS = ["first", "second", "third"]
  .map((name) => keyNamed(`light account ${name}`).publicKey)
  .sort(Buffer.compare);
/** What the accounts had earned by the end of an epoch. */
const treeOf = (epoch: number) =>
  createRewardTree(
    concatBytes(...ACCOUNTS),
    BigUint64Array.from([5n, 700n, 1_100_000_000n], (total) => total * BigInt(epoch + 1)),
  );

export type LightNetwork = ReturnType<typeof createLightNetwork>;

/** What the network says of itself. @param networkId of its genesis. @param parametersHash of its parameters. */
export function createLightNetwork(networkId: Uint8Array, parametersHash: Uint8Array) {
  const domains = createSigningDomains(networkId);
  /** What the network attests of an epoch. */
  const attestOf = (epoch: number, change: Partial<Attest> = {}): Attest => ({
    epoch,
    rewardRoot: treeOf(epoch).root,
    stateRoot: sha256(new Uint8Array([3, epoch])),
    nextValidatorsHash: computeValidatorsHash({ keys: keysOf(epoch + 2) }),
    parametersHash,
    rulesVersion: RULES_VERSION,
    ...change,
  });
  /** A certificate by these members of a set of these validators, by default by a quorum of the epoch's own. */
  const certify = (
    attest: Attest,
    seats: readonly number[] = seatsOf(attest.epoch),
    signers: readonly number[] = seats.slice(1),
  ): RewardCert =>
    certifyAttest(domains, attest, seats.map(validatorKey), (seat) => signers.includes(seats[seat]!));
  /** The true evidence of an account's total at an epoch's end. */
  const evidenceOf = (epoch: number, account = 1): RewardEvidence => ({
    networkId,
    proof: treeOf(epoch).prove(account),
    epoch,
    certificate: certify(attestOf(epoch)),
    setHistory: SEATS.filter(({ fromEpoch }) => fromEpoch > 0 && fromEpoch <= epoch).map(({ fromEpoch }) => ({
      certificate: certify(attestOf(fromEpoch - 2)),
      validators: keysOf(fromEpoch),
    })),
  });
  const checkpointOf = (epoch: number): Checkpoint => ({
    networkId,
    epoch,
    validators: keysOf(epoch),
    nextValidators: keysOf(epoch + 1),
  });
  const anchorAt = (epoch: number) => ({ networkId, parametersHash, checkpoint: checkpointOf(epoch) });
  return { attestOf, certify, evidenceOf, checkpointOf, anchorAt };
}
