/**
 * Certificates: that a quorum of the validator set signed the same thing. An availability certificate holds
 * acknowledgements of one batch, a final certificate FINALIZE votes for one value. A set of one has a quorum of one,
 * and its certificates are checked by the same rules as everyone's.
 */
import { equalBytes } from "../bytes/bytes.ts";
import { type SigningDomains, signingMessage } from "../crypto/domain.ts";
import {
  type AvailabilityCert,
  computeQuorum,
  decodeBitmap,
  encodeAckBody,
  encodeBitmap,
  encodeVoteBody,
  type FinalCert,
} from "./rounds.ts";

/** Judges one signature by the network's verification rule; which library does so is the shell's choice. */
export type VerifySignature = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean;

/** The validators of an epoch. A bit of a certificate's bitmap is a position in `keys`. */
export type ValidatorSet = {
  readonly keys: readonly Uint8Array[];
  readonly quorum: number;
  /** A key's position, or undefined for a stranger. */
  readonly positionOf: (key: Uint8Array) => number | undefined;
};

/**
 * The validator sets of a network. The set of epoch e is fixed by the state after epoch e - 2, so it is known before
 * anybody can vote in e; of epochs that are long over a book may have forgotten it.
 */
export type ValidatorSets = {
  /** The set of an epoch, or null where it is not known, or not any more. */
  readonly setOf: (epoch: number) => ValidatorSet | null;
};

/** The same set in every epoch: what genesis gives, where nothing has changed since. */
export function fixedSets(set: ValidatorSet): ValidatorSets {
  return { setOf: () => set };
}

/**
 * The set of an epoch that must be known by now.
 * @throws Error where it is not: whoever judges a round has executed the epoch that fixed its set (B0), so it is a bug.
 */
export function requireSet(sets: ValidatorSets, epoch: number): ValidatorSet {
  const set = sets.setOf(epoch);
  if (set === null) throw new Error(`the validator set of epoch ${epoch} is not known`);
  return set;
}

/** Why a certificate is none. */
export const CERTIFICATE_REASONS = [
  "bitmap_invalid",
  "below_quorum",
  "count_mismatch",
  "signature_invalid",
] as const;
export type CertificateReason = (typeof CERTIFICATE_REASONS)[number];

/** The validator set with these keys, in the order of their seats. */
export function createValidatorSet(keys: readonly Uint8Array[]): ValidatorSet {
  return {
    keys,
    quorum: computeQuorum(keys.length),
    // At most a hundred seats: comparing bytes costs less than a name for the key would.
    positionOf: (key) => {
      const position = keys.findIndex((each) => equalBytes(each, key));
      return position < 0 ? undefined : position;
    },
  };
}

/** Checks that a quorum acknowledged the batch that the certificate names. Null where it is valid. */
export function checkAvailabilityCert(
  cert: AvailabilityCert,
  set: ValidatorSet,
  domains: SigningDomains,
  verify: VerifySignature,
): CertificateReason | null {
  const { lane, seq, digest, epoch } = cert;
  return checkSignatures(
    cert,
    signingMessage(domains, "ack", encodeAckBody({ lane, seq, digest, epoch })),
    set,
    verify,
  );
}

/** Checks that a quorum voted FINALIZE for the certificate's value in its round and view. Null where it is valid. */
export function checkFinalCert(
  cert: FinalCert,
  set: ValidatorSet,
  domains: SigningDomains,
  verify: VerifySignature,
): CertificateReason | null {
  const { round, view, value } = cert;
  return checkSignatures(
    cert,
    signingMessage(domains, "finalize", encodeVoteBody({ round, view, value })),
    set,
    verify,
  );
}

/**
 * The bitmap and signatures of a certificate, from signatures by position.
 * @param signatures a quorum or more of them; positions are of the set.
 */
export function assembleSignatures(
  signatures: ReadonlyMap<number, Uint8Array>,
  set: ValidatorSet,
): { bitmap: Uint8Array; signatures: Uint8Array[] } {
  const members = [...signatures.keys()].sort((a, b) => a - b);
  return {
    bitmap: encodeBitmap(members, set.keys.length),
    signatures: members.map((position) => signatures.get(position)!),
  };
}

/**
 * Checks a quorum's signatures of one message: everyone who signed signed the same, so one check serves every kind of
 * certificate. Cheapest first; null where they are valid.
 */
export function checkSignatures(
  cert: { readonly bitmap: Uint8Array; readonly signatures: readonly Uint8Array[] },
  message: Uint8Array,
  set: ValidatorSet,
  verify: VerifySignature,
): CertificateReason | null {
  const members = decodeBitmap(cert.bitmap, set.keys.length);
  if (members === null) return "bitmap_invalid";
  if (members.length < set.quorum) return "below_quorum";
  if (members.length !== cert.signatures.length) return "count_mismatch";
  for (const [index, position] of members.entries()) {
    if (!verify(set.keys[position]!, message, cert.signatures[index]!)) return "signature_invalid";
  }
  return null;
}
