/** What a new store starts with: a ledger as its genesis made it. */
import type { Ledger } from "../../../protocol/src/ledger/state.ts";
import type { GenesisViews } from "./store.ts";

/** @param ledger that has executed no round yet. */
export function viewGenesis(ledger: Ledger): GenesisViews {
  return {
    hotspots: ledger.listHotspots(),
    accounts: ledger.listAccounts(),
    validators: ledger.listValidators(),
    seats: ledger.setOf(0)!.keys,
  };
}
