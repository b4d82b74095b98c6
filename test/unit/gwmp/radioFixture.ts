/** A started GWMP radio with what it heard and logged, for one test. */
import { createGwmpRadio, type GwmpRadioOptions } from "../../../node/src/radio/gwmp/gwmpRadio.ts";
import type { Radio, ReceivedPacket, RefusedPacket } from "../../../node/src/radio/radio.ts";
import { ManualClock } from "../validator/support/manualClock.ts";
import { openUdpPeer, type UdpPeer } from "./udpPeer.ts";

/** One packet as a real forwarder printed it. */
export const PRINTED_RXPK = {
  tmst: 1484070,
  chan: 2,
  rfch: 0,
  freq: 867.5,
  mid: 8,
  stat: 1,
  modu: "LORA",
  datr: "SF12BW125",
  codr: "4/5",
  rssis: -105,
  lsnr: -6.8,
  foff: 0,
  rssi: -95,
  size: 23,
  data: "ALQAAAABAAAASGVsaXVtICA0LDYCNrA=",
};

export type RadioFixture = {
  readonly radio: Radio;
  readonly port: number;
  readonly packets: ReceivedPacket[];
  readonly refused: RefusedPacket[];
  readonly warnings: string[];
  readonly clock: ManualClock;
  openPeer(address?: string): Promise<UdpPeer>;
  close(): Promise<void>;
};

export async function openRadio(options: Partial<GwmpRadioOptions> = {}): Promise<RadioFixture> {
  const clock = new ManualClock(1_760_000_000_000);
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
