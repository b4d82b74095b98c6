/**
 * A queue of its own for each forwarder that is known. All datagrams for a port wait in one queue of the kernel's, and
 * where strangers flood it a forwarder's are lost among theirs before anybody can look. So a second socket on the same
 * port is connected to the forwarder's address: Linux then gives it that forwarder's datagrams, and nobody else's.
 * Elsewhere there are no such sockets, and all is as it was.
 */
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";
import { FORWARDER_ALIVE_MS, FORWARDERS_MAX, formatEndpoint } from "./forwarders.ts";

/** SO_REUSEPORT with connected sockets is Linux's; sockets of other users cannot join in. */
export const HAS_FORWARDER_SOCKETS = process.platform === "linux";
/** A forwarder pushes from one port and pulls from another. */
export const FORWARDER_SOCKETS_MAX = 2 * FORWARDERS_MAX;
/** A source is worth a socket once it has spoken so often; who changes his port with every datagram gets none. */
export const SOCKET_AFTER = 3;
/** A socket costs a tenth of a millisecond, so they are not opened faster than this. */
const SOCKET_INTERVAL_MS = 100;
/** Sources that are counted: enough for every forwarder's two while a few restart. */
const SOURCES_MAX = 4 * FORWARDERS_MAX;
const RECEIVE_BUFFER_BYTES = 262_144;

export type ForwarderSocketsOptions = {
  /** What the radio's own socket is bound to, with the option `reusePort`. */
  readonly address: string;
  readonly port: number;
};

type Source = { count: number; lastMs: number; socket: Socket | null };

export class ForwarderSockets {
  readonly #options: ForwarderSocketsOptions;
  readonly #receive: (bytes: Uint8Array, from: RemoteInfo) => void;
  /** By address and port, the one longest silent first. */
  readonly #sources = new Map<string, Source>();
  #openedMs = Number.NEGATIVE_INFINITY;

  /** @param receive told of every datagram, as the radio's own socket does. */
  constructor(options: ForwarderSocketsOptions, receive: (bytes: Uint8Array, from: RemoteInfo) => void) {
    this.#options = options;
    this.#receive = receive;
  }

  /** How many sources have a queue of their own. */
  get size(): number {
    return [...this.#sources.values()].filter(({ socket }) => socket !== null).length;
  }

  /** Notes a datagram of a forwarder that may speak; its source may get a socket for the next ones. */
  note(from: { readonly address: string; readonly port: number }, elapsedMs: number): void {
    const key = formatEndpoint(from);
    const source = this.#sources.get(key) ?? { count: 0, lastMs: elapsedMs, socket: null };
    source.count++;
    source.lastMs = elapsedMs;
    this.#sources.delete(key);
    this.#sources.set(key, source);
    if (source.socket !== null || source.count < SOCKET_AFTER) {
      if (this.#sources.size > SOURCES_MAX) this.#forgetOldest();
      return;
    }
    this.#closeSilent(elapsedMs);
    if (elapsedMs - this.#openedMs < SOCKET_INTERVAL_MS || this.size >= FORWARDER_SOCKETS_MAX) return;
    this.#openedMs = elapsedMs;
    source.socket = this.#open(from);
  }

  /** Closes all of them; what waits in them is lost. */
  async close(): Promise<void> {
    const sockets = [...this.#sources.values()].flatMap(({ socket }) => socket ?? []);
    this.#sources.clear();
    await Promise.all(sockets.map(closeSocket));
  }

  #open({ address, port }: { readonly address: string; readonly port: number }): Socket {
    const own = this.#options;
    const type = own.address.includes(":") ? "udp6" : "udp4";
    const socket = createSocket({ type, reusePort: true, recvBufferSize: RECEIVE_BUFFER_BYTES });
    // Between being bound and being connected it may be handed anybody's, which is as good as at the other socket.
    socket.on("message", this.#receive);
    // A socket that cannot be opened is none: its forwarder's datagrams come as they did. One that fails later says that the
    // forwarder has gone, which its silence says too.
    socket.on("error", () => undefined);
    socket.bind(own.port, own.address, () => socket.connect(port, address));
    return socket;
  }

  #closeSilent(elapsedMs: number): void {
    for (const [key, { lastMs, socket }] of this.#sources) {
      if (elapsedMs - lastMs < FORWARDER_ALIVE_MS) return;
      this.#sources.delete(key);
      if (socket !== null) void closeSocket(socket);
    }
  }

  /** The one longest silent that has no socket. */
  #forgetOldest(): void {
    for (const [key, { socket }] of this.#sources) {
      if (socket !== null) continue;
      this.#sources.delete(key);
      return;
    }
  }
}

async function closeSocket(socket: Socket): Promise<void> {
  const closed = once(socket, "close");
  socket.close();
  await closed;
}
