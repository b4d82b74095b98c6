/**
 * Rotation: a hotspot goes on under another key. Its index stays, and with it place, bond, age, links, trust and what is
 * open; only what it signs from now on is signed by the new key.
 */
import type { TransactionReason } from "../evidence/reasons.ts";
import type { RotateTransaction } from "../wire/transactions.ts";
import type { Account } from "./accounts.ts";
import { viewOfHotspot } from "./registry.ts";
import type { RoundLog } from "./roundLog.ts";
import type { Ledger } from "./state.ts";

/**
 * Epochs from one rotation of a hotspot to its next. A beacon closes, and its witnesses' reports with it, at most two
 * epochs after its own: until then what was sent under the key before must still be judged, and no older one.
 */
export const ROTATION_EPOCHS = 3;

/** Executes a rotation that owner, old and new key have signed. The old key is nobody's afterwards, for ever. */
export function executeRotate(
  ledger: Ledger,
  log: RoundLog,
  sender: Account,
  { hotspot: key, newKey }: RotateTransaction,
  epoch: number,
): TransactionReason | null {
  const { registry, hotspotOrder } = ledger;
  const hotspot = registry.find(key);
  if (hotspot === null || hotspot.leaving !== null) return "not_registered";
  if (hotspot.owner !== sender.index) return "not_owner";
  if (registry.isTaken(newKey)) return "already_registered";
  const { rotatedEpoch } = hotspot;
  if (rotatedEpoch !== null && epoch < rotatedEpoch + ROTATION_EPOCHS) return "rotated_lately";
  // Whoever lists hotspots by key sees one that has gone, and another with all that it had.
  log.retireHotspot({
    ...viewOfHotspot(hotspot),
    ...{ bond: 0n, assertion: null, device: null, lastActiveEpoch: null, silentUntilEpoch: null },
    leavingUntilEpoch: epoch - 1,
  });
  registry.rotate(hotspot, newKey, epoch);
  hotspotOrder.replace(hotspot.key, hotspot.index);
  log.touchHotspot(hotspot);
  return null;
}
