/**
 * A hotspot's status in one word, told from its view and the epochs. It lives beside the store because listings filter
 * by it; the API shows the same word.
 */
import type { HotspotView } from "../../../protocol/src/ledger/types.ts";

/**
 * `unasserted`: has no place yet. `silent`: left a beacon unrevealed and is not challenged for a while. `active`: had
 * evidence accepted recently enough to count for density. `idle`: none of these.
 */
export const HOTSPOT_STATUSES = ["active", "idle", "silent", "unasserted"] as const;
export type HotspotStatus = (typeof HOTSPOT_STATUSES)[number];

/** `epoch`: the current one. `activeSinceEpoch`: the oldest epoch whose evidence counts as recent. */
export type StatusEpochs = { readonly epoch: number; readonly activeSinceEpoch: number };

/** Tells a hotspot's status; the first that applies in the order unasserted, silent, active, idle. */
export function computeHotspotStatus(
  hotspot: Pick<HotspotView, "assertion" | "silentUntilEpoch" | "lastActiveEpoch">,
  epochs: StatusEpochs,
): HotspotStatus {
  if (hotspot.assertion === null) return "unasserted";
  if (hotspot.silentUntilEpoch !== null && epochs.epoch <= hotspot.silentUntilEpoch) return "silent";
  if (hotspot.lastActiveEpoch !== null && hotspot.lastActiveEpoch >= epochs.activeSinceEpoch) return "active";
  return "idle";
}
