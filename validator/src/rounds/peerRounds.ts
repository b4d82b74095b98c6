/**
 * How far the others are, as they say: for people who look and for receipts' deadlines, and never for a decision. One
 * validator may claim any round, so what counts is the highest that more members of a set claim than may be faulty: at
 * least one honest one is there.
 */
import type { ValidatorSet } from "../../../protocol/src/agreement/certificates.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { MAX_MEMBERS, type PeerName } from "../mesh/mesh.ts";

type Seats = Pick<ValidatorSet, "keys" | "quorum">;

export class PeerRounds {
  readonly #decided = new Map<PeerName, number>();
  /** The members of the set that was last asked about: each receipt asks, and a set stays for an epoch. */
  #members: { readonly set: Seats; readonly names: readonly PeerName[] } | null = null;

  /** A peer spoke of a round as the next one to decide, or voted in it. @param decided rounds it must have decided. */
  hear(peer: PeerName, decided: number): void {
    const before = this.#decided.get(peer);
    if (before !== undefined && before >= decided) return;
    // Full of those who left long ago: whoever is here says it again.
    if (before === undefined && this.#decided.size >= MAX_MEMBERS) this.#decided.clear();
    this.#decided.set(peer, decided);
  }

  /**
   * Rounds that at least one honest member of a set has decided beyond the own ones. What others claimed, when they had a
   * seat, counts no more: with each set as many may have lied.
   * @param decided rounds that this validator has decided.
   */
  computeBehind(decided: number, set: Seats): number {
    if (this.#members?.set !== set) this.#members = { set, names: set.keys.map(encodeHex) };
    const claims = this.#members.names.map((name) => this.#decided.get(name) ?? 0).sort((a, b) => b - a);
    const faulty = set.keys.length - set.quorum;
    return Math.max(0, (claims[faulty] ?? 0) - decided);
  }
}
