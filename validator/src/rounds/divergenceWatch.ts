/**
 * Watches that execution gives the others the same state: f + 1 validators that agree on another digest of a round
 * cannot all be wrong, so this one stops; a lone deviant is its own problem and halts nobody.
 */
import { CodedError } from "../../../node/src/host/codedError.ts";
import type { Log } from "../../../node/src/host/types.ts";
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

export class DivergenceWatch {
  readonly #options: DivergenceOptions;
  readonly #modules: DivergenceModules;
  /** Own digests of the newest rounds; what others said of rounds, by digest, with who said it. */
  readonly #own = new Map<number, string>();
  readonly #theirs = new Map<number, Map<string, Set<string>>>();

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
  onDecided({ tips }: Value): void {
    const self = encodeHex(this.#options.self);
    for (const { tips: each } of tips) {
      const validator = encodeHex(each.validator);
      // Before anything is executed, tips say round 0 with zeros.
      if (validator === self || each.executedDigest.every((byte) => byte === 0)) continue;
      const said = this.#theirs.get(each.executedRound) ?? new Map<string, Set<string>>();
      const digest = encodeHex(each.executedDigest);
      said.set(digest, (said.get(digest) ?? new Set()).add(validator));
      this.#theirs.set(each.executedRound, said);
      this.#compare(each.executedRound);
    }
  }

  #compare(round: number): void {
    const own = this.#own.get(round);
    if (own === undefined) return;
    const set = this.#modules.sets.setOfRound(round);
    // Of an epoch long over: whoever speaks of it then is far behind, and its word is not needed.
    if (set === null) return;
    const faulty = set.keys.length - set.quorum;
    for (const [digest, validators] of this.#theirs.get(round) ?? []) {
      if (digest === own) continue;
      this.#modules.log.error("Another validator has another state", { round, validators: validators.size });
      if (validators.size <= faulty) continue;
      const text = `${validators.size} validators agree on another state after round ${round}`;
      this.#modules.onFailure(new CodedError("state_diverged", text));
    }
  }
}
