/** Whether a hotspot is one of those that a listing asks for; what an index cannot answer is decided here. */
import { equalBytes } from "../../../protocol/src/bytes/bytes.ts";
import type { HotspotView } from "../../../protocol/src/ledger/types.ts";
import { computeHotspotStatus } from "./hotspotStatus.ts";
import type { HotspotFilter } from "./store.ts";

export function matchesFilter(hotspot: HotspotView, filter: HotspotFilter): boolean {
  const { owner, cellFrom, cellTo, status, statusEpochs } = filter;
  if (owner !== undefined && !equalBytes(hotspot.owner, owner)) return false;
  const cell = hotspot.assertion?.cell;
  if (cellFrom !== undefined && (cell === undefined || cell < cellFrom)) return false;
  if (cellTo !== undefined && (cell === undefined || cell > cellTo)) return false;
  if (status === undefined) return true;
  if (statusEpochs === undefined) throw new Error("a listing by status needs the epochs it is told by");
  return computeHotspotStatus(hotspot, statusEpochs) === status;
}
