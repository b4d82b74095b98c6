/**
 * What a hotspot costs while little happens: memory, processor and disk with a validator that goes on and a forwarder
 * that hears one packet a second, and how long it takes to be ready. Half a minute by default; HEXBEACON_IDLE_SECONDS=600
 * is the ten minutes that the limits are stated for. HEXBEACON_IDLE_BEACONS=1 makes every packet another's beacon, which
 * is the most that there can be to write.
 */
import { randomBytes } from "node:crypto";
import { PRESETS } from "../../protocol/src/network/presets.ts";
import { encodeFrame } from "../../protocol/src/radio/frame.ts";
import { openBarePacketForwarder, printElement } from "./barePacketForwarder.ts";
import { atMost, type BenchRow } from "./benchRow.ts";
import { type HotspotLife, type HotspotRig, openHotspotRig, readProcess } from "./hotspotRig.ts";

const SECONDS = Number(process.env.HEXBEACON_IDLE_SECONDS ?? 30);
const ONLY_BEACONS = process.env.HEXBEACON_IDLE_BEACONS === "1";
const EUI = "aa555a0000000001";
/** Every so manieth packet is a beacon; the others are other people's devices. */
const BEACON_EVERY = ONLY_BEACONS ? 1 : 10;
const STARTS = 3;
const DAY_S = 86_400;

export async function run(): Promise<BenchRow[]> {
  const rig = await openHotspotRig({ ...PRESETS.mainnet });
  try {
    // The first start of all compiles what is not cached yet, as it does after an installation.
    const starts: number[] = [];
    for (let i = 1; i < STARTS; i++) {
      const life = await rig.start();
      starts.push(life.startMs);
      life.signal("SIGTERM");
      await life.exited;
    }
    const life = await rig.start();
    starts.push(life.startMs);
    return [atMost("start to ready", Math.min(...starts), "ms", 1_000), ...(await idle(rig, life))];
  } finally {
    await rig.close();
  }
}

async function idle(rig: HotspotRig, life: HotspotLife): Promise<BenchRow[]> {
  const forwarder = await openBarePacketForwarder(life.gwmpPort, EUI);
  const before = await readProcess(life.pid);
  const startedMs = performance.now();
  let peakBytes = 0;
  for (let second = 0; second < SECONDS; second++) {
    if (second % 5 === 0) await rig.validator.advanceTo(second / 5);
    if (second % 10 === 0) forwarder.pull();
    const isBeacon = second % BEACON_EVERY === 0;
    const payload = isBeacon
      ? encodeFrame({ tag: randomBytes(6), secret: randomBytes(16) })
      : randomBytes(23);
    forwarder.push([printElement(payload, Math.round(performance.now() * 1_000))]);
    const dueMs = startedMs + (second + 1) * 1_000;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, dueMs - performance.now())));
    peakBytes = Math.max(peakBytes, (await readProcess(life.pid)).residentBytes);
  }
  const after = await readProcess(life.pid);
  const elapsedMs = performance.now() - startedMs;
  const { spool, delivery } = await life.readStatus();
  console.log(
    `${SECONDS} s, ${rig.validator.submissions.length} envelopes, ${spool.entries} spooled, ${delivery.included} included`,
  );
  await forwarder.close();
  const writtenMb = (after.writtenBytes - before.writtenBytes) / 1e6;
  return [
    atMost("resident memory at the end", after.residentBytes / 1e6, "MB", 95),
    atMost("resident memory at its highest", peakBytes / 1e6, "MB", 95),
    atMost("processor", (100 * (after.cpuMs - before.cpuMs)) / elapsedMs, "% of a core", 3),
    atMost("written to disk, in a day of this", (writtenMb * DAY_S * 1_000) / elapsedMs, "MB", 50),
  ];
}
