/**
 * Up to where this validator may have acknowledged batches that its home does not know, because it was lost or comes from
 * a copy. Two acknowledgements of one number convict their author whatever lies between them, and the first may be with
 * nobody but the lane's author, who shows it when it likes. So nothing up to there is acknowledged again: what was given
 * before lies at most MAX_UNCUT_BATCHES beyond the lane's end in a round that the lost home cannot have reached.
 *
 * A lane goes on without it by a quorum of the others, and whoever needs its word is answered from the first batch above.
 * In a set that has no quorum without it, too small for anybody in it to be bad, members get its word at once.
 */
import type { Log } from "../../../node/src/host/types.ts";
import { MAX_UNCUT_BATCHES } from "../../../protocol/src/agreement/lanes/index.ts";
import type { Ack } from "../../../protocol/src/agreement/peerMessages.ts";
import { equalBytes } from "../../../protocol/src/bytes/bytes.ts";
import type { KnownSets } from "../rounds/validatorSets.ts";
import type { Votes } from "../rounds/votes.ts";

/** Where the executed cuts have left a lane. */
type LaneRecord = { readonly key: Uint8Array; readonly laneEnd: { readonly seq: number } };

export type AckFloorsOptions = { readonly self: Uint8Array };
export type AckFloorsModules = {
  readonly votes: Pick<
    Votes,
    "isRestored" | "lowestRound" | "areAcksLost" | "recordAcksLost" | "recordAckFloors" | "ackFloorOf"
  >;
  readonly sets: Pick<KnownSets, "setOf" | "firstKnownEpoch" | "members">;
  /** The state after the newest executed round. */
  readonly ledger: {
    readonly round: number;
    readonly nextEpoch: number;
    readonly laneEndOf: (lane: Uint8Array) => { readonly seq: number };
    readonly validators: { readonly list: readonly LaneRecord[] };
  };
  /** The first round that no earlier home had decided; null as long as that is not known. */
  readonly freshRound: () => number | null;
  readonly log: Log;
};

export class AckFloors {
  readonly #options: AckFloorsOptions;
  readonly #modules: AckFloorsModules;
  #areLost: boolean;

  /** Finds by the home alone that acknowledgements are missing, where that can be seen. */
  constructor(options: AckFloorsOptions, modules: AckFloorsModules) {
    this.#options = options;
    this.#modules = modules;
    this.#areLost = modules.votes.areAcksLost();
    if (modules.votes.isRestored() || this.#isBegunWithSeat()) this.onLost();
  }

  /** What was acknowledged before is not known here: remembered until the floors are, also across crashes. */
  onLost(): void {
    if (this.#areLost) return;
    this.#modules.votes.recordAcksLost();
    this.#areLost = true;
  }

  /** The ledger has gone on: it says where lanes end as soon as that is beyond all that may have been acknowledged. */
  onExecuted(): void {
    const { votes, ledger, freshRound, log } = this.#modules;
    const fresh = this.#areLost ? freshRound() : null;
    if (fresh === null || ledger.round < fresh) return;
    // Whoever stakes later had no lane that an earlier home could have known.
    const floors = ledger.validators.list.map(({ key, laneEnd }) => ({
      lane: key,
      seq: laneEnd.seq + MAX_UNCUT_BATCHES,
    }));
    votes.recordAckFloors(floors);
    this.#areLost = false;
    log.warn("Acknowledge again above all that may have been acknowledged before", { round: ledger.round });
  }

  /** Whether no earlier home can have acknowledged anything else under the number. */
  mayAcknowledge({ lane, seq, epoch }: Omit<Ack["ack"], "digest">): boolean {
    const set = this.#modules.sets.setOf(epoch);
    // Whoever has left such a set may be bad: its lane waits as in any other.
    if (set !== null && set.quorum === set.keys.length && set.positionOf(lane) !== undefined) return true;
    return !this.#areLost && seq > this.#modules.votes.ackFloorOf(lane);
  }

  /** Lanes of other members of which the next batch that a cut may take is not acknowledged. */
  countHeldBack(): number {
    const { sets, ledger } = this.#modules;
    const isHeldBack = (lane: Uint8Array) =>
      !this.mayAcknowledge({ lane, seq: ledger.laneEndOf(lane).seq + 1, epoch: ledger.nextEpoch });
    return sets.members().filter((lane) => !equalBytes(lane, this.#options.self) && isHeldBack(lane)).length;
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
