/** The Merkle tree over what every account has earned, as of the last closed epoch: earnings change only there. */

import type { RewardProof } from "../reward/rewardProof.ts";
import { createRewardTree, type RewardTree } from "../reward/rewardTree.ts";
import type { Ledger } from "./state.ts";

/** The tree over all accounts that ever earned, ascending by key; kept until the next epoch's close. */
export function rewardTreeOf(ledger: Ledger): RewardTree {
  ledger.rewardTree ??= buildRewardTree(ledger);
  return ledger.rewardTree;
}

/** Proves what an account has earned up to the last closed epoch; null where it has earned nothing. */
export function computeRewardProof(ledger: Ledger, account: Uint8Array): RewardProof | null {
  const known = ledger.accounts.find(account);
  if (known === null || known.earned === 0n) return null;
  return rewardTreeOf(ledger).prove(ledger.earnerOrder.placeOf(known.key));
}

function buildRewardTree({ accounts, earnerOrder, modules }: Ledger): RewardTree {
  const order = earnerOrder.list();
  const keys = new Uint8Array(order.length * 32);
  const totals = new BigUint64Array(order.length);
  for (const [place, index] of order.entries()) {
    const { key, earned } = accounts.list[index]!;
    keys.set(key, place * 32);
    totals[place] = earned;
  }
  return createRewardTree(keys, totals, modules.hashPairs);
}
