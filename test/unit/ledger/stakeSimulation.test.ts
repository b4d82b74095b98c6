/** The ledger's stakes and sets against a second, plain implementation, over seeds; and the same seed twice alike. */
import { describe, expect, test } from "vitest";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { StakeSimulation } from "../../sim/ledgerStakes.ts";

describe("a simulation of stakes", () => {
  test("agrees with the plain reading of the rules in every round, and everything happens in it", () => {
    const counts = new Map<string, number>();
    for (let seed = 1; seed <= 16; seed++) {
      for (const [what, times] of new StakeSimulation(seed).run(120).counts)
        counts.set(what, (counts.get(what) ?? 0) + times);
    }
    for (const what of [
      "stake done",
      "stake tombstoned",
      "stake not_owner",
      "stake insufficient_balance",
      "stake stake_too_small",
      "unstake done",
      "unstake not_validator",
      "unstake not_owner",
      "convicted",
    ]) {
      expect(counts.get(what) ?? 0, what).toBeGreaterThan(2);
    }
  });

  test("gives the same hash for the same seed, and another for another", () => {
    const hashOf = (seed: number) => encodeHex(new StakeSimulation(seed).run(60).hash);
    expect(hashOf(7)).toBe(hashOf(7));
    expect(hashOf(7)).not.toBe(hashOf(8));
  });
});
