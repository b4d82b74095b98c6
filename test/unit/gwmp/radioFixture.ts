/** A started GWMP radio with what it heard and logged, for one test. */
import type { Clock } from "../../../node/src/host/types.ts";
import { createGwmpRadio, type GwmpRadioOptions } from "../../../node/src/radio/gwmp/gwmpRadio.ts";
import type { Radio, ReceivedPacket, RefusedPacket } from "../../../node/src/radio/radio.ts";
import { openUdpPeer, type UdpPeer } from "./udpPeer.ts";

export type RadioFixture = {
  readonly radio: Radio;
  readonly port: number;
  readonly packets: ReceivedPacket[];
  readonly refused: RefusedPacket[];
  readonly warnings: string[];
  readonly clock: TestClock;
  openPeer(address?: string): Promise<UdpPeer>;
  close(): Promise<void>;
};

/** A clock that a test sets forward; what falls due runs at once. */
export type TestClock = Pick<Clock, "nowMs" | "after"> & { advance(byMs: number): void };

export function createTestClock(startMs = 1_760_000_000_000): TestClock {
  let nowMs = startMs;
  const alarms = new Set<{ atMs: number; run: () => void }>();
  return {
    nowMs: () => nowMs,
    after(delayMs, run) {
      const alarm = { atMs: nowMs + delayMs, run };
      alarms.add(alarm);
      return () => alarms.delete(alarm);
    },
    advance(byMs) {
      const untilMs = nowMs + byMs;
      for (;;) {
        const due = [...alarms].filter((alarm) => alarm.atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0];
        if (due === undefined) break;
        alarms.delete(due);
        nowMs = Math.max(nowMs, due.atMs);
        due.run();
      }
      nowMs = untilMs;
    },
  };
}

export async function openRadio(options: Partial<GwmpRadioOptions> = {}): Promise<RadioFixture> {
  const clock = createTestClock();
  const warnings: string[] = [];
  const radio = createGwmpRadio(
    { host: "127.0.0.1", port: 0, ...options },
    { clock, log: { info: () => {}, warn: (message) => warnings.push(message) } },
  );
  const packets: ReceivedPacket[] = [];
  const refused: RefusedPacket[] = [];
  radio.onPacket((packet) => packets.push(packet));
  radio.onRefused((packet) => refused.push(packet));
  await radio.start();
  const port = Number(radio.status().listeningOn!.split(":")[1]);
  const peers: UdpPeer[] = [];
  return {
    radio,
    port,
    packets,
    refused,
    warnings,
    clock,
    async openPeer(address) {
      const peer = await openUdpPeer(port, address);
      peers.push(peer);
      return peer;
    },
    async close() {
      await radio.stop();
      for (const peer of peers) await peer.close();
    },
  };
}
