/** What is told of reports by whose trust: where it stands under a former key, and where a reversal came before the close. */
import { expect, test } from "vitest";
import { encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import { PPM } from "../../../protocol/src/network/parameters.ts";
import { explainReward } from "../../../validator/src/api/explain.ts";
import { keyOf } from "../../sim/ledgerWorld.ts";
import { hearLate, RING, runEpoch } from "../ledger/ring.ts";
import { Scenario } from "../ledger/scenario.ts";
import { storeRounds } from "./storedRounds.ts";

const RENEWED = keyOf("a renewed key");
const UNSIGNED = new Uint8Array(64);

test("reports under a new key are told by the trust that was computed under the one before", async () => {
  const scenario = new Scenario(RING, { txFee: 0n });
  const { store, settled } = storeRounds(scenario);
  const forger = scenario.hotspot(0);
  for (let epoch = 0; epoch < 4; epoch++) runEpoch(scenario, forger);
  scenario.transact(scenario.round + 1, forger.owner, {
    ...{ kind: "rotate", epoch: 4, nonce: 0, hotspot: forger.key, newKey: RENEWED },
    ...{ hotspotSignature: UNSIGNED, newSignature: UNSIGNED },
  });
  // It goes on under the new key, within the interval in which its trust was computed under the former.
  Object.assign(forger, { key: RENEWED });
  const { lines, trustRows } = runEpoch(scenario, forger);
  expect(trustRows).toBeNull();
  expect(scenario.ledger.registry.find(RENEWED)!.index).toBe(0);
  await settled();
  const line = lines.find(({ hotspot }) => String(hotspot) === String(RENEWED))!;
  expect(line.trustPpm).toBeLessThan(300_000);
  const { reports } = (await explainReward(store, scenario.genesis.parameters, RENEWED, 4))!;
  const own = reports.filter(({ kind, unitsPpm }) => kind === "witness" && unitsPpm > 0);
  expect(own.length).toBeGreaterThan(0);
  const { creditPpm } = scenario.ledger.trust.trustAt(0, 4);
  for (const { factors } of own) expect(factors!.links[0]!.trustPpm).toBe(creditPpm);
  // So does whoever was heard by it, whose beacons name it.
  const other = scenario.hotspot(1);
  const told = (await explainReward(store, scenario.genesis.parameters, other.key, 4))!;
  const links = told.reports.flatMap(({ factors }) => factors?.links ?? []);
  const withIt = links.filter(({ counterpart }) => counterpart === encodeDidKey(RENEWED));
  for (const { counterpartTrustPpm } of withIt) expect(counterpartTrustPpm).toBe(line.trustPpm);
});

test("what closes after a reversal is told by the trust that was left", async () => {
  const scenario = new Scenario(RING, { txFee: 0n });
  const { store, settled } = storeRounds(scenario);
  const { trust } = scenario.ledger;
  const hotspot = scenario.hotspot(0);
  for (let epoch = 0; epoch < 4; epoch++) runEpoch(scenario);
  const found = { madeEpoch: 4, endsEpoch: 40, evidence: [] };
  for (const reason of ["constant_window", "snr_grid"] as const)
    trust.findings.add(0, { ...found, reason, factorPpm: 250_000 });
  // One that stands, as it names a link that is not there.
  const evidence = [{ counterpart: 0, heardEpoch: 3, heardByEpoch: 3 }];
  trust.findings.add(0, { ...found, reason: "floor_window", factorPpm: 400_000, evidence });
  for (let epoch = 4; epoch < 7; epoch++) runEpoch(scenario);
  hearLate(scenario);
  scenario.transact(scenario.round + 1, hotspot.owner, {
    ...{ kind: "appeal", epoch: 7, nonce: 0, hotspot: hotspot.key, evidence: [scenario.hotspot(6).key] },
  });
  expect(runEpoch(scenario).escrow.released).toBeGreaterThan(0n);
  expect(trust.trustAt(0, 7)).toMatchObject({ creditPpm: PPM, isSuspended: true });
  expect(trust.trustAt(0, 8)).toMatchObject({ creditPpm: 400_000, isSuspended: false });
  scenario.closeEpoch();
  await settled();
  const { reports } = (await explainReward(store, scenario.genesis.parameters, hotspot.key, 8))!;
  const paid = reports.filter(({ unitsPpm }) => unitsPpm > 0);
  expect(paid.length).toBeGreaterThan(0);
  for (const { factors } of paid) {
    for (const { trustPpm } of factors!.links) expect(trustPpm).toBe(400_000);
  }
});
