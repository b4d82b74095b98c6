/**
 * The claims that wait for a verifier thread, first come first served. Batches of any length go in, jobs come out:
 * a long batch is shared between threads, short ones travel together.
 */
import {
  countMessageBytes,
  JOB_MESSAGE_BYTES,
  JOB_SIGNATURES_MAX,
  type SignatureClaim,
} from "./signatureJob.ts";

/** A batch whose answers are being gathered. */
export interface PendingBatch {
  readonly claims: readonly SignatureClaim[];
  readonly answers: Uint8Array;
  /** Claims not answered yet; the batch is done at zero. */
  remaining: number;
  readonly resolve: (answers: Uint8Array) => void;
  readonly reject: (error: Error) => void;
}

/** Claims that are verified together, and where each run of them belongs. */
export interface Job {
  readonly claims: readonly SignatureClaim[];
  readonly runs: readonly JobRun[];
  /** How often a thread died over this job. */
  crashes: number;
}

interface JobRun {
  readonly batch: PendingBatch;
  /** The first claim's index in the batch. */
  readonly from: number;
  readonly count: number;
}

/**
 * The fewest signatures worth a crossing of their own while others wait: half a millisecond of work. Below it,
 * sharing a short batch between threads costs the main thread more than it gains.
 */
const JOB_SIGNATURES_MIN = 8;

/** Batches taken to the end stay in the array up to this many, so that taking one does not move all the others. */
const SPENT_BATCHES_MAX = 1024;

interface Entry {
  readonly batch: PendingBatch;
  /** Claims already in jobs. */
  taken: number;
}

export class ClaimQueue {
  #entries: Entry[] = [];
  /** The first entry that has claims left. */
  #head = 0;
  #length = 0;

  /** Claims waiting. */
  get length(): number {
    return this.#length;
  }

  push(batch: PendingBatch): void {
    this.#entries.push({ batch, taken: 0 });
    this.#length += batch.claims.length;
  }

  /**
   * Takes the next job: the fair share of the waiting claims for one of `threads`, within a job's limits.
   * @returns null where nothing waits.
   */
  take(threads: number): Job | null {
    if (this.#length === 0) return null;
    const share = Math.ceil(this.#length / threads);
    const wanted = Math.min(JOB_SIGNATURES_MAX, Math.max(JOB_SIGNATURES_MIN, share));
    const claims: SignatureClaim[] = [];
    const runs: JobRun[] = [];
    let room = JOB_MESSAGE_BYTES;
    while (claims.length < wanted && this.#head < this.#entries.length) {
      const entry = this.#entries[this.#head]!;
      const { batch, taken: from } = entry;
      while (entry.taken < batch.claims.length && claims.length < wanted) {
        const claim = batch.claims[entry.taken]!;
        room -= countMessageBytes(claim);
        if (room < 0 && claims.length > 0) break;
        claims.push(claim);
        entry.taken++;
      }
      if (entry.taken > from) runs.push({ batch, from, count: entry.taken - from });
      if (entry.taken < batch.claims.length) break;
      this.#head++;
    }
    this.#forgetSpent();
    this.#length -= claims.length;
    return { claims, runs, crashes: 0 };
  }

  /** Spent entries go when they are many, or all there is: a finished batch must not be kept alive for long. */
  #forgetSpent(): void {
    if (this.#head < SPENT_BATCHES_MAX && this.#head < this.#entries.length) return;
    this.#entries.splice(0, this.#head);
    this.#head = 0;
  }

  /** Empties the queue and gives the batches that still waited, for the caller to refuse. */
  drain(): PendingBatch[] {
    const batches = this.#entries.slice(this.#head).map((entry) => entry.batch);
    this.#entries = [];
    this.#head = 0;
    this.#length = 0;
    return batches;
  }
}
