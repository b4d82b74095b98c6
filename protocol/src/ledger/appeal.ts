/**
 * Appeals: an owner asks that the findings against a hotspot be judged anew. The next computation of trust does so by the
 * same arithmetic over the record as it then is, with nothing standing from before; what it does not find again is
 * reversed, and all that was withheld is released where the hotspot is no longer suspended.
 */
import type { TransactionReason } from "../evidence/reasons.ts";
import type { AppealTransaction } from "../wire/transactions.ts";
import type { Account } from "./accounts.ts";
import type { Hotspot } from "./registry.ts";
import type { Ledger } from "./state.ts";

/**
 * Notes an appeal. It names counterparts that can vouch for it: each must have a valid link with the hotspot on record, so
 * that who has nothing but the finding to show cannot ask for more than time. Said again before it is decided it changes
 * nothing.
 */
export function executeAppeal(
  ledger: Ledger,
  sender: Account,
  { hotspot: key, evidence }: AppealTransaction,
): TransactionReason | null {
  const { trust, escrow, registry } = ledger;
  const hotspot = registry.find(key);
  if (hotspot === null) return "not_registered";
  if (hotspot.owner !== sender.index) return "not_owner";
  if (!trust.findings.has(hotspot.index) && !escrow.holdsFor(hotspot.index)) return "not_penalised";
  const vouches = (other: Uint8Array): boolean => isLinked(ledger, hotspot, registry.find(other));
  if (!evidence.every(vouches)) return "no_evidence";
  trust.appealed.add(hotspot.index);
  return null;
}

function isLinked({ trust, nextEpoch }: Ledger, hotspot: Hotspot, other: Hotspot | null): boolean {
  if (other === null || other === hotspot) return false;
  const { links } = trust.history;
  const heard = links.find(hotspot.index, other.index, nextEpoch);
  const heardBy = links.find(other.index, hotspot.index, nextEpoch);
  return (heard?.epochs ?? 0) + (heardBy?.epochs ?? 0) > 0;
}
