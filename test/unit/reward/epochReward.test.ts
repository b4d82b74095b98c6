/** An epoch's reward by example, and the balance of its books for any score, carry and set of validators. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PRESETS } from "../../../protocol/src/network/presets.ts";
import { computeEpochReward, type EpochRewardInput } from "../../../protocol/src/reward/epochReward.ts";
import { EMPTY_POOLS, POOL_NAMES } from "../../../protocol/src/reward/pools.ts";
import type { ScoreOutput } from "../../../protocol/src/score/score.ts";

const TOKEN = 100_000_000n;
const key = (first: number) => new Uint8Array(32).fill(first);

/** A score by hotspot: beacon units, witness units and scale, in parts per million. */
function createScore(
  lines: readonly (readonly [beacon: number, witness: number, scale: number])[],
): ScoreOutput {
  return {
    version: 1,
    scalePpm: Uint32Array.from(lines, ([, , scale]) => scale),
    beaconUnitsPpm: Float64Array.from(lines, ([beacon]) => beacon),
    witnessUnitsPpm: Float64Array.from(lines, ([, witness]) => witness),
    beaconShares: Float64Array.from(lines, ([beacon, , scale]) => beacon * scale),
    witnessShares: Float64Array.from(lines, ([, witness, scale]) => witness * scale),
  };
}

function createInput(input: Partial<EpochRewardInput> & { score: ScoreOutput }): EpochRewardInput {
  const count = input.score.scalePpm.length;
  return {
    parameters: { ...PRESETS.devnet, maxPayPerUnit: 1_000n * TOKEN },
    epoch: 0,
    carriedIn: EMPTY_POOLS,
    hotspotOwner: Uint32Array.from({ length: count }, (_, hotspot) => hotspot),
    ownerCount: count,
    validators: [{ key: key(1), participationPpm: 1_000_000 }],
    ...input,
  };
}

const anyLine = fc.tuple(fc.nat(2_000_000), fc.nat(20_000_000), fc.nat(1_000_000));
const anyPools = fc.record({
  beacons: fc.bigInt(0n, 10n ** 12n),
  witnesses: fc.bigInt(0n, 10n ** 12n),
  data: fc.constant(0n),
  validators: fc.bigInt(0n, 10n ** 12n),
});

describe("reward of an epoch", () => {
  test("splits each pool by units times scale and credits owners", () => {
    const score = createScore([
      [1_000_000, 2_000_000, 1_000_000],
      [1_000_000, 0, 500_000],
      [0, 0, 1_000_000],
    ]);
    const reward = computeEpochReward(
      createInput({ score, hotspotOwner: Uint32Array.of(0, 0, 1), ownerCount: 2 }),
    );
    expect([...reward.beaconAmounts]).toEqual([120n * TOKEN, 60n * TOKEN, 0n]);
    expect([...reward.witnessAmounts]).toEqual([720n * TOKEN, 0n, 0n]);
    expect([...reward.ownerAmounts]).toEqual([900n * TOKEN, 0n]);
    expect(reward.validatorAmounts).toEqual([100n * TOKEN]);
    expect(reward.total).toEqual({
      emitted: 1_000n * TOKEN,
      carriedIn: 0n,
      paid: 1_000n * TOKEN,
      carriedOut: 0n,
    });
  });

  test("never pays more for a unit than the maximum, however crowded the others are", () => {
    // 99 hotspots in one heap and one alone: by raw units the lone one would take nearly half of 100 units' pay.
    const lines = Array.from({ length: 99 }, () => [0, 1_000_000, 10_101] as const);
    const score = createScore([...lines, [0, 1_000_000, 1_000_000]]);
    const reward = computeEpochReward(
      createInput({ score, parameters: { ...PRESETS.devnet, maxPayPerUnit: TOKEN } }),
    );
    expect(reward.witnessAmounts[99]).toBe(TOKEN);
    expect(reward.witnessAmounts[0]).toBe(1_010_100n);
    expect(reward.pools.witnesses.carriedOut).toBe(720n * TOKEN - reward.pools.witnesses.paid);
  });

  test("carries the pools of a silent epoch, and pays them once there is something to pay for", () => {
    const silent = computeEpochReward(createInput({ score: createScore([]), validators: [] }));
    expect(silent.total).toMatchObject({ paid: 0n, carriedOut: 1_000n * TOKEN });
    const carriedIn = {
      beacons: silent.pools.beacons.carriedOut,
      witnesses: silent.pools.witnesses.carriedOut,
      data: silent.pools.data.carriedOut,
      validators: silent.pools.validators.carriedOut,
    };
    const score = createScore([[1_000_000, 1_000_000, 1_000_000]]);
    const next = computeEpochReward(createInput({ score, carriedIn, epoch: 1 }));
    expect(next.pools.beacons).toMatchObject({ carriedIn: 180n * TOKEN, paid: 360n * TOKEN });
    expect(next.pools.witnesses).toMatchObject({ carriedIn: 720n * TOKEN, paid: 1_000n * TOKEN });
  });

  test("pays a validator its whole part from half of the rounds up, and in proportion below", () => {
    const validators = [1_000_000, 500_000, 250_000, 0].map((participationPpm, i) => ({
      key: key(i),
      participationPpm,
    }));
    const reward = computeEpochReward(createInput({ score: createScore([]), validators }));
    expect(reward.validatorAmounts).toEqual([25n * TOKEN, 25n * TOKEN, (25n * TOKEN) / 2n, 0n]);
    expect(reward.pools.validators.carriedOut).toBe((75n * TOKEN) / 2n);
  });

  test("gives the odd base unit of equal validators to the smaller key", () => {
    const validators = [3, 1, 2].map((first) => ({ key: key(first), participationPpm: 1_000_000 }));
    const reward = computeEpochReward(createInput({ score: createScore([]), validators }));
    expect(reward.validatorAmounts).toEqual([3_333_333_333n, 3_333_333_334n, 3_333_333_333n]);
  });

  test("balances to the unit in every pool, every epoch", () => {
    const anyInput = fc.record({
      lines: fc.array(anyLine, { maxLength: 30 }),
      carriedIn: anyPools,
      epoch: fc.nat(40_000),
      max: fc.bigInt(1n, 10n ** 11n),
      participations: fc.array(fc.nat(1_000_000), { maxLength: 5 }),
    });
    fc.assert(
      fc.property(anyInput, ({ lines, carriedIn, epoch, max, participations }) => {
        const reward = computeEpochReward(
          createInput({
            score: createScore(lines),
            carriedIn,
            epoch,
            parameters: { ...PRESETS.mainnet, maxPayPerUnit: max },
            validators: participations.map((participationPpm, i) => ({ key: key(i), participationPpm })),
          }),
        );
        const sum = (amounts: Iterable<bigint>) => [...amounts].reduce((total, amount) => total + amount, 0n);
        for (const books of [...POOL_NAMES.map((name) => reward.pools[name]), reward.total]) {
          expect(books.emitted + books.carriedIn).toBe(books.paid + books.carriedOut);
          expect(books.carriedOut).toBeGreaterThanOrEqual(0n);
        }
        expect(sum(reward.beaconAmounts)).toBe(reward.pools.beacons.paid);
        expect(sum(reward.witnessAmounts)).toBe(reward.pools.witnesses.paid);
        expect(sum(reward.validatorAmounts)).toBe(reward.pools.validators.paid);
        expect(sum(reward.ownerAmounts) + sum(reward.validatorAmounts)).toBe(reward.total.paid);
        for (const [hotspot, [beacon]] of lines.entries()) {
          const most = (max * BigInt(beacon)) / 1_000_000n + 1n;
          expect(reward.beaconAmounts[hotspot]).toBeLessThanOrEqual(most);
        }
      }),
      { numRuns: 200 },
    );
  });
});
