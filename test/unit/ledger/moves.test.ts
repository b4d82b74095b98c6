/** Who asserts another place or antenna: how often it may, and what it takes along, so that asserting sheds nothing. */
import { beforeEach, expect, test } from "vitest";
import { decodeLedger, encodeLedger } from "../../../protocol/src/ledger/snapshot.ts";
import { createLedger } from "../../../protocol/src/ledger/state.ts";
import { RING, runEpoch } from "./ring.ts";
import { Scenario } from "./scenario.ts";

let scenario: Scenario;

beforeEach(() => {
  scenario = new Scenario(RING, { txFee: 0n, assertFee: 0n });
  scenario.ledger = createLedger(scenario.genesis);
});

/** Asserts hotspot 0's place in the next round, with so much more gain and height. */
function putAssertion({ centiDb = 0, metres = 0 }): void {
  const { key, owner, cell, latE7, lngE7, gainCentiDbi, elevationM } = scenario.hotspot(0);
  const epoch = scenario.ledger.nextEpoch;
  const nonce = scenario.ledger.viewAccount(owner)!.nonce;
  const place = { cell, latE7, lngE7, gainCentiDbi: gainCentiDbi + centiDb, elevationM: elevationM + metres };
  scenario.transact(scenario.round + 1, owner, {
    ...{ kind: "assert", epoch, nonce, hotspotSignature: new Uint8Array(64) },
    assertion: { hotspot: key, ...place, region: 1, epoch },
  });
}

/** The same, and gives the reason. */
function assertWith(change: Parameters<typeof putAssertion>[0]): string | null {
  putAssertion(change);
  return scenario.step().transactions[0]!.reason;
}

test("a mistake can be put right at any time, a second one a window later", () => {
  const { trustWindowEpochs } = scenario.ledger.parameters;
  scenario.closeEpoch();
  expect(assertWith({ centiDb: 1 })).toBeNull();
  // What changes nothing that can be heard is no move, whenever it comes, and makes nobody wait.
  expect(assertWith({ centiDb: 1, metres: 5 })).toBeNull();
  expect(assertWith({ centiDb: 2 })).toBe("asserted_lately");
  // A restart in between changes nothing.
  scenario.ledger = decodeLedger(scenario.genesis, encodeLedger(scenario.ledger));
  while (scenario.ledger.nextEpoch < trustWindowEpochs) scenario.closeEpoch();
  expect(assertWith({ centiDb: 0 })).toBe("asserted_lately");
  scenario.closeEpoch();
  expect(assertWith({ centiDb: 2 })).toBeNull();
});

test("for a window receptions are divided by no less than before", () => {
  const { trustWindowEpochs, trustIntervalEpochs } = scenario.ledger.parameters;
  const standing = (): number => scenario.ledger.trust.generations.at(-1)!.standingPpm[0]!;
  for (let epoch = 0; epoch < 4; epoch++) runEpoch(scenario);
  const before = standing();
  expect(before).toBeGreaterThan(0);
  expect(assertWith({ centiDb: 1 })).toBeNull();
  for (let epoch = 4; epoch + trustIntervalEpochs <= 4 + trustWindowEpochs; epoch += trustIntervalEpochs) {
    while (scenario.ledger.nextEpoch < epoch + trustIntervalEpochs) scenario.closeEpoch();
    expect(standing()).toBe(before);
  }
  while (scenario.ledger.nextEpoch < 4 + trustWindowEpochs + trustIntervalEpochs) scenario.closeEpoch();
  expect(standing()).toBe(0);
});

test("who asserts the same place in each epoch is on record as before, and who moves is not until it stands there", () => {
  const { links } = scenario.ledger.trust.history;
  const listHeard = (epoch: number): number[] =>
    RING.map((_, other) => other).filter((other) => links.find(0, other, epoch) !== null);
  for (let metres = 1; metres <= 2; metres++) {
    putAssertion({ metres });
    runEpoch(scenario);
  }
  expect(listHeard(2)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  putAssertion({ centiDb: 1 });
  runEpoch(scenario);
  expect(listHeard(3)).toEqual([]);
  putAssertion({ centiDb: 1, metres: 1 });
  runEpoch(scenario);
  expect(listHeard(4)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
});
