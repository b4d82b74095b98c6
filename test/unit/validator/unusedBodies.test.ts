/** Which bodies of others' batches are deleted: those that are on the disk and that no cut can take any more. */
import { describe, expect, test } from "vitest";
import { createSilentLog } from "../../../node/src/host/log.ts";
import { equalBytes } from "../../../protocol/src/bytes/bytes.ts";
import type { RoundResult } from "../../../protocol/src/ledger/types.ts";
import { UnusedBodies } from "../../../validator/src/lanes/unusedBodies.ts";
import { openVotes } from "../../../validator/src/rounds/votes.ts";

const bytes = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);
const [LANE, OTHER] = [bytes(1), bytes(2)] as const;
/** Of the lane's number, and of another batch under the same number. */
const bodyOf = (seq: number): Uint8Array => bytes(100 + seq);
const forkOf = (seq: number): Uint8Array => bytes(200 + seq);

function open() {
  const votes = openVotes(":memory:", { network: bytes(0), validator: bytes(9) });
  const deleted: number[] = [];
  const at = { members: [LANE, OTHER], laneEnd: 0 };
  const bodies = new UnusedBodies({
    votes,
    batches: {
      deleteBatches: async (digests) => void deleted.push(...digests.map(([first]) => first!)),
    },
    isMember: (key) => at.members.some((each) => equalBytes(each, key)),
    laneEndOf: () => ({ seq: at.laneEnd }),
    log: createSilentLog(),
  });
  const acknowledge = (...digests: readonly Uint8Array[]) => {
    for (const [index, digest] of digests.entries())
      votes.recordAck({ lane: LANE, seq: at.laneEnd + index + 1, digest });
  };
  /** Executes a round whose cut takes these from the lane. */
  const execute = (digests: readonly Uint8Array[], { isEpochEnd = false } = {}) => {
    const firstSeq = at.laneEnd + 1;
    at.laneEnd += digests.length;
    const batchSpans = digests.length === 0 ? [] : [{ lane: LANE, firstSeq, lastSeq: at.laneEnd }];
    const result = { epochClose: isEpochEnd ? {} : null } as unknown as RoundResult;
    bodies.onExecuted({ batchDigests: digests, batchSpans, result });
  };
  return { votes, deleted, at, acknowledge, execute };
}

describe("bodies of acknowledged batches", () => {
  test("go where a cut has taken another batch of the number, and stay where it took them or may", () => {
    const { deleted, acknowledge, execute } = open();
    acknowledge(bodyOf(1), forkOf(2), forkOf(3), forkOf(4));
    execute([bodyOf(1), bodyOf(2)]);
    expect(deleted).toEqual([202]);
    execute([]);
    execute([bodyOf(3)]);
    expect(deleted).toEqual([202, 203]);
  });

  test("are forgotten below the cut's newest, once the cut is executed", () => {
    const { votes, acknowledge, execute } = open();
    acknowledge(bodyOf(1), bodyOf(2), bodyOf(3));
    expect(votes.acksOf(LANE, 0).map(({ seq }) => seq)).toEqual([1, 2, 3]);
    execute([bodyOf(1), bodyOf(2)]);
    // With the next commit.
    votes.recordAck({ lane: OTHER, seq: 1, digest: bodyOf(9) });
    expect(votes.acksOf(LANE, 0).map(({ seq }) => seq)).toEqual([2, 3]);
  });

  test("go with their author's seat, though their names stay", () => {
    const { votes, deleted, at, acknowledge, execute } = open();
    acknowledge(bodyOf(1), bodyOf(2), bodyOf(3));
    execute([bodyOf(1)], { isEpochEnd: true });
    at.members = [OTHER];
    execute([]);
    expect(deleted).toEqual([]);
    execute([], { isEpochEnd: true });
    execute([], { isEpochEnd: true });
    expect(deleted).toEqual([102, 103]);
    expect(votes.recordAck({ lane: LANE, seq: 2, digest: forkOf(2) })).toBe("conflict");
    at.members = [LANE];
    execute([], { isEpochEnd: true });
    at.members = [];
    execute([], { isEpochEnd: true });
    expect(deleted).toEqual([102, 103, 102, 103]);
  });
});
