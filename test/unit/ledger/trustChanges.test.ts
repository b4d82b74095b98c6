/** Trust when a hotspot changes key, owner, place or antenna, when nothing happens for epochs, and when a clock jumps. */
import { describe, expect, test } from "vitest";
import { computeBooks } from "../../../protocol/src/ledger/books.ts";
import { encodeLedger } from "../../../protocol/src/ledger/snapshot.ts";
import { createLedger } from "../../../protocol/src/ledger/state.ts";
import type { GenesisHotspot } from "../../../protocol/src/network/genesis.ts";
import { PPM } from "../../../protocol/src/network/parameters.ts";
import type { Transaction } from "../../../protocol/src/wire/transactions.ts";
import { keyOf } from "../../sim/ledgerWorld.ts";
import { RING, runEpoch } from "./ring.ts";
import { Scenario } from "./scenario.ts";

const BANK = keyOf("bank");
const RENEWED = keyOf("a renewed key");
const UNSIGNED = new Uint8Array(64);

function open(seeds = 0, unbondEpochs = 1): Scenario {
  const scenario = new Scenario(RING, { hotspotBond: 0n, txFee: 0n, assertFee: 0n, unbondEpochs });
  const trustSeeds = scenario.genesis.hotspots.slice(0, seeds).map(({ key }) => key);
  if (seeds > 0) Object.assign(scenario.genesis, { trustSeeds });
  scenario.ledger = createLedger(scenario.genesis);
  return scenario;
}

/** Sends what an account has to say in the next round, and executes it. */
function transact(
  scenario: Scenario,
  sender: Uint8Array,
  say: (epoch: number, nonce: number) => Transaction,
): void {
  const nonce = scenario.ledger.viewAccount(sender)?.nonce ?? 0;
  scenario.transact(scenario.round + 1, sender, say(scenario.ledger.nextEpoch, nonce));
  expect(scenario.step().transactions[0]).toMatchObject({ reason: null });
}

const rotate = (scenario: Scenario, { key, owner }: GenesisHotspot): void =>
  transact(scenario, owner, (epoch, nonce) => ({
    ...{ kind: "rotate", epoch, nonce, hotspot: key, newKey: RENEWED },
    ...{ hotspotSignature: UNSIGNED, newSignature: UNSIGNED },
  }));

const register = (scenario: Scenario, hotspot: Uint8Array, owner: Uint8Array): void =>
  transact(scenario, BANK, (epoch, nonce) => ({
    ...{ kind: "register", epoch, nonce, registration: { hotspot, owner, epoch } },
    ...{ hotspotSignature: UNSIGNED, ownerSignature: UNSIGNED },
  }));

const assert = (scenario: Scenario, hotspot: GenesisHotspot, owner: Uint8Array): void =>
  transact(scenario, owner, (epoch, nonce) => {
    const { key, cell, latE7, lngE7, gainCentiDbi, elevationM } = hotspot;
    const place = { cell, latE7, lngE7, gainCentiDbi, elevationM, region: 1 };
    const assertion = { hotspot: key, ...place, epoch };
    return { kind: "assert", epoch, nonce, assertion, hotspotSignature: UNSIGNED };
  });

/** A forger of one value that has been found against, with what the others have on record. */
function forge() {
  const scenario = open();
  const forger = scenario.hotspot(4);
  for (let epoch = 0; epoch < 4; epoch++) runEpoch(scenario, forger);
  const { trust } = scenario.ledger;
  expect(trust.findings.get(4)!.map(({ reason }) => reason)).toContain("constant_window");
  return { scenario, forger, trust };
}

describe("trust goes with the hotspot", () => {
  test("under another key it has the links, the findings and the trust that it had", () => {
    const { scenario, forger, trust } = forge();
    const { nextEpoch } = scenario.ledger;
    const before = {
      heard: trust.history.find(4, 5, nextEpoch),
      window: trust.history.receivers.read(4, nextEpoch),
      findings: trust.findings.get(4),
      trust: trust.trustAt(4, nextEpoch),
    };
    expect(before.heard!.epochs).toBeGreaterThan(1);
    rotate(scenario, forger);
    expect(scenario.ledger.registry.find(RENEWED)!.index).toBe(4);
    expect({
      heard: trust.history.find(4, 5, nextEpoch),
      window: trust.history.receivers.read(4, nextEpoch),
      findings: trust.findings.get(4),
      trust: trust.trustAt(4, nextEpoch),
    }).toEqual(before);
    // And what comes next is told of it under the new key.
    scenario.closeEpoch();
    const close = scenario.closeEpoch();
    expect(close.trustRows!.find(({ hotspot }) => String(hotspot) === String(RENEWED))).toMatchObject({
      trustPpm: before.trust.trustPpm,
    });
  });

  test("a seed goes on being one under another key", () => {
    const scenario = open(3);
    runEpoch(scenario);
    rotate(scenario, scenario.hotspot(1));
    expect(scenario.ledger.trust.seeds).toEqual([0, 1, 2]);
  });

  test("under another owner it begins with no link, and its findings stay until they end", () => {
    const { scenario, forger, trust } = forge();
    transact(scenario, forger.owner, (epoch, nonce) => ({
      ...{ kind: "deregister", epoch, nonce, hotspot: forger.key },
    }));
    while (scenario.ledger.registry.find(forger.key) !== null) scenario.closeEpoch();
    expect(trust.history.find(4, 5, scenario.ledger.nextEpoch)).not.toBeNull();
    const endsEpoch = trust.findings.get(4)!.map((finding) => finding.endsEpoch);
    register(scenario, forger.key, BANK);
    assert(scenario, forger, BANK);
    const { nextEpoch } = scenario.ledger;
    for (const other of RING.keys()) {
      expect(trust.history.find(4, other, nextEpoch)).toBeNull();
      expect(trust.history.find(other, 4, nextEpoch)).toBeNull();
    }
    expect(trust.history.receivers.read(4, nextEpoch).count).toBe(0);
    expect(trust.findings.get(4)!.map((finding) => finding.endsEpoch)).toEqual(endsEpoch);
    expect(computeBooks(scenario.ledger).isBalanced).toBe(true);
  });

  test("a seed that moves is none any more", () => {
    const scenario = open(3);
    runEpoch(scenario);
    const seed = scenario.hotspot(1);
    assert(scenario, seed, seed.owner);
    expect(scenario.ledger.trust.seeds).toEqual([0, 1, 2]);
    assert(scenario, { ...seed, gainCentiDbi: seed.gainCentiDbi + 100 }, seed.owner);
    expect(scenario.ledger.trust.seeds).toEqual([0, 2]);
  });
});

describe("where there is no evidence", () => {
  test("epochs without a report find nothing, forget in time and harm nobody", () => {
    const { scenario, trust } = forge();
    const { trustWindowEpochs, penaltyEpochs, trustIntervalEpochs } = scenario.ledger.parameters;
    expect(trust.history.links.size).toBeGreaterThan(0);
    const wait = Math.max(2 * trustWindowEpochs, penaltyEpochs) + 2 * trustIntervalEpochs;
    for (let epoch = 0; epoch < wait; epoch++) scenario.closeEpoch();
    expect(trust.history.links.listRows(RING.length, scenario.ledger.nextEpoch).row).toHaveLength(0);
    expect(trust.findings.size).toBe(0);
    for (const index of RING.keys())
      expect(trust.trustAt(index, scenario.ledger.nextEpoch).trustPpm).toBe(PPM);
  });

  test("with seeds only they are trusted, and the next evidence begins from them", () => {
    const scenario = open(3);
    const { trustFromEpoch, trustIntervalEpochs } = scenario.ledger.parameters;
    for (let epoch = 0; epoch < trustFromEpoch + trustIntervalEpochs; epoch++) scenario.closeEpoch();
    const { trust } = scenario.ledger;
    const trusted = () =>
      [...RING.keys()].filter((index) => trust.trustAt(index, scenario.ledger.nextEpoch).trustPpm > 0);
    expect(trusted()).toEqual([0, 1, 2]);
    for (let epoch = 0; epoch < 2 * trustIntervalEpochs; epoch++) runEpoch(scenario);
    expect(trusted().length).toBeGreaterThan(3);
  });
});

test("a clock that jumps a day ahead between rounds changes no trust: epochs count", () => {
  const [steady, jumping] = [open(3), open(3)];
  for (let epoch = 0; epoch < 6; epoch++) {
    runEpoch(steady);
    // Rounds are told their time by validators; from the middle on theirs is a day later.
    if (epoch === 3) jumping.aheadMs = 86_400_000;
    runEpoch(jumping);
  }
  const [a, b] = [steady.ledger.trust, jumping.ledger.trust];
  const { nextEpoch } = steady.ledger;
  expect(b.history.links.encode(nextEpoch)).toEqual(a.history.links.encode(nextEpoch));
  expect(b.generations).toEqual(a.generations);
  expect([...b.findings]).toEqual([...a.findings]);
  expect(encodeLedger(jumping.ledger)).not.toEqual(encodeLedger(steady.ledger));
});
