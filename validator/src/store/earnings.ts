/**
 * What accounts earn in an epoch, one row an account: the lines of its hotspots, its seat as a validator, and what escrow
 * released to it. Over all epochs they make what the chain says that the account ever earned, to the base unit.
 */
import { compareBytes } from "../../../protocol/src/bytes/bytes.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import type { EpochClose } from "../../../protocol/src/ledger/types.ts";
import { NO_ACCOUNT_SUMS } from "./rewardBuckets.ts";
import type { AccountSums } from "./store.ts";

export type EarningRow = Omit<AccountSums, "earned"> & { readonly account: Uint8Array };

/** Of a closed epoch, what its earnings are made of. */
type EarningInputs = Pick<EpochClose, "validatorsPaid" | "releases"> & {
  readonly lines: readonly Pick<EpochClose["lines"][number], "owner" | "beaconPaid" | "witnessPaid">[];
};

/** Rows of the accounts that earned or had a hotspot in the epoch's lines, ascending by key. */
export function computeEarnings(close: EarningInputs): EarningRow[] {
  const rows = new Map<string, { -readonly [Field in keyof EarningRow]: EarningRow[Field] }>();
  const rowOf = (account: Uint8Array) => {
    const { earned: _, ...nothing } = NO_ACCOUNT_SUMS;
    const row = rows.get(encodeHex(account)) ?? { account, ...nothing };
    rows.set(encodeHex(account), row);
    return row;
  };
  for (const { owner, beaconPaid, witnessPaid } of close.lines) {
    const row = rowOf(owner);
    row.lines++;
    row.beaconPaid += beaconPaid;
    row.witnessPaid += witnessPaid;
  }
  for (const { key, amount } of close.validatorsPaid) if (amount > 0n) rowOf(key).validatorPaid += amount;
  for (const { owner, amount } of close.releases) rowOf(owner).released += amount;
  return [...rows.values()].sort((a, b) => compareBytes(a.account, b.account));
}

/** A row with its sum. */
export function sumEarning({ account: _, ...parts }: EarningRow): AccountSums {
  const { beaconPaid, witnessPaid, validatorPaid, released } = parts;
  return { ...parts, earned: beaconPaid + witnessPaid + validatorPaid + released };
}
