/** Stakes from lock to return: transactions, seats two epochs ahead, pay by the epoch's own set, and convictions. */
import { beforeEach, describe, expect, test } from "vitest";
import type { Evidence } from "../../../protocol/src/agreement/rounds.ts";
import { createSigningDomains } from "../../../protocol/src/crypto/domain.ts";
import { computeBooks } from "../../../protocol/src/ledger/books.ts";
import { decodeLedger, encodeLedger } from "../../../protocol/src/ledger/snapshot.ts";
import type { RoundResult } from "../../../protocol/src/ledger/types.ts";
import type { Parameters } from "../../../protocol/src/network/parameters.ts";
import type { StakeTransaction } from "../../../protocol/src/wire/transactions.ts";
import { keyOf } from "../../sim/ledgerWorld.ts";
import { convict } from "../agreement/conflicts.ts";
import { keyNamed } from "../validator/support/network.ts";
import { Scenario } from "./scenario.ts";

/** What each validator of genesis has at stake, and what a seat asks for. */
const STAKE = 1_000_000_000_000n;
const LEAST = 1_000n;
const PARAMETERS: Partial<Parameters> = {
  txFee: 10n,
  unbondEpochs: 4,
  evidenceMaxAgeEpochs: 3,
  validatorStake: LEAST,
  slashPpm: 250_001,
};
const NAMES = ["a", "b", "c", "d"];
const BANK = keyOf("bank");
const ROUNDS = 40;

let scenario: Scenario;
/** The next nonce of each account. */
let nonces: Map<Uint8Array, number>;

beforeEach(() => {
  scenario = new Scenario([], PARAMETERS, NAMES);
  nonces = new Map();
});

const domains = createSigningDomains(new Uint8Array(32));
/** What convicts a key; whether it is signed is the value's to ask, and execution's no more. */
const evidenceOf = (offender: Uint8Array): Evidence => ({
  ...convict(domains, keyNamed("anybody"), "double_ack", 1, 0),
  offender,
});

const takeNonce = (sender: Uint8Array): number => {
  const nonce = nonces.get(sender) ?? 0;
  nonces.set(sender, nonce + 1);
  return nonce;
};
const epochAt = (round: number) => Math.floor(round / ROUNDS);
function stake(sender: Uint8Array, validator: Uint8Array, change: Partial<StakeTransaction> = {}) {
  const round = scenario.round + 1;
  const body = { epoch: epochAt(round), nonce: takeNonce(sender), validator, amount: LEAST, multiaddrs: [] };
  const signature = { validatorSignature: new Uint8Array(64) };
  return scenario.transact(round, sender, { kind: "stake", ...body, ...signature, ...change });
}
function unstake(sender: Uint8Array, validator: Uint8Array) {
  const round = scenario.round + 1;
  const body = { epoch: epochAt(round), nonce: takeNonce(sender), validator };
  return scenario.transact(round, sender, { kind: "unstake", ...body });
}
const verdicts = ({ transactions }: RoundResult) => transactions.map(({ reason }) => reason);
const seatsOf = (epoch: number) => scenario.ledger.setOf(epoch)?.keys ?? null;
const view = (key: Uint8Array) => scenario.ledger.viewValidator(key);
const balanceOf = (key: Uint8Array) => scenario.ledger.viewAccount(key)?.balance ?? 0n;
/** Gives an account something to pay fees with. */
const fund = (to: Uint8Array, amount: bigint) =>
  scenario.transact(scenario.round + 1, BANK, {
    ...{ kind: "transfer", epoch: epochAt(scenario.round + 1), nonce: takeNonce(BANK), to, amount },
  });
const [a, b, c, d] = NAMES.map(keyOf) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
const NEWCOMER = keyOf("newcomer");

describe("genesis", () => {
  test("has its validators on record, each staked for by its own account, in the sets of the first two epochs", () => {
    expect(scenario.ledger.listValidators()).toEqual(
      NAMES.map((name) => ({
        ...{ key: keyOf(name), owner: keyOf(name), stake: STAKE, sinceEpoch: 0 },
        ...{ unbondingUntilEpoch: null, isTombstoned: false, multiaddrs: [] },
      })),
    );
    expect(seatsOf(0)).toEqual(NAMES.map(keyOf));
    expect(seatsOf(1)).toEqual(NAMES.map(keyOf));
    expect([seatsOf(-1), seatsOf(2)]).toEqual([null, null]);
    expect(computeBooks(scenario.ledger)).toMatchObject({ stakes: 4n * STAKE, isBalanced: true });
  });
});

describe("a stake", () => {
  test("is locked, on top of what is there, and has a seat two epochs on", () => {
    const multiaddrs = ["/ip4/127.0.0.1/tcp/4467"];
    stake(BANK, NEWCOMER, { amount: LEAST - 1n });
    stake(BANK, NEWCOMER, { amount: STAKE });
    stake(BANK, NEWCOMER, { multiaddrs });
    stake(BANK, NEWCOMER, { amount: 5n });
    const result = scenario.step();
    expect(verdicts(result)).toEqual(["stake_too_small", "insufficient_balance", null, null]);
    expect(view(NEWCOMER)).toMatchObject({ owner: BANK, stake: LEAST + 5n, sinceEpoch: 0, multiaddrs: [] });
    expect(result.validatorsChanged).toEqual([view(NEWCOMER)]);
    expect(balanceOf(BANK)).toBe(STAKE - LEAST - 5n - 40n);
    expect(computeBooks(scenario.ledger)).toMatchObject({
      stakes: 4n * STAKE + LEAST + 5n,
      isBalanced: true,
    });
    expect(scenario.closeEpoch().nextValidators).toEqual([a, b, c, d, NEWCOMER]);
    expect(seatsOf(1)).toEqual([a, b, c, d]);
    expect(seatsOf(2)).toEqual([a, b, c, d, NEWCOMER]);
    scenario.closeEpoch();
    scenario.step();
    expect([seatsOf(0), seatsOf(1)?.length, seatsOf(2)?.length, seatsOf(3)?.length]).toEqual([null, 4, 5, 5]);
  });

  test("is one account's at a time", () => {
    fund(a, 10_000n);
    scenario.step();
    stake(BANK, a);
    stake(a, b);
    unstake(BANK, a);
    unstake(BANK, NEWCOMER);
    const result = scenario.step();
    expect(verdicts(result)).toEqual(["not_owner", "not_owner", "not_owner", "not_validator"]);
    expect(result.validatorsChanged).toEqual([]);
  });

  test("returns to its owner after its unbonding, counted from the last seat", () => {
    fund(a, 100n);
    scenario.step();
    unstake(a, a);
    unstake(a, a);
    expect(verdicts(scenario.step())).toEqual([null, null]);
    // Sets of epochs 0 and 1 were fixed with it: its last seat is in epoch 1.
    expect(view(a)).toMatchObject({ stake: STAKE, unbondingUntilEpoch: 1 + 4 });
    expect(scenario.closeEpoch().nextValidators).toEqual([b, c, d]);
    for (let epoch = 1; epoch < 5; epoch++) scenario.closeEpoch();
    expect(view(a)).toMatchObject({ stake: STAKE });
    const before = balanceOf(a);
    const close = scenario.closeEpoch();
    expect(view(a)).toMatchObject({ stake: 0n, unbondingUntilEpoch: null });
    expect(balanceOf(a)).toBe(before + STAKE);
    expect(close.epoch).toBe(5);
    // Gone, so anybody may stake for the key again, with its consent, and owns that stake.
    stake(BANK, a);
    expect(verdicts(scenario.step())).toEqual([null]);
    expect(view(a)).toMatchObject({ owner: BANK, stake: LEAST, sinceEpoch: 6 });
  });

  test("of one who leaves and still has a seat stays locked for as long as that seat", () => {
    for (const key of [a, b, c]) fund(key, 100n);
    scenario.step();
    for (const key of [a, b, c]) unstake(key, key);
    scenario.step();
    const last = [a, b, c].map((key) => view(key)!.unbondingUntilEpoch);
    expect(last).toEqual([5, 5, 5]);
    // One leaves an epoch, of equal stakes the later key first; the set never gets smaller than one.
    const sizes: number[] = [];
    for (let epoch = 0; epoch < 4; epoch++) sizes.push(scenario.closeEpoch().nextValidators.length);
    expect(sizes).toEqual([3, 2, 1, 1]);
    const until = [a, b, c].map((key) => view(key)!.unbondingUntilEpoch!).toSorted();
    expect(until).toEqual([1 + 4, 2 + 4, 3 + 4]);
    expect(seatsOf(5)).toEqual([d]);
  });

  test("of one who stakes again while leaving stays, with its seat", () => {
    fund(a, 5_000n);
    scenario.step();
    unstake(a, a);
    scenario.step();
    stake(a, a, { amount: 0n });
    expect(verdicts(scenario.step())).toEqual([null]);
    expect(view(a)).toMatchObject({ stake: STAKE, unbondingUntilEpoch: null });
    expect(scenario.closeEpoch().nextValidators).toEqual([a, b, c, d]);
  });
});

describe("pay", () => {
  test("is for the epoch's own set, by the rounds that each helped to decide", () => {
    stake(BANK, NEWCOMER);
    const closes = [scenario.closeEpoch(), scenario.closeEpoch(), scenario.closeEpoch()];
    // Everybody of genesis is on record for every round, the newcomer for none.
    for (const { validatorsPaid } of closes)
      expect(validatorsPaid.filter(({ amount }) => amount > 0n).map(({ key }) => key)).toEqual([a, b, c, d]);
    const [full, , shared] = closes.map(({ pools }) => pools.validators);
    expect(full!.carriedOut).toBe(0n);
    // The fifth seat's part is carried, to the base unit.
    expect(shared!.paid).toBe((shared!.emitted * 4n) / 5n);
  });

  test("is for nobody who is convicted by the epoch's end, seat or not; its part is carried", () => {
    // All but the last rounds of the epoch are decided with them.
    scenario.accuse(scenario.genesis.parameters.roundsPerEpoch - 2, evidenceOf(a), evidenceOf(b));
    const closes = [scenario.closeEpoch(), scenario.closeEpoch()];
    for (const { validatorsPaid, pools } of closes) {
      expect(validatorsPaid.map(({ amount }) => amount > 0n)).toEqual([false, false, true, true]);
      expect(validatorsPaid.every(({ rounds }) => rounds > 0)).toBe(true);
      const { emitted, carriedIn, paid } = pools.validators;
      expect(paid).toBe((emitted + carriedIn) / 2n);
    }
    expect(computeBooks(scenario.ledger).isBalanced).toBe(true);
  });
});

describe("evidence", () => {
  test("burns its share and ends the seat for ever, once", () => {
    const slashed = (STAKE * 250_001n) / 1_000_000n;
    const piece = evidenceOf(b);
    scenario.accuse(3, piece, evidenceOf(keyOf("stranger")));
    scenario.accuse(4, piece);
    const result = scenario.runTo(3);
    const { offender: _o, kind: _k, ...statements } = piece;
    expect(result.evidence).toEqual([{ offender: b, kind: "double_ack", slashed, ...statements }]);
    expect(view(b)).toMatchObject({ stake: STAKE - slashed, isTombstoned: true, unbondingUntilEpoch: 5 });
    expect(computeBooks(scenario.ledger)).toMatchObject({ burned: slashed, isBalanced: true });
    const again = scenario.step();
    expect([again.evidence, again.validatorsChanged]).toEqual([[], []]);
    stake(BANK, b);
    expect(verdicts(scenario.step())).toEqual(["tombstoned"]);
    expect(scenario.closeEpoch().nextValidators).toEqual([a, c, d]);
    for (let epoch = 1; epoch <= 5; epoch++) scenario.closeEpoch();
    expect(view(b)).toMatchObject({ stake: 0n, isTombstoned: true, unbondingUntilEpoch: null });
    stake(BANK, b);
    expect(verdicts(scenario.step())).toEqual(["tombstoned"]);
  });

  test("finds a stake that unbonds, in the same round as well", () => {
    fund(a, 100n);
    scenario.step();
    unstake(a, a);
    scenario.accuse(scenario.round + 1, evidenceOf(a));
    expect(verdicts(scenario.step())).toEqual([null]);
    expect(view(a)).toMatchObject({ isTombstoned: true, unbondingUntilEpoch: 5 });
    fund(c, 100n);
    scenario.step();
    unstake(c, c);
    scenario.closeEpoch();
    scenario.closeEpoch();
    scenario.accuse(scenario.round + 1, evidenceOf(c));
    expect(scenario.step().evidence).toHaveLength(1);
    // When it returns does not change: the time in which it could be slashed is the same.
    expect(view(c)).toMatchObject({ isTombstoned: true, unbondingUntilEpoch: 2 + 4 });
  });

  test("against everybody at once empties the set one seat an epoch, and never whole", () => {
    scenario.accuse(2, ...[a, b, c, d].map(evidenceOf));
    expect(scenario.runTo(2).evidence).toHaveLength(4);
    const sizes = [1, 2, 3, 4].map(() => scenario.closeEpoch().nextValidators.length);
    expect(sizes).toEqual([3, 2, 1, 1]);
    stake(BANK, NEWCOMER);
    expect(scenario.closeEpoch().nextValidators).toHaveLength(2);
    expect(scenario.closeEpoch().nextValidators).toEqual([NEWCOMER]);
  });
});

describe("lanes", () => {
  test("end where the last cut left them, which a snapshot keeps", () => {
    expect(scenario.ledger.laneEndOf(a)).toEqual({ seq: 0, digest: new Uint8Array(32) });
    const digest = keyOf("batch 7");
    scenario.lanes = [{ lane: a, seq: 7, digest }];
    scenario.step();
    scenario.lanes = [{ lane: keyOf("stranger"), seq: 9, digest }];
    scenario.step();
    const again = decodeLedger(scenario.genesis, encodeLedger(scenario.ledger));
    for (const ledger of [scenario.ledger, again]) {
      expect(ledger.laneEndOf(a)).toEqual({ seq: 7, digest });
      expect(ledger.laneEndOf(keyOf("stranger"))).toEqual({ seq: 0, digest: new Uint8Array(32) });
    }
  });
});

describe("snapshots", () => {
  test("hold records and sets, and nothing that refers to what is not there", () => {
    fund(a, 5_000n);
    scenario.step();
    stake(BANK, NEWCOMER, { multiaddrs: ["/dns4/example.net/tcp/1", "/ip6/::1/tcp/2"] });
    unstake(a, a);
    scenario.accuse(scenario.round + 1, evidenceOf(b));
    scenario.step();
    scenario.closeEpoch();
    const bytes = encodeLedger(scenario.ledger);
    const again = decodeLedger(scenario.genesis, bytes);
    expect(again.listValidators()).toEqual(scenario.ledger.listValidators());
    for (let epoch = 0; epoch <= 3; epoch++)
      expect(again.setOf(epoch)?.keys).toEqual(seatsOf(epoch) ?? undefined);
    // Any byte of it changed gives another ledger or none, and never the same.
    for (let at = 0; at < bytes.length; at += 7) {
      const changed = bytes.slice();
      changed[at]! ^= 0x15;
      let decoded: Uint8Array | null = null;
      try {
        decoded = encodeLedger(decodeLedger(scenario.genesis, changed));
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
      if (decoded !== null) expect(decoded).toEqual(changed);
    }
  });
});
