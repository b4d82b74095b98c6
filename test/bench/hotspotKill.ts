/**
 * SIGKILL at random moments, again and again: every report that was on the disk reaches the validator, and no epoch sees
 * a second beacon. 25 kills by default; HEXBEACON_KILLS=200 is what the limit is stated for. Then SIGTERM: how long until
 * the process has gone with everything on the disk.
 */
import { atLeast, atMost, type BenchRow } from "./benchRow.ts";
import { killAgainAndAgain } from "./hotspotKills.ts";

const KILLS = Number(process.env.HEXBEACON_KILLS ?? 25);

export async function run(): Promise<BenchRow[]> {
  const { kills, spooled, lost, beacons, epochsWithTwo, damagedBytes, stopMs, unflushed } =
    await killAgainAndAgain(KILLS, Number(process.env.HEXBEACON_KILL_SEED ?? 1));
  console.log(`${kills} kills, ${damagedBytes} bytes of torn records skipped`);
  return [
    atLeast("envelopes found on the disk after kills", spooled, "", kills / 5),
    atMost("of those never delivered", lost, "", 0),
    atLeast("beacons sent", beacons, "", kills / 10),
    atMost("epochs with a second beacon", epochsWithTwo, "", 0),
    atMost("SIGTERM to exit", stopMs, "ms", 5_000),
    atMost("envelopes heard before SIGTERM and not on the disk after it", unflushed, "", 0),
  ];
}
