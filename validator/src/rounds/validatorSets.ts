/**
 * The validator sets that this validator knows: of the running epoch, the one before and the one after, by the ledger,
 * and of some epochs that are over, whose certificates may still come. It tells when they change, so that the mesh and
 * agreement follow without a restart.
 */
import {
  createValidatorSet,
  type ValidatorSet,
  type ValidatorSets,
} from "../../../protocol/src/agreement/certificates.ts";
import type { SeatsOf } from "../../../protocol/src/agreement/peerMessages.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import {
  epochOfRound,
  firstRoundOfEpoch,
  MAX_VALIDATORS,
  type Parameters,
} from "../../../protocol/src/network/parameters.ts";
import type { Votes } from "./votes.ts";

/** Epochs that are over of which the set is kept: attestations of twice as many are never asked about. */
export const REMEMBERED_EPOCHS = 16;

export type KnownSetsModules = {
  /** The ledger: what the executed rounds have fixed. */
  readonly ledger: ValidatorSets & { readonly nextEpoch: number };
  readonly votes: Pick<Votes, "recordValidatorSet" | "validatorSets">;
};

export class KnownSets implements ValidatorSets {
  readonly #parameters: Parameters;
  readonly #modules: KnownSetsModules;
  readonly #sets = new Map<number, ValidatorSet>();
  /** Whoever `members` gives, by name: put together once an epoch, since each connection is asked about, and often. */
  #members: ReadonlyMap<string, Uint8Array> = new Map();
  readonly #watchers: (() => void)[] = [];

  constructor(parameters: Parameters, modules: KnownSetsModules) {
    this.#parameters = parameters;
    this.#modules = modules;
    for (const { epoch, keys } of modules.votes.validatorSets())
      this.#sets.set(epoch, createValidatorSet(keys));
    this.update();
  }

  setOf = (epoch: number): ValidatorSet | null => this.#sets.get(epoch) ?? null;

  /** The set that decides a round, or null where execution has not come so far that it is fixed. */
  setOfRound = (round: number): ValidatorSet | null => this.setOf(epochOfRound(this.#parameters, round));

  /** The first epoch whose set is known: 0, or the one of the checkpoint that the home began with, until it is long over. */
  firstKnownEpoch = (): number => Math.min(...this.#sets.keys());

  /** The last round whose set is known. */
  lastKnownRound = (): number => firstRoundOfEpoch(this.#parameters, Math.max(...this.#sets.keys()) + 1) - 1;

  /** For decoders: a set that is not known may have any size, and its certificates are told apart later. */
  seatsOf: SeatsOf = (place) => {
    const set = "round" in place ? this.setOfRound(place.round) : this.setOf(place.epoch);
    return set?.keys.length ?? MAX_VALIDATORS;
  };

  /**
   * Everyone with a seat in the epoch that is executed next, in the one after or in the two before, each once. In the
   * earlier one of those too, since no round of the next epoch begins without the word of its set on it (B0).
   */
  members = (): Uint8Array[] => [...this.#members.values()];

  /** Whether a key is one of theirs. */
  isMember = (key: Uint8Array): boolean => this.#members.has(encodeHex(key));

  /** Calls back when another epoch's set is known. */
  onChange = (callback: () => void): void => void this.#watchers.push(callback);

  /** Execution closed an epoch: takes over what that fixed, and forgets what is long over. */
  update(): void {
    const { ledger, votes } = this.#modules;
    for (let epoch = Math.max(0, ledger.nextEpoch - 1); epoch <= ledger.nextEpoch + 1; epoch++) {
      const set = this.#sets.has(epoch) ? null : ledger.setOf(epoch);
      if (set === null) continue;
      this.#sets.set(epoch, set);
      votes.recordValidatorSet(epoch, set.keys);
    }
    for (const epoch of this.#sets.keys())
      if (epoch < ledger.nextEpoch - REMEMBERED_EPOCHS) this.#sets.delete(epoch);
    this.#members = this.#gatherMembers();
    for (const watch of this.#watchers) watch();
  }

  #gatherMembers(): Map<string, Uint8Array> {
    const { nextEpoch } = this.#modules.ledger;
    const sets = [nextEpoch, nextEpoch - 1, nextEpoch - 2, nextEpoch + 1].map(this.setOf);
    return new Map(sets.flatMap((set) => set?.keys ?? []).map((key) => [encodeHex(key), key]));
  }
}
