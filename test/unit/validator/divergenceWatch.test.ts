/** When another state is a reason to stop: f + 1 validators of one set agree on it. */
import { describe, expect, test } from "vitest";
import { createSilentLog } from "../../../node/src/host/log.ts";
import { createValidatorSet } from "../../../protocol/src/agreement/certificates.ts";
import type { SignedTips } from "../../../protocol/src/agreement/rounds.ts";
import { DivergenceWatch } from "../../../validator/src/rounds/divergenceWatch.ts";

const keyOf = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);
const ROUNDS_PER_EPOCH = 10;
/** In the second epoch a liar has the first one's seat. */
const SETS = [createValidatorSet([1, 2, 3, 4].map(keyOf)), createValidatorSet([1, 2, 3, 5].map(keyOf))];
const OWN = keyOf(10);
const THEIRS = keyOf(11);

function open() {
  const failures: Error[] = [];
  const watch = new DivergenceWatch(
    { self: keyOf(1), execLagRounds: 20 },
    {
      sets: { setOfRound: (round) => SETS[Math.floor(round / ROUNDS_PER_EPOCH)] ?? null },
      log: createSilentLog(),
      onFailure: (error) => failures.push(error),
    },
  );
  /** In the value of a round, members say what they have after round 7. */
  const decide = (round: number, members: readonly number[], executedDigest = THEIRS, executedRound = 7) => {
    const tips = members.map((member) => ({ validator: keyOf(member), executedRound, executedDigest }));
    watch.onDecided({ round, tips: tips.map((each) => ({ tips: each })) as unknown as SignedTips[] });
  };
  return { watch, failures, decide };
}

describe("a validator whose state differs", () => {
  test("stops where f + 1 agree on another, whichever comes first", () => {
    const early = open();
    early.decide(8, [2, 3]);
    expect(early.failures).toEqual([]);
    early.watch.onExecuted({ round: 7, digest: OWN });
    const late = open();
    late.watch.onExecuted({ round: 7, digest: OWN });
    late.decide(8, [2]);
    expect(late.failures).toEqual([]);
    late.decide(9, [3]);
    for (const { failures } of [early, late]) expect(failures).toMatchObject([{ code: "state_diverged" }]);
  });

  test("goes on for a lone one, for those who agree with it, and for as many as differ from each other", () => {
    const { watch, failures, decide } = open();
    watch.onExecuted({ round: 7, digest: OWN });
    decide(8, [2, 1]);
    decide(8, [3, 4], OWN);
    decide(9, [3], keyOf(12));
    decide(9, [4], new Uint8Array(32));
    expect(failures).toEqual([]);
  });

  test("goes on where liars of two sets agree, no more than f of either", () => {
    const { watch, failures, decide } = open();
    watch.onExecuted({ round: 7, digest: OWN });
    decide(9, [4]);
    decide(10, [5]);
    expect(failures).toEqual([]);
    decide(11, [2]);
    expect(failures).toMatchObject([{ code: "state_diverged" }]);
  });
});
