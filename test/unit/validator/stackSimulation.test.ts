/** The full stack in simulation, in a short form; `npm run sim -- --stack` is the long one. */
import { describe, expect, test } from "vitest";
import { KEPT_STACK_SEEDS } from "../../sim/stack/keptSeeds.ts";
import { judgeStackMutation, readStackMistake, STACK_MUTATIONS } from "../../sim/stack/mutations.ts";
import { STACK_PROFILES } from "../../sim/stack/scenario.ts";
import { simulateStack } from "../../sim/stack/simulate.ts";

/** Generous: the machine may be busy with other tests. */
const PATIENCE_MS = 240_000;
const SEEDS = { calm: 2, loss: 6, chaos: 12, seats: 2, restore: 8 } as const;

describe("simulated validators", () => {
  test.each(STACK_PROFILES)(
    "agree, attest and keep every promise: %s",
    { timeout: PATIENCE_MS },
    async (profile) => {
      for (let seed = 1_000_000; seed < 1_000_000 + SEEDS[profile]; seed++) {
        const outcome = await simulateStack({ seed, validators: 4, profile });
        expect(outcome).toMatchObject({ seed, violation: null, detail: "" });
        // One validator comes and another leaves.
        if (profile === "seats") expect(outcome.setChanges).toBe(2);
      }
    },
  );

  test("agree among seven, two of them bad", { timeout: PATIENCE_MS }, async () => {
    for (let seed = 2_000_000; seed < 2_000_002; seed++) {
      const outcome = await simulateStack({ seed, validators: 7, profile: "chaos" });
      expect(outcome).toMatchObject({ seed, violation: null, detail: "" });
    }
  });

  test.each([...KEPT_STACK_SEEDS])(
    "still pass seed $seed, $profile",
    { timeout: PATIENCE_MS },
    async (kept) => {
      expect(await simulateStack(kept)).toMatchObject({ violation: null, detail: "" });
    },
  );

  test("do the same for the same seed, and else for another", { timeout: PATIENCE_MS }, async () => {
    const audits: string[] = [];
    for (const seed of [7, 7, 8])
      audits.push((await simulateStack({ seed, validators: 4, profile: "chaos" })).audit);
    expect(audits[0]).toBe(audits[1]);
    expect(audits[0]).not.toBe(audits[2]);
  });
});

describe("mistakes in lanes, attestation and their shells", () => {
  // Some of each kind, found within a few seeds; `npm run sim -- --stack --mutations` prints them all.
  const SHORT = [
    "a batch is acknowledged before it is on disk",
    "a batch is offered before its number is recorded",
    "own tips are made anew after a crash",
    "batches are not synced",
    "a later certificate takes the place of one that tips name",
    "a restored validator goes by what several claim",
  ];

  test.each(STACK_MUTATIONS.filter(({ name }) => SHORT.includes(name)))(
    "are caught: $name",
    { timeout: PATIENCE_MS },
    async (mutation) => {
      expect(await judgeStackMutation(mutation, 30)).not.toBeNull();
    },
  );

  test("all have their place", () => {
    for (const mutation of STACK_MUTATIONS) expect(() => readStackMistake(mutation)).not.toThrow();
    expect(STACK_MUTATIONS.filter(({ name }) => SHORT.includes(name))).toHaveLength(SHORT.length);
  });
});
