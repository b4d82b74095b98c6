/**
 * Verifies signatures in bulk on worker threads, beside the event loop. Callers hand in batches and get a byte an
 * answer; what waits is bounded, a thread that dies is replaced and its work done again, and nothing is ever left
 * without an answer or an error.
 */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { toError } from "../toError.ts";
import { ClaimQueue, type Job, type PendingBatch } from "./claimQueue.ts";
import { JOB_BUFFER_BYTES, packJob, readAnswers, type SignatureClaim } from "./signatureJob.ts";
import type { WorkerGreeting } from "./verifierWorker.ts";

export interface VerifierPoolOptions {
  /** Worker threads, at least 1. Default: as many as the machine runs at once. */
  readonly threads?: number;
  /** Signatures that may be pending before `canAcceptWork` says no. Default: `QUEUED_PER_THREAD` a thread. */
  readonly maxQueued?: number;
  /** The worker's program; tests put failing ones here. */
  readonly workerUrl?: URL;
}

export interface VerifierPool {
  /**
   * Verifies a batch: 1 where the signature is valid, 0 where not, in the batch's order. Wrong lengths are 0. The
   * claims' bytes must stay as they are until the answer.
   *
   * Rejects with a `VerifierPoolError` where the pool is full, failed or closed, or a thread died twice over it.
   */
  verify(batch: readonly SignatureClaim[]): Promise<Uint8Array>;
  /** Whether to pull more work for the pool; a batch handed in while this is true is taken whole. */
  canAcceptWork(): boolean;
  /** Signatures handed in and not answered. */
  readonly pending: number;
  readonly threads: number;
  readonly state: VerifierPoolState;
  /** Threads replaced so far, for the metrics. */
  readonly restarts: number;
  /** Resolves once every thread is up and judges by the network's rule; rejects where the pool fails or closes. */
  whenReady(): Promise<void>;
  /** Ends the threads; batches without an answer are rejected. */
  close(): Promise<void>;
}

export type VerifierPoolState = "starting" | "ready" | "failed" | "closed";

/** Why a batch has no answer: the codes are a closed list. */
export type VerifierPoolErrorCode =
  | "verifier_pool_full"
  | "verifier_pool_closed"
  | "verifier_pool_failed"
  | "verifier_rule_mismatch"
  | "verifier_thread_died";

export class VerifierPoolError extends Error {
  readonly code: VerifierPoolErrorCode;

  constructor(code: VerifierPoolErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "VerifierPoolError";
    this.code = code;
  }
}

/** A quarter of a second of a thread's work at 17,000 signatures a second: what waits longer is better shed outside. */
const QUEUED_PER_THREAD = 4096;

/** One job in work and one at hand, so that a thread does not idle while the event loop is busy elsewhere. */
const JOBS_PER_THREAD = 2;

/** A thread that dies over a job may have been unlucky once; the second time it is the job. */
const CRASHES_PER_JOB_MAX = 2;

/** Deaths in a row, with no job done in between, after which replacing threads is no cure. */
const DEATHS_IN_ROW_MAX = 8;

/** Starts the threads at once; `whenReady` tells when they judge. A RangeError for limits below 1. */
export function createVerifierPool(options: VerifierPoolOptions = {}): VerifierPool {
  const threads = options.threads ?? Math.max(1, availableParallelism());
  const maxQueued = options.maxQueued ?? threads * QUEUED_PER_THREAD;
  if (!Number.isInteger(threads) || threads < 1)
    throw new RangeError("a verifier pool has at least 1 thread");
  if (!Number.isInteger(maxQueued) || maxQueued < 1) throw new RangeError("maxQueued is at least 1");
  const workerUrl = options.workerUrl ?? new URL("./verifierWorker.ts", import.meta.url);
  return new WorkerThreadPool(threads, maxQueued, workerUrl);
}

/** A thread's place in the pool; the worker in it may be replaced. */
interface Slot {
  worker: Worker;
  isReady: boolean;
  /** Jobs at the thread, oldest first: it answers in order. */
  readonly jobs: Job[];
  lastError: Error | null;
}

class WorkerThreadPool implements VerifierPool {
  readonly threads: number;
  #maxQueued: number;
  #workerUrl: URL;
  #slots: Slot[] = [];
  #queue = new ClaimQueue();
  /** Jobs whose thread died, to be done before anything else. */
  #again: Job[] = [];
  /** Buffers that came back, for the next jobs: never more than were at the threads at once. */
  #spares: ArrayBuffer[] = [];
  #pending = 0;
  #restarts = 0;
  #deathsInRow = 0;
  #state: VerifierPoolState = "starting";
  #failure: VerifierPoolError | null = null;
  #ready = Promise.withResolvers<void>();

  constructor(threads: number, maxQueued: number, workerUrl: URL) {
    this.threads = threads;
    this.#maxQueued = maxQueued;
    this.#workerUrl = workerUrl;
    // Nobody has to ask whether the pool is ready: verify reports a failure too.
    this.#ready.promise.catch(() => {});
    for (let i = 0; i < threads; i++) this.#slots.push(this.#startWorker());
  }

  get pending(): number {
    return this.#pending;
  }

  get restarts(): number {
    return this.#restarts;
  }

  get state(): VerifierPoolState {
    return this.#state;
  }

  whenReady(): Promise<void> {
    return this.#ready.promise;
  }

  canAcceptWork(): boolean {
    return this.#failure === null && this.#pending < this.#maxQueued;
  }

  async verify(batch: readonly SignatureClaim[]): Promise<Uint8Array> {
    if (this.#failure !== null) throw this.#failure;
    if (!this.canAcceptWork()) throw new VerifierPoolError("verifier_pool_full", "the verifier pool is full");
    if (batch.length === 0) return new Uint8Array(0);
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    const answers = new Uint8Array(batch.length);
    this.#queue.push({ claims: batch, answers, remaining: batch.length, resolve, reject });
    this.#pending += batch.length;
    this.#dispatch();
    return promise;
  }

  async close(): Promise<void> {
    this.#stop("closed", new VerifierPoolError("verifier_pool_closed", "the verifier pool is closed"));
    await Promise.all(this.#slots.map((slot) => slot.worker.terminate()));
  }

  /** Gives work to threads that have room, the emptiest first, until work or room runs out. */
  #dispatch(): void {
    while (this.#again.length > 0 || this.#queue.length > 0) {
      let emptiest: Slot | null = null;
      for (const slot of this.#slots) {
        const hasRoom = slot.isReady && slot.jobs.length < JOBS_PER_THREAD;
        if (hasRoom && (emptiest === null || slot.jobs.length < emptiest.jobs.length)) emptiest = slot;
      }
      if (emptiest === null) return;
      const idle = this.#slots.filter((slot) => slot.isReady && slot.jobs.length === 0).length;
      const job = this.#again.shift() ?? this.#queue.take(idle > 0 ? idle : this.threads)!;
      emptiest.jobs.push(job);
      const buffer = packJob(job.claims, this.#spares.pop());
      emptiest.worker.postMessage(buffer, [buffer]);
    }
  }

  #startWorker(): Slot {
    const worker = new Worker(this.#workerUrl);
    const slot: Slot = { worker, isReady: false, jobs: [], lastError: null };
    worker.on("message", (message: ArrayBuffer | WorkerGreeting) => {
      if (this.#failure !== null) return;
      if (typeof message === "string") this.#greet(slot, message);
      else this.#finishJob(slot, message);
    });
    worker.on("error", (error) => {
      slot.lastError = toError(error);
    });
    worker.on("exit", () => this.#replace(slot));
    return slot;
  }

  #greet(slot: Slot, greeting: WorkerGreeting): void {
    if (greeting === "rule_mismatch") {
      const text = "libsodium does not judge signatures by the network's rule";
      this.#fail(new VerifierPoolError("verifier_rule_mismatch", text));
      return;
    }
    slot.isReady = true;
    if (this.#state === "starting" && this.#slots.every((each) => each.isReady)) {
      this.#state = "ready";
      this.#ready.resolve();
    }
    this.#dispatch();
  }

  #finishJob(slot: Slot, buffer: ArrayBuffer): void {
    const job = slot.jobs.shift()!;
    this.#deathsInRow = 0;
    const answers = readAnswers(buffer, job.claims.length);
    let at = 0;
    for (const { batch, from, count } of job.runs) {
      batch.answers.set(answers.subarray(at, at + count), from);
      at += count;
      this.#settle(batch, count, null);
    }
    if (buffer.byteLength === JOB_BUFFER_BYTES) this.#spares.push(buffer);
    this.#dispatch();
  }

  /** Takes `count` claims off a batch that has their answers, or none to come; the last ones end it. */
  #settle(batch: PendingBatch, count: number, error: Error | null): void {
    this.#pending -= count;
    batch.remaining -= count;
    // Rejecting twice, or resolving after it, does nothing: the first word counts.
    if (error !== null) batch.reject(error);
    else if (batch.remaining === 0) batch.resolve(batch.answers);
  }

  /** A thread ended though the pool has not: its work goes to the front, and a new thread takes its place. */
  #replace(slot: Slot): void {
    if (this.#failure !== null) return;
    const cause = slot.lastError ?? new Error("the thread ended without an error");
    this.#deathsInRow++;
    if (this.#deathsInRow >= DEATHS_IN_ROW_MAX) {
      const text = `verifier threads died ${this.#deathsInRow} times in a row`;
      this.#fail(new VerifierPoolError("verifier_pool_failed", text, { cause }));
      return;
    }
    const suspect = slot.jobs[0];
    if (suspect !== undefined && ++suspect.crashes >= CRASHES_PER_JOB_MAX) {
      slot.jobs.shift();
      const error = new VerifierPoolError("verifier_thread_died", "a verifier thread died over it", {
        cause,
      });
      for (const { batch, count } of suspect.runs) this.#settle(batch, count, error);
    }
    this.#again.unshift(...slot.jobs);
    this.#restarts++;
    this.#slots[this.#slots.indexOf(slot)] = this.#startWorker();
    this.#dispatch();
  }

  #fail(error: VerifierPoolError): void {
    this.#stop("failed", error);
    for (const slot of this.#slots) void slot.worker.terminate();
  }

  /** Ends all work with one error; a pool that failed may still be closed. */
  #stop(state: "failed" | "closed", error: VerifierPoolError): void {
    this.#state = state;
    this.#failure = error;
    this.#ready.reject(error);
    const jobs = [...this.#again, ...this.#slots.flatMap((slot) => slot.jobs)];
    for (const { runs } of jobs) for (const { batch } of runs) batch.reject(error);
    for (const batch of this.#queue.drain()) batch.reject(error);
    for (const slot of this.#slots) slot.jobs.length = 0;
    this.#again.length = 0;
    this.#spares.length = 0;
    this.#pending = 0;
  }
}
