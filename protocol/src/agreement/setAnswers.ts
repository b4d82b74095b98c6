/**
 * How a hotspot learns the validator sets that came after those it knows: it names the epoch of its checkpoint, and is
 * answered with the certificates that lead on from there. They prove themselves, so anyone may be asked; where the
 * validators listen is only a hint, since whoever answers there must show its key.
 */
import { ByteListType, ContainerType, ListCompositeType } from "@chainsafe/ssz";
import { asciiBytes, uint64Bytes } from "../bytes/bytes.ts";
import { MAX_VALIDATORS } from "../network/parameters.ts";
import { areStakeMultiaddrs, MAX_STAKE_MULTIADDR_BYTES } from "../wire/consents.ts";
import { Bytes32, decodeStrict, Uint64 } from "../wire/ssz.ts";
import { RewardCertSsz } from "./attest.ts";
import type { SetStep } from "./rewardEvidence.ts";

/** A validator, and a multiaddr at which it is said to listen. */
export type ValidatorAddress = { readonly validator: Uint8Array; readonly multiaddr: string };

/**
 * `steps`: ascending; every change of the set up to some epoch, and the certificates of that epoch and the one before,
 * whether they change anything or not. Empty where there is nothing newer.
 */
export type SetsAnswer = {
  readonly steps: readonly SetStep[];
  readonly addresses: readonly ValidatorAddress[];
};

/** Steps in one answer. Who keeps up needs one; each costs a hotspot a quorum of signatures, and 10 kB at most. */
export const MAX_ANSWERED_STEPS = 8;
/** Addresses in one answer: a hotspot has four links, and of some validators no address may work. */
export const MAX_ANSWERED_ADDRESSES = 16;

const SetStepSsz = new ContainerType(
  { certificate: RewardCertSsz, validators: new ListCompositeType(Bytes32, MAX_VALIDATORS) },
  { typeName: "SetStep" },
);
const ValidatorAddressSsz = new ContainerType(
  { validator: Bytes32, multiaddr: new ByteListType(MAX_STAKE_MULTIADDR_BYTES) },
  { typeName: "ValidatorAddress" },
);
const SetsAnswerSsz = new ContainerType(
  {
    steps: new ListCompositeType(SetStepSsz, MAX_ANSWERED_STEPS),
    addresses: new ListCompositeType(ValidatorAddressSsz, MAX_ANSWERED_ADDRESSES),
  },
  { typeName: "SetsAnswer" },
);

/** The question: the epoch of the asker's checkpoint. */
export const SETS_QUESTION_BYTES = Uint64.byteLength;
export const MAX_SETS_ANSWER_BYTES = SetsAnswerSsz.maxSize;

/** Encodes the question. @param epoch of the checkpoint: its set and the next one's are known. */
export const encodeSetsQuestion = (epoch: number): Uint8Array => uint64Bytes(epoch);
/** Strictly decodes the question; null where malformed. */
export const decodeSetsQuestion = (bytes: Uint8Array): number | null =>
  decodeStrict(Uint64, bytes, SETS_QUESTION_BYTES);

/** Encodes an answer. */
export function encodeSetsAnswer({ steps, addresses }: SetsAnswer): Uint8Array {
  return SetsAnswerSsz.serialize({
    steps: steps.map(({ certificate, validators }) => ({ certificate, validators: [...validators] })),
    addresses: addresses.map(({ validator, multiaddr }) => ({ validator, multiaddr: asciiBytes(multiaddr) })),
  });
}

/** Strictly decodes an answer; null where malformed. What its certificates prove is `advanceCheckpoint`'s. */
export function decodeSetsAnswer(bytes: Uint8Array): SetsAnswer | null {
  const raw = decodeStrict(SetsAnswerSsz, bytes, MAX_SETS_ANSWER_BYTES);
  if (raw === null) return null;
  const addresses = raw.addresses.map(({ validator, multiaddr }) => ({
    validator,
    multiaddr: String.fromCharCode(...multiaddr),
  }));
  return addresses.every(({ multiaddr }) => areStakeMultiaddrs([multiaddr]))
    ? { steps: raw.steps, addresses }
    : null;
}
