/**
 * For which epochs this validator may have acknowledged batches that its home does not know, because it was lost or comes
 * from a copy. Two acknowledgements of one number in one epoch convict their author, and the first may be with nobody but
 * the lane's author, who shows it when it likes. So nothing is acknowledged until those epochs are over: a batch is
 * acknowledged for at most the epoch after the running one, and the lost home ran in none that came later than the round
 * which nobody had decided when the others were asked.
 *
 * Lanes go on without it by a quorum of the others, or wait with them for the epoch. In a set that has no quorum without
 * it, too small for anybody in it to be bad, members get its word at once.
 */
import type { Log } from "../../../node/src/host/types.ts";
import type { ValidatorSet } from "../../../protocol/src/agreement/certificates.ts";
import type { Ack } from "../../../protocol/src/agreement/peerMessages.ts";
import { epochOfRound, type Parameters } from "../../../protocol/src/network/parameters.ts";
import type { KnownSets } from "../rounds/validatorSets.ts";
import type { Votes } from "../rounds/votes.ts";

/** An acknowledgement is for the running epoch, the one before or the one after. */
const ACK_LEAD_EPOCHS = 1;

export type LostAcksOptions = {
  readonly self: Uint8Array;
  readonly parameters: Pick<Parameters, "roundsPerEpoch">;
};
export type LostAcksModules = {
  readonly votes: Pick<
    Votes,
    "isRestored" | "lowestRound" | "acksKnownFrom" | "recordAcksLost" | "recordAcksKnownFrom"
  >;
  readonly sets: Pick<KnownSets, "setOf" | "firstKnownEpoch">;
  /** The first round that no earlier home had decided; null as long as that is not known. */
  readonly freshRound: () => number | null;
  readonly log: Log;
};

export class LostAcks {
  readonly #options: LostAcksOptions;
  readonly #modules: LostAcksModules;
  /** The first epoch for which nothing was acknowledged that the votes do not know; null while that is not known. */
  #knownFrom: number | null;

  /**
   * Finds by the home alone that acknowledgements are missing, where that can be seen; once, since a validator that ends
   * again before its first signature has lost no more.
   */
  constructor(options: LostAcksOptions, modules: LostAcksModules) {
    this.#options = options;
    this.#modules = modules;
    this.#knownFrom = modules.votes.acksKnownFrom();
    // A mark without that word is of a program that derived the one from the other.
    const isLost = modules.votes.isRestored() || this.#isBegunWithSeat();
    if (this.#knownFrom === 0 && isLost) this.onLost();
  }

  /** What was acknowledged before is not known here: remembered until the epoch is, also across crashes. */
  onLost(): void {
    if (this.#knownFrom === null) return;
    this.#modules.votes.recordAcksLost();
    this.#knownFrom = null;
  }

  /** A round has been executed: the others may have said where they are. */
  onExecuted(): void {
    const { votes, freshRound, log } = this.#modules;
    const fresh = this.#knownFrom === null ? freshRound() : null;
    if (fresh === null) return;
    const fromEpoch = epochOfRound(this.#options.parameters, fresh) + ACK_LEAD_EPOCHS + 1;
    votes.recordAcksKnownFrom(fromEpoch);
    this.#knownFrom = fromEpoch;
    log.warn("Acknowledge batches again from an epoch on that the lost home had not come to", { fromEpoch });
  }

  /** Whether no earlier home can have acknowledged anything for the epoch. */
  mayAcknowledge({ lane, epoch }: Pick<Ack["ack"], "lane" | "epoch">): boolean {
    const set = this.#modules.sets.setOf(epoch);
    // Whoever has left such a set may be bad: its lane waits as in any other.
    if (set !== null && isNeededByAll(set) && set.positionOf(lane) !== undefined) return true;
    return this.#knownFrom !== null && epoch >= this.#knownFrom;
  }

  /**
   * How many epochs are to pass, this one included, before it acknowledges again: the most that it can be while unknown,
   * and 0 where nobody waits for it, as it has no seat, or has its word.
   */
  countWaitEpochs(epoch: number): number {
    const set = this.#modules.sets.setOf(epoch);
    const isAwaited = set !== null && set.positionOf(this.#options.self) !== undefined;
    if (!isAwaited || isNeededByAll(set)) return 0;
    return this.#knownFrom === null ? ACK_LEAD_EPOCHS + 1 : Math.max(0, this.#knownFrom - epoch);
  }

  /**
   * Votes that are empty in a home which began, by a checkpoint, with a seat: another home may have used the seat before.
   * Who is new gets its seat later than its home.
   */
  #isBegunWithSeat(): boolean {
    const { votes, sets } = this.#modules;
    const first = sets.firstKnownEpoch();
    return (
      first > 0 &&
      votes.lowestRound() === null &&
      sets.setOf(first)?.positionOf(this.#options.self) !== undefined
    );
  }
}

/** Whether a set has no quorum without any one of its members. */
const isNeededByAll = ({ quorum, keys }: ValidatorSet): boolean => quorum === keys.length;
