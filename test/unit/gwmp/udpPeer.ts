/** A bare UDP socket for tests that speak to the radio as a forwarder does: every datagram is awaited, never slept for. */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { decodeHex, encodeHex } from "../../../protocol/src/bytes/hex.ts";

export type UdpPeer = {
  readonly port: number;
  /** Sends bytes, or hexadecimal text, and behind them a text as it stands. */
  send(head: string | Uint8Array, text?: string): void;
  /** The next datagram that came, in hexadecimal. */
  nextHex(): Promise<string>;
  next(): Promise<Buffer>;
  /** Datagrams that came and nobody asked for. */
  readonly unread: readonly Buffer[];
  close(): Promise<void>;
};

/** Opens a peer that sends to the port on 127.0.0.1. @param address the loopback address it sends from. */
export async function openUdpPeer(serverPort: number, address = "127.0.0.1"): Promise<UdpPeer> {
  const socket: Socket = createSocket("udp4");
  socket.bind(0, address);
  await once(socket, "listening");
  const unread: Buffer[] = [];
  const waiting: ((bytes: Buffer) => void)[] = [];
  socket.on("message", (bytes) => {
    const resolve = waiting.shift();
    if (resolve === undefined) unread.push(bytes);
    else resolve(bytes);
  });
  const next = () =>
    new Promise<Buffer>((resolve) => {
      const first = unread.shift();
      if (first === undefined) waiting.push(resolve);
      else resolve(first);
    });
  return {
    port: socket.address().port,
    unread,
    next,
    nextHex: async () => encodeHex(await next()),
    send(head, text = "") {
      const bytes = typeof head === "string" ? decodeHex(head)! : head;
      socket.send(Buffer.concat([bytes, Buffer.from(text, "latin1")]), serverPort, "127.0.0.1");
    },
    async close() {
      const closed = once(socket, "close");
      socket.close();
      await closed;
    },
  };
}
