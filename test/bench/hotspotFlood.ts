/**
 * A hotspot under fire: 10,000 datagrams of noise and 10,000 from forwarders that nobody knows, a second, while a known
 * forwarder goes on. Every one of its datagrams must be acknowledged within the 100 ms that it waits, and memory stay
 * where it was. Then 1,000 packets a second from one forwarder. Ten seconds each by default; HEXBEACON_FLOOD_SECONDS=60
 * is what the limits are stated for.
 */
import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { encodeFromForwarder } from "../../node/src/radio/gwmp/datagram.ts";
import { encodeHex } from "../../protocol/src/bytes/hex.ts";
import { PRESETS } from "../../protocol/src/network/presets.ts";
import { createRandom } from "../ether/prng.ts";
import { type BarePacketForwarder, openBarePacketForwarder, printElement } from "./barePacketForwarder.ts";
import { atLeast, atMost, type BenchRow } from "./benchRow.ts";
import { type HotspotLife, openHotspotRig, readProcess } from "./hotspotRig.ts";

const SECONDS = Number(process.env.HEXBEACON_FLOOD_SECONDS ?? 10);
const EUI = "aa555a0000000001";
const HOSTILE_PER_KIND_S = 10_000;
const PACKETS_S = 1_000;
/** What a real forwarder holds of one fetch: it reports every 10 ms. */
const FETCH_MS = 10;
const ACK_LIMIT_MS = 100;
/** What is sent in one go at most: the generator must not be the one that overflows the socket. */
const BURST_MAX = 200;
const SETTLE_MS = 500;

export async function run(): Promise<BenchRow[]> {
  const rig = await openHotspotRig({ ...PRESETS.mainnet });
  try {
    const life = await rig.start("--forwarder", EUI);
    const forwarder = await openBarePacketForwarder(life.gwmpPort, EUI);
    await rig.validator.advanceTo(0);
    await heartbeat(forwarder, 20);
    const before = await readProcess(life.pid);
    const flood = await underFire(life, forwarder);
    const afterFlood = await readProcess(life.pid);
    const busy = await steadily(forwarder, life);
    const after = await readProcess(life.pid);
    await forwarder.close();
    return [
      atLeast("hostile datagrams sent", flood.perSecond, "a second", 2 * HOSTILE_PER_KIND_S * 0.95),
      atMost("known forwarder's slowest acknowledgement", flood.slowestMs, "ms", ACK_LIMIT_MS),
      atMost("its datagrams without acknowledgement", flood.lost, "", 0),
      atMost(
        "memory that the flood added",
        (afterFlood.residentBytes - before.residentBytes) / 1e6,
        "MB",
        30,
      ),
      atLeast("packets of one forwarder, taken", busy.perSecond, "a second", PACKETS_S * 0.99),
      atMost("its slowest acknowledgement", busy.slowestMs, "ms", ACK_LIMIT_MS),
      atMost("memory after both", after.residentBytes / 1e6, "MB", 130),
    ];
  } finally {
    await rig.close();
  }
}

async function underFire(life: HotspotLife, forwarder: BarePacketForwarder) {
  const hostile = createSocket("udp4");
  hostile.connect(life.gwmpPort, "127.0.0.1");
  await once(hostile, "connect");
  const random = createRandom(7);
  const [sentBefore, ackedBefore] = [forwarder.sent(), forwarder.delaysMs.length];
  const startedMs = performance.now();
  let sent = 0;
  let beats = 0;
  let [turnMs, lateMs] = [0, 0];
  for (;;) {
    const elapsedMs = performance.now() - startedMs;
    lateMs = Math.max(lateMs, elapsedMs - turnMs);
    turnMs = elapsedMs;
    if (elapsedMs >= SECONDS * 1_000) break;
    const due = Math.floor((elapsedMs * 2 * HOSTILE_PER_KIND_S) / 1_000);
    for (let burst = 0; sent < due && burst < BURST_MAX; burst++, sent++) {
      hostile.send(sent % 2 === 0 ? createNoise(random) : createStranger(random));
    }
    // The known one reports ten times a second, and pulls once.
    for (; beats < Math.floor(elapsedMs / 100); beats++) {
      if (beats % 10 === 0) forwarder.pull();
      else forwarder.push([printElement(randomBytes(23), Math.round(elapsedMs * 1_000))]);
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  const elapsedS = (performance.now() - startedMs) / 1_000;
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  hostile.close();
  // On a busy machine this process is late itself, and what it measures includes that.
  console.log(`this process was late by up to ${Math.round(lateMs)} ms`);
  const delays = forwarder.delaysMs.slice(ackedBefore);
  const lost = forwarder.sent() - sentBefore - delays.length;
  return { perSecond: sent / elapsedS, slowestMs: Math.max(...delays), lost };
}

/** Packets at the rate, in pushes of a fetch each; the spool is kept busy by one beacon in a hundred. */
async function steadily(forwarder: BarePacketForwarder, life: HotspotLife) {
  const before = (await life.readStatus()).radio.packets.accepted;
  const ackedBefore = forwarder.delaysMs.length;
  const startedMs = performance.now();
  const each = (PACKETS_S * FETCH_MS) / 1_000;
  for (let fetch = 0; fetch < (SECONDS * 1_000) / FETCH_MS; fetch++) {
    const tmstUs = Math.round((performance.now() - startedMs) * 1_000);
    forwarder.push(Array.from({ length: each }, (_, i) => printElement(randomBytes(23), tmstUs + i * 900)));
    if (fetch % 500 === 0) forwarder.pull();
    const dueMs = startedMs + (fetch + 1) * FETCH_MS;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, dueMs - performance.now())));
  }
  const elapsedS = (performance.now() - startedMs) / 1_000;
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const taken = (await life.readStatus()).radio.packets.accepted - before;
  // A second's worth of pushes at most may be missing where this process itself was late.
  return { perSecond: taken / elapsedS, slowestMs: Math.max(...forwarder.delaysMs.slice(ackedBefore)) };
}

async function heartbeat(forwarder: BarePacketForwarder, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    forwarder.pull();
    await new Promise((resolve) => setTimeout(resolve, FETCH_MS));
  }
}

/** Some of it looks like the protocol's first bytes. */
function createNoise(random: () => number): Uint8Array {
  const bytes = new Uint8Array(4 + Math.floor(random() * 400));
  for (let i = 0; i < bytes.length; i += 7) bytes[i] = Math.floor(random() * 256);
  bytes[0] = Math.floor(random() * 4);
  bytes[3] = Math.floor(random() * 8);
  return bytes;
}

function createStranger(random: () => number): Uint8Array {
  const eui = encodeHex(Uint8Array.from({ length: 8 }, () => Math.floor(random() * 256)));
  const token = Math.floor(random() * 65_536);
  return encodeFromForwarder("push_data", 2, token, eui, '{"rxpk":[{"tmst":1,"freq":868.1,"data":"AAAA"}]}');
}
