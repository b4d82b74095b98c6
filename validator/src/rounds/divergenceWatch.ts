/**
 * Watches that execution gives the others the same state: f + 1 validators that agree on another digest of a round
 * cannot all be wrong, so this one stops; a lone deviant is its own problem and halts nobody.
 *
 * Those f + 1 must have spoken as members of one set: in two sets one after the other there may be 2 f liars, of whom one
 * has the other's seat.
 */
import { CodedError } from "../../../node/src/host/codedError.ts";
import type { Log } from "../../../node/src/host/types.ts";
import type { ValidatorSet } from "../../../protocol/src/agreement/certificates.ts";
import type { Value } from "../../../protocol/src/agreement/rounds.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import type { Executed } from "./agreement.ts";
import type { KnownSets } from "./validatorSets.ts";

export type DivergenceOptions = {
  readonly self: Uint8Array;
  /** Tips speak of rounds at most this far back. */
  readonly execLagRounds: number;
};
export type DivergenceModules = {
  readonly sets: Pick<KnownSets, "setOfRound">;
  readonly log: Log;
  readonly onFailure: (error: Error) => void;
};

/** What members of one set, each in its own tips, have said of a round's state. */
type Word = { readonly digest: string; readonly set: ValidatorSet; readonly validators: Set<string> };

export class DivergenceWatch {
  readonly #options: DivergenceOptions;
  readonly #modules: DivergenceModules;
  /** Own digests of the newest rounds, and what others said of them: few different words, where nobody lies one. */
  readonly #own = new Map<number, string>();
  readonly #theirs = new Map<number, Word[]>();

  constructor(options: DivergenceOptions, modules: DivergenceModules) {
    this.#options = options;
    this.#modules = modules;
  }

  /** A round was executed here. */
  onExecuted({ round, digest }: Executed): void {
    this.#own.set(round, encodeHex(digest));
    this.#compare(round);
    const oldest = round - 2 * this.#options.execLagRounds - 2;
    this.#own.delete(oldest);
    for (const known of this.#theirs.keys()) if (known < oldest) this.#theirs.delete(known);
  }

  /** A decided value's tips say what each of a quorum has executed; their signatures are verified. */
  onDecided({ round, tips }: Pick<Value, "round" | "tips">): void {
    const set = this.#modules.sets.setOfRound(round);
    // Of an epoch long over: this validator is far behind, and what it heard then is not needed.
    if (set === null) return;
    const self = encodeHex(this.#options.self);
    for (const { tips: each } of tips) {
      const validator = encodeHex(each.validator);
      // Before anything is executed, tips say round 0 with zeros.
      if (validator === self || each.executedDigest.every((byte) => byte === 0)) continue;
      this.#wordOf(each.executedRound, encodeHex(each.executedDigest), set).validators.add(validator);
      this.#compare(each.executedRound);
    }
  }

  #wordOf(round: number, digest: string, set: ValidatorSet): Word {
    const said = this.#theirs.get(round) ?? [];
    const known = said.find((word) => word.digest === digest && word.set === set);
    if (known !== undefined) return known;
    const word: Word = { digest, set, validators: new Set() };
    this.#theirs.set(round, [...said, word]);
    return word;
  }

  #compare(round: number): void {
    const own = this.#own.get(round);
    if (own === undefined) return;
    for (const { digest, set, validators } of this.#theirs.get(round) ?? []) {
      if (digest === own) continue;
      this.#modules.log.error("Another validator has another state", { round, validators: validators.size });
      if (validators.size <= set.keys.length - set.quorum) continue;
      const text = `${validators.size} validators agree on another state after round ${round}`;
      this.#modules.onFailure(new CodedError("state_diverged", text));
    }
  }
}
