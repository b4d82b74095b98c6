/** What the metrics say of the whole network, read from the ledger once an epoch: its books and its hotspots. */
import { computeBooks } from "../../protocol/src/ledger/books.ts";
import type { Ledger } from "../../protocol/src/ledger/state.ts";
import type { Parameters } from "../../protocol/src/network/parameters.ts";
import {
  computeHotspotStatus,
  computeStatusEpochs,
  HOTSPOT_STATUSES,
  type HotspotStatus,
} from "./store/hotspotStatus.ts";

export type NetworkHealth = {
  /** Whether all money ever made is accounted for. */
  readonly booksBalanced: boolean;
  readonly hotspots: Readonly<Record<HotspotStatus, number>>;
};

/** @param epoch the one that has just begun. Takes a look at every account and hotspot. */
export function readNetworkHealth(
  ledger: Ledger,
  parameters: Pick<Parameters, "activityEpochs">,
  epoch: number,
): NetworkHealth {
  const hotspots = Object.fromEntries(HOTSPOT_STATUSES.map((status) => [status, 0])) as Record<
    HotspotStatus,
    number
  >;
  const epochs = computeStatusEpochs(epoch, parameters);
  for (const { places, silence, leaving, lastActiveEpoch } of ledger.registry.list) {
    const assertion = places.at(-1) ?? null;
    const silentUntilEpoch = silence?.untilEpoch ?? null;
    const leavingUntilEpoch = leaving?.untilEpoch ?? null;
    const view = { assertion, silentUntilEpoch, leavingUntilEpoch, lastActiveEpoch };
    hotspots[computeHotspotStatus(view, epochs)]++;
  }
  return { booksBalanced: computeBooks(ledger).isBalanced, hotspots };
}
