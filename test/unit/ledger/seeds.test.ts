/** Seeds of trust in the ledger: who may put one out of its place, who comes in its stead, and what holds while there is none. */
import { describe, expect, test } from "vitest";
import { createLedger } from "../../../protocol/src/ledger/state.ts";
import { type Parameters, PPM } from "../../../protocol/src/network/parameters.ts";
import type { PenaltyReason } from "../../../protocol/src/trust/finding.ts";
import { RING, runEpoch } from "./ring.ts";
import { Scenario } from "./scenario.ts";

const UNSIGNED = new Uint8Array(64);

/** A ring whose first three hotspots are genesis's seeds; the last one belongs to the account that stakes for a validator. */
function open(parameters: Partial<Parameters> = {}, owner: string | null = "validator"): Scenario {
  const ring = RING.map((options, i) => (i === 9 && owner !== null ? { ...options, owner } : options));
  const scenario = new Scenario(ring, { txFee: 0n, assertFee: 0n, ...parameters });
  Object.assign(scenario.genesis, {
    trustSeeds: scenario.genesis.hotspots.slice(0, 3).map(({ key }) => key),
  });
  scenario.ledger = createLedger(scenario.genesis);
  return scenario;
}

/** Runs past the next computation of trust. */
function runInterval(scenario: Scenario): void {
  do runEpoch(scenario);
  while (scenario.ledger.nextEpoch % scenario.ledger.parameters.trustIntervalEpochs !== 0);
}

function accuse({ ledger: { trust } }: Scenario, hotspots: readonly number[], reason: PenaltyReason): void {
  for (const hotspot of hotspots)
    trust.findings.add(hotspot, { reason, factorPpm: 900_000, madeEpoch: 0, endsEpoch: 400, evidence: [] });
}

/** Has the first three assert the same places with other antennas. */
function changeAntennas(scenario: Scenario): void {
  for (const { key, owner, cell, latE7, lngE7, gainCentiDbi, elevationM } of scenario.genesis.hotspots.slice(
    0,
    3,
  )) {
    const epoch = scenario.ledger.nextEpoch;
    const place = { cell, latE7, lngE7, gainCentiDbi: gainCentiDbi + 10, elevationM, region: 1 };
    scenario.transact(scenario.round + 1, owner, {
      ...{ kind: "assert", epoch, nonce: 0, hotspotSignature: UNSIGNED },
      assertion: { hotspot: key, ...place, epoch },
    });
  }
  expect(scenario.step().transactions.map(({ reason }) => reason)).toEqual([null, null, null]);
}

describe("a seed", () => {
  test("goes on under the caps, which strangers can put on anyone, and not under what accuses it", () => {
    const scenario = open();
    accuse(scenario, [0], "place_cap");
    accuse(scenario, [1], "owner_cap");
    while (scenario.ledger.nextEpoch < 4) runInterval(scenario);
    expect(scenario.ledger.trust.seeds).toEqual(expect.arrayContaining([1, 2]));
    accuse(scenario, [2], "snr_grid");
    runInterval(scenario);
    expect(scenario.ledger.trust.seeds).not.toContain(2);
  });

  test("comes from those who have at stake what a seat asks for, and leaves with the stake", () => {
    const scenario = open({ trustFromEpoch: 2 });
    const { trust, validators } = scenario.ledger;
    const staked = validators.list[0]!;
    runInterval(scenario);
    runInterval(scenario);
    expect(trust.seeds).toContain(9);
    staked.unbondingUntilEpoch = 400;
    runInterval(scenario);
    expect(trust.seeds).not.toContain(9);
  });

  test.each([
    ["was convicted", { isTombstoned: true }],
    ["leaves", { unbondingUntilEpoch: 400 }],
    ["has less at stake", { stake: 1n }],
  ])("comes from nobody who %s", (_, change) => {
    const scenario = open({ trustFromEpoch: 2 });
    const { trust, validators } = scenario.ledger;
    const stake = validators.list[0]!.stake;
    Object.assign(validators.list[0]!, change);
    // What is taken from a stake is somebody's; the books are not this test's.
    scenario.ledger.burned += stake - validators.list[0]!.stake;
    runInterval(scenario);
    runInterval(scenario);
    expect(trust.seeds).not.toContain(9);
  });
});

describe("a network whose seeds are gone", () => {
  test("keeps what the graph gave, and draws others: the graph is not off", () => {
    const scenario = open();
    const { trust } = scenario.ledger;
    while (scenario.ledger.nextEpoch < 6) runInterval(scenario);
    const before = trust.generations.at(-1)!;
    accuse(scenario, [0, 1, 2, 9], "snr_grid");
    runInterval(scenario);
    expect(trust.seeds).toEqual([]);
    runInterval(scenario);
    const held = trust.generations.at(-1)!;
    expect(held.graphPpm).toEqual(trust.generations[0]!.graphPpm);
    expect(held.newcomerPpm).toBe(0);
    expect(before.newcomerPpm).toBe(0);
    expect(trust.trustAt(99, scenario.ledger.nextEpoch).trustPpm).toBe(0);
  });

  test("before the graph decides takes those who stake, or genesis's own that stand again", () => {
    for (const [owner, seeds] of [
      ["validator", [9]],
      [null, [0, 1, 2]],
    ] as const) {
      const scenario = open({}, owner);
      const { trust } = scenario.ledger;
      runEpoch(scenario);
      changeAntennas(scenario);
      expect(trust.seeds).toEqual([]);
      scenario.closeEpoch();
      while (scenario.ledger.nextEpoch < 4) runInterval(scenario);
      expect(trust.generations.at(-1)).toMatchObject({ newcomerPpm: PPM });
      expect(trust.seeds).toEqual(seeds);
      runInterval(scenario);
      expect(trust.generations.at(-1)).toMatchObject({ newcomerPpm: 0 });
    }
  });
});
