/** What a new store starts with: a ledger as its genesis made it, or as a checkpoint has it. */
import { requireSet } from "../../../protocol/src/agreement/certificates.ts";
import type { Ledger } from "../../../protocol/src/ledger/state.ts";
import type { GenesisViews } from "./store.ts";

/** @param ledger that has executed no round yet, or the last round of an epoch. */
export function viewGenesis(ledger: Ledger): GenesisViews {
  return {
    hotspots: ledger.listHotspots(),
    accounts: ledger.listAccounts(),
    validators: ledger.listValidators(),
    seats: requireSet(ledger, Math.max(0, ledger.lastClosedEpoch)).keys,
  };
}
