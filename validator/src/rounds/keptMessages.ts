/**
 * Messages of rounds whose instance is not made yet (rule B8): of every validator the newest few, and few bytes, so that
 * nobody's messages push out another's.
 */
import type { PeerMessage } from "../../../protocol/src/agreement/peerMessages.ts";
import { LaneTipSsz, type SignedTips } from "../../../protocol/src/agreement/rounds.ts";
import type { Certificate } from "../../../protocol/src/agreement/simplex/index.ts";
import { equalBytes } from "../../../protocol/src/bytes/bytes.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import type { PeerName } from "../mesh/mesh.ts";

/** What validators say of rounds. */
export type AgreementMessage = Extract<
  PeerMessage,
  { type: "tips" | "proposal" | "vote" | "certificate" | "status" }
>;
type KeptMessage = { readonly from: PeerName; readonly message: AgreementMessage; readonly bytes: number };

/** Of one validator: its tips, proposal, votes and certificates of a round, twice. */
const KEPT_PER_VALIDATOR = 16;
/**
 * And so many bytes, since nobody has looked at a signature yet: 25 MiB of a full set. It is what those messages take at
 * 100 seats, with the proposed value of up to some thirty; a larger value is left out, and fetched by its digest.
 */
export const KEPT_BYTES_PER_VALIDATOR = 262_144;

const SIGNATURE_BYTES = 64;
const TIP_BYTES = LaneTipSsz.maxSize;

export class KeptMessages {
  #kept: KeptMessage[] = [];

  /** @returns what there is no room for: the oldest of the same validator, or the message itself. */
  keep(from: PeerName, message: AgreementMessage): AgreementMessage[] {
    const own = this.#kept.filter((kept) => kept.from === from);
    const held = own.reduce((sum, { bytes }) => sum + bytes, 0);
    const isRoomy = held + countBytes(message) <= KEPT_BYTES_PER_VALIDATOR;
    const kept = message.type === "proposal" && !isRoomy ? { ...message, value: null } : message;
    const bytes = countBytes(kept);
    if (bytes > KEPT_BYTES_PER_VALIDATOR) return [message];
    const forgotten: KeptMessage[] = [];
    let rest = held;
    while (own.length >= KEPT_PER_VALIDATOR || rest + bytes > KEPT_BYTES_PER_VALIDATOR) {
      const oldest = own.shift()!;
      rest -= oldest.bytes;
      forgotten.push(oldest);
    }
    this.#kept = this.#kept.filter((each) => !forgotten.includes(each));
    this.#kept.push({ from, message: kept, bytes });
    return forgotten.map((each) => each.message);
  }

  /** All of them, in the order in which they came; none is kept any more. */
  takeAll(): readonly KeptMessage[] {
    const kept = this.#kept;
    this.#kept = [];
    return kept;
  }

  /** The newest tips that a validator itself has sent; nobody has looked at their signature yet. */
  tipsOf(key: Uint8Array): SignedTips | null {
    const name = encodeHex(key);
    const kept = this.#kept.findLast(
      ({ from, message }) =>
        from === name && message.type === "tips" && equalBytes(message.signed.tips.validator, key),
    );
    return kept?.message.type === "tips" ? kept.message.signed : null;
  }

  /** The rounds up to this one are decided. */
  forget(round: number): void {
    this.#kept = this.#kept.filter(({ message }) => roundOf(message) > round);
  }
}

/** About how much memory a message holds: what it carries beyond a signature or two. */
function countBytes(message: AgreementMessage): number {
  switch (message.type) {
    case "tips":
      return TIP_BYTES * (1 + message.signed.tips.tips.length);
    case "certificate":
      return countCertificate(message.certificate);
    case "proposal": {
      const justification = message.proposal.justification.map(countCertificate);
      return (
        justification.reduce((sum, bytes) => sum + bytes, SIGNATURE_BYTES) + (message.value?.length ?? 0)
      );
    }
    default:
      return SIGNATURE_BYTES;
  }
}

const countCertificate = ({ signers }: Certificate): number => SIGNATURE_BYTES * (1 + signers.length);

/** The round that a message is about. */
export function roundOf(message: AgreementMessage): number {
  if (message.type === "tips") return message.signed.tips.round;
  return message.type === "status" ? message.status.round : message.round;
}
