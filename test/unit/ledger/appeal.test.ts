/** Appeals: what they can reverse, and that nobody is acquitted by losing the record that he is judged by. */
import { describe, expect, test } from "vitest";
import { viewAppeal } from "../../../protocol/src/ledger/appeal.ts";
import { computeBooks } from "../../../protocol/src/ledger/books.ts";
import { rewardTreeOf } from "../../../protocol/src/ledger/rewardTotals.ts";
import { decodeLedger, encodeLedger } from "../../../protocol/src/ledger/snapshot.ts";
import { createLedger } from "../../../protocol/src/ledger/state.ts";
import type { EpochClose } from "../../../protocol/src/ledger/types.ts";
import type { GenesisHotspot } from "../../../protocol/src/network/genesis.ts";
import { type Parameters, PPM } from "../../../protocol/src/network/parameters.ts";
import type { Transaction } from "../../../protocol/src/wire/transactions.ts";
import { keyOf } from "../../sim/ledgerWorld.ts";
import { RING, runEpoch, strike } from "./ring.ts";
import { Scenario } from "./scenario.ts";

const UNSIGNED = new Uint8Array(64);
/** The struck findings outlast every appeal here. */
const ENDS_EPOCH = 40;

/**
 * Runs epochs 0 to 4, with hotspot 0 suspended from pay in the last one.
 * @param named counterparts that the findings name as evidence.
 */
function suspend(named: readonly number[] = [], parameters: Partial<Parameters> = {}, seeds = 0) {
  const scenario = new Scenario(RING, { txFee: 0n, assertFee: 0n, ...parameters });
  const trustSeeds = scenario.genesis.hotspots.slice(RING.length - seeds).map(({ key }) => key);
  if (seeds > 0) Object.assign(scenario.genesis, { trustSeeds });
  scenario.ledger = createLedger(scenario.genesis);
  for (let epoch = 0; epoch < 4; epoch++) runEpoch(scenario);
  const evidence = named.map((counterpart) => ({ counterpart, heardEpoch: 3, heardByEpoch: 3 }));
  strike(scenario, 0, ENDS_EPOCH, evidence);
  const { withheld } = runEpoch(scenario).escrow;
  expect(withheld).toBeGreaterThan(0n);
  return { scenario, hotspot: scenario.hotspot(0), withheld };
}

/** Executes what an owner says in the next round, and gives the reason. */
function say(
  scenario: Scenario,
  { owner }: GenesisHotspot,
  transaction: (epoch: number, nonce: number) => Transaction,
): string | null {
  const nonce = scenario.ledger.viewAccount(owner)?.nonce ?? 0;
  scenario.transact(scenario.round + 1, owner, transaction(scenario.ledger.nextEpoch, nonce));
  return scenario.step().transactions[0]!.reason;
}

const appeal = (scenario: Scenario, hotspot: GenesisHotspot): string | null =>
  say(scenario, hotspot, (epoch, nonce) => ({
    ...{ kind: "appeal", epoch, nonce, hotspot: hotspot.key, evidence: [scenario.hotspot(6).key] },
  }));

/** Asserts the same place with an antenna of so much more gain, in hundredths of a dB. */
const regain = (scenario: Scenario, hotspot: GenesisHotspot, centiDb = 1): string | null =>
  say(scenario, hotspot, (epoch, nonce) => {
    const { key, cell, latE7, lngE7, gainCentiDbi, elevationM } = hotspot;
    const place = { cell, latE7, lngE7, gainCentiDbi: gainCentiDbi + centiDb, elevationM, region: 1 };
    const assertion = { hotspot: key, ...place, epoch };
    return { kind: "assert", epoch, nonce, assertion, hotspotSignature: UNSIGNED };
  });

/** Closes the epoch that ends the interval, with all that was appealed decided. */
function decide(scenario: Scenario): EpochClose {
  const close = scenario.closeEpoch();
  expect(close.trustRows).not.toBeNull();
  expect(computeBooks(scenario.ledger).isBalanced).toBe(true);
  return close;
}

const findingsOf = ({ ledger }: Scenario) => ledger.trust.findings.get(0)?.map(({ reason }) => reason) ?? [];

describe("who has the record forgotten by which it was found", () => {
  test.each([0, 3])("drops its appeal with it, with %i seeds", (seeds) => {
    const { scenario, hotspot, withheld } = suspend([], { trustFromEpoch: 2 }, seeds);
    expect(appeal(scenario, hotspot)).toBeNull();
    expect(regain(scenario, hotspot)).toBeNull();
    const { escrow } = decide(scenario);
    expect(escrow).toMatchObject({ released: 0n });
    expect(escrow.carriedOut).toBeGreaterThanOrEqual(withheld);
    expect(findingsOf(scenario)).toEqual(["constant_window", "snr_grid"]);
  });

  test("cannot appeal until all has run out that was found and is withheld", () => {
    const { scenario, hotspot } = suspend();
    expect(regain(scenario, hotspot)).toBeNull();
    expect(appeal(scenario, hotspot)).toBe("no_evidence");
    // A restart in between changes nothing.
    scenario.ledger = decodeLedger(scenario.genesis, encodeLedger(scenario.ledger));
    let { released } = scenario.closeEpoch().escrow;
    const { trust, escrow } = scenario.ledger;
    while (trust.findings.has(0) || escrow.holdsFor(0)) {
      released += runEpoch(scenario).escrow.released;
      expect(appeal(scenario, hotspot)).not.toBeNull();
      released += scenario.closeEpoch().escrow.released;
    }
    expect(released).toBe(0n);
    expect(scenario.ledger.nextEpoch).toBeGreaterThan(ENDS_EPOCH);
    while (trust.barredUntil.size > 0) runEpoch(scenario);
    expect(appeal(scenario, hotspot)).toBe("not_penalised");
  });

  test("loses no appeal by asserting what it had asserted, by another key or by another device", () => {
    const { scenario, hotspot, withheld } = suspend();
    expect(appeal(scenario, hotspot)).toBeNull();
    expect(regain(scenario, hotspot, 0)).toBeNull();
    const { key } = hotspot;
    const newKey = keyOf("another key");
    const deviceKey = new Uint8Array(33).fill(2);
    const signatures = { hotspotSignature: UNSIGNED, newSignature: UNSIGNED, deviceSignature: UNSIGNED };
    const reasons = [
      say(scenario, hotspot, (epoch, nonce) => ({
        ...{ kind: "bind", epoch, nonce, hotspot: key, deviceKey },
        ...signatures,
      })),
      say(scenario, hotspot, (epoch, nonce) => ({
        ...{ kind: "rotate", epoch, nonce, hotspot: key, newKey },
        ...signatures,
      })),
    ];
    expect(reasons).toEqual([null, null]);
    const { releases } = decide(scenario);
    expect(releases).toEqual([{ hotspot: newKey, owner: hotspot.owner, amount: withheld }]);
  });

  test("has dropped its appeal when it is gone, and without a place is not acquitted", () => {
    const { scenario, hotspot } = suspend([], { unbondEpochs: 1, trustIntervalEpochs: 4, escrowEpochs: 6 });
    const leave = (epoch: number, nonce: number): Transaction => ({
      ...{ kind: "deregister", epoch, nonce, hotspot: hotspot.key },
    });
    expect(say(scenario, hotspot, leave)).toBeNull();
    expect(appeal(scenario, hotspot)).toBeNull();
    scenario.closeEpoch();
    expect(scenario.ledger.registry.find(hotspot.key)).not.toBeNull();
    scenario.closeEpoch();
    expect(scenario.ledger.registry.find(hotspot.key)).toBeNull();
    expect(decide(scenario).escrow.released).toBe(0n);
  });
});

describe("what is withheld", () => {
  // Of epoch 4, whose interval ends with 5, it waits for six epochs.
  test.each([9, 11])("is released by an appeal of epoch %i, and no reversal after epoch 11 does", (epoch) => {
    const { scenario, hotspot, withheld } = suspend();
    while (scenario.ledger.nextEpoch < epoch) runEpoch(scenario);
    expect(appeal(scenario, hotspot)).toBeNull();
    const { escrow } = decide(scenario);
    expect(escrow.released).toBeGreaterThanOrEqual(withheld);
    expect(escrow).toMatchObject({ returned: 0n, carriedOut: 0n });
  });

  test("has returned to its pools where an appeal comes later", () => {
    const { scenario, hotspot, withheld } = suspend();
    while (scenario.ledger.nextEpoch < 12) scenario.closeEpoch();
    expect(scenario.ledger.escrow.total).toBe(withheld);
    expect(appeal(scenario, hotspot)).toBeNull();
    const { escrow } = scenario.closeEpoch();
    expect(escrow).toMatchObject({ released: 0n, returned: withheld });
  });
});

test("an appeal that reverses a part of what was found releases that part, and the rest returns at once", () => {
  const { scenario, hotspot, withheld } = suspend();
  const { trust, parameters } = scenario.ledger;
  // One finding more, of which the record is gone: it names a link that is not there.
  const evidence = [{ counterpart: 0, heardEpoch: 3, heardByEpoch: 3 }];
  trust.findings.add(0, {
    ...{ reason: "floor_window", factorPpm: 400_000, madeEpoch: 4, endsEpoch: ENDS_EPOCH, evidence },
  });
  expect(appeal(scenario, hotspot)).toBeNull();
  const { escrow, pools, epoch } = decide(scenario);
  expect(findingsOf(scenario)).toEqual(["floor_window"]);
  expect(trust.trustAt(0, epoch + 1)).toMatchObject({ beliefPpm: 400_000, isSuspended: false });
  const held = withheld + escrow.withheld;
  // Rounded down for each pool's amount.
  expect((held * 4n) / 10n - escrow.released).toBeLessThanOrEqual(1n);
  expect(escrow.released).toBeGreaterThan(0n);
  expect(escrow).toMatchObject({ returned: 0n, carriedOut: held - escrow.released });
  expect(viewAppeal(scenario.ledger, hotspot.key)!.escrow).toEqual([]);
  // No second appeal releases more of it.
  expect(appeal(scenario, hotspot)).toBeNull();
  const next = scenario.closeEpoch();
  expect(next.escrow).toMatchObject({ released: 0n, returned: escrow.carriedOut, carriedOut: 0n });
  const carried = ({ beacons, witnesses }: EpochClose["pools"], side: "carriedIn" | "carriedOut"): bigint =>
    beacons[side] + witnesses[side];
  expect(carried(next.pools, "carriedIn")).toBe(carried(pools, "carriedOut") + escrow.carriedOut);
  expect(next.epoch).toBeLessThan(epoch + parameters.escrowEpochs);
});

test("a reversal whose part rounds down to nothing releases nothing, and makes nobody an earner", () => {
  const scenario = new Scenario(RING, { txFee: 0n, assertFee: 0n });
  const { ledger } = scenario;
  strike(scenario, 0, ENDS_EPOCH);
  // One finding more, which stands as it names a link that is not there; and two base units as if an epoch had paid them.
  const evidence = [{ counterpart: 1, heardEpoch: 0, heardByEpoch: 0 }];
  ledger.trust.findings.add(0, {
    ...{ reason: "floor_window", factorPpm: 400_000, madeEpoch: 0, endsEpoch: ENDS_EPOCH, evidence },
  });
  ledger.escrow.withhold(0, ledger.registry.list[0]!.owner, { beacons: 0n, witnesses: 2n }, 7);
  ledger.emitted += 2n;
  ledger.trust.appealed.add(0);
  scenario.closeEpoch();
  const { escrow, releases, accounts, rewardRoot, epoch } = decide(scenario);
  expect(ledger.trust.trustAt(0, epoch + 1)).toMatchObject({ beliefPpm: 400_000, isSuspended: false });
  expect(escrow).toMatchObject({ released: 0n, carriedOut: 2n });
  expect(releases).toEqual([]);
  // Whoever starts from the snapshot has the tree of whoever ran on.
  const restored = rewardTreeOf(decodeLedger(scenario.genesis, encodeLedger(ledger)));
  expect([restored.leafCount, restored.root]).toEqual([accounts, rewardRoot]);
});

test("what closes after a reversal is worth no more than the trust that is left", () => {
  const { scenario } = suspend();
  const { trust } = scenario.ledger;
  const column = (ppm: number): Uint32Array => new Uint32Array(RING.length).fill(ppm);
  const suspended = trust.generations.at(-1)!;
  const creditOf = (epoch: number): number => trust.tableOf(suspended, epoch, RING.length).creditPpm[0]!;
  expect(creditOf(5)).toBe(PPM);
  trust.turn({
    ...{ fromEpoch: 6, newcomerPpm: PPM, graphPpm: column(PPM), beliefPpm: column(250_000) },
    ...{ trustPpm: column(250_000), creditPpm: column(250_000), standingPpm: new Float64Array(RING.length) },
  });
  expect(creditOf(6)).toBe(250_000);
  expect(trust.tableOf(suspended, 6, RING.length).creditPpm[1]).toBe(PPM);
});

test("a farm that the caps alone lower is paid by them, and nothing of it is withheld", () => {
  const scenario = new Scenario(RING, { txFee: 0n });
  for (let epoch = 0; epoch < 4; epoch++) runEpoch(scenario);
  const { trust } = scenario.ledger;
  for (const reason of ["owner_cap", "place_cap"] as const)
    trust.findings.add(0, { reason, factorPpm: 250_000, madeEpoch: 4, endsEpoch: ENDS_EPOCH, evidence: [] });
  for (let epoch = 4; epoch < 6; epoch++) runEpoch(scenario);
  expect(trust.trustAt(0, 6)).toMatchObject({ beliefPpm: PPM, trustPpm: 62_500, isSuspended: false });
  const { lines, escrow } = runEpoch(scenario);
  const line = lines.find(({ hotspot }) => String(hotspot) === String(scenario.hotspot(0).key))!;
  expect(line.beaconPaid + line.witnessPaid).toBeGreaterThan(0n);
  expect(escrow.withheld).toBe(0n);
});

describe("a finding whose evidence others have taken from the record", () => {
  const named = [1, 2, 3, 4, 5];

  test("stands also where new links have taken the place of those that it named", () => {
    const { scenario, hotspot } = suspend(named);
    for (const other of [1, 2, 3]) expect(regain(scenario, scenario.hotspot(other))).toBeNull();
    scenario.closeEpoch();
    runEpoch(scenario);
    const { links } = scenario.ledger.trust.history;
    for (const other of [1, 2, 3]) expect(links.find(0, other, 6)).not.toBeNull();
    expect(appeal(scenario, hotspot)).toBeNull();
    expect(decide(scenario).escrow.released).toBe(0n);
  });

  test("stands where fewer than half of the named links are left", () => {
    const { scenario, hotspot } = suspend(named);
    for (const other of [1, 2, 3]) expect(regain(scenario, scenario.hotspot(other))).toBeNull();
    expect(appeal(scenario, hotspot)).toBeNull();
    expect(decide(scenario).escrow.released).toBe(0n);
    expect(findingsOf(scenario)).toEqual(["constant_window", "snr_grid"]);
  });

  test("falls where they are left and say nothing against it", () => {
    const { scenario, hotspot, withheld } = suspend(named);
    for (const other of [1, 2]) expect(regain(scenario, scenario.hotspot(other))).toBeNull();
    expect(appeal(scenario, hotspot)).toBeNull();
    expect(decide(scenario).escrow.released).toBe(withheld);
    expect(findingsOf(scenario)).toEqual([]);
  });
});
