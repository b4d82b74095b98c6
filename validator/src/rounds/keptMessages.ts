/**
 * Messages of rounds whose instance is not made yet (rule B8): of every validator the newest few, so that nobody's
 * messages push out another's.
 */
import type { PeerMessage } from "../../../protocol/src/agreement/peerMessages.ts";
import type { PeerName } from "../mesh/mesh.ts";

/** What validators say of rounds. */
export type AgreementMessage = Extract<
  PeerMessage,
  { type: "tips" | "proposal" | "vote" | "certificate" | "status" }
>;
type KeptMessage = { readonly from: PeerName; readonly message: AgreementMessage };

/** Of one validator: its tips, proposal, votes and certificates of a round, twice. */
const KEPT_PER_VALIDATOR = 16;

export class KeptMessages {
  #kept: KeptMessage[] = [];

  /** @returns what had to go for it: the oldest of the same validator; null where there was room. */
  keep(from: PeerName, message: AgreementMessage): AgreementMessage | null {
    const own = this.#kept.filter((kept) => kept.from === from);
    const oldest = own.length >= KEPT_PER_VALIDATOR ? own[0]! : null;
    if (oldest !== null) this.#kept.splice(this.#kept.indexOf(oldest), 1);
    this.#kept.push({ from, message });
    return oldest?.message ?? null;
  }

  /** All of them, in the order in which they came; none is kept any more. */
  takeAll(): readonly KeptMessage[] {
    const kept = this.#kept;
    this.#kept = [];
    return kept;
  }

  /** The rounds up to this one are decided. */
  forget(round: number): void {
    this.#kept = this.#kept.filter(({ message }) => roundOf(message) > round);
  }
}

/** The round that a message is about. */
export function roundOf(message: AgreementMessage): number {
  if (message.type === "tips") return message.signed.tips.round;
  return message.type === "status" ? message.status.round : message.round;
}
