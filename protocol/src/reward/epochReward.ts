/**
 * The reward of one epoch: what each hotspot and each validator earns, and the books of the four pools. Every base
 * unit that is emitted or was carried in is paid or carried out; the function asserts it before it returns.
 */
import { compareBytes } from "../bytes/bytes.ts";
import { PPM } from "../network/parameters.ts";
import type { ScoreOutput } from "../score/score.ts";
import { computePoolEmission, type RewardParameters } from "./emission.ts";
import { POOL_NAMES, type PoolAmounts, type PoolBooks, type PoolName } from "./pools.ts";
import { type PoolSplit, splitByWeights, splitPool, sumWeights } from "./split.ts";

/** Participation from which a validator earns its whole share; below it the share falls in proportion. */
export const VALIDATOR_PARTICIPATION_FULL_PPM = PPM / 2;

/** A validator of the epoch's set, and the part of the epoch's rounds that it took part in. */
export type ValidatorParticipation = {
  /** 32 bytes. */
  readonly key: Uint8Array;
  /** 0 to 1,000,000. */
  readonly participationPpm: number;
};

/** What an epoch's reward follows from. Hotspots are the score's dense indexes. */
export type EpochRewardInput = {
  readonly parameters: RewardParameters;
  readonly epoch: number;
  readonly carriedIn: PoolAmounts;
  readonly score: ScoreOutput;
  /** Each hotspot's owner, as an index below `ownerCount`. */
  readonly hotspotOwner: Uint32Array;
  readonly ownerCount: number;
  /** Place of each hotspot's key in the order of keys, each once; absent where indexes are in that order. */
  readonly hotspotKeyRank?: Uint32Array;
  /** 1 for hotspots suspended from pay, whose amounts go into escrow and not to their owners; absent: none. */
  readonly isWithheld?: Uint8Array;
  readonly validators: readonly ValidatorParticipation[];
};

/**
 * Amounts in base units: by hotspot, withheld ones too; by owner (the sum of what their hotspots are really paid); and by
 * validator as listed. For the pools what is withheld is paid: it has left them.
 */
export type EpochReward = {
  readonly beaconAmounts: BigUint64Array;
  readonly witnessAmounts: BigUint64Array;
  readonly ownerAmounts: BigUint64Array;
  readonly validatorAmounts: readonly bigint[];
  readonly pools: Readonly<Record<PoolName, PoolBooks>>;
  readonly total: PoolBooks;
};

/**
 * Computes the reward of an epoch.
 *
 * The beacons' and the witnesses' pools are split by shares (units times scale) and pay at most `maxPayPerUnit` for a
 * unit of full scale: so nobody is ever paid more than that for a unit, however small everyone else's scale is. Data
 * transfer does not exist yet, so its pool's emission goes to those two whole. The validators' pool is cut into equal
 * parts, of which each validator gets as much as its participation earns; the rest is carried.
 */
export function computeEpochReward(input: EpochRewardInput): EpochReward {
  const { carriedIn, score } = input;
  const emitted = computePoolEmission(input.parameters, input.epoch);
  const beacons = splitShares(input, emitted.beacons + carriedIn.beacons, score.beaconShares);
  const witnesses = splitShares(input, emitted.witnesses + carriedIn.witnesses, score.witnessShares);
  const validators = splitAmongValidators(emitted.validators + carriedIn.validators, input.validators);
  const paid: PoolAmounts = {
    beacons: beacons.paid,
    witnesses: witnesses.paid,
    data: 0n,
    validators: validators.reduce((sum, amount) => sum + amount, 0n),
  };
  const pools = closeBooks(emitted, carriedIn, paid);
  const ownerAmounts = new BigUint64Array(input.ownerCount);
  creditOwners(beacons.amounts, input, ownerAmounts);
  creditOwners(witnesses.amounts, input, ownerAmounts);
  return {
    beaconAmounts: beacons.amounts,
    witnessAmounts: witnesses.amounts,
    ownerAmounts,
    validatorAmounts: validators,
    pools,
    total: sumBooks(pools),
  };
}

function splitShares(input: EpochRewardInput, amount: bigint, shares: Float64Array): PoolSplit {
  return splitPool({
    amount,
    weights: shares,
    ...(input.hotspotKeyRank === undefined ? {} : { keyRank: input.hotspotKeyRank }),
    maxPayPerUnit: input.parameters.maxPayPerUnit,
    unitsPpm: sumWeights(shares) / BigInt(PPM),
  });
}

/**
 * Splits what participation earns of the pool, rounded down over the set, by weight: a million for a validator that
 * took part in half of the rounds or more, and in proportion below. Equal fractions are settled by key.
 */
function splitAmongValidators(amount: bigint, validators: readonly ValidatorParticipation[]): bigint[] {
  if (validators.length === 0) return [];
  const weights = validators.map(({ participationPpm }) =>
    BigInt(Math.min(PPM, Math.floor((participationPpm * PPM) / VALIDATOR_PARTICIPATION_FULL_PPM))),
  );
  const full = BigInt(validators.length) * BigInt(PPM);
  const earned = (amount * weights.reduce((sum, weight) => sum + weight, 0n)) / full;
  const byKey = validators
    .map((_, i) => i)
    .sort((a, b) => compareBytes(validators[a]!.key, validators[b]!.key));
  const keyRank = new Uint32Array(validators.length);
  for (const [rank, validator] of byKey.entries()) keyRank[validator] = rank;
  return splitByWeights(earned, weights, keyRank);
}

function creditOwners(
  amounts: BigUint64Array,
  { hotspotOwner, isWithheld }: EpochRewardInput,
  ownerAmounts: BigUint64Array,
): void {
  for (let hotspot = 0; hotspot < amounts.length; hotspot++) {
    const amount = amounts[hotspot]!;
    if (amount !== 0n && isWithheld?.[hotspot] !== 1) ownerAmounts[hotspotOwner[hotspot]!]! += amount;
  }
}

function closeBooks(
  emitted: PoolAmounts,
  carriedIn: PoolAmounts,
  paid: PoolAmounts,
): Record<PoolName, PoolBooks> {
  const books = (name: PoolName): PoolBooks => {
    const carriedOut = emitted[name] + carriedIn[name] - paid[name];
    if (carriedOut < 0n) throw new Error(`The pool of ${name} paid more than it held`);
    return { emitted: emitted[name], carriedIn: carriedIn[name], paid: paid[name], carriedOut };
  };
  return {
    beacons: books("beacons"),
    witnesses: books("witnesses"),
    data: books("data"),
    validators: books("validators"),
  };
}

/** The four pools as one: emitted + carriedIn = paid + carriedOut still. */
export function sumBooks(pools: Readonly<Record<PoolName, PoolBooks>>): PoolBooks {
  const sum = (field: keyof PoolBooks) => POOL_NAMES.reduce((total, name) => total + pools[name][field], 0n);
  return {
    emitted: sum("emitted"),
    carriedIn: sum("carriedIn"),
    paid: sum("paid"),
    carriedOut: sum("carriedOut"),
  };
}
