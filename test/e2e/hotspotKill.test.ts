/** The short form of `npm run bench -- hotspotKill`: a packaged hotspot's process killed at ten random moments. */
import { expect, test } from "vitest";
import { killAgainAndAgain } from "../bench/hotspotKills.ts";

test("ten SIGKILLs lose no report and make no second beacon, and SIGTERM flushes", async () => {
  const { spooled, lost, beacons, epochsWithTwo, stopMs, unflushed } = await killAgainAndAgain(10, 7);
  expect(spooled).toBeGreaterThan(2);
  expect(beacons).toBeGreaterThan(0);
  expect({ lost, epochsWithTwo, unflushed }).toEqual({ lost: 0, epochsWithTwo: 0, unflushed: 0 });
  expect(stopMs).toBeLessThan(15_000);
});
