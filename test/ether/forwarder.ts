/**
 * A packet forwarder with a simulated concentrator: real UDP sockets on one side, a port of the ether on the other. It
 * behaves as lora_pkt_fwd 2.1.0 was observed to: one socket pushes and blocks until it is acknowledged, the other
 * pulls and obeys; a transmission is acknowledged when queued; nothing is retried. Three timers each, so that a
 * hundred of them live in one process.
 */
import assert from "node:assert";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import {
  decodeDatagram,
  encodeFromForwarder,
  PULL_RESP_MAX_BYTES,
} from "../../node/src/radio/gwmp/datagram.ts";
import type { RadioClock } from "../../node/src/radio/radio.ts";
import type { RegionPlan } from "../../protocol/src/radio/regions.ts";
import type { Emission, EtherPort, EtherReception } from "./ether.ts";
import { createCounters, type ForwarderCounters } from "./forwarderCounters.ts";
import { JitQueue, type JitRefusal } from "./jitQueue.ts";
import { type EmissionMoment, readPullResp, type TransmitterConfiguration } from "./pullResp.ts";
import { type OtherFrame, printOtherRxpk, printRxpk, printStat, toGpsMs } from "./pushText.ts";

/** What one fetch takes from the concentrator; more than this waiting is lost there. */
const FETCH_MAX = 255;
const FETCH_INTERVAL_MS = 10;
const PUSH_TIMEOUT_MS = 100;
const KEEPALIVE_MS = 10_000;
const STAT_INTERVAL_MS = 30_000;
const TMST_PERIOD_US = 2 ** 32;
/** How many channels at 125 kHz a concentrator demodulates. */
const IF_CHANNELS = 8;
/** The front end of an IF channel passes what is this close to its centre. */
const CHANNEL_TOLERANCE_HZ = 50_000;

export type ForwarderOptions = {
  /** 16 hexadecimal digits. */
  readonly eui: string;
  /** Where the hotspot listens: an IP address, since forwarders look a name up only once. */
  readonly server: { readonly host: string; readonly port: number };
  /** Its first eight beacon channels are the IF channels, its bands the frequencies that may be sent on. */
  readonly plan: RegionPlan;
  /** The powers that the gain table has, in dBm, ascending; see `REFERENCE_LUT_DBM` and `WIDE_LUT_DBM`. */
  readonly lutDbm: readonly number[];
  /** The configuration's `antenna_gain`, taken off every power asked for. A hotspot that does so itself wants 0. */
  readonly antennaGainDbi?: number;
  readonly keepaliveMs?: number;
  readonly statIntervalMs?: number;
  /** Also hand on frames with a bad checksum; off as shipped. */
  readonly forwardsBadCrc?: boolean;
  /** The counter at start, so that a run can begin just before its wrap. */
  readonly tmstAtStartUs?: number;
  /** Whether a GPS receiver has a fix: receptions and statistics then say so, and its times can be sent at. */
  readonly hasGps?: boolean;
  /** See `TransmitterConfiguration`; "warn" by default. */
  readonly powerPolicy?: TransmitterConfiguration["powerPolicy"];
  /** The period of class B beacons that it sends of its own; 128 s where GPS and configuration allow it, off as shipped. */
  readonly gatewayBeaconMs?: number;
  /** After so many PULL_DATA in a row without an acknowledgement its process ends; never as shipped. */
  readonly autoquitThreshold?: number;
};

export type Forwarder = {
  /** Connects both sockets and begins to pull. The server need not be there yet. */
  start(): Promise<void>;
  /** Closes the sockets; what is queued is not sent. May be called twice. */
  stop(): Promise<void>;
  /** Hears a frame that is not LoRa, which the ether does not carry. */
  hearOther(frame: OtherFrame): void;
  counters(): Readonly<ForwarderCounters>;
};

/** Creates a forwarder on a port of the ether; nothing is opened before `start`. */
export function createForwarder(
  options: ForwarderOptions,
  modules: { readonly port: EtherPort; readonly clock: RadioClock },
): Forwarder {
  return new SimulatedForwarder(options, modules.port, modules.clock);
}

type Sockets = { readonly push: Socket; readonly pull: Socket };

class SimulatedForwarder implements Forwarder {
  readonly #options: ForwarderOptions;
  readonly #channelsHz: readonly number[];
  readonly #transmitter: TransmitterConfiguration;
  readonly #port: EtherPort;
  readonly #clock: RadioClock;
  readonly #counters: ForwarderCounters = createCounters();
  readonly #jitQueue: JitQueue<Emission>;
  #sockets: Sockets | null = null;
  #startedAtMs = 0;
  #unsubscribe: () => void = () => {};
  #cancelKeepalive: () => void = () => {};
  #cancelJit: () => void = () => {};

  /** Elements that wait for the next push, and the push that waits for its acknowledgement. */
  #fetched: string[] = [];
  #cancelPush: (() => void) | null = null;
  #pushToken: number | null = null;
  #token = 0;
  #statAtMs = 0;
  #pullsUnacked = 0;
  #reported: ForwarderCounters = createCounters();

  constructor(options: ForwarderOptions, port: EtherPort, clock: RadioClock) {
    this.#options = options;
    this.#channelsHz = options.plan.beaconFreqsHz.slice(0, IF_CHANNELS);
    this.#transmitter = {
      txFreqMinHz: Math.min(...options.plan.dutyBands.map(({ fromHz }) => fromHz)),
      txFreqMaxHz: Math.max(...options.plan.dutyBands.map(({ toHz }) => toHz)),
      lutDbm: options.lutDbm,
      antennaGainDbi: options.antennaGainDbi ?? 0,
      powerPolicy: options.powerPolicy ?? "warn",
      hasGps: options.hasGps ?? false,
    };
    const { gatewayBeaconMs, tmstAtStartUs = 0 } = options;
    this.#jitQueue = new JitQueue(
      gatewayBeaconMs === undefined
        ? null
        : { firstUs: tmstAtStartUs + gatewayBeaconMs * 1_000, periodUs: gatewayBeaconMs * 1_000 },
    );
    this.#port = port;
    this.#clock = clock;
  }

  counters(): Readonly<ForwarderCounters> {
    return { ...this.#counters };
  }

  async start(): Promise<void> {
    assert(this.#sockets === null, "a forwarder is started once");
    const { server } = this.#options;
    const [push, pull] = await Promise.all([this.#open(server), this.#open(server)]);
    this.#sockets = { push, pull };
    this.#startedAtMs = this.#clock.nowMs();
    this.#statAtMs = this.#startedAtMs + this.#statIntervalMs();
    push.on("message", (bytes) => this.#receivePushAck(bytes));
    pull.on("message", (bytes) => this.#receiveOnPull(bytes));
    this.#unsubscribe = this.#port.onReceive((reception) => this.#hear(reception));
    this.#keepAlive();
  }

  async stop(): Promise<void> {
    const sockets = this.#sockets;
    if (sockets === null) return;
    this.#sockets = null;
    this.#unsubscribe();
    this.#cancelKeepalive();
    this.#cancelJit();
    this.#cancelPush?.();
    this.#cancelPush = null;
    await Promise.all([close(sockets.push), close(sockets.pull)]);
  }

  async #open(server: { host: string; port: number }): Promise<Socket> {
    const socket = createSocket(server.host.includes(":") ? "udp6" : "udp4");
    // A server that is not there answers with ICMP, which reaches the socket as an error; the real one ignores it.
    socket.on("error", () => this.#counters.socketErrors++);
    socket.connect(server.port, server.host);
    await once(socket, "connect");
    return socket;
  }

  #statIntervalMs(): number {
    return this.#options.statIntervalMs ?? STAT_INTERVAL_MS;
  }

  #keepAlive(): void {
    if (this.#pullsUnacked >= (this.#options.autoquitThreshold ?? Number.POSITIVE_INFINITY)) {
      this.#exit();
      return;
    }
    this.#counters.pullSent++;
    this.#pullsUnacked++;
    this.#send("pull", encodeFromForwarder("pull_data", 2, this.#nextToken(), this.#options.eui));
    if (this.#clock.nowMs() >= this.#statAtMs) this.#schedulePush(0);
    this.#cancelKeepalive = this.#clock.after(this.#options.keepaliveMs ?? KEEPALIVE_MS, () =>
      this.#keepAlive(),
    );
  }

  // Up: what the concentrator hears.

  #hear(reception: EtherReception): void {
    const channel = this.#channelsHz.findIndex(
      (freqHz) => Math.abs(freqHz - reception.freqHz) <= CHANNEL_TOLERANCE_HZ,
    );
    if (channel < 0) return;
    this.#counters.heard++;
    if (reception.isCrcGood) this.#counters.heardGood++;
    else if (this.#options.forwardsBadCrc !== true) return;
    const tmstUs = Math.round(this.#counterUs(reception.endedAtMs)) % TMST_PERIOD_US;
    this.#fetch(printRxpk(reception, channel, tmstUs, this.#transmitter.hasGps));
  }

  hearOther(frame: OtherFrame): void {
    this.#counters.heard++;
    this.#counters.heardGood++;
    this.#fetch(printOtherRxpk(frame, Math.round(this.#counterUs(this.#clock.nowMs())) % TMST_PERIOD_US));
  }

  #fetch(element: string): void {
    if (this.#fetched.length >= FETCH_MAX) {
      this.#counters.dropped++;
      return;
    }
    this.#fetched.push(element);
    this.#schedulePush(FETCH_INTERVAL_MS);
  }

  /** The concentrator's counter, as if it never wrapped. */
  #counterUs(atMs: number): number {
    return (this.#options.tmstAtStartUs ?? 0) + (atMs - this.#startedAtMs) * 1_000;
  }

  /** The loop that pushes is blocked while it waits; whatever is heard meanwhile goes out together. */
  #schedulePush(delayMs: number): void {
    if (this.#cancelPush !== null) return;
    this.#cancelPush = this.#clock.after(delayMs, () => this.#push());
  }

  #push(): void {
    this.#cancelPush = null;
    const nowMs = this.#clock.nowMs();
    const parts: string[] = [];
    const elements = this.#fetched;
    this.#fetched = [];
    if (elements.length > 0) parts.push(`"rxpk":[${elements.join(",")}]`);
    if (nowMs >= this.#statAtMs) {
      parts.push(`"stat":${this.#printStat(nowMs)}`);
      this.#statAtMs = nowMs + this.#statIntervalMs();
    }
    if (parts.length === 0) return;
    this.#counters.forwarded += elements.length;
    this.#counters.pushSent++;
    this.#pushToken = this.#nextToken();
    this.#send(
      "push",
      encodeFromForwarder("push_data", 2, this.#pushToken, this.#options.eui, `{${parts.join(",")}}`),
    );
    this.#cancelPush = this.#clock.after(PUSH_TIMEOUT_MS, () => this.#endPush());
  }

  #receivePushAck(bytes: Uint8Array): void {
    const datagram = decodeDatagram(bytes);
    if (datagram.kind !== "push_ack" || datagram.token !== this.#pushToken) return;
    this.#counters.pushAcked++;
    this.#endPush();
  }

  /** Acknowledged or not, a push is over: nothing is sent twice. */
  #endPush(): void {
    this.#pushToken = null;
    this.#cancelPush?.();
    this.#cancelPush = null;
    if (this.#fetched.length > 0) this.#schedulePush(FETCH_INTERVAL_MS);
  }

  #printStat(nowMs: number): string {
    const now = this.#counters;
    const before = this.#reported;
    this.#reported = { ...now };
    const pushes = now.pushSent - before.pushSent;
    return printStat(
      {
        rxnb: now.heard - before.heard,
        rxok: now.heardGood - before.heardGood,
        rxfw: now.forwarded - before.forwarded,
        ackRatio: pushes === 0 ? 0 : (100 * (now.pushAcked - before.pushAcked)) / pushes,
        dwnb: now.requests - before.requests,
        txnb: now.emitted - before.emitted,
      },
      nowMs,
      this.#transmitter.hasGps ? this.#port.station : null,
    );
  }

  // Down: what the server asks for.

  #receiveOnPull(bytes: Uint8Array): void {
    const datagram = decodeDatagram(bytes);
    if (datagram.kind === "refused" || datagram.version !== 2) return;
    if (datagram.kind === "pull_ack") {
      this.#counters.pullAcked++;
      this.#pullsUnacked = 0;
    }
    if (datagram.kind !== "pull_resp") return;
    this.#counters.requests++;
    // A longer datagram is cut off by the real one's buffer, and what is left is no JSON.
    const isCutOff = bytes.length > PULL_RESP_MAX_BYTES;
    const outcome = isCutOff ? { kind: "silence" as const } : readPullResp(datagram.body, this.#transmitter);
    if (outcome.kind === "silence") {
      this.#counters.silences++;
    } else if (outcome.kind === "exit") {
      this.#exit();
    } else if (outcome.kind === "error") {
      this.#answer(datagram.token, { error: outcome.error });
    } else {
      const { emission, moment, warnPowerDbm } = outcome;
      const error = this.#queue(emission, moment);
      if (error !== null) this.#answer(datagram.token, { error });
      else if (warnPowerDbm !== null) this.#answer(datagram.token, { warn: "TX_POWER", value: warnPowerDbm });
      else this.#answer(datagram.token, null);
      this.#scheduleEmission();
    }
  }

  /** Ends as the real one's process does. */
  #exit(): void {
    this.#counters.exits++;
    void this.stop();
  }

  #queue(emission: Emission, moment: EmissionMoment): JitRefusal | null {
    const nowMs = this.#clock.nowMs();
    const nowUs = this.#counterUs(nowMs);
    const { airtimeUs } = emission;
    if (moment.kind === "now") return this.#jitQueue.offerImmediate(emission, airtimeUs, nowUs);
    const tmstUs = moment.kind === "counter" ? moment.tmstUs : nowUs + (moment.tmms - toGpsMs(nowMs)) * 1_000;
    return this.#jitQueue.offerTimestamped(emission, airtimeUs, tmstUs, nowUs);
  }

  /** Says that a frame is queued, or why not: a plain success has no body. */
  #answer(token: number, txpkAck: { error: string } | { warn: string; value: number } | null): void {
    if (txpkAck !== null && "error" in txpkAck) this.#counters.refused++;
    const json = txpkAck === null ? "" : JSON.stringify({ txpk_ack: txpkAck });
    this.#send("pull", encodeFromForwarder("tx_ack", 2, token, this.#options.eui, json));
  }

  #scheduleEmission(): void {
    this.#cancelJit();
    const startUs = this.#jitQueue.nextStartUs();
    if (startUs === null) return;
    const delayMs = (startUs - this.#counterUs(this.#clock.nowMs())) / 1_000;
    this.#cancelJit = this.#clock.after(Math.max(0, Math.ceil(delayMs)), () => this.#emit());
  }

  #emit(): void {
    const emission = this.#jitQueue.take(this.#counterUs(this.#clock.nowMs()));
    if (emission !== null) {
      this.#counters.emitted++;
      this.#port.transmit(emission);
    }
    this.#scheduleEmission();
  }

  #nextToken(): number {
    this.#token = (this.#token + 1) & 0xffff;
    return this.#token;
  }

  #send(socket: keyof Sockets, bytes: Uint8Array): void {
    this.#sockets?.[socket].send(bytes, (error) => {
      if (error !== null) this.#counters.socketErrors++;
    });
  }
}

async function close(socket: Socket): Promise<void> {
  const closed = once(socket, "close");
  socket.close();
  await closed;
}
