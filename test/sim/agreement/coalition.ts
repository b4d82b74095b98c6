/**
 * What the Byzantine validators of a simulation know together, and the messages they can make of it: everything any of
 * them has heard, and their own signatures under anything.
 */
import type {
  Certificate,
  CertificateScheme,
  Message,
  Proposal,
  SignedVote,
  Vote,
} from "../../../protocol/src/agreement/simplex/index.ts";
import { createTokenScheme } from "./tokenScheme.ts";

/** An adversary looks no further than this: enough for every view that a healed network reaches. */
const MAX_KNOWN_VIEW = 64;

export class Coalition {
  readonly members: readonly number[];
  readonly #quorum: number;
  readonly #schemes: ReadonlyMap<number, CertificateScheme>;
  /** Votes of others, by what they say. */
  readonly #votes = new Map<string, Map<number, SignedVote>>();
  readonly #certificates = new Map<string, Certificate>();
  /** Every value named in any message. */
  readonly values: string[] = ["b0", "b1"];
  /** The highest view that any message was about. */
  view = 1;

  constructor(members: readonly number[], validators: number) {
    this.members = members;
    this.#quorum = validators - Math.floor((validators - 1) / 3);
    this.#schemes = new Map(members.map((member) => [member, createTokenScheme(member)]));
  }

  learn(message: Message): void {
    if (message.type === "vote") {
      this.#note(message.vote);
      const key = keyOf(message.vote);
      const votes = this.#votes.get(key) ?? new Map<number, SignedVote>();
      votes.set(message.vote.validator, message.vote);
      this.#votes.set(key, votes);
    } else if (message.type === "certificate") {
      this.#note(message.certificate);
      this.#certificates.set(keyOf(message.certificate), message.certificate);
    } else {
      this.#note(message.proposal);
      for (const certificate of message.proposal.justification) {
        this.#certificates.set(keyOf(certificate), certificate);
      }
    }
  }

  /** A member's signed vote for anything. */
  vote(member: number, { kind, view, value }: Vote): SignedVote {
    const signature = this.#schemes.get(member)!.sign({ kind, view, value });
    return { kind, view, value, validator: member, signature };
  }

  /** A member's signed proposal, with whichever certificates it likes. */
  propose(
    member: number,
    view: number,
    parent: number,
    value: string,
    justification: readonly Certificate[],
  ): Proposal {
    const statement = { kind: "propose", view, parent, value } as const;
    const signature = this.#schemes.get(member)!.sign(statement);
    return { ...statement, validator: member, signature, justification };
  }

  /** The certificate, where it was heard, or can be made with the members' own votes. */
  certificate(vote: Vote): Certificate | null {
    const key = keyOf(vote);
    const known = this.#certificates.get(key);
    if (known !== undefined) return known;
    const heard = this.#votes.get(key) ?? new Map<number, SignedVote>();
    const all = new Map(heard);
    for (const member of this.members) all.set(member, this.vote(member, vote));
    if (all.size < this.#quorum) return null;
    const votes = [...all.values()].sort((a, b) => a.validator - b.validator);
    const made = this.#schemes.get(this.members[0]!)!.certify(vote, votes);
    this.#certificates.set(key, made);
    return made;
  }

  /** Every certificate that can be had of views up to the known one. */
  certificates(): Certificate[] {
    const found: Certificate[] = [];
    for (let view = Math.max(1, this.view - 3); view <= this.view; view++) {
      for (const value of this.values.slice(-8)) {
        const notarization = this.certificate({ kind: "notarize", view, value });
        if (notarization !== null) found.push(notarization);
      }
      const nullification = this.certificate({ kind: "nullify", view, value: null });
      if (nullification !== null) found.push(nullification);
    }
    return found;
  }

  /** What a leader of the view could justify: parents with their values (null: any fresh one) and certificates. */
  parents(view: number): { parent: number; value: string | null; justification: Certificate[] }[] {
    const skipped: Certificate[] = [];
    const found: { parent: number; value: string | null; justification: Certificate[] }[] = [];
    for (let parent = view - 1; parent > 0; parent--) {
      for (const value of this.values) {
        const notarization = this.certificate({ kind: "notarize", view: parent, value });
        if (notarization !== null) found.push({ parent, value, justification: [notarization, ...skipped] });
      }
      const nullification = this.certificate({ kind: "nullify", view: parent, value: null });
      if (nullification === null) return found;
      skipped.push(nullification);
    }
    found.push({ parent: 0, value: null, justification: [...skipped] });
    return found;
  }

  #note({ view, value }: { readonly view: number; readonly value: string | null }): void {
    if (view > this.view && view <= MAX_KNOWN_VIEW) this.view = view;
    if (value !== null && !this.values.includes(value)) this.values.push(value);
  }
}

const keyOf = ({ kind, view, value }: Vote | Certificate): string => `${kind}/${view}/${value}`;
