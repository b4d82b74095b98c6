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
  /** The members of sets that were asked about: each receipt asks, and a set stays for an epoch. */
  readonly #members = new WeakMap<Seats, readonly PeerName[]>();

  /** A peer spoke of a round as the next one to decide, or voted in it. @param decided rounds it must have decided. */
  hear(peer: PeerName, decided: number): void {
    const before = this.#decided.get(peer);
    if (before !== undefined && before >= decided) return;
    // Full of those who left long ago: whoever is here says it again.
    if (before === undefined && this.#decided.size >= MAX_MEMBERS) this.#decided.clear();
    this.#decided.set(peer, decided);
  }

  /**
   * Rounds that at least one honest member of a set has decided beyond the own ones, by the set that says most. What others
   * claimed, when they had a seat, counts no more: with each set as many may have lied.
   * @param decided rounds that this validator has decided.
   * @param sets those that are known to this validator from its epoch on. Where it is so many epochs behind that no more
   *   than f seats of each are left, it sees fewer rounds than there are.
   */
  computeBehind(decided: number, sets: readonly Seats[]): number {
    return Math.max(0, ...sets.map((set) => this.#honestClaim(set) - decided));
  }

  /** The highest claim of a set that at least one honest member of it makes, or exceeds. */
  #honestClaim(set: Seats): number {
    const names = this.#members.get(set) ?? set.keys.map(encodeHex);
    this.#members.set(set, names);
    const claims = names.map((name) => this.#decided.get(name) ?? 0).sort((a, b) => b - a);
    return claims[set.keys.length - set.quorum] ?? 0;
  }
}
