/** A GWMP server that only collects what a forwarder sends. */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { type Datagram, decodeDatagram } from "../../../node/src/radio/gwmp/datagram.ts";

/** A server that only collects: it answers what a test tells it to. */
export type BareServer = {
  readonly port: number;
  /** The next datagram of this kind; others are passed over. */
  next<Kind extends Datagram["kind"]>(kind: Kind): Promise<(Datagram & { kind: Kind }) & { from: number }>;
  send(bytes: Uint8Array, port: number): void;
  close(): Promise<void>;
};

/** Opens it on a port of the system's choice. */
export async function openBareServer(): Promise<BareServer> {
  const socket: Socket = createSocket("udp4");
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  const received: (Datagram & { from: number })[] = [];
  let wake = () => {};
  socket.on("message", (bytes, from) => {
    const datagram = decodeDatagram(bytes);
    if (datagram.kind === "refused")
      throw new Error(`a forwarder sent a datagram that is ${datagram.reason}`);
    // A copy of the body: the view's buffer may be reused.
    received.push({ ...datagram, from: from.port });
    wake();
  });
  return {
    port: socket.address().port,
    async next<Kind extends Datagram["kind"]>(kind: Kind) {
      for (;;) {
        const index = received.findIndex((datagram) => datagram.kind === kind);
        if (index >= 0) return received.splice(index, 1)[0] as (Datagram & { kind: Kind }) & { from: number };
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    send: (bytes, port) => socket.send(bytes, port, "127.0.0.1"),
    async close() {
      const closed = once(socket, "close");
      socket.close();
      await closed;
    },
  };
}
