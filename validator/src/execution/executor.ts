/**
 * Executes decided rounds one after the other: batches in, ledger forward, a store transaction, and only then is anyone
 * told. What the validator shows is therefore never ahead of what it has stored. Rounds that wait share a transaction: who
 * catches up waits for the disk once for many of them.
 */
import { isCodedError } from "../../../node/src/host/codedError.ts";
import type { Log } from "../../../node/src/host/types.ts";
import { executeRound } from "../../../protocol/src/ledger/execute.ts";
import { encodeLedger } from "../../../protocol/src/ledger/snapshot.ts";
import type { Ledger } from "../../../protocol/src/ledger/state.ts";
import type { RoundResult } from "../../../protocol/src/ledger/types.ts";
import type { Executed, Finalized } from "../rounds/agreement.ts";
import type { BatchStore } from "../store/batchStore.ts";
import type { RetentionPolicy, RoundCommit, RoundStore, Snapshot } from "../store/store.ts";
import { toError } from "../toError.ts";
import { type LoadedRound, loadRound, type RoundInputModules, yieldToEventLoop } from "./roundInput.ts";

export type ExecutorOptions = {
  readonly retention: RetentionPolicy;
  /** A snapshot after every so many epochs. */
  readonly snapshotEpochs: number;
};
export type ExecutorModules = Omit<RoundInputModules, "batches" | "ledger"> & {
  /** Where the batches of a group's first round come from: the disk, or other validators where it lacks one. */
  readonly source: RoundInputModules["batches"];
  readonly ledger: Ledger;
  readonly store: Pick<RoundStore, "commitRounds" | "prune">;
  /** The disk alone, which is where those of its other rounds must be. */
  readonly batches: Pick<BatchStore, "getBatch" | "deleteBatches">;
  readonly log: Log;
  readonly onExecuted: (executed: ExecutedRound & ExecutedBatches) => void;
  /** Execution cannot go on: the validator must stop. */
  readonly onFailure: (error: Error) => void;
  /** Milliseconds, for the metrics; execution itself reads no clock. */
  readonly elapsedMs: () => number;
};

/**
 * Rounds and messages that share a transaction at most: with sixteen the disk's part of a round is small beside the
 * rest, and so many messages are written in some 50 ms, for which nothing else has its turn.
 */
const ROUNDS_PER_COMMIT = 16;
const MESSAGES_PER_COMMIT = 1_024;

/** A round that is executed and stored. */
export type ExecutedRound = {
  readonly finalized: Finalized;
  readonly result: RoundResult;
  /** Ids of all messages that its batches held, executed or not. */
  readonly messageIds: readonly Uint8Array[];
  readonly executionMs: number;
  /** Its share of the transaction's time. */
  readonly commitMs: number;
};

/** What a round's cut has newly taken. */
export type ExecutedBatches = Pick<LoadedRound, "batchDigests" | "batchSpans">;

/** A round that the ledger has and the store has not. */
type Uncommitted = Omit<ExecutedRound, "commitMs"> & ExecutedBatches;

export type Executor = {
  /** Rounds come in order; those before execution are at most EXEC_LAG_ROUNDS, which agreement sees to. */
  readonly enqueue: (finalized: Finalized) => void;
  readonly executed: () => Executed | null;
  /** Rounds decided and not yet executed and stored. */
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
  /** The newest round that is stored. */
  #executed: Executed | null;
  #running: Promise<void> | null = null;
  #pruning: Promise<void> | null = null;
  #isStopped = false;
  #failure: Error | null = null;

  constructor(options: ExecutorOptions, modules: ExecutorModules) {
    this.#options = options;
    this.#modules = modules;
    const { round, digest } = modules.ledger;
    this.#executed = round < 0 ? null : { round, digest };
  }

  executed = (): Executed | null => this.#executed;

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
        await this.#executeGroup();
        await this.#yieldTurn();
      }
    } catch (error) {
      // A fetch that was given up because the validator ends leaves its round undone, to be done after the next start.
      if (this.#isStopped && isCodedError(error, "stopped")) return;
      this.#isStopped = true;
      this.#failure = toError(error);
      this.#modules.onFailure(this.#failure);
    } finally {
      this.#running = null;
    }
  }

  /**
   * Executes what waits, up to what may share a transaction, and stores it. An epoch's end is the last of its group, and
   * so is a round before one whose batches are not on the disk: what is executed must not wait for the network.
   */
  async #executeGroup(): Promise<void> {
    const { elapsedMs, store, source, onExecuted } = this.#modules;
    const group = [await this.#execute(this.#queue[0]!, source)];
    let last = group[0]!;
    let messages = last.messageIds.length;
    while (
      group.length < Math.min(this.#queue.length, ROUNDS_PER_COMMIT) &&
      messages < MESSAGES_PER_COMMIT &&
      last.result.epochClose === null &&
      !this.#isStopped
    ) {
      const next = await this.#executeFromDisk(this.#queue[group.length]!);
      if (next === null) break;
      group.push(next);
      last = next;
      messages += next.messageIds.length;
    }
    const startMs = elapsedMs();
    await store.commitRounds(group.map(toCommit), this.#snapshotOf(last.result));
    const commitMs = (elapsedMs() - startMs) / group.length;
    this.#queue.splice(0, group.length);
    for (const executed of group) {
      const { round, stateDigest } = executed.result;
      this.#executed = { round, digest: stateDigest };
      onExecuted({ ...executed, commitMs });
    }
    if (last.result.epochClose !== null) this.#pruning ??= this.#prune();
  }

  /** Null where the disk lacks a batch of the round, or has it damaged; the ledger is then as it was. */
  async #executeFromDisk(finalized: Finalized): Promise<Uncommitted | null> {
    try {
      return await this.#execute(finalized, this.#modules.batches);
    } catch (error) {
      if (isCodedError(error, "batch_missing", "file_corrupt")) return null;
      throw error;
    }
  }

  async #execute(finalized: Finalized, batches: RoundInputModules["batches"]): Promise<Uncommitted> {
    const { ledger, elapsedMs, domains } = this.#modules;
    const yieldTurn = () => this.#yieldTurn();
    const loaded = await loadRound(finalized.value, ledger.timeMs, { batches, domains, ledger, yieldTurn });
    const { input, batchDigests, batchSpans } = loaded;
    const startMs = elapsedMs();
    const result = executeRound(ledger, input);
    const executionMs = elapsedMs() - startMs;
    const messageIds = input.messages.map(({ id }) => id);
    return { finalized, result, messageIds, executionMs, batchDigests, batchSpans };
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

function toCommit({ finalized, result, batchDigests, batchSpans }: Uncommitted): RoundCommit {
  return { value: finalized.valueBytes, finalCert: finalized.certBytes, result, batchDigests, batchSpans };
}
