/** A radio without a forwarder: tests hear what is transmitted, and say what is received. */
import type {
  ForwarderStatus,
  Radio,
  RadioStatus,
  ReceivedPacket,
  RefusedPacket,
  TransmitRequest,
  TransmitResult,
} from "../../../node/src/radio/radio.ts";
import { DATAGRAM_COUNTERS, PACKET_REFUSALS, TRANSMIT_FAILURES } from "../../../node/src/radio/radio.ts";

const zeros = <Key extends string>(keys: readonly Key[]) =>
  Object.fromEntries(keys.map((key) => [key, 0])) as Record<Key, number>;

export class FakeRadio implements Radio {
  readonly transmitted: TransmitRequest[] = [];
  forwarders: readonly ForwarderStatus[] = [];
  /** What becomes of each transmission; by default it is queued at the power asked for. */
  onTransmit: (request: TransmitRequest) => TransmitResult | Promise<TransmitResult> = ({ powerDbm }) => ({
    status: "queued",
    forwarderEui: "aa555a0000000000",
    powerDbm,
    acknowledged: true,
    tmstUs: null,
  });
  #packets = new Set<(packet: ReceivedPacket) => void>();
  #refused = new Set<(refused: RefusedPacket) => void>();
  #open = false;

  async start(): Promise<void> {
    this.#open = true;
  }
  async stop(): Promise<void> {
    this.#open = false;
  }
  async transmit(request: TransmitRequest): Promise<TransmitResult> {
    this.transmitted.push(request);
    return await this.onTransmit(request);
  }
  onPacket(callback: (packet: ReceivedPacket) => void): () => void {
    this.#packets.add(callback);
    return () => this.#packets.delete(callback);
  }
  onRefused(callback: (refused: RefusedPacket) => void): () => void {
    this.#refused.add(callback);
    return () => this.#refused.delete(callback);
  }
  onForwarderAlive(): () => void {
    return () => undefined;
  }
  /** Hears a payload; the rest as a forwarder would print it. */
  hear(payload: Uint8Array, more: Partial<ReceivedPacket> = {}): void {
    const packet: ReceivedPacket = {
      receivedAtMs: Date.now(),
      timeSource: "arrival",
      hostTimeMs: more.receivedAtMs ?? Date.now(),
      forwarderEui: "aa555a0000000000",
      tmstUs: 1_000_000,
      freqHz: 868_100_000,
      modulation: "lora",
      spreadingFactor: 9,
      bandwidthHz: 125_000,
      rssiDeciDbm: -1_010,
      rssiKind: "channel",
      snrCentiDb: -320,
      crc: "ok",
      payload,
      ...more,
    };
    for (const callback of this.#packets) callback(packet);
  }
  /** Hears something that is no usable reception. */
  refuse(reason: RefusedPacket["reason"]): void {
    const nothing = { freqHz: null, modulation: null, spreadingFactor: null, bandwidthHz: null };
    const refused = { reason, receivedAtMs: Date.now(), forwarderEui: "aa555a0000000000", ...nothing };
    const unmeasured = { rssiDeciDbm: null, rssiKind: null, snrCentiDb: null, crc: null, payloadBytes: null };
    for (const callback of this.#refused) callback({ ...refused, ...unmeasured });
  }
  status(): RadioStatus {
    return {
      listeningOn: this.#open ? "127.0.0.1:1700" : null,
      forwarders: this.forwarders,
      datagrams: zeros(DATAGRAM_COUNTERS),
      packets: zeros(["accepted", ...PACKET_REFUSALS] as const),
      transmissions: zeros(["queued", ...TRANSMIT_FAILURES] as const),
    };
  }
}

/** A forwarder that is there, with changes. */
export function createForwarderStatus(change: Partial<ForwarderStatus> = {}): ForwarderStatus {
  const nowMs = Date.now();
  return {
    eui: "aa555a0000000000",
    transmits: true,
    downlinkAddress: "127.0.0.1:40000",
    version: 2,
    firstSeenMs: nowMs,
    lastSeenMs: nowMs,
    lastPullMs: nowMs,
    lastPushMs: nowMs,
    alive: true,
    timing: null,
    stat: null,
    takeoversRefused: 0,
    downlinkReturns: 0,
    ...change,
  };
}
