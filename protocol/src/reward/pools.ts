/** The four pools into which an epoch's emission goes, and the books that each of them closes with. */

/** In the order in which the record lists them and in which equal remainders are settled. */
export const POOL_NAMES = ["beacons", "witnesses", "data", "validators"] as const;
export type PoolName = (typeof POOL_NAMES)[number];

/** An amount for each pool, in base units. */
export type PoolAmounts = Readonly<Record<PoolName, bigint>>;

/** One pool's epoch in base units: emitted + carriedIn = paid + carriedOut. */
export type PoolBooks = {
  readonly emitted: bigint;
  readonly carriedIn: bigint;
  readonly paid: bigint;
  readonly carriedOut: bigint;
};

/** Nothing in any pool: what the first epoch carries in. */
export const EMPTY_POOLS: PoolAmounts = { beacons: 0n, witnesses: 0n, data: 0n, validators: 0n };
