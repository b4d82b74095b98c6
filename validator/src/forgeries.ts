/**
 * Notices signatures that are not valid in what a validator says, so that its mesh makes it pay: no honest one passes on
 * what it has not verified, and each costs as much as everything else about the message together.
 */
import type { DropReason } from "../../protocol/src/agreement/drops.ts";

export class Forgeries {
  #isFound = false;

  /** Something that was said has no effect. */
  onDropped(reason: DropReason): void {
    if (reason === "bad_signature") this.#isFound = true;
  }

  /**
   * Whether what is heard now holds a forgery. Messages that were kept for a round are judged when it begins, so they count
   * with the one that began it, whoever said them: once a round.
   */
  isIn(hear: () => void): boolean {
    this.#isFound = false;
    hear();
    return this.#isFound;
  }
}
