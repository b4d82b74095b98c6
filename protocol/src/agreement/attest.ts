/**
 * Attestation: at an epoch's end every validator signs what it computed, and a quorum of equal attestations is the
 * reward certificate that hotspots and light clients verify.
 */
import { ByteListType, ContainerType, ListCompositeType, type ValueOf } from "@chainsafe/ssz";
import { type SigningDomains, signingMessage } from "../crypto/domain.ts";
import { hashLabelled } from "../crypto/sha256.ts";
import { MAX_VALIDATORS } from "../network/parameters.ts";
import { Bytes32, Bytes64, decodeStrict, Uint8, Uint16, Uint64 } from "../wire/ssz.ts";
import {
  type CertificateReason,
  checkSignatures,
  type ValidatorSet,
  type VerifySignature,
} from "./certificates.ts";

/**
 * The version of the rules by which rounds are executed: not of the software, or a rolling upgrade would split the
 * attestations.
 */
export const RULES_VERSION = 1;

export const AttestSsz = new ContainerType(
  {
    epoch: Uint64,
    rewardRoot: Bytes32,
    stateRoot: Bytes32,
    nextValidatorsHash: Bytes32,
    parametersHash: Bytes32,
    rulesVersion: Uint16,
  },
  { typeName: "Attest" },
);
export const SignedAttestSsz = new ContainerType(
  { attest: AttestSsz, validator: Uint8, signature: Bytes64 },
  { typeName: "SignedAttest" },
);
export const RewardCertSsz = new ContainerType(
  {
    attest: AttestSsz,
    bitmap: new ByteListType(Math.ceil(MAX_VALIDATORS / 8)),
    signatures: new ListCompositeType(Bytes64, MAX_VALIDATORS),
  },
  { typeName: "RewardCert" },
);

/** What a validator says of a closed epoch. */
export type Attest = ValueOf<typeof AttestSsz>;
/** `validator` is a position in the epoch's set. */
export type SignedAttest = ValueOf<typeof SignedAttestSsz>;
/** A quorum's signatures of one attestation, in the order of the bitmap's positions. */
export type RewardCert = ValueOf<typeof RewardCertSsz>;

/** Fixed fields, the bitmap, and every signature. */
export const MAX_REWARD_CERT_BYTES = 256 + MAX_VALIDATORS * 65;

/** The bytes of an attestation, signed under the domain `attest`. */
export const encodeAttest = (attest: Attest): Uint8Array => AttestSsz.serialize(attest);

/** Strictly decodes an attestation's bytes; null where malformed. */
export const decodeAttest = (bytes: Uint8Array): Attest | null =>
  decodeStrict(AttestSsz, bytes, AttestSsz.maxSize);

export const encodeRewardCert = (cert: RewardCert): Uint8Array => RewardCertSsz.serialize(cert);
/** Strictly decodes a reward certificate; null where malformed. */
export const decodeRewardCert = (bytes: Uint8Array): RewardCert | null =>
  decodeStrict(RewardCertSsz, bytes, MAX_REWARD_CERT_BYTES);

/** The hash of a validator set, by its keys in order: what an attestation says of the next epoch's. */
export function computeValidatorsHash(set: Pick<ValidatorSet, "keys">): Uint8Array {
  return hashLabelled("validators", ...set.keys);
}

/** Checks that a quorum attested. Null where the certificate is valid. */
export function checkRewardCert(
  cert: RewardCert,
  set: ValidatorSet,
  domains: SigningDomains,
  verify: VerifySignature,
): CertificateReason | null {
  return checkSignatures(cert, signingMessage(domains, "attest", encodeAttest(cert.attest)), set, verify);
}
