/**
 * What a round's instance keeps, in the forms of the votes database: entries of the journal from the core's records and
 * back, and the names under which a second, different signature is refused.
 */
import { hash } from "node:crypto";
import { CodedError } from "../../../node/src/host/codedError.ts";
import {
  decodePeerMessage,
  encodePeerMessage,
  type PeerMessage,
} from "../../../protocol/src/agreement/peerMessages.ts";
import {
  type AvailabilityCert,
  decodeAvailabilityCert,
  encodeAvailabilityCert,
  type SignedTips,
} from "../../../protocol/src/agreement/rounds.ts";
import { encodeStatement, type JournalRecord } from "../../../protocol/src/agreement/simplex/index.ts";
import { sha256 } from "../../../protocol/src/crypto/sha256.ts";
import type { JournalEntry, Vote } from "./votes.ts";

/** An entry read back. */
export type Recalled =
  | { readonly type: "availability"; readonly cert: AvailabilityCert }
  | { readonly type: "tips"; readonly signed: SignedTips }
  | { readonly type: "value"; readonly name: string; readonly bytes: Uint8Array }
  | { readonly type: "record"; readonly record: JournalRecord };

export class RoundJournal {
  readonly #round: number;
  /** The size of the round's set. */
  readonly #validators: number;
  /** Values that are kept already, by name. */
  readonly #kept = new Set<string>();

  constructor(round: number, validators: number) {
    this.#round = round;
    this.#validators = validators;
  }

  /** The entries of a record. @param values encodings by their digests' names. */
  toEntries(record: JournalRecord, values: ReadonlyMap<string, Uint8Array>): JournalEntry[] {
    if (record.type !== "value") return [this.#entryOf(record.type, this.#toMessage(record))];
    const bytes = values.get(record.value);
    // A leader persists its value to propose it and again to vote for it.
    if (bytes === undefined || this.#kept.has(record.value)) return [];
    this.#kept.add(record.value);
    return [{ kind: "value", bytes }];
  }

  /** The names under which a second, different signature is refused. */
  toVotes(record: JournalRecord): Vote[] {
    if (record.type !== "vote" && record.type !== "proposal") return [];
    const statement = record.type === "vote" ? record.vote : record.proposal;
    const kind = record.type === "vote" ? record.vote.kind : "propose";
    const digest = sha256(encodeStatement(this.#round, statement)!);
    return [{ round: this.#round, view: statement.view, kind, digest }];
  }

  /**
   * The own tips, and the certificates of what they name. These are nobody's duty to remember but of who names them: when
   * all validators end at once, no leader could use the tips otherwise, and there are no others in the round.
   */
  tipsEntries(signed: SignedTips, certs: readonly AvailabilityCert[]): JournalEntry[] {
    const kept = certs.map(
      (cert) => ({ kind: "availability", bytes: encodeAvailabilityCert(cert) }) as const,
    );
    return [...kept, this.#entryOf("tips", { type: "tips", signed })];
  }

  #entryOf(kind: JournalEntry["kind"], message: PeerMessage): JournalEntry {
    return { kind, bytes: encodePeerMessage(message, this.#validators) };
  }

  /** @throws CodedError "file_corrupt" where the entry is none that this code wrote. */
  recall({ kind, bytes }: JournalEntry): Recalled {
    if (kind === "value") {
      const name = hash("sha256", bytes, "hex");
      this.#kept.add(name);
      return { type: "value", name, bytes };
    }
    // Of the epoch before, maybe, whose set has another size: its encoding is that of a question's answer.
    const cert = kind === "availability" ? decodeAvailabilityCert(bytes) : null;
    if (cert !== null) return { type: "availability", cert };
    const message = decodePeerMessage(bytes, this.#validators);
    switch (message?.type) {
      case "tips":
        return { type: "tips", signed: message.signed };
      case "vote":
        return { type: "record", record: { type: "vote", vote: message.vote } };
      case "proposal":
        return { type: "record", record: { type: "proposal", proposal: message.proposal } };
      case "certificate":
        return { type: "record", record: { type: "certificate", certificate: message.certificate } };
      default:
        throw new CodedError("file_corrupt", `the journal of round ${this.#round} is damaged`);
    }
  }

  #toMessage(record: Exclude<JournalRecord, { type: "value" }>): PeerMessage {
    const round = this.#round;
    switch (record.type) {
      case "vote":
        return { type: "vote", round, vote: record.vote };
      case "proposal":
        return { type: "proposal", round, proposal: record.proposal, value: null };
      case "certificate":
        return { type: "certificate", round, certificate: record.certificate };
    }
  }
}
