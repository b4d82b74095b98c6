/** Splitting to the base unit: doubles against bigint, sums, order independence, who weighs more gets no less. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { divideByShare } from "../../../protocol/src/reward/shareDivision.ts";
import { splitByWeights, splitPool, sumWeights } from "../../../protocol/src/reward/split.ts";

const sumOf = (amounts: Iterable<bigint>) => [...amounts].reduce((sum, amount) => sum + amount, 0n);
const unlimited = { maxPayPerUnit: 1n << 60n, unitsPpm: 1_000_000n };

/** Weights of every size, with equal ones, zeros and neighbours among them. */
const anyWeights = fc.array(
  fc.oneof(
    fc.nat(3),
    fc.constantFrom(250_000_000_000, 1_000_000_000_000, 999_999_999_999),
    fc.nat(1_000_000).map((scale) => scale * 1_000_000),
    fc.nat({ max: 2 ** 31 - 1 }).map((value) => value * 2 ** 20 + 1),
  ),
  { maxLength: 60 },
);
const anyAmount = fc.oneof(fc.bigInt(0n, 1_000n), fc.bigInt(0n, (1n << 50n) - 1n), fc.bigInt(0n, 1n << 63n));

/** A permutation of so many places, from a list of random numbers. */
const rankFrom = (draws: readonly number[]) => {
  const order = draws.map((_, line) => line).sort((a, b) => draws[a]! - draws[b]! || a - b);
  const rank = new Uint32Array(draws.length);
  for (const [place, line] of order.entries()) rank[line] = place;
  return rank;
};

describe("split of an amount", () => {
  test("gives the base units that rounding leaves to the largest fractions, then by key", () => {
    expect(splitByWeights(10n, [1n, 1n, 1n])).toEqual([4n, 3n, 3n]);
    expect(splitByWeights(10n, [1n, 1n, 1n], [2, 0, 1])).toEqual([3n, 4n, 3n]);
    expect(splitByWeights(10n, [5n, 3n, 1n])).toEqual([6n, 3n, 1n]);
    expect(splitByWeights(7n, [0n, 0n])).toEqual([0n, 0n]);
    expect(splitByWeights(7n, [])).toEqual([]);
  });

  test("comes out the same in doubles as in bigint, to the unit", () => {
    fc.assert(
      fc.property(
        fc.bigInt(1n, (1n << 50n) - 1n),
        anyWeights,
        fc.infiniteStream(fc.nat()),
        (amount, weights, draws) => {
          const total = sumWeights(Float64Array.from(weights));
          fc.pre(total > 0n);
          const rank = rankFrom([...draws.take(weights.length)]);
          const shares = divideByShare(amount, Float64Array.from(weights), total, rank);
          expect(Array.from(shares, BigInt)).toEqual(splitByWeights(amount, weights.map(BigInt), rank));
        },
      ),
      { numRuns: 500 },
    );
  });

  test("stays exact at the edges of what doubles prove", () => {
    const amount = (1n << 50n) - 1n;
    for (const weights of [
      [2 ** 53 - 1, 1, 2 ** 53 - 1],
      Array<number>(511).fill(2 ** 53 - 1),
      [...Array<number>(510).fill(2 ** 53 - 1), 2 ** 53 - 3, 1],
      [1, 2, 3],
    ]) {
      const total = sumWeights(Float64Array.from(weights));
      expect(total).toBeLessThan(1n << 62n);
      const shares = divideByShare(amount, Float64Array.from(weights), total);
      expect(Array.from(shares, BigInt)).toEqual(splitByWeights(amount, weights.map(BigInt)));
    }
    expect(() => divideByShare(1n << 50n, Float64Array.of(1), 1n)).toThrow(RangeError);
  });

  test("sums weights beyond 2^53 exactly", () => {
    expect(sumWeights(new Float64Array(1_000).fill(2 ** 53 - 1))).toBe(1_000n * (2n ** 53n - 1n));
  });
});

describe("split of a pool", () => {
  test("pays or carries every base unit", () => {
    fc.assert(
      fc.property(
        anyAmount,
        anyWeights,
        fc.bigInt(1n, 1n << 40n),
        fc.bigInt(0n, 1n << 40n),
        (amount, list, max, units) => {
          const weights = Float64Array.from(list);
          const { amounts, paid, carried } = splitPool({
            amount,
            weights,
            maxPayPerUnit: max,
            unitsPpm: units,
          });
          expect(sumOf(amounts)).toBe(paid);
          expect(paid + carried).toBe(amount);
          expect(paid * 1_000_000n).toBeLessThanOrEqual(max * units);
          if (list.every((weight) => weight === 0)) expect(paid).toBe(0n);
        },
      ),
      { numRuns: 300 },
    );
  });

  test("does not depend on the order in which lines stand", () => {
    fc.assert(
      fc.property(anyAmount, anyWeights, fc.infiniteStream(fc.nat()), (amount, list, draws) => {
        const shuffle = rankFrom([...draws.take(list.length)]);
        const moved = new Float64Array(list.length);
        for (const [line, weight] of list.entries()) moved[shuffle[line]!] = weight;
        const keyRank = new Uint32Array(list.length);
        for (let line = 0; line < list.length; line++) keyRank[shuffle[line]!] = line;
        const straight = splitPool({ amount, weights: Float64Array.from(list), ...unlimited });
        const shuffled = splitPool({ amount, weights: moved, keyRank, ...unlimited });
        expect(shuffled.paid).toBe(straight.paid);
        for (let line = 0; line < list.length; line++) {
          expect(shuffled.amounts[shuffle[line]!]).toBe(straight.amounts[line]);
        }
      }),
      { numRuns: 300 },
    );
  });

  test("never pays a heavier line less, and no line more than one unit above its proportion", () => {
    fc.assert(
      fc.property(anyAmount, anyWeights, (amount, list) => {
        const weights = Float64Array.from(list);
        const { amounts, paid } = splitPool({ amount, weights, ...unlimited });
        const total = sumWeights(weights);
        const order = list.map((_, line) => line).sort((a, b) => list[a]! - list[b]!);
        for (const [place, line] of order.entries()) {
          const next = order[place + 1];
          if (next !== undefined && list[next]! > list[line]!) {
            expect(amounts[next]).toBeGreaterThanOrEqual(amounts[line]!);
          }
          const gap = amounts[line]! * total - paid * BigInt(list[line]!);
          expect(gap < total && gap > -total).toBe(total > 0n);
        }
      }),
      { numRuns: 300 },
    );
  });

  test("pays no more than its maximum for a unit, and carries the rest", () => {
    const weights = Float64Array.of(2_000_000, 1_000_000);
    expect(splitPool({ amount: 1_000n, weights, maxPayPerUnit: 100n, unitsPpm: 3_000_000n })).toEqual({
      amounts: BigUint64Array.of(200n, 100n),
      paid: 300n,
      carried: 700n,
    });
  });

  test("carries everything where nobody weighs anything", () => {
    const none = { amounts: BigUint64Array.of(0n, 0n), paid: 0n, carried: 9n };
    expect(splitPool({ amount: 9n, weights: new Float64Array(2), ...unlimited })).toEqual(none);
  });
});
