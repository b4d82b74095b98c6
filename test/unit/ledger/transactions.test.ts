/** Transactions: nonces over the whole cut, fees, bonds, assertions, and books that balance whatever is sent. */
import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { computeBooks } from "../../../protocol/src/ledger/books.ts";
import { decodeLedger, encodeLedger } from "../../../protocol/src/ledger/snapshot.ts";
import { UNPAID_PER_EPOCH } from "../../../protocol/src/ledger/transactions.ts";
import type { LedgerMessage, RoundResult } from "../../../protocol/src/ledger/types.ts";
import type { GenesisHotspot } from "../../../protocol/src/network/genesis.ts";
import type { Parameters } from "../../../protocol/src/network/parameters.ts";
import type { Assertion } from "../../../protocol/src/wire/consents.ts";
import type { Transaction } from "../../../protocol/src/wire/transactions.ts";
import { keyOf, witnessBeacon } from "../../sim/ledgerWorld.ts";
import { earlySlotted, inRow, Scenario, WINDOWS } from "./scenario.ts";

const FEES: Partial<Parameters> = { txFee: 10n, assertFee: 1_000n, hotspotBond: 50_000n, unbondEpochs: 4 };
const BANK = keyOf("bank");
const ALICE = keyOf("alice");
const HOTSPOT = keyOf("new hotspot");
const GENESIS_BALANCE = 1_000_000_000_000n;

let scenario: Scenario;
let round: number;

beforeEach(() => {
  scenario = new Scenario(inRow(2), FEES);
  round = 0;
});

const transfer = (nonce: number, amount: bigint, to = ALICE, epoch = 0): Transaction => ({
  kind: "transfer",
  epoch,
  nonce,
  to,
  amount,
});
const register = (nonce: number, hotspot = HOTSPOT, owner = ALICE, itsEpoch = 0): Transaction => ({
  kind: "register",
  epoch: 0,
  nonce,
  registration: { hotspot, owner, epoch: itsEpoch },
  hotspotSignature: new Uint8Array(64),
  ownerSignature: new Uint8Array(64),
});
const assertion = (change: Partial<Assertion> = {}): Assertion => {
  const { cell, latE7, lngE7 } = scenario.hotspot(0);
  return {
    hotspot: HOTSPOT,
    cell,
    latE7,
    lngE7,
    gainCentiDbi: 300,
    elevationM: 9,
    region: 1,
    epoch: 0,
    ...change,
  };
};
const assert = (nonce: number, change: Partial<Assertion> = {}): Transaction => ({
  kind: "assert",
  epoch: 0,
  nonce,
  assertion: assertion(change),
  hotspotSignature: new Uint8Array(64),
});

const deregister = (nonce: number, hotspot = HOTSPOT, epoch = 0): Transaction => ({
  kind: "deregister",
  epoch,
  nonce,
  hotspot,
});

/** Executes a round with these transactions and gives their reasons ("-" where one was passed over). */
function reasonsOf(...sent: readonly (readonly [Uint8Array, Transaction])[]): (string | null)[] {
  const messages = sent.map(([sender, transaction]) => scenario.transact(round, sender, transaction));
  const result = scenario.runTo(round++);
  expect(computeBooks(scenario.ledger).isBalanced).toBe(true);
  return messages.map((message) => reasonIn(result, message));
}

function reasonIn(result: RoundResult, { id }: LedgerMessage): string | null {
  const outcome = result.transactions.find((transaction) => transaction.id === id);
  return outcome === undefined ? "-" : outcome.reason;
}

const balance = (key: Uint8Array) => scenario.ledger.viewAccount(key)?.balance ?? null;
const nonce = (key: Uint8Array) => scenario.ledger.viewAccount(key)?.nonce ?? null;

describe("nonces", () => {
  test("order an account's transactions over the whole cut", () => {
    expect(reasonsOf([BANK, transfer(2, 3n)], [BANK, transfer(0, 1n)], [BANK, transfer(1, 2n)])).toEqual([
      null,
      null,
      null,
    ]);
    expect(nonce(BANK)).toBe(3);
    expect(balance(ALICE)).toBe(6n);
  });

  test("from the future are not remembered and may come again", () => {
    const early = scenario.transact(0, BANK, transfer(1, 5n));
    const result = scenario.runTo(0);
    expect(result.notExecuted).toEqual([{ id: early.id, reason: "wrong_nonce" }]);
    expect(result.included).toEqual([]);
    scenario.put(1, early);
    scenario.transact(1, BANK, transfer(0, 5n));
    expect(scenario.runTo(1).transactions.map(({ reason }) => reason)).toEqual([null, null]);
  });

  test("that are used are refused; of two equal ones the first in the cut executes", () => {
    expect(reasonsOf([BANK, transfer(0, 1n)], [BANK, transfer(0, 2n)])).toEqual([null, "wrong_nonce"]);
    expect(reasonsOf([BANK, transfer(0, 3n)])).toEqual(["wrong_nonce"]);
    expect(balance(ALICE)).toBe(1n);
  });

  test("that are used are refused so often in an epoch, and then passed over: nobody pays for them", () => {
    reasonsOf([BANK, transfer(0, 1n)]);
    const refused = reasonsOf([BANK, transfer(0, 2n)], [BANK, transfer(0, 3n)]);
    expect(refused).toEqual(["wrong_nonce", "wrong_nonce"]);
    // A restart in between forgets nothing.
    scenario.ledger = decodeLedger(scenario.genesis, encodeLedger(scenario.ledger));
    const { balance: before } = scenario.ledger.viewAccount(BANK)!;
    const again = Array.from({ length: UNPAID_PER_EPOCH + 3 }, (_, i) =>
      scenario.transact(round, BANK, transfer(0, BigInt(i) + 10n)),
    );
    const { included, notExecuted, transactions } = scenario.runTo(round++);
    expect(included).toHaveLength(UNPAID_PER_EPOCH - 2);
    expect(transactions).toHaveLength(UNPAID_PER_EPOCH - 2);
    const over = again.slice(UNPAID_PER_EPOCH - 2);
    expect(notExecuted).toEqual(over.map(({ id }) => ({ id, reason: "wrong_nonce" })));
    // A stranger may have brought them: what an account once signed and did not need takes nothing from it.
    expect(scenario.ledger.viewAccount(BANK)).toMatchObject({ balance: before, nonce: 1 });
    // What is paid for is executed all the same, and the next epoch begins anew.
    expect(reasonsOf([BANK, transfer(1, 1n)])).toEqual([null]);
    scenario.closeEpoch();
    round = scenario.round + 1;
    expect(reasonsOf([BANK, transfer(0, 2n, ALICE, 1)])).toEqual(["wrong_nonce"]);
  });

  test("the same message executes once, in one cut and in two", () => {
    const message = scenario.transact(0, BANK, transfer(0, 1n));
    scenario.put(0, message);
    scenario.put(1, message);
    expect(scenario.runTo(0).transactions).toHaveLength(1);
    expect(scenario.runTo(1).transactions).toHaveLength(0);
  });

  test("of a past epoch are passed over", () => {
    const message = scenario.transact(80, BANK, transfer(0, 1n));
    expect(scenario.runTo(80).notExecuted).toEqual([{ id: message.id, reason: "stale_epoch" }]);
  });
});

describe("fees", () => {
  test("are burned with every executed transaction, refused ones too", () => {
    expect(reasonsOf([BANK, transfer(0, GENESIS_BALANCE)])).toEqual(["insufficient_balance"]);
    expect(balance(BANK)).toBe(GENESIS_BALANCE - 10n);
    expect(nonce(BANK)).toBe(1);
    expect(computeBooks(scenario.ledger).burned).toBe(10n);
  });

  test("an account that cannot pay the fee keeps balance and nonce", () => {
    reasonsOf([BANK, transfer(0, 9n)]);
    expect(reasonsOf([ALICE, transfer(0, 1n, BANK)])).toEqual(["insufficient_balance"]);
    expect([balance(ALICE), nonce(ALICE)]).toEqual([9n, 0]);
  });

  test("one that has just the fee can pay it", () => {
    reasonsOf([BANK, transfer(0, 10n)]);
    expect(reasonsOf([ALICE, transfer(0, 0n, BANK)])).toEqual([null]);
    expect([balance(ALICE), nonce(ALICE)]).toEqual([0n, 1]);
  });

  test("one that cannot pay is told so often in an epoch, and then passed over", () => {
    reasonsOf([BANK, transfer(0, 9n)]);
    const sent = Array.from({ length: UNPAID_PER_EPOCH + 1 }, (_, i) =>
      scenario.transact(round, ALICE, transfer(0, BigInt(UNPAID_PER_EPOCH - i))),
    );
    const over = sent.at(-1)!;
    const { transactions, notExecuted } = scenario.runTo(round++);
    expect(transactions.map(({ reason }) => reason)).toEqual(
      new Array(UNPAID_PER_EPOCH).fill("insufficient_balance"),
    );
    expect(notExecuted).toEqual([{ id: over.id, reason: "insufficient_balance" }]);
    // What was passed over may come again, and executes when there is something to pay with.
    scenario.transact(round, BANK, transfer(1, 1n));
    scenario.put(round, over);
    expect(scenario.runTo(round++).transactions.map(({ reason }) => reason)).toEqual([null, null]);
  });

  test("one that was never opened has nothing to pay with, is not opened by trying, and leaves no trace", () => {
    expect(reasonsOf([keyOf("nobody"), transfer(0, 0n)])).toEqual(["-"]);
    expect(balance(keyOf("nobody"))).toBeNull();
  });
});

describe("transfers", () => {
  test("move money and open accounts", () => {
    expect(reasonsOf([BANK, transfer(0, 500n)])).toEqual([null]);
    expect([balance(BANK), balance(ALICE)]).toEqual([GENESIS_BALANCE - 510n, 500n]);
  });

  test("of nothing open no account, to oneself change nothing", () => {
    expect(reasonsOf([BANK, transfer(0, 0n)], [BANK, transfer(1, 7n, BANK)])).toEqual([null, null]);
    expect([balance(BANK), balance(ALICE)]).toEqual([GENESIS_BALANCE - 20n, null]);
  });
});

describe("registration", () => {
  test("locks the payer's bond and opens the owner's account", () => {
    expect(reasonsOf([BANK, register(0)])).toEqual([null]);
    expect(balance(BANK)).toBe(GENESIS_BALANCE - 50_010n);
    expect(scenario.ledger.viewHotspot(HOTSPOT)).toMatchObject({
      owner: ALICE,
      registeredEpoch: 0,
      bond: 50_000n,
      assertion: null,
    });
    expect(computeBooks(scenario.ledger).bonds).toBe(50_000n);
    expect(balance(ALICE)).toBe(0n);
  });

  test.each([
    ["a key that is registered", () => register(0, scenario.hotspot(0).key), "already_registered"],
    ["a consent of another epoch", () => register(0, HOTSPOT, ALICE, 1), "epoch_mismatch"],
  ])("is refused for %s", (_, make, reason) => expect(reasonsOf([BANK, make()])).toEqual([reason]));

  test("is refused without the bond, and takes the fee", () => {
    reasonsOf([BANK, transfer(0, 50_009n)]);
    expect(reasonsOf([ALICE, register(0)])).toEqual(["insufficient_balance"]);
    expect(balance(ALICE)).toBe(49_999n);
    expect(scenario.ledger.viewHotspot(HOTSPOT)).toBeNull();
  });
});

describe("assertion", () => {
  beforeEach(() => {
    reasonsOf([BANK, register(0, HOTSPOT, BANK)]);
  });

  test("is in force from the next epoch; of two in one epoch the later counts", () => {
    const before = balance(BANK)!;
    expect(reasonsOf([BANK, assert(1)], [BANK, assert(2, { elevationM: 50 })])).toEqual([null, null]);
    expect(before - balance(BANK)!).toBe(2_020n);
    expect(scenario.ledger.viewHotspot(HOTSPOT)!.assertion).toMatchObject({
      elevationM: 50,
      fromEpoch: 1,
      region: "EU868",
      cell: scenario.hotspot(0).cell,
    });
  });

  test.each<readonly [string, Partial<Assertion>, string]>([
    ["another epoch's consent", { epoch: 1 }, "epoch_mismatch"],
    ["a hotspot that is not registered", { hotspot: keyOf("unknown") }, "not_registered"],
    ["a cell of another resolution", { cell: 0x8b1f1d489c34fffn }, "invalid_location"],
    ["what is no cell", { cell: 0xffn }, "invalid_location"],
    ["a latitude beyond the pole", { latE7: 900_000_001 }, "invalid_location"],
    ["a longitude beyond the date line", { lngE7: -1_800_000_001 }, "invalid_location"],
    ["a region that does not exist", { region: 200 }, "invalid_location"],
    ["an antenna beyond all antennas", { gainCentiDbi: 3_001 }, "invalid_location"],
    ["a mountain beyond all mountains", { elevationM: 10_001 }, "invalid_location"],
    ["a pit", { elevationM: -501 }, "invalid_location"],
    ["an antenna that only absorbs", { gainCentiDbi: -1_001 }, "invalid_location"],
  ])("is refused for %s", (_, change, reason) => {
    expect(reasonsOf([BANK, assert(1, change)])).toEqual([reason]);
    expect(scenario.ledger.viewHotspot(HOTSPOT)!.assertion).toBeNull();
  });

  test("only the owner may assert, and pays for it", () => {
    reasonsOf([BANK, transfer(1, 1_009n)]);
    expect(reasonsOf([ALICE, assert(0)])).toEqual(["not_owner"]);
    const own = keyOf("alice's hotspot");
    reasonsOf([BANK, register(2, own, ALICE)]);
    expect(reasonsOf([ALICE, assert(1, { hotspot: own })])).toEqual(["insufficient_balance"]);
  });
});

describe("deregistration", () => {
  const closeThrough = (epoch: number): void => {
    while (scenario.closes.length <= epoch) scenario.step();
  };

  test("returns the bond to who paid it when the unbonding has passed, and frees the key", () => {
    reasonsOf([BANK, transfer(0, 100n)], [BANK, register(1)]);
    const before = balance(BANK)!;
    expect(reasonsOf([ALICE, deregister(0)], [ALICE, deregister(1)])).toEqual([null, null]);
    closeThrough(3);
    expect(balance(BANK)).toBe(before);
    expect(scenario.ledger.viewHotspot(HOTSPOT)).toMatchObject({ bond: 50_000n, leavingUntilEpoch: 4 });
    round = scenario.round + 1;
    const late = { ...register(2), epoch: 4, registration: { hotspot: HOTSPOT, owner: ALICE, epoch: 4 } };
    expect(reasonsOf([BANK, late as Transaction])).toEqual(["already_registered"]);
    closeThrough(4);
    expect(balance(BANK)).toBe(before - 10n + 50_000n);
    expect(balance(ALICE)).toBe(80n);
    expect(computeBooks(scenario.ledger)).toMatchObject({ bonds: 0n, isBalanced: true });
    expect(scenario.ledger.viewHotspot(HOTSPOT)).toBeNull();
    round = scenario.round + 1;
    expect(reasonsOf([ALICE, deregister(2, HOTSPOT, 5)])).toEqual(["not_registered"]);
    const again = { ...register(3), epoch: 5, registration: { hotspot: HOTSPOT, owner: BANK, epoch: 5 } };
    const { length } = scenario.ledger.registry.list;
    expect(reasonsOf([BANK, again as Transaction])).toEqual([null]);
    expect(scenario.ledger.viewHotspot(HOTSPOT)).toMatchObject({
      owner: BANK,
      registeredEpoch: 5,
      bond: 50_000n,
    });
    expect(scenario.ledger.registry.list).toHaveLength(length);
    expect(computeBooks(scenario.ledger)).toMatchObject({ bonds: 50_000n, isBalanced: true });
  });

  test("survives a snapshot in every stage", () => {
    reasonsOf([BANK, register(0, HOTSPOT, BANK)], [BANK, deregister(1)]);
    for (const epoch of [0, 3, 4]) {
      closeThrough(epoch);
      const bytes = encodeLedger(scenario.ledger);
      scenario.ledger = decodeLedger(scenario.genesis, bytes);
      expect(encodeLedger(scenario.ledger)).toEqual(bytes);
    }
    expect(scenario.ledger.viewHotspot(HOTSPOT)).toBeNull();
    expect(computeBooks(scenario.ledger)).toMatchObject({ bonds: 0n, isBalanced: true });
  });

  test("is refused for strangers, and to who does not own the hotspot", () => {
    expect(reasonsOf([BANK, deregister(0)])).toEqual(["not_registered"]);
    expect(reasonsOf([BANK, deregister(1, scenario.hotspot(0).key)])).toEqual(["not_owner"]);
  });

  test("closes what is open, and brings no challenge and no evidence from the next epoch on", () => {
    scenario = new Scenario(inRow(12), { ...FEES, unbondEpochs: 4 });
    scenario.corroborate();
    const [beaconer, witness] = earlySlotted(scenario, 2) as [GenesisHotspot, GenesisHotspot];
    const { slotRound } = scenario.challenge(beaconer, 0);
    const beacon = scenario.beacon(beaconer, 0);
    // Genesis's hotspots are their owners', who have nothing to pay the fee with.
    for (const [i, { owner }] of [beaconer, witness].entries())
      scenario.transact(0, BANK, transfer(i, 10n, owner));
    scenario.transact(1, beaconer.owner, deregister(0, beaconer.key));
    scenario.transact(1, witness.owner, deregister(0, witness.key));
    const beaconMessage = scenario.at(slotRound, beaconer, { beacons: [beacon.report] });
    const heard = scenario.at(slotRound, witness, { witnesses: [witnessBeacon(beacon, witness)] });
    scenario.at(slotRound + WINDOWS.witnessWindowRounds + 1, beaconer, scenario.revealOf(beacon));
    const { lines } = scenario.closeEpoch();
    expect(scenario.history(beaconMessage)).toEqual(["pending", "accepted"]);
    expect(scenario.history(heard)).toEqual(["pending", "accepted?", "accepted"]);
    expect(lines.map(({ hotspot }) => hotspot)).toHaveLength(2);
    const next = scenario.challenge(beaconer, 1).slotRound;
    const later = scenario.beacon(beaconer, 1);
    const refused = scenario.at(next, beaconer, { beacons: [later.report] });
    const unheard = scenario.at(next, witness, { witnesses: [witnessBeacon(later, witness)] });
    scenario.runTo(next);
    expect(scenario.history(refused)).toEqual(["refused not_challenged"]);
    expect(scenario.history(unheard)).toEqual(["refused unknown_hotspot"]);
    closeThrough(4);
    const gone = scenario.at(scenario.round + 1, beaconer, scenario.revealOf(later));
    scenario.step();
    expect(scenario.history(gone)).toEqual(["refused unknown_hotspot"]);
  });
});

test("any soup of transactions leaves the books balanced and no balance negative", () => {
  const senders = [BANK, ALICE, keyOf("bob"), keyOf("owner of hotspot 0")];
  const anyTransaction = fc.record({
    sender: fc.constantFrom(...senders),
    kind: fc.constantFrom("transfer", "register", "assert", "deregister"),
    nonce: fc.nat(4),
    amount: fc.oneof(fc.bigInt(0n, 100_000n), fc.constant(2n ** 64n - 1n)),
    target: fc.constantFrom(HOTSPOT, keyOf("hotspot 0"), keyOf("second")),
    to: fc.constantFrom(...senders),
  });
  fc.assert(
    fc.property(fc.array(fc.array(anyTransaction, { maxLength: 12 }), { maxLength: 5 }), (rounds) => {
      scenario = new Scenario(inRow(2), FEES);
      for (const [at, sent] of rounds.entries()) {
        for (const { sender, kind, nonce: itsNonce, amount, target, to } of sent) {
          const made = {
            transfer: () => transfer(itsNonce, amount, to),
            register: () => register(itsNonce, target, to),
            assert: () => assert(itsNonce, { hotspot: target }),
            deregister: () => deregister(itsNonce, target),
          };
          scenario.transact(at, sender, made[kind as keyof typeof made]());
        }
        scenario.step();
        expect(computeBooks(scenario.ledger).isBalanced).toBe(true);
        for (const account of scenario.ledger.listAccounts()) {
          expect(account.balance >= 0n).toBe(true);
        }
      }
    }),
    { numRuns: 60 },
  );
});
