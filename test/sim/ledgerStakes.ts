/**
 * A simulation of stakes: owners who lock, take back and contradict themselves at random, round after round, on the real
 * ledger and on a second one that is written as plainly as the rules read. Seed in, audit hash out.
 */
import type { Evidence } from "../../protocol/src/agreement/rounds.ts";
import { compareBytes, uint64Bytes } from "../../protocol/src/bytes/bytes.ts";
import { encodeHex } from "../../protocol/src/bytes/hex.ts";
import { sha256 } from "../../protocol/src/crypto/sha256.ts";
import { computeBooks } from "../../protocol/src/ledger/books.ts";
import { executeRound } from "../../protocol/src/ledger/execute.ts";
import { decodeLedger, encodeLedger } from "../../protocol/src/ledger/snapshot.ts";
import { createLedger, type Ledger } from "../../protocol/src/ledger/state.ts";
import type { LedgerMessage, RoundResult } from "../../protocol/src/ledger/types.ts";
import type { Genesis } from "../../protocol/src/network/genesis.ts";
import type { Parameters } from "../../protocol/src/network/parameters.ts";
import { createGenesis, keyOf, MessageMaker } from "./ledgerWorld.ts";
import { Prng } from "./prng.ts";

const SIGNATURE = new Uint8Array(64);
/** Execution does not judge evidence again, so any statements will do. */
const STATEMENT = new Uint8Array(64);
const OWNERS = 6;
const NEWCOMERS = 8;

export class StakeSimulation {
  readonly genesis: Genesis;
  ledger: Ledger;
  hash: Uint8Array = new Uint8Array(32);
  /** How often each thing happened, so that a test sees that it did. */
  readonly counts = new Map<string, number>();
  readonly #plain: PlainStakes;
  readonly #prng: Prng;
  readonly #maker: MessageMaker;
  readonly #owners: Uint8Array[];
  readonly #validators: Uint8Array[];

  constructor(seed: number) {
    this.#prng = new Prng(seed);
    const prng = this.#prng;
    const names = Array.from({ length: 1 + prng.below(7) }, (_, i) => `validator ${i}`);
    const unbondEpochs = 3 + prng.below(4);
    const parameters: Partial<Parameters> = {
      ...{ roundsPerEpoch: 4, witnessWindowRounds: 1, revealWindowRounds: 2, beaconToleranceRounds: 1 },
      ...{ waitRounds: 1, txFee: 3n, unbondEpochs, evidenceMaxAgeEpochs: unbondEpochs - 1 },
      ...{ validatorStake: 1_000n, validatorSeats: 1 + prng.below(8), slashPpm: prng.below(1_000_001) },
    };
    const genesis = createGenesis([], parameters, names);
    this.#owners = Array.from({ length: OWNERS }, (_, i) => keyOf(`owner ${i}`));
    // Genesis stakes of every size, some of them equal, from a seat's least to many times that.
    const validators = genesis.validators.map((entry) => ({ ...entry, stake: 1_000n + this.#amount() }));
    const accounts = this.#owners.map((key) => ({ key, balance: 20_000n }));
    this.genesis = { ...genesis, validators, accounts };
    this.#validators = [...names, ...Array.from({ length: NEWCOMERS }, (_, i) => `newcomer ${i}`)].map(keyOf);
    this.#maker = new MessageMaker(this.genesis);
    this.ledger = createLedger(this.genesis);
    this.#plain = new PlainStakes(this.genesis);
  }

  /** Runs so many rounds. @throws Error at the first difference between the two ledgers. */
  run(rounds: number): this {
    for (let i = 0; i < rounds; i++) this.#step();
    return this;
  }

  #amount(): bigint {
    return BigInt(this.#prng.below(5)) * 500n;
  }

  #count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  #step(): void {
    const prng = this.#prng;
    const round = this.ledger.round + 1;
    const epoch = this.ledger.nextEpoch;
    const messages = Array.from({ length: prng.below(4) }, () => this.#transact(epoch));
    // Mostly one alone, sometimes several who shared a mistake, of whom only so many can leave at a time.
    const accused = prng.oneIn(24) ? prng.shuffle([...this.#validators]).slice(0, 1 + prng.below(3)) : [];
    const evidence = accused.map((offender) => this.#accuse(offender));
    const seated = this.ledger.setOf(epoch)!.keys;
    const participants = seated.filter(() => !prng.oneIn(4));
    const lanes = seated.map((lane) => ({ lane, seq: round + 1, digest: sha256(lane, uint64Bytes(round)) }));
    const timeMs = this.genesis.timeMs + round;
    const result = executeRound(this.ledger, { round, timeMs, messages, participants, evidence, lanes });
    this.#plain.execute(result, messages, evidence, epoch);
    this.#compare(result);
    this.hash = sha256(this.hash, result.stateDigest, result.epochClose?.stateRoot ?? new Uint8Array());
    for (const { reason, kind } of result.transactions) this.#count(`${kind} ${reason ?? "done"}`);
    if (result.evidence.length > 0) this.#count("convicted");
    if (prng.oneIn(3)) this.ledger = decodeLedger(this.genesis, encodeLedger(this.ledger));
  }

  #transact(epoch: number): LedgerMessage {
    const prng = this.#prng;
    const validator = prng.pick(this.#validators);
    // Mostly who can do something: an owner, or the validator's own account for what genesis staked.
    const sender = prng.oneIn(3) ? validator : prng.pick(this.#owners);
    const nonce = this.ledger.viewAccount(sender)?.nonce ?? 0;
    const shared = { epoch, nonce };
    if (prng.oneIn(3)) {
      const to = prng.pick([...this.#validators, ...this.#owners]);
      return this.#maker.transaction(sender, { kind: "transfer", ...shared, to, amount: this.#amount() });
    }
    if (prng.oneIn(3)) return this.#maker.transaction(sender, { kind: "unstake", ...shared, validator });
    const stake = { validator, amount: this.#amount(), multiaddrs: prng.oneIn(2) ? [] : ["/ip4/10.0.0.1"] };
    return this.#maker.transaction(sender, {
      kind: "stake",
      ...shared,
      ...stake,
      validatorSignature: SIGNATURE,
    });
  }

  #accuse(offender: Uint8Array): Evidence {
    return { offender, kind: this.#prng.below(9), first: STATEMENT, second: STATEMENT };
  }

  #compare(result: RoundResult): void {
    const { ledger } = this;
    const epochs = [ledger.nextEpoch - 1, ledger.nextEpoch, ledger.nextEpoch + 1];
    const show = (value: unknown) =>
      JSON.stringify(value, (_, item) =>
        typeof item === "bigint" ? `${item}` : item instanceof Uint8Array ? encodeHex(item) : item,
      );
    const real = {
      verdicts: result.transactions.map(({ reason }) => reason),
      validators: ledger.listValidators().map(({ multiaddrs: _m, ...view }) => view),
      sets: epochs.map((epoch) => ledger.setOf(epoch)?.keys ?? null),
      balances: this.#owners.map((key) => ledger.viewAccount(key)?.balance ?? 0n),
    };
    const plain = this.#plain.show(epochs, this.#owners);
    if (show(real) !== show(plain)) {
      throw new Error(`round ${result.round}: the ledger has ${show(real)}, plainly it is ${show(plain)}`);
    }
    if (!computeBooks(ledger).isBalanced) throw new Error("books do not balance");
    for (const { key } of ledger.listValidators())
      if (ledger.laneEndOf(key).seq > result.round + 1) throw new Error("a lane ended after the round");
  }
}

type PlainValidator = {
  key: Uint8Array;
  owner: Uint8Array;
  stake: bigint;
  sinceEpoch: number;
  unbondingUntilEpoch: number | null;
  isTombstoned: boolean;
};

/** The rules of docs/protocol/ledger.md 14.2, said once more, one change at a time and without any speed. */
class PlainStakes {
  readonly #parameters: Parameters;
  readonly #validators: PlainValidator[] = [];
  readonly #balances = new Map<string, bigint>();
  readonly #sets: Uint8Array[][] = [];

  constructor({ parameters, validators, accounts }: Genesis) {
    this.#parameters = parameters;
    for (const { key, balance } of accounts) this.#balances.set(encodeHex(key), balance);
    for (const { key, stake } of validators) {
      const unbonding = { unbondingUntilEpoch: null, isTombstoned: false };
      this.#validators.push({ key, owner: key, stake, sinceEpoch: 0, ...unbonding });
    }
    const first = validators.map(({ key }) => key);
    this.#sets.push(first, first);
  }

  execute(
    result: RoundResult,
    messages: readonly LedgerMessage[],
    evidence: readonly Evidence[],
    epoch: number,
  ): void {
    for (const { offender } of evidence) this.#convict(offender, epoch);
    this.#verdicts = [];
    for (const { id } of result.transactions) {
      const message = messages.find((each) => encodeHex(each.id) === encodeHex(id))!;
      this.#verdicts.push(this.#transact(message, epoch));
    }
    if (result.epochClose === null) return;
    for (const { key, amount } of result.epochClose.validatorsPaid) this.#add(key, amount);
    this.#sets.push(this.#nextSet(this.#sets[epoch + 1]!));
    for (const validator of this.#validators) this.#release(validator, epoch);
  }

  show(epochs: readonly number[], owners: readonly Uint8Array[]) {
    return {
      verdicts: this.#verdicts,
      validators: this.#validators,
      sets: epochs.map((epoch) => this.#sets[epoch] ?? null),
      balances: owners.map((key) => this.#balanceOf(key)),
    };
  }

  #verdicts: (string | null)[] = [];

  #balanceOf(key: Uint8Array): bigint {
    return this.#balances.get(encodeHex(key)) ?? 0n;
  }

  #add(key: Uint8Array, amount: bigint): void {
    this.#balances.set(encodeHex(key), this.#balanceOf(key) + amount);
  }

  #find(key: Uint8Array): PlainValidator | undefined {
    return this.#validators.find((each) => compareBytes(each.key, key) === 0);
  }

  /** What the ledger did with a message whose nonce was right. A stale nonce never gets here: nobody sends one. */
  #transact({ sender, ...message }: LedgerMessage, epoch: number): string | null {
    if (message.kind === "reports") throw new Error("nobody reports here");
    const { transaction } = message;
    const { txFee, validatorStake } = this.#parameters;
    if (this.#isUsed(sender, transaction.nonce)) return "wrong_nonce";
    if (this.#balanceOf(sender) < txFee) return "insufficient_balance";
    this.#use(sender, transaction.nonce);
    this.#add(sender, -txFee);
    if (transaction.kind === "transfer") {
      if (this.#balanceOf(sender) < transaction.amount) return "insufficient_balance";
      this.#add(sender, -transaction.amount);
      this.#add(transaction.to, transaction.amount);
      return null;
    }
    if (transaction.kind !== "stake" && transaction.kind !== "unstake")
      throw new Error("nobody sends that here");
    const validator = this.#find(transaction.validator);
    const isGone = validator?.stake === 0n && validator.unbondingUntilEpoch === null;
    const isOwn = validator !== undefined && compareBytes(validator.owner, sender) === 0;
    if (transaction.kind === "unstake") {
      if (validator === undefined || isGone) return "not_validator";
      if (!isOwn) return "not_owner";
      this.#leave(validator, epoch);
      return null;
    }
    if (validator?.isTombstoned) return "tombstoned";
    if (validator !== undefined && !isGone && !isOwn) return "not_owner";
    if (this.#balanceOf(sender) < transaction.amount) return "insufficient_balance";
    if ((validator?.stake ?? 0n) + transaction.amount < validatorStake) return "stake_too_small";
    this.#add(sender, -transaction.amount);
    if (validator === undefined) {
      const fresh = {
        key: transaction.validator,
        owner: sender,
        stake: transaction.amount,
        sinceEpoch: epoch,
      };
      this.#validators.push({ ...fresh, unbondingUntilEpoch: null, isTombstoned: false });
      return null;
    }
    if (isGone) Object.assign(validator, { owner: sender, sinceEpoch: epoch });
    validator.stake += transaction.amount;
    validator.unbondingUntilEpoch = null;
    return null;
  }

  readonly #nonces = new Map<string, number>();
  #isUsed(sender: Uint8Array, nonce: number): boolean {
    return nonce < (this.#nonces.get(encodeHex(sender)) ?? 0);
  }
  #use(sender: Uint8Array, nonce: number): void {
    this.#nonces.set(encodeHex(sender), nonce + 1);
  }

  #convict(offender: Uint8Array, epoch: number): void {
    const validator = this.#find(offender);
    if (validator === undefined || validator.isTombstoned) return;
    validator.stake -= (validator.stake * BigInt(this.#parameters.slashPpm)) / 1_000_000n;
    validator.isTombstoned = true;
    this.#leave(validator, epoch);
  }

  #leave(validator: PlainValidator, epoch: number): void {
    if (validator.unbondingUntilEpoch !== null) return;
    validator.unbondingUntilEpoch =
      Math.max(epoch, this.#lastSeat(validator)) + this.#parameters.unbondEpochs;
  }

  #lastSeat({ key }: PlainValidator): number {
    return this.#sets.findLastIndex((set) => set.some((member) => compareBytes(member, key) === 0));
  }

  #release(validator: PlainValidator, epoch: number): void {
    if (validator.unbondingUntilEpoch === null) return;
    const seat = this.#lastSeat(validator);
    if (seat >= epoch) {
      const until = seat + this.#parameters.unbondEpochs;
      validator.unbondingUntilEpoch = Math.max(validator.unbondingUntilEpoch, until);
    }
    if (validator.unbondingUntilEpoch > epoch) return;
    this.#add(validator.owner, validator.stake);
    validator.stake = 0n;
    validator.unbondingUntilEpoch = null;
  }

  #nextSet(before: readonly Uint8Array[]): Uint8Array[] {
    const { validatorSeats, validatorStake } = this.#parameters;
    const changes = Math.max(1, Math.floor(before.length / 3));
    const mayLeave = before.length > 1;
    const rank = (a: PlainValidator, b: PlainValidator) =>
      a.stake === b.stake ? compareBytes(a.key, b.key) : a.stake > b.stake ? -1 : 1;
    const isFit = (each: PlainValidator) =>
      each.stake >= validatorStake && each.unbondingUntilEpoch === null && !each.isTombstoned;
    const wanted = this.#validators.filter(isFit).sort(rank).slice(0, validatorSeats);
    const set = before.map((key) => this.#find(key)!);
    const joined: PlainValidator[] = [];
    let left = 0;
    const drop = (who: PlainValidator | undefined): boolean => {
      if (who === undefined || !mayLeave || left === changes) return false;
      set.splice(set.indexOf(who), 1);
      left++;
      return true;
    };
    const convicted = () =>
      set.filter(({ isTombstoned }) => isTombstoned).sort((a, b) => compareBytes(a.key, b.key));
    const unfit = () => set.filter((each) => !isFit(each)).sort(rank);
    const outbid = () => set.filter((each) => isFit(each) && !wanted.includes(each)).sort(rank);
    while (drop(convicted()[0]));
    while (drop(unfit().at(-1)));
    while (set.length > validatorSeats && drop(outbid().at(-1)));
    for (const newcomer of wanted.filter((each) => !set.includes(each))) {
      if (joined.length === changes || set.length + joined.length > validatorSeats) break;
      if (set.length + joined.length === validatorSeats && !drop(outbid().at(-1))) break;
      joined.push(newcomer);
    }
    return [...set, ...joined].map(({ key }) => key);
  }
}

/** `node test/sim/ledgerStakes.ts 500`: so many seeds, each with its hash. */
if (import.meta.main) {
  const seeds = Number(process.argv[2] ?? 20);
  for (let seed = 1; seed <= seeds; seed++) {
    const { hash, ledger } = new StakeSimulation(seed).run(200);
    console.log(`seed ${seed}: ${ledger.listValidators().length} validators, audit hash ${encodeHex(hash)}`);
  }
}
