import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { CORE_URL, loadCore } from "../../sim/agreement/core.ts";
import { EXPLORATIONS, explore } from "../../sim/agreement/explore.ts";
import { KEPT_SEEDS } from "../../sim/agreement/keptSeeds.ts";
import { judgeMutation, MUTATIONS, writeMistake } from "../../sim/agreement/mutations.ts";
import { PROFILES } from "../../sim/agreement/scenario.ts";
import { simulate } from "../../sim/agreement/simulate.ts";

const core = await loadCore(CORE_URL);

/** Seeds of each kind in `npm test`; `npm run sim` runs the long form. */
const SEEDS = 400;

describe("a simulated round", () => {
  test.each(KEPT_SEEDS)(
    "of seed $seed, n = $validators, $profile, still decides",
    ({ validators, profile, seed }) => {
      expect(simulate({ core, seed, validators, profile })).toMatchObject({ violation: null });
    },
  );

  test.each(PROFILES.flatMap((profile) => [4, 7, 10].map((validators) => ({ profile, validators }))))(
    "decides once and for all: $profile, n = $validators",
    ({ profile, validators }) => {
      const failures = [];
      for (let seed = 1_000_000; seed < 1_000_000 + (SEEDS * 4) / validators ** 1.5; seed++) {
        const outcome = simulate({ core, seed, validators, profile });
        if (outcome.violation !== null) failures.push(outcome);
      }
      expect(failures).toEqual([]);
    },
  );

  test("of one validator decides in its first view, and after any crash in some view", () => {
    for (let seed = 0; seed < 100; seed++) {
      expect(simulate({ core, seed, validators: 1, profile: "loss" })).toMatchObject({
        violation: null,
        decidedView: 1,
      });
      expect(simulate({ core, seed, validators: 1, profile: "chaos" })).toMatchObject({ violation: null });
    }
  });

  test("is the same for the same seed, and another for another", () => {
    const audits = [7, 7, 8].map((seed) => simulate({ core, seed, validators: 4, profile: "chaos" }).audit);
    expect(audits[0]).toBe(audits[1]);
    expect(audits[0]).not.toBe(audits[2]);
  });
});

describe("exhaustive exploration of two views", () => {
  test.each(EXPLORATIONS)("finds nothing with leaders $leaders", (exploration) => {
    const result = explore({ ...exploration, core, maxStates: 2_000_000 });
    expect(result).toMatchObject({ violation: null, isComplete: true });
    // An exploration that reaches no decision would prove nothing.
    expect(result.decided).toBeGreaterThan(1_000);
    // Leaving out what nobody can see loses nothing that anybody can.
    const reduced = explore({ ...exploration, core, isReduced: true, maxStates: 2_000_000 });
    expect(reduced).toMatchObject({ violation: null, isComplete: true });
    expect(reduced.states).toBeLessThan(result.states / 5);
    // Of runs that differ only in what the values are called it visits one.
    const reached = new Set([...reduced.reached].flatMap((ballots) => [ballots, swapValues(ballots)]));
    expect(reached).toEqual(result.reached);
  });

  test("finds the disagreement that two Byzantine of four can make", () => {
    for (const isReduced of [false, true]) {
      const result = explore({ ...EXPLORATIONS[0]!, byzantine: 2, core, isReduced, maxStates: 100_000 });
      expect(result.violation).not.toBeNull();
    }
  });
});

describe("mistakes in the rules", () => {
  // One or two of each check; `npm run sim -- --mutations` prints them all.
  const SHORT = [
    "a quorum is one vote short",
    "votes for other values count too",
    "another value than the parent's is justified",
    "views between need not be nullified",
    "a second proposal is notarized too",
    "a nullified view is finalized",
    "a finalized view is nullified",
    "one vote to finalize decides",
    "only the last view is sent again",
    "a certificate's signatures are not verified",
    "a crash loses the votes",
    "messages leave before the disk has synced",
  ];

  test.each(MUTATIONS.filter(({ name }) => SHORT.includes(name)))("are caught: $name", async (mutation) => {
    const findings = await judgeMutation(mutation, 150, false);
    expect(findings).not.toEqual([]);
  });

  test("all have their place in the core", () => {
    for (const { edit } of MUTATIONS) {
      if (edit === undefined) continue;
      const text = readFileSync(new URL(edit.file, CORE_URL), "utf8");
      expect(writeMistake(edit, text)).not.toBe(text);
    }
    expect(MUTATIONS.filter(({ name }) => SHORT.includes(name))).toHaveLength(SHORT.length);
  });
});

/** The same ballots with A and B in each other's place, in three views. */
function swapValues(ballots: number): number {
  const ofA = ballots & 0b01001_01001_01001;
  const ofB = ballots & 0b10010_10010_10010;
  return (ballots & 0b00100_00100_00100) | (ofA << 1) | (ofB >> 1);
}
