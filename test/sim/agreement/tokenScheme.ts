/**
 * The simulation's certificate scheme: a signature is an object that only its author's scheme makes, a certificate is a
 * list of them. Forging one means making it for another, which no actor in the simulation does; presenting one for
 * another statement or validator is what the forger tries, and what verification must notice.
 */
import type {
  Certificate,
  CertificateScheme,
  Signature,
  SignedVote,
  Statement,
} from "../../../protocol/src/agreement/simplex/index.ts";

class Token {
  readonly validator: number;
  readonly statement: Statement;
  constructor(validator: number, statement: Statement) {
    this.validator = validator;
    this.statement = statement;
  }
}

/** The scheme of one validator. */
export function createTokenScheme(self: number): CertificateScheme {
  return {
    sign: (statement) => new Token(self, statement),
    verify: isSigned,
    certify: ({ kind, view, value }, votes) => ({
      kind,
      view,
      value,
      signers: votes.map(({ validator }) => validator),
      proof: votes.map(({ signature }) => signature),
    }),
    verifyCertificate: (certificate) => {
      const proof = certificate.proof as Signature[];
      return (
        proof.length === certificate.signers.length &&
        certificate.signers.every((signer, index) => isSigned(certificate, signer, proof[index]!))
      );
    },
    votesOf,
  };
}

function isSigned(statement: Statement, validator: number, signature: Signature): boolean {
  if (!(signature instanceof Token) || signature.validator !== validator) return false;
  const signed = signature.statement;
  return (
    signed.kind === statement.kind &&
    signed.view === statement.view &&
    signed.value === statement.value &&
    (signed.kind !== "propose" || statement.kind !== "propose" || signed.parent === statement.parent)
  );
}

function votesOf({ kind, view, value, signers, proof }: Certificate): SignedVote[] {
  return signers.map((validator, index) => ({
    kind,
    view,
    value,
    validator,
    signature: (proof as Signature[])[index]!,
  }));
}
