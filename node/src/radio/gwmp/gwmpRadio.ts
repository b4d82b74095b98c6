/**
 * The radio over UDP: a server that packet forwarders speak GWMP to. It acknowledges from the header alone, hands each
 * element on by itself, and sends a frame by PULL_RESP to the forwarder that is there to transmit. One timer for each
 * transmission under way.
 */
import assert from "node:assert";
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";
import { CodedError } from "../../host/codedError.ts";
import {
  DATAGRAM_COUNTERS,
  type DatagramCounter,
  PACKET_REFUSALS,
  type Radio,
  type RadioClock,
  type RadioLog,
  type RadioStatus,
  type ReceivedPacket,
  type RefusedPacket,
  STAT_FIELDS,
  type StatField,
  TRANSMIT_FAILURES,
  type TransmitRequest,
  type TransmitResult,
} from "../radio.ts";
import { decodeDatagram, encodeAck, type GwmpVersion } from "./datagram.ts";
import { type JsonObject, readNumber } from "./fields.ts";
import { ForwarderSockets, HAS_FORWARDER_SOCKETS } from "./forwarderSockets.ts";
import {
  type Endpoint,
  type ForwarderEntry,
  ForwarderTable,
  formatEndpoint,
  isAlive,
  moveDownlink,
} from "./forwarders.ts";
import { parsePacket } from "./parse.ts";
import { readPushBody } from "./pushBody.ts";
import { createFailure, Transmitter } from "./transmitter.ts";
import { isValidTransmitRequest } from "./txpk.ts";

/**
 * What waits while this process is busy with something else: 50 ms of 20,000 small datagrams a second, which the kernel
 * counts at nearly 800 bytes each. The system may allow less (net.core.rmem_max), and then gives what it allows.
 */
const RECEIVE_BUFFER_BYTES = 1_048_576;
/** Somebody else with a forwarder's EUI is worth a line, a stream of them is not. */
const RIVAL_LOG_INTERVAL_MS = 60_000;

export type GwmpRadioOptions = {
  /** Where to listen. The protocol has no authentication: anything but loopback wants an allow-list. */
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** The gateway EUIs that may speak, 16 hexadecimal digits each; the first that is alive transmits. Absent for any. */
  readonly allowedEuis?: readonly string[];
};
export type GwmpRadioModules = { readonly clock: RadioClock; readonly log: RadioLog };

/** Creates the radio; nothing is opened before `start`. */
export function createGwmpRadio(options: GwmpRadioOptions, modules: GwmpRadioModules): Radio {
  return new GwmpRadio(options, modules);
}

class GwmpRadio implements Radio {
  readonly #options: GwmpRadioOptions;
  readonly #clock: RadioClock;
  readonly #log: RadioLog;
  readonly #forwarders: ForwarderTable;
  readonly #transmitter: Transmitter;
  readonly #packetCallbacks = new Set<(packet: ReceivedPacket) => void>();
  readonly #refusedCallbacks = new Set<(refused: RefusedPacket) => void>();
  readonly #aliveCallbacks = new Set<(forwarderEui: string) => void>();
  readonly #datagrams = createCounters(DATAGRAM_COUNTERS);
  readonly #packets = createCounters(["accepted", ...PACKET_REFUSALS] as const);
  readonly #transmissions = createCounters(["queued", ...TRANSMIT_FAILURES] as const);
  #socket: Socket | null = null;
  #forwarderSockets: ForwarderSockets | null = null;
  #rivalLoggedMs = Number.NEGATIVE_INFINITY;

  constructor(options: GwmpRadioOptions, modules: GwmpRadioModules) {
    this.#options = options;
    this.#clock = modules.clock;
    this.#log = modules.log;
    this.#transmitter = new Transmitter({
      clock: modules.clock,
      send: (bytes, to, done) => this.#send(bytes, to, done),
    });
    const allowed = options.allowedEuis;
    this.#forwarders = new ForwarderTable(
      allowed === undefined ? null : allowed.map((eui) => eui.toLowerCase()),
    );
  }

  async start(): Promise<void> {
    assert(this.#socket === null, "the radio is started once");
    const { host, port } = this.#options;
    const socket = await bindSocket(host, port);
    const receive = (bytes: Uint8Array, from: RemoteInfo) => this.#receive(bytes, from);
    if (HAS_FORWARDER_SOCKETS) this.#forwarderSockets = new ForwarderSockets(socket.address(), receive);
    socket.on("message", receive);
    socket.on("error", () => this.#datagrams.socket_error++);
    this.#socket = socket;
    if (this.#options.allowedEuis === undefined && !isLoopback(socket.address().address)) {
      this.#log.warn("Trust any forwarder that reaches this address: set an allow-list beyond loopback");
    }
  }

  async stop(): Promise<void> {
    const socket = this.#socket;
    if (socket === null) return;
    this.#socket = null;
    this.#transmitter.stop();
    await this.#forwarderSockets?.close();
    this.#forwarderSockets = null;
    const closed = once(socket, "close");
    socket.close();
    await closed;
  }

  onPacket(callback: (packet: ReceivedPacket) => void): () => void {
    this.#packetCallbacks.add(callback);
    return () => this.#packetCallbacks.delete(callback);
  }

  onRefused(callback: (refused: RefusedPacket) => void): () => void {
    this.#refusedCallbacks.add(callback);
    return () => this.#refusedCallbacks.delete(callback);
  }

  onForwarderAlive(callback: (forwarderEui: string) => void): () => void {
    this.#aliveCallbacks.add(callback);
    return () => this.#aliveCallbacks.delete(callback);
  }

  status(): RadioStatus {
    const address = this.#socket?.address();
    return {
      listeningOn: address === undefined ? null : formatEndpoint(address),
      forwarders: this.#forwarders.status({ nowMs: this.#clock.nowMs(), elapsedMs: this.#clock.elapsedMs() }),
      datagrams: { ...this.#datagrams },
      packets: { ...this.#packets },
      transmissions: { ...this.#transmissions },
    };
  }

  #receive(bytes: Uint8Array, from: RemoteInfo): void {
    this.#datagrams[this.#handle(bytes, from, this.#clock.elapsedMs())]++;
  }

  /** Does what the datagram asks for, and says under what it counts. */
  #handle(bytes: Uint8Array, from: RemoteInfo, elapsedMs: number): DatagramCounter {
    const datagram = decodeDatagram(bytes);
    if (datagram.kind === "refused") return datagram.reason;
    if (!("eui" in datagram)) return "kind_unexpected";
    const { kind, eui, version, token } = datagram;
    if (kind === "tx_ack" && !this.#forwarders.has(eui)) return "tx_ack_unmatched";
    const forwarder = this.#forwarders.admit(eui, from.address, version, elapsedMs);
    if (typeof forwarder === "string") {
      if (forwarder === "foreign_address") {
        const words = "Refuse a second sender for a forwarder that is alive elsewhere";
        this.#logRival(words, { eui, address: from.address }, elapsedMs);
      }
      return forwarder;
    }

    if (kind === "tx_ack") {
      return this.#transmitter.receiveTxAck(eui, token, datagram.body) ? "tx_ack" : "tx_ack_unmatched";
    }
    this.#forwarderSockets?.note(from, elapsedMs);
    // Before anything else is read: a forwarder that is not acknowledged stops for 100 ms, and loses what it heard.
    this.#send(encodeAck(kind === "push_data" ? "push_ack" : "pull_ack", version, token), from);
    if (kind === "push_data") return this.#receivePush(datagram.body, forwarder, elapsedMs);
    this.#receivePull(forwarder, version, from, elapsedMs);
    return kind;
  }

  #receivePull(forwarder: ForwarderEntry, version: GwmpVersion, from: RemoteInfo, elapsedMs: number): void {
    const wasAlive = isAlive(forwarder, elapsedMs);
    const { eui } = forwarder;
    forwarder.version = version;
    if (moveDownlink(forwarder, from, elapsedMs)) {
      this.#logRival("Two forwarders with one EUI take turns", { eui, ...forwarder.downlink }, elapsedMs);
    }
    if (wasAlive) return;
    this.#log.info("Serve a forwarder", { eui, version, address: from.address, port: from.port });
    for (const callback of this.#aliveCallbacks) callback(eui);
  }

  #receivePush(body: Uint8Array, forwarder: ForwarderEntry, elapsedMs: number): DatagramCounter {
    const receivedAtMs = this.#clock.nowMs();
    forwarder.lastPushMs = elapsedMs;
    const push = readPushBody(body);
    if (push.stat !== null) forwarder.stat = { receivedAtMs, values: readStat(push.stat) };
    const source = { receivedAtMs, forwarderEui: forwarder.eui };
    for (const element of push.elements) {
      const parsed = parsePacket(element, source);
      if (parsed.packet === null) {
        this.#refuse(parsed.refused);
      } else {
        const time = forwarder.receptionClock.stamp(parsed.stamps, receivedAtMs);
        const packet = { ...parsed.packet, ...time };
        this.#packets.accepted++;
        for (const callback of this.#packetCallbacks) callback(packet);
      }
    }
    this.#packets.over_limit += push.overLimit;
    return push.wellFormed ? "push_data" : "body_malformed";
  }

  #refuse(refused: RefusedPacket): void {
    this.#packets[refused.reason]++;
    for (const callback of this.#refusedCallbacks) callback(refused);
  }

  async transmit(request: TransmitRequest, signal?: AbortSignal): Promise<TransmitResult> {
    const result = await this.#attempt(request, signal);
    this.#transmissions[result.status === "queued" ? "queued" : result.reason]++;
    return result;
  }

  #attempt(
    request: TransmitRequest,
    signal: AbortSignal | undefined,
  ): Promise<TransmitResult> | TransmitResult {
    if (!isValidTransmitRequest(request)) return createFailure("invalid_request", "no");
    if (this.#socket === null) return createFailure("radio_stopped", "no");
    const forwarder = this.#forwarders.findTransmitting(this.#clock.elapsedMs());
    if (forwarder === null) return createFailure("no_forwarder", "no");
    if (forwarder.eui !== request.forwarderEui) return createFailure("forwarder_changed", "no");
    return this.#transmitter.transmit(forwarder, request, signal);
  }

  #send(bytes: Uint8Array, to: Endpoint, done?: (error: Error | null) => void): void {
    this.#socket?.send(bytes, to.port, to.address, (error) => {
      if (error !== null) this.#datagrams.socket_error++;
      done?.(error);
    });
  }

  #logRival(words: string, fields: Record<string, unknown>, elapsedMs: number): void {
    if (elapsedMs - this.#rivalLoggedMs < RIVAL_LOG_INTERVAL_MS) return;
    this.#rivalLoggedMs = elapsedMs;
    this.#log.warn(words, fields);
  }
}

/**
 * Binds the port for this socket, and for the sockets of this program beside it. Whether somebody else has it already is
 * found out by asking for it alone first.
 */
async function bindSocket(host: string, port: number): Promise<Socket> {
  const type = host.includes(":") ? "udp6" : "udp4";
  let bound = port;
  if (HAS_FORWARDER_SOCKETS) {
    const alone = await bind(createSocket(type), host, port);
    bound = alone.address().port;
    const closed = once(alone, "close");
    alone.close();
    await closed;
  }
  const options = { type, reusePort: HAS_FORWARDER_SOCKETS, recvBufferSize: RECEIVE_BUFFER_BYTES } as const;
  return await bind(createSocket(options), host, bound);
}

async function bind(socket: Socket, host: string, port: number): Promise<Socket> {
  try {
    socket.bind(port, host);
    await once(socket, "listening");
    return socket;
  } catch (cause) {
    socket.close();
    throw new CodedError("listen_failed", `cannot listen for forwarders on UDP ${host}:${port}`, cause);
  }
}

function isLoopback(address: string): boolean {
  return address === "::1" || address.startsWith("127.");
}

function createCounters<Key extends string>(keys: readonly Key[]): Record<Key, number> {
  return Object.fromEntries(keys.map((key) => [key, 0])) as Record<Key, number>;
}

function readStat(stat: JsonObject): Partial<Record<StatField, number>> {
  const values: Partial<Record<StatField, number>> = {};
  for (const field of STAT_FIELDS) {
    const value = readNumber(stat[field]);
    if (value !== null) values[field] = value;
  }
  return values;
}
