/**
 * What validators say to each other within one round, decoded. A validator is a position in the round's validator set,
 * a value is named by its digest, and a signature is whatever the certificate scheme makes of it.
 */

/** The three kinds of vote. */
export const VOTE_KINDS = ["notarize", "nullify", "finalize"] as const;
export type VoteKind = (typeof VOTE_KINDS)[number];

/** x = H(Value), in the encoding of the shell's choice: equal values have equal names, and different ones different. */
export type ValueId = string;

/** Opaque to the core: 64 bytes of Ed25519, or a simulation's token. */
export type Signature = object;

/** What a vote says. `value` is null for `nullify` and never null otherwise. */
export type Vote = { readonly kind: VoteKind; readonly view: number; readonly value: ValueId | null };

export type SignedVote = Vote & { readonly validator: number; readonly signature: Signature };

/** That a quorum cast one vote. `signers` are distinct positions, ascending; `proof` is the scheme's. */
export type Certificate = Vote & { readonly signers: readonly number[]; readonly proof: object };

/** What a leader signs. `parent` is the view whose notarized value it proposes again, or 0 for a fresh value. */
export type ProposalStatement = {
  readonly kind: "propose";
  readonly view: number;
  readonly parent: number;
  readonly value: ValueId;
};

/** The leader's proposal, with the certificates that justify it; they carry signatures of their own. */
export type Proposal = ProposalStatement & {
  readonly validator: number;
  readonly signature: Signature;
  readonly justification: readonly Certificate[];
};

/** What a validator signs within a round. */
export type Statement = Vote | ProposalStatement;

export type Message =
  | { readonly type: "vote"; readonly vote: SignedVote }
  | { readonly type: "proposal"; readonly proposal: Proposal }
  | { readonly type: "certificate"; readonly certificate: Certificate };
