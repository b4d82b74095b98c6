/**
 * How far the others are, as they say: for people who look, and never for a decision. One validator may claim any round,
 * so what counts is the highest that more than may be faulty claim: at least one honest one is there.
 */
import { MAX_MEMBERS } from "../mesh/mesh.ts";

export class PeerRounds {
  readonly #decided = new Map<string, number>();

  /** A peer spoke of a round as the next one to decide, or voted in it. @param decided rounds it must have decided. */
  hear(peer: string, decided: number): void {
    const before = this.#decided.get(peer);
    if (before !== undefined && before >= decided) return;
    if (before === undefined && this.#decided.size >= MAX_MEMBERS) return;
    this.#decided.set(peer, decided);
  }

  /** A link ended: what was claimed over it counts no more. */
  forget(peer: string): void {
    this.#decided.delete(peer);
  }

  /**
   * Rounds that at least one honest validator has decided beyond the own ones.
   * @param decided rounds that this validator has decided. @param faulty how many of the set may lie.
   */
  computeBehind(decided: number, faulty: number): number {
    const claims = [...this.#decided.values()].sort((a, b) => b - a);
    return Math.max(0, (claims[faulty] ?? 0) - decided);
  }
}
