/**
 * A hotspot's status in one word, told from its view and the epochs. It lives beside the store because listings filter
 * by it; the API shows the same word.
 */
import type { HotspotView } from "../../../protocol/src/ledger/types.ts";
import type { Parameters } from "../../../protocol/src/network/parameters.ts";

/**
 * `gone`: was deregistered, and its bond has returned; `leaving`: its bond is still to. `unasserted`: has no place yet. `silent`: left a beacon unrevealed and is not challenged for a while. `active`: had
 * evidence accepted recently enough to count for density. `idle`: none of these.
 */
export const HOTSPOT_STATUSES = ["active", "idle", "silent", "unasserted", "leaving", "gone"] as const;
export type HotspotStatus = (typeof HOTSPOT_STATUSES)[number];

/** `epoch`: the current one. `activeSinceEpoch`: the oldest epoch whose evidence counts as recent. */
export type StatusEpochs = { readonly epoch: number; readonly activeSinceEpoch: number };

/** The epochs by which a status is told in `epoch`. */
export function computeStatusEpochs(
  epoch: number,
  { activityEpochs }: Pick<Parameters, "activityEpochs">,
): StatusEpochs {
  // Execution counts a hotspot as active while its last activity is less than `activityEpochs` old.
  return { epoch, activeSinceEpoch: epoch - activityEpochs + 1 };
}

/** Of a hotspot's view, what its status is told from. */
type StatusInput = Pick<HotspotView, "silentUntilEpoch" | "lastActiveEpoch" | "leavingUntilEpoch"> & {
  readonly assertion: object | null;
};

/** Tells a hotspot's status; the first that applies in the order gone, leaving, unasserted, silent, active, idle. */
export function computeHotspotStatus(hotspot: StatusInput, epochs: StatusEpochs): HotspotStatus {
  if (hotspot.leavingUntilEpoch !== null) {
    return epochs.epoch > hotspot.leavingUntilEpoch ? "gone" : "leaving";
  }
  if (hotspot.assertion === null) return "unasserted";
  if (hotspot.silentUntilEpoch !== null && epochs.epoch <= hotspot.silentUntilEpoch) return "silent";
  if (hotspot.lastActiveEpoch !== null && hotspot.lastActiveEpoch >= epochs.activeSinceEpoch) return "active";
  return "idle";
}
