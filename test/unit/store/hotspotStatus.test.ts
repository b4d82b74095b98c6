/** A hotspot's status in one word, at the edges of the epochs it is told by. */
import { expect, test } from "vitest";
import { computeHotspotStatus } from "../../../validator/src/store/hotspotStatus.ts";
import { createHistory } from "./history.ts";

const epochs = { epoch: 10, activeSinceEpoch: 7 };
const asserted = createHistory("status", 1).genesis.hotspots[0]!;

test.each([
  [{ lastActiveEpoch: 7 }, "active"],
  [{ lastActiveEpoch: 6 }, "idle"],
  [{ lastActiveEpoch: null }, "idle"],
  // The last epoch of a silence is still silent, and silence weighs more than activity.
  [{ lastActiveEpoch: 10, silentUntilEpoch: 10 }, "silent"],
  [{ lastActiveEpoch: 10, silentUntilEpoch: 9 }, "active"],
  [{ assertion: null, lastActiveEpoch: 10, silentUntilEpoch: 10 }, "unasserted"],
  [{ lastActiveEpoch: 10, leavingUntilEpoch: 10 }, "leaving"],
  [{ assertion: null, leavingUntilEpoch: 9 }, "gone"],
] as const)("%o is %s", (fields, status) => {
  expect(computeHotspotStatus({ ...asserted, ...fields }, epochs)).toBe(status);
});
