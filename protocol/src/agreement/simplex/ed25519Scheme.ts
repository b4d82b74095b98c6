/**
 * Certificates of the network: Ed25519 signatures of each signer, in the order of a bitmap's positions. Keys and the
 * library that judges signatures are passed in.
 */
import { ContainerType, type ValueOf } from "@chainsafe/ssz";
import { decodeHex, encodeHex } from "../../bytes/hex.ts";
import { type SigningDomains, signingMessage } from "../../crypto/domain.ts";
import { Bytes32, decodeStrict, Uint32, Uint64 } from "../../wire/ssz.ts";
import type { ValidatorSet, VerifySignature } from "../certificates.ts";
import { encodeVoteBody } from "../rounds.ts";
import type { Certificate, Signature, SignedVote, Statement, Vote } from "./messages.ts";
import type { CertificateScheme } from "./scheme.ts";

const ProposeBodySsz = new ContainerType(
  { round: Uint64, view: Uint32, parent: Uint32, value: Bytes32 },
  { typeName: "ProposeBody" },
);
/** What stands for the value in a NULLIFY, whose body has the form of every vote. */
const NO_VALUE = new Uint8Array(32);

export type Ed25519SchemeOptions = {
  readonly round: number;
  readonly set: ValidatorSet;
  readonly domains: SigningDomains;
  readonly verify: VerifySignature;
  /** Signs a message with this validator's key: 64 bytes. */
  readonly sign: (message: Uint8Array) => Uint8Array;
};

/** The scheme of one round. Values are named by 64 digits of lower-case hexadecimal; any other name verifies as false. */
export function createEd25519Scheme(options: Ed25519SchemeOptions): CertificateScheme {
  const { round, set, domains, sign } = options;
  const messageOf = (statement: Statement) => {
    const body = encodeStatement(round, statement);
    return body === null ? null : signingMessage(domains, statement.kind, body);
  };
  const verify = (statement: Statement, validator: number, signature: Signature): boolean => {
    const key = set.keys[validator];
    const message = messageOf(statement);
    if (key === undefined || message === null || !(signature instanceof Uint8Array)) return false;
    return options.verify(key, message, signature);
  };
  return {
    sign: (statement) => {
      const message = messageOf(statement);
      if (message === null) throw new Error("a value is named by 64 digits of hexadecimal");
      return sign(message);
    },
    verify,
    certify: (vote, votes) => ({
      kind: vote.kind,
      view: vote.view,
      value: vote.value,
      signers: votes.map(({ validator }) => validator),
      proof: votes.map(({ signature }) => signature),
    }),
    verifyCertificate: (certificate) => {
      const votes = votesOf(certificate);
      return votes?.every((vote) => verify(vote, vote.validator, vote.signature)) ?? false;
    },
    votesOf: (certificate) => votesOf(certificate) ?? [],
  };
}

/**
 * The exact bytes that are signed, under the domain of the statement's kind: an SSZ `VoteBody` for votes (32 zero bytes
 * for NULLIFY's value), a `ProposeBody` for proposals. @returns null where the value's name is no digest.
 */
export function encodeStatement(round: number, statement: Statement): Uint8Array | null {
  const { kind, view, value: name } = statement;
  const value = name === null ? NO_VALUE : decodeHex(name, 32);
  // One digest has one name: another spelling of it would look like another value.
  if (value === null || (name !== null && encodeHex(value) !== name)) return null;
  if (kind === "propose") return ProposeBodySsz.serialize({ round, view, parent: statement.parent, value });
  return encodeVoteBody({ round, view, value });
}

/** Strictly decodes the bytes of a proposal that its leader signed; null where malformed. */
export const decodeProposeBody = (bytes: Uint8Array): ValueOf<typeof ProposeBodySsz> | null =>
  decodeStrict(ProposeBodySsz, bytes, ProposeBodySsz.maxSize);

function votesOf(certificate: Certificate): SignedVote[] | null {
  const { kind, view, value, signers, proof } = certificate;
  if (!Array.isArray(proof) || proof.length !== signers.length) return null;
  const vote: Vote = { kind, view, value };
  return signers.map((validator, index) => ({ ...vote, validator, signature: proof[index] as Signature }));
}
