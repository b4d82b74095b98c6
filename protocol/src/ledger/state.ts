/**
 * The ledger: all that the finalized rounds so far have made, and nothing else. `executeRound` changes it; shells read
 * it through the methods here. Two ledgers that executed the same rounds are equal to the byte (see `snapshot.ts`).
 */
import { createValidatorSet, type ValidatorSet } from "../agreement/certificates.ts";
import { LANE_START } from "../agreement/cut.ts";
import { hashLabelled } from "../crypto/sha256.ts";
import type { BeaconReason, Reason, UnpaidReason } from "../evidence/reasons.ts";
import { cellFromBigint } from "../geo/cell.ts";
import {
  computeGenesisTotal,
  computeNetworkId,
  GENESIS_REGISTRATION_EPOCH,
  type Genesis,
  MAX_GENESIS_TOTAL,
} from "../network/genesis.ts";
import { computeParametersHash, epochOfRound, type Parameters } from "../network/parameters.ts";
import type { IncrementalHash } from "../reward/epochRecord.ts";
import type { HashPairs } from "../reward/hashPairs.ts";
import { EMPTY_POOLS, type PoolAmounts } from "../reward/pools.ts";
import type { RewardTree } from "../reward/rewardTree.ts";
import type { Measurement } from "../wire/reports.ts";
import { type Account, Accounts, viewOfAccount } from "./accounts.ts";
import { forgetRecord } from "./appeal.ts";
import { BeaconBook, type Candidate } from "./beaconBook.ts";
import { Escrow } from "./escrow.ts";
import { Links } from "./links.ts";
import { assertPlace, type Hotspot, type Registration, Registry, viewOfHotspot } from "./registry.ts";
import { SeenIds } from "./seenIds.ts";
import { SortedKeys } from "./sortedKeys.ts";
import { TrustBook } from "./trustBook.ts";
import type { AccountView, HotspotView, ReportId, ValidatorView } from "./types.ts";
import { type LaneEnd, ValidatorBook, viewOfValidator } from "./validators.ts";

/** A valid witness report of a closed beacon, until the witness cap is applied at the epoch's end. */
export type ValidWitness = {
  readonly reportId: ReportId;
  readonly witness: number;
  readonly includedRound: number;
  readonly measurement: Measurement;
  readonly distanceM: number;
  readonly ceilingCentiDbm: number;
  /** Null: accepted, to be paid unless the caps leave it out. */
  readonly reason: UnpaidReason | null;
};

/** A beacon that closed in the running epoch with at least one valid witness. */
export type EvidencedBeacon = {
  readonly reportId: ReportId;
  readonly commit: Uint8Array;
  readonly hotspot: number;
  readonly challengeEpoch: number;
  readonly secret: Uint8Array;
  readonly witnesses: readonly ValidWitness[];
};

/** What the running epoch has gathered for its close. */
export type EpochTally = {
  startTimeMs: number;
  /** Folds every round's number, time and executed messages. */
  inputsDigest: Uint8Array;
  beaconsClosed: number;
  beacons: EvidencedBeacon[];
  witnessesRefused: Map<Reason, number>;
  beaconsRefused: Map<BeaconReason | "no_witness" | "never_revealed", number>;
  /** Rounds of the epoch that each validator of the set took part in. */
  participation: number[];
  /** By account's index: its transactions that were refused and paid no fee. */
  readonly unpaid: Map<number, number>;
};

/** What shells may bring along: faster forms of what the protocol defines. */
export type LedgerModules = {
  readonly hashPairs?: HashPairs;
  /** SHA-256 in parts; node:crypto's is ten times as fast as the plain one. */
  readonly createHash?: () => IncrementalHash;
};

export class Ledger {
  readonly genesis: Genesis;
  readonly parameters: Parameters;
  readonly parametersHash: Uint8Array;
  readonly networkId: Uint8Array;
  readonly modules: LedgerModules;
  /** All money of genesis: balances and stakes. */
  readonly genesisTotal: bigint;

  /** The last executed round and its time; -1 before the first. */
  round = -1;
  timeMs: number;
  /** SHA-256 over the digest before and each round's writes. */
  digest: Uint8Array;
  /** Seeds by epoch: the one before the running epoch, the running one's and, at its close, the next. */
  readonly seeds = new Map<number, Uint8Array>();
  readonly accounts = new Accounts();
  readonly registry = new Registry();
  readonly validators = new ValidatorBook();
  /** By epoch: the one before the running epoch's, the running one's and the next and, after a close, the one after. */
  readonly sets = new Map<number, ValidatorSet>();
  readonly book = new BeaconBook();
  readonly seen = new SeenIds();
  readonly links: Links;
  trust: TrustBook;
  readonly escrow = new Escrow();
  /** Reveals of this round in execution order; their beacons close at its end. */
  readonly revealed: Candidate[] = [];
  tally: EpochTally;
  emitted = 0n;
  burned = 0n;
  carried: PoolAmounts = EMPTY_POOLS;

  /** Derived from the state above, and made again where they are missing. */
  readonly hotspotOrder = new SortedKeys();
  readonly earnerOrder = new SortedKeys();
  rewardTree: RewardTree | null = null;

  constructor(genesis: Genesis, modules: LedgerModules = {}) {
    this.genesis = genesis;
    this.parameters = genesis.parameters;
    this.parametersHash = computeParametersHash(genesis.parameters);
    this.networkId = computeNetworkId(genesis);
    this.modules = modules;
    this.genesisTotal = computeGenesisTotal(genesis);
    if (this.genesisTotal > MAX_GENESIS_TOTAL) throw new RangeError("genesis holds 2^63 base units or more");
    this.timeMs = genesis.timeMs;
    this.digest = hashLabelled("genesis", this.networkId);
    this.links = new Links(genesis.parameters.reciprocityEpochs);
    this.trust = new TrustBook(genesis.parameters);
    this.tally = createTally(genesis.timeMs, genesis.validators.length);
  }

  /** The epoch of the round that is executed next. */
  get nextEpoch(): number {
    return epochOfRound(this.parameters, this.round + 1);
  }

  /** The last epoch that was closed; -1 before the first. */
  get lastClosedEpoch(): number {
    return this.nextEpoch - 1;
  }

  /** The validator set of an epoch: known for the next round's epoch, the one before it and the one after, else null. */
  setOf(epoch: number): ValidatorSet | null {
    return this.sets.get(epoch) ?? null;
  }

  /** Where a lane stands: the last batch that a cut took from it, or its start, also for one who never staked. */
  laneEndOf(lane: Uint8Array): LaneEnd {
    return this.validators.find(lane)?.laneEnd ?? { seq: 0, digest: LANE_START };
  }

  /** The seed of an epoch (32 bytes): known for the next round's epoch and the one before it, else null. */
  seedOf(epoch: number): Uint8Array | null {
    return this.seeds.get(epoch) ?? null;
  }

  viewHotspot(key: Uint8Array): HotspotView | null {
    const hotspot = this.registry.find(key);
    return hotspot && viewOfHotspot(hotspot);
  }

  viewAccount(key: Uint8Array): AccountView | null {
    const account = this.accounts.find(key);
    return account && viewOfAccount(account);
  }

  /** Every hotspot that ever was registered, in the order of first registration. */
  listHotspots(): HotspotView[] {
    return this.registry.list.map(viewOfHotspot);
  }

  viewValidator(key: Uint8Array): ValidatorView | null {
    const record = this.validators.find(key);
    return record && viewOfValidator(record);
  }

  /** Every validator that ever staked, in the order of the first time; genesis's come first. */
  listValidators(): ValidatorView[] {
    return this.validators.list.map(viewOfValidator);
  }

  /** Every account in the order of opening. */
  listAccounts(): AccountView[] {
    return this.accounts.list.map(viewOfAccount);
  }
}

/** An empty tally for an epoch that begins at a time. */
export function createTally(startTimeMs: number, validators: number): EpochTally {
  return {
    startTimeMs,
    inputsDigest: hashLabelled("inputs"),
    beaconsClosed: 0,
    beacons: [],
    witnessesRefused: new Map(),
    beaconsRefused: new Map(),
    participation: new Array<number>(validators).fill(0),
    unpaid: new Map(),
  };
}

/**
 * The ledger before round 0: genesis's accounts, and its hotspots as registered and asserted since epoch -2, without
 * a bond, their owners' accounts opened in the order of the file.
 * @throws RangeError where genesis holds more money than 64 bits, or what no decoder of genesis lets through.
 */
export function createLedger(genesis: Genesis, modules: LedgerModules = {}): Ledger {
  const ledger = new Ledger(genesis, modules);
  ledger.seeds.set(0, genesis.seed);
  for (const { key, balance } of genesis.accounts) ledger.accounts.open(key).balance += balance;
  for (const entry of genesis.hotspots) {
    const owner = ledger.accounts.open(entry.owner);
    const cell = cellFromBigint(entry.cell);
    if (cell === null) throw new RangeError("a hotspot of genesis has no valid cell");
    const hotspot = registerHotspot(ledger, {
      ...{ key: entry.key, owner, registeredEpoch: GENESIS_REGISTRATION_EPOCH, bond: 0n, payer: owner },
    });
    const { latE7, lngE7, gainCentiDbi, elevationM, region } = entry;
    const fromEpoch = GENESIS_REGISTRATION_EPOCH;
    const place = {
      cellHi: cell.hi,
      cellLo: cell.lo,
      latE7,
      lngE7,
      gainCentiDbi,
      elevationM,
      region,
      fromEpoch,
    };
    assertPlace(hotspot, place, 0);
  }
  for (const seed of genesis.trustSeeds ?? []) {
    const hotspot = ledger.registry.find(seed);
    if (hotspot === null) throw new RangeError("a seed of trust is no hotspot of genesis");
    ledger.trust.seeds.push(hotspot.index);
  }
  openGenesisValidators(ledger);
  return ledger;
}

/** Genesis's validators have staked for themselves, and sit in the epochs that no state can have fixed. */
function openGenesisValidators({ genesis, accounts, validators, sets }: Ledger): void {
  for (const { key, stake, multiaddrs } of genesis.validators) {
    const record = validators.open(key, accounts.open(key), 0);
    record.stake = stake;
    record.multiaddrs = multiaddrs;
  }
  const set = createValidatorSet(validators.list.map(({ key }) => key));
  sets.set(0, set);
  sets.set(1, set);
}

/** Adds a hotspot to the registry; the caller has checked that its key is not registered and has moved the bond. */
export function registerHotspot(
  ledger: Ledger,
  { owner, payer, ...terms }: Omit<Registration, "owner" | "ownerKey" | "payer"> & AccountsOfHotspot,
): Hotspot {
  const { registry, hotspotOrder } = ledger;
  const known = registry.list.length;
  const entry = { ...terms, owner: owner.index, ownerKey: owner.key, payer: payer.index };
  const hotspot = registry.register(entry);
  if (registry.list.length > known) hotspotOrder.add(hotspot.key, hotspot.index);
  // One that had left and comes back may have another owner and another radio.
  else forgetRecord(ledger, hotspot, terms.registeredEpoch);
  return hotspot;
}

/** Who owns a hotspot, and who paid its bond. */
type AccountsOfHotspot = { readonly owner: Account; readonly payer: Account };
