/**
 * Splitting an amount by weights, to the base unit. Everyone gets their proportion rounded down; the base units that
 * rounding left go one each to the largest fractions, equal fractions in the order of keys. The sum is exact, the
 * order in which lines are listed has no influence, and who weighs more never gets less.
 */
import { PPM } from "../network/parameters.ts";
import { divideByShare, SHARE_AMOUNT_LIMIT, SHARE_TOTAL_LIMIT } from "./shareDivision.ts";

/** A pool with those it pays, line by line. */
export type PoolSplitInput = {
  /** Base units in the pool. */
  readonly amount: bigint;
  /** Whole numbers from 0 to 2^53 - 1. */
  readonly weights: Float64Array;
  /** Place of each line's key in the order of keys, each once; absent where lines stand in that order. */
  readonly keyRank?: Uint32Array;
  /** The most that is paid for a unit, in base units. */
  readonly maxPayPerUnit: bigint;
  /** The units that the lines stand for together, in parts per million. */
  readonly unitsPpm: bigint;
};

/** What each line gets, in base units; paid + carried = amount. */
export type PoolSplit = {
  readonly amounts: BigUint64Array;
  readonly paid: bigint;
  readonly carried: bigint;
};

/**
 * Pays a pool out: all of it, or `maxPayPerUnit` for each unit (rounded down over the pool) where that is less. A
 * pool whose lines weigh nothing pays nothing. What is not paid is carried.
 */
export function splitPool(input: PoolSplitInput): PoolSplit {
  const { amount, weights, keyRank, maxPayPerUnit, unitsPpm } = input;
  const total = sumWeights(weights);
  const payable = (maxPayPerUnit * unitsPpm) / BigInt(PPM);
  const paid = total === 0n ? 0n : payable < amount ? payable : amount;
  return { amounts: splitLines(paid, weights, total, keyRank), paid, carried: amount - paid };
}

/** Amounts beyond what doubles can prove (11 million tokens in one epoch) take the slow way to the same answer. */
function splitLines(
  paid: bigint,
  weights: Float64Array,
  total: bigint,
  keyRank: Uint32Array | undefined,
): BigUint64Array {
  const amounts = new BigUint64Array(weights.length);
  if (paid === 0n) return amounts;
  if (paid < SHARE_AMOUNT_LIMIT && total < SHARE_TOTAL_LIMIT) {
    const shares = divideByShare(paid, weights, total, keyRank);
    for (let line = 0; line < shares.length; line++) amounts[line] = BigInt(shares[line]!);
  } else {
    amounts.set(splitByWeights(paid, Array.from(weights, BigInt), keyRank));
  }
  return amounts;
}

/**
 * Splits an amount in `bigint` throughout: the rule at its plainest, for pools and validators, which are few.
 * @param weights 0 or more; if all are zero, nobody gets anything.
 * @param keyRank place of each line in the order of keys, each once; absent where that is the lines' own order.
 * @returns base units, which make exactly `amount` together unless all weights are zero.
 */
export function splitByWeights(
  amount: bigint,
  weights: readonly bigint[],
  keyRank?: ArrayLike<number>,
): bigint[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0n);
  if (total === 0n) return weights.map(() => 0n);
  const amounts = weights.map((weight) => (amount * weight) / total);
  const rests = weights.map((weight, line) => amount * weight - amounts[line]! * total);
  const rankOf = (line: number) => keyRank?.[line] ?? line;
  const lines = weights.map((_, line) => line);
  lines.sort((a, b) => (rests[a] === rests[b] ? rankOf(a) - rankOf(b) : rests[a]! > rests[b]! ? -1 : 1));
  const left = amount - amounts.reduce((sum, part) => sum + part, 0n);
  for (const line of lines.slice(0, Number(left))) amounts[line]!++;
  return amounts;
}

/** Where a weight is cut in two: below it 26 bits, above it 27. */
const HALF = 2 ** 26;

/** The exact sum of whole numbers below 2^53; the sums of their halves are exact up to 2^26 lines. */
export function sumWeights(weights: Float64Array): bigint {
  let high = 0;
  let low = 0;
  for (let line = 0; line < weights.length; line++) {
    const upper = Math.floor(weights[line]! / HALF);
    high += upper;
    low += weights[line]! - upper * HALF;
  }
  return BigInt(high) * BigInt(HALF) + BigInt(low);
}
