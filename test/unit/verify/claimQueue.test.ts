import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ClaimQueue, type PendingBatch } from "../../../validator/src/verify/claimQueue.ts";
import {
  countMessageBytes,
  JOB_MESSAGE_BYTES,
  JOB_SIGNATURES_MAX,
  type SignatureClaim,
} from "../../../validator/src/verify/signatureJob.ts";

const noBytes = new Uint8Array(0);

function batchOf(messageLengths: readonly number[]): PendingBatch {
  const claims = messageLengths.map((length) => {
    return { publicKey: noBytes, message: [new Uint8Array(length)], signature: noBytes };
  });
  const answers = new Uint8Array(claims.length);
  return { claims, answers, remaining: claims.length, resolve: () => {}, reject: () => {} };
}

describe("claim queue", () => {
  test("gives every claim once, in order, in jobs within their limits", () => {
    const lengths = fc.array(fc.constantFrom(0, 300, 20_000, 70_000), { minLength: 1, maxLength: 150 });
    const step = fc.oneof(
      fc.record({ push: lengths }),
      fc.record({ threads: fc.integer({ min: 1, max: 8 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const queue = new ClaimQueue();
        const pushed: SignatureClaim[] = [];
        const taken: SignatureClaim[] = [];
        const take = (threads: number) => {
          const job = queue.take(threads);
          if (job === null) return false;
          const messageBytes = job.claims.reduce((sum, claim) => sum + countMessageBytes(claim), 0);
          expect(job.claims.length).toBeGreaterThan(0);
          expect(job.claims.length).toBeLessThanOrEqual(JOB_SIGNATURES_MAX);
          if (job.claims.length > 1) expect(messageBytes).toBeLessThanOrEqual(JOB_MESSAGE_BYTES);
          const inRuns = job.runs.flatMap(({ batch, from, count }) => batch.claims.slice(from, from + count));
          expect(inRuns).toEqual(job.claims);
          taken.push(...job.claims);
          return true;
        };
        for (const each of steps) {
          if ("push" in each) {
            const batch = batchOf(each.push);
            queue.push(batch);
            pushed.push(...batch.claims);
          } else take(each.threads);
          expect(queue.length).toBe(pushed.length - taken.length);
        }
        while (take(1));
        expect(taken.length).toBe(pushed.length);
        expect(taken.every((claim, at) => claim === pushed[at])).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  test("shares a batch between the threads, and lets short batches travel together", () => {
    const queue = new ClaimQueue();
    queue.push(batchOf(new Array(40).fill(1)));
    expect([2, 1].map((threads) => queue.take(threads)?.claims.length)).toEqual([20, 20]);
    for (let i = 0; i < 10; i++) queue.push(batchOf([1]));
    const job = queue.take(2)!;
    expect(job.claims).toHaveLength(8);
    expect(job.runs).toHaveLength(8);
    expect(queue.take(2)?.claims).toHaveLength(2);
    expect(queue.take(2)).toBeNull();
  });

  test("drains what still waits", () => {
    const queue = new ClaimQueue();
    const [first, second] = [batchOf(new Array(100).fill(1)), batchOf([1])];
    queue.push(first!);
    queue.push(second!);
    queue.take(1);
    expect(queue.drain()).toEqual([first, second]);
    expect(queue.length).toBe(0);
    expect(queue.take(1)).toBeNull();
  });

  test("thousands of one-claim batches pass through in order", () => {
    const queue = new ClaimQueue();
    const batches = Array.from({ length: 5000 }, () => batchOf([1]));
    for (const batch of batches) queue.push(batch);
    const taken: PendingBatch[] = [];
    for (let job = queue.take(4); job !== null; job = queue.take(4)) {
      taken.push(...job.runs.map((run) => run.batch));
    }
    expect(taken.every((batch, at) => batch === batches[at])).toBe(true);
    expect(taken).toHaveLength(5000);
  });
});
