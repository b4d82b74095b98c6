/**
 * Leaving in good order: nothing more is taken on, what was acknowledged comes into a decided and executed round, others
 * propose meanwhile, and then the validator ends. Whoever cannot wait for that long stops it as ever: nothing is lost by
 * it, the hotspots' reports only come in later.
 */
import { CodedError } from "../../node/src/host/codedError.ts";
import type { Clock, Log } from "../../node/src/host/types.ts";

export type DrainingOptions = {
  /** How long it may take where nobody says otherwise: the window by which receipts promise inclusion. */
  readonly defaultTimeoutMs: number;
  /** How often to look whether all is done: rounds end on their own. */
  readonly pollMs: number;
};
export type DrainingModules = {
  readonly clock: Clock;
  readonly log: Log;
  /** Takes on nothing from now on. */
  readonly refuseMore: () => void;
  /** What is still to be done: messages being checked, and own batches that no executed round holds. */
  readonly countWaiting: () => number;
};
export type DrainingStanding = {
  readonly draining: boolean;
  /** When it gives up, in Unix milliseconds; null while it has not begun. */
  readonly untilMs: number | null;
  readonly batchesWaiting: number;
};

export class Draining {
  readonly #options: DrainingOptions;
  readonly #modules: DrainingModules;
  readonly #ended = Promise.withResolvers<CodedError | null>();
  #untilMs: number | null = null;
  /** The same by the clock that nobody sets. */
  #endAtMs = 0;
  #cancel: (() => void) | null = null;

  constructor(options: DrainingOptions, modules: DrainingModules) {
    this.#options = options;
    this.#modules = modules;
  }

  /** Settles when the validator should end: with null where all is done, else with what says that it is not. */
  get ended(): Promise<CodedError | null> {
    return this.#ended.promise;
  }

  get isDraining(): boolean {
    return this.#untilMs !== null;
  }

  describe(): DrainingStanding {
    const batchesWaiting = this.#modules.countWaiting();
    return { draining: this.isDraining, untilMs: this.#untilMs, batchesWaiting };
  }

  /** Begins, or, where it has begun, changes how long it may take. @param timeoutMs null for the default. */
  begin(timeoutMs: number | null): void {
    const { clock, log, refuseMore } = this.#modules;
    const isFirst = this.#untilMs === null;
    const limitMs = timeoutMs ?? this.#options.defaultTimeoutMs;
    this.#untilMs = clock.nowMs() + limitMs;
    this.#endAtMs = clock.elapsedMs() + limitMs;
    if (!isFirst) return;
    log.info("Drain: take nothing more and finish what was acknowledged");
    refuseMore();
    this.#cancel = clock.every(this.#options.pollMs, () => this.#look());
  }

  stop(): void {
    this.#cancel?.();
  }

  #look(): void {
    const { clock, log, countWaiting } = this.#modules;
    const waiting = countWaiting();
    if (waiting > 0 && clock.elapsedMs() < this.#endAtMs) return;
    this.stop();
    if (waiting === 0) {
      log.info("Drained: end");
      this.#ended.resolve(null);
      return;
    }
    const text = `${waiting} acknowledged batches are in no round yet: they are on the disk, and go on after the next start`;
    this.#ended.resolve(new CodedError("drain_unfinished", text));
  }
}
