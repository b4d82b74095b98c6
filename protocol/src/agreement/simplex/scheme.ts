/**
 * How votes are signed and certificates made: the seam between the rules of agreement and cryptography. The network
 * uses Ed25519 signatures under a bitmap (`ed25519Scheme.ts`); a simulation uses tokens that cost nothing.
 */
import type { Certificate, Signature, SignedVote, Statement, Vote } from "./messages.ts";

/** Every function is pure: the same arguments give the same answer. None of them throws on what a peer sent. */
export type CertificateScheme = {
  /** Signs as this validator. */
  readonly sign: (statement: Statement) => Signature;
  /** Whether the validator at this position signed the statement. */
  readonly verify: (statement: Statement, validator: number, signature: Signature) => boolean;
  /** The certificate that these votes make: one vote each of a quorum of validators, ascending, all for `vote`. */
  readonly certify: (vote: Vote, votes: readonly SignedVote[]) => Certificate;
  /** Whether every one of `signers` signed. Their number, order and range are the core's to check. */
  readonly verifyCertificate: (certificate: Certificate) => boolean;
  /** A verified certificate's votes one by one; empty for a scheme whose proof cannot be taken apart. */
  readonly votesOf: (certificate: Certificate) => readonly SignedVote[];
};
