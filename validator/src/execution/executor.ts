/**
 * Executes decided rounds one after the other: batches in, ledger forward, one store transaction a round, and only then
 * is anyone told. What the validator shows is therefore never ahead of what it has stored.
 */
import { isCodedError } from "../../../node/src/host/codedError.ts";
import type { Log } from "../../../node/src/host/types.ts";
import { executeRound } from "../../../protocol/src/ledger/execute.ts";
import { encodeLedger } from "../../../protocol/src/ledger/snapshot.ts";
import type { Ledger } from "../../../protocol/src/ledger/state.ts";
import type { RoundResult } from "../../../protocol/src/ledger/types.ts";
import type { Executed, Finalized } from "../rounds/agreement.ts";
import type { BatchStore } from "../store/batchStore.ts";
import type { RetentionPolicy, RoundStore, Snapshot } from "../store/store.ts";
import { type LoadedRound, loadRound, type RoundInputModules, yieldToEventLoop } from "./roundInput.ts";

export type ExecutorOptions = {
  readonly retention: RetentionPolicy;
  /** A snapshot after every so many epochs. */
  readonly snapshotEpochs: number;
};
export type ExecutorModules = Omit<RoundInputModules, "batches" | "ledger"> & {
  /** Where a round's batches come from: the disk alone, or from other validators what is missing on it. */
  readonly source: RoundInputModules["batches"];
  readonly ledger: Ledger;
  readonly store: Pick<RoundStore, "commitRound" | "prune">;
  readonly batches: Pick<BatchStore, "deleteBatches">;
  readonly log: Log;
  readonly onExecuted: (executed: ExecutedRound) => void;
  /** Execution cannot go on: the validator must stop. */
  readonly onFailure: (error: Error) => void;
  /** Milliseconds, for the metrics; execution itself reads no clock. */
  readonly elapsedMs: () => number;
};

/** A round that is executed and stored. */
export type ExecutedRound = {
  readonly finalized: Finalized;
  readonly result: RoundResult;
  /** Ids of all messages that its batches held, executed or not. */
  readonly messageIds: readonly Uint8Array[];
  readonly executionMs: number;
  readonly commitMs: number;
};

export type Executor = {
  /** Rounds come in order; those before execution are at most EXEC_LAG_ROUNDS, which agreement sees to. */
  readonly enqueue: (finalized: Finalized) => void;
  readonly executed: () => Executed | null;
  /** Rounds decided and not yet executed. */
  readonly backlog: () => number;
  /** Resolves once nothing is queued; rejects where execution has failed. */
  readonly idle: () => Promise<void>;
  /** Finishes the round under way and takes no other. */
  readonly stop: () => Promise<void>;
};

export function createExecutor(options: ExecutorOptions, modules: ExecutorModules): Executor {
  return new RoundExecutor(options, modules);
}

class RoundExecutor implements Executor {
  #options: ExecutorOptions;
  #modules: ExecutorModules;
  #queue: Finalized[] = [];
  #running: Promise<void> | null = null;
  #pruning: Promise<void> | null = null;
  #isStopped = false;
  #failure: Error | null = null;

  constructor(options: ExecutorOptions, modules: ExecutorModules) {
    this.#options = options;
    this.#modules = modules;
  }

  executed = (): Executed | null => {
    const { round, digest } = this.#modules.ledger;
    return round < 0 ? null : { round, digest };
  };

  backlog = (): number => this.#queue.length;

  enqueue = (finalized: Finalized): void => {
    this.#queue.push(finalized);
    this.#running ??= this.#run();
  };

  idle = async (): Promise<void> => {
    await this.#running;
    if (this.#failure !== null) throw this.#failure;
  };

  stop = async (): Promise<void> => {
    this.#isStopped = true;
    await this.#running;
    await this.#pruning;
  };

  async #run(): Promise<void> {
    try {
      while (!this.#isStopped && this.#queue.length > 0) {
        await this.#execute(this.#queue[0]!);
        this.#queue.shift();
        await this.#yieldTurn();
      }
    } catch (error) {
      // A fetch that was given up because the validator ends leaves its round undone, to be done after the next start.
      if (this.#isStopped && isCodedError(error, "stopped")) return;
      this.#isStopped = true;
      this.#failure = error instanceof Error ? error : new Error(String(error));
      this.#modules.onFailure(this.#failure);
    } finally {
      this.#running = null;
    }
  }

  async #execute(finalized: Finalized): Promise<void> {
    const { ledger, elapsedMs } = this.#modules;
    const { source: batches, domains } = this.#modules;
    const yieldTurn = () => this.#yieldTurn();
    const modules = { batches, domains, ledger, yieldTurn };
    const loaded = await loadRound(finalized.value, ledger.timeMs, modules);
    const startMs = elapsedMs();
    const result = executeRound(ledger, loaded.input);
    const executedMs = elapsedMs();
    await this.#commit(finalized, loaded, result);
    this.#modules.onExecuted({
      finalized,
      result,
      messageIds: loaded.input.messages.map(({ id }) => id),
      executionMs: executedMs - startMs,
      commitMs: elapsedMs() - executedMs,
    });
    if (result.epochClose !== null) this.#pruning ??= this.#prune();
  }

  async #commit(finalized: Finalized, loaded: LoadedRound, result: RoundResult): Promise<void> {
    const { valueBytes, certBytes } = finalized;
    const { batchDigests, batchSpans } = loaded;
    const commit = { value: valueBytes, finalCert: certBytes, result, batchDigests, batchSpans };
    await this.#modules.store.commitRound(commit, this.#snapshotOf(result));
  }

  #snapshotOf({ epochClose }: RoundResult): Snapshot | undefined {
    if (epochClose === null || (epochClose.epoch + 1) % this.#options.snapshotEpochs !== 0) return undefined;
    const bytes = encodeLedger(this.#modules.ledger);
    return { epoch: epochClose.epoch, bytes, stateRoot: epochClose.stateRoot };
  }

  #yieldTurn(): Promise<void> {
    return (this.#modules.yieldTurn ?? yieldToEventLoop)();
  }

  /** Deletes what retention gives up, a bounded part a turn. A failure costs space only, so it is said and left. */
  async #prune(): Promise<void> {
    const { store, batches, log } = this.#modules;
    try {
      for (let done = false; !done && !this.#isStopped; ) {
        const pruned = await store.prune(this.#options.retention);
        await batches.deleteBatches(pruned.batchDigests);
        done = pruned.done;
        await this.#yieldTurn();
      }
    } catch (error) {
      log.warn("Could not delete what retention gives up", { error: String(error) });
    } finally {
      this.#pruning = null;
    }
  }
}
