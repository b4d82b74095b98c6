/** How many base units an epoch emits, and which pool they go to. */
import { type Parameters, PPM } from "../network/parameters.ts";
import { POOL_NAMES, type PoolAmounts } from "./pools.ts";
import { splitByWeights } from "./split.ts";

/** The network's parameters that rewards depend on; the four pools' parts per million make a million together. */
export type RewardParameters = Pick<
  Parameters,
  | "epochEmission"
  | "halvingEpochs"
  | "beaconsPoolPpm"
  | "witnessesPoolPpm"
  | "dataPoolPpm"
  | "validatorsPoolPpm"
  | "maxPayPerUnit"
>;

/** How what data transfer leaves is shared: 20 for beacons to 80 for witnesses, the same ratio as their own pools. */
const LEFTOVER_WEIGHTS = [20n, 80n] as const;

/**
 * Base units emitted in an epoch: the first period's, halved once for each whole `halvingEpochs` before it. Halving
 * is a right shift, so it rounds down, and after 64 of them nothing is emitted any more.
 * @param epoch 0 or more.
 */
export function computeEmission(parameters: RewardParameters, epoch: number): bigint {
  return parameters.epochEmission >> BigInt(Math.floor(epoch / parameters.halvingEpochs));
}

/**
 * An epoch's emission by pool. Each pool gets its parts per million rounded down; the base units left go one each to
 * the largest fractions, equal ones in the order of `POOL_NAMES`. What data transfer does not use of its pool goes to
 * beacons and witnesses by the same rule, so `data` is what was used, and the sum is the emission, to the unit.
 * @param dataUsed base units that data transfer earned in this epoch, at most its pool.
 */
export function computePoolEmission(parameters: RewardParameters, epoch: number, dataUsed = 0n): PoolAmounts {
  const partsPpm = POOL_NAMES.map((name) => BigInt(parameters[`${name}PoolPpm`]));
  if (partsPpm.reduce((sum, part) => sum + part) !== BigInt(PPM)) {
    throw new RangeError("The pools' parts per million must make a million");
  }
  const [beacons, witnesses, data, validators] = splitByWeights(computeEmission(parameters, epoch), partsPpm);
  if (dataUsed > data!) throw new RangeError("Data transfer cannot use more than its pool");
  const [toBeacons, toWitnesses] = splitByWeights(data! - dataUsed, LEFTOVER_WEIGHTS);
  return {
    beacons: beacons! + toBeacons!,
    witnesses: witnesses! + toWitnesses!,
    data: dataUsed,
    validators: validators!,
  };
}
