/** The books: where every base unit that genesis and emission ever made now is. */
import { POOL_NAMES } from "../reward/pools.ts";
import type { Ledger } from "./state.ts";

/** Amounts in base units. `withdrawn` is a place that the protocol has and nothing fills yet. */
export type Books = {
  readonly balances: bigint;
  readonly bonds: bigint;
  readonly stakes: bigint;
  readonly escrow: bigint;
  readonly carried: bigint;
  readonly withdrawn: bigint;
  readonly burned: bigint;
  readonly genesis: bigint;
  readonly emitted: bigint;
  /** balances + bonds + stakes + escrow + carried + withdrawn + burned = genesis + emitted. */
  readonly isBalanced: boolean;
};

/** Adds up the whole ledger. */
export function computeBooks(ledger: Ledger): Books {
  const balances = ledger.accounts.list.reduce((sum, { balance }) => sum + balance, 0n);
  const bonds = ledger.registry.list.reduce((sum, { bond }) => sum + bond, 0n);
  const carried = POOL_NAMES.reduce((sum, name) => sum + ledger.carried[name], 0n);
  const stakes = ledger.validators.sumStakes();
  const { burned, genesisTotal: genesis, emitted } = ledger;
  const escrow = ledger.escrow.total;
  const held = balances + bonds + stakes + escrow + carried + burned;
  return {
    balances,
    bonds,
    stakes,
    escrow,
    carried,
    withdrawn: 0n,
    burned,
    genesis,
    emitted,
    isBalanced: held === genesis + emitted,
  };
}
