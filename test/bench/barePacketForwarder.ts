/** A packet forwarder's two sockets and nothing behind them: a bench says what it reports, and hears what it is asked for. */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { decodeDatagram, encodeFromForwarder } from "../../node/src/radio/gwmp/datagram.ts";

export type BarePacketForwarder = {
  /** Milliseconds from each acknowledged push or pull to its acknowledgement, in the order of coming. */
  readonly delaysMs: readonly number[];
  /** Pushes and pulls that were sent, so far. */
  readonly sent: () => number;
  /** Payloads that it was asked to transmit; every one is acknowledged. */
  readonly transmitted: readonly Uint8Array[];
  /** Called for each of those, before it is acknowledged. */
  onTransmit: (payload: Uint8Array) => void;
  pull(): void;
  /** Reports elements, each as its JSON text. */
  push(elements: readonly string[]): void;
  close(): Promise<void>;
};

/** Opens it towards a hotspot on this machine; it pulls once. */
export async function openBarePacketForwarder(port: number, eui: string): Promise<BarePacketForwarder> {
  const [up, down] = await Promise.all([open(port), open(port)]);
  const delaysMs: number[] = [];
  const transmitted: Uint8Array[] = [];
  const sentAtMs = new Map<string, number>();
  let token = 0;
  let sent = 0;
  const send = (socket: Socket, kind: "push_data" | "pull_data", json = ""): void => {
    token = (token + 1) & 0xffff;
    sent++;
    sentAtMs.set(`${kind === "push_data" ? "push_ack" : "pull_ack"} ${token}`, performance.now());
    socket.send(encodeFromForwarder(kind, 2, token, eui, json));
  };
  const receive = (bytes: Uint8Array): void => {
    const datagram = decodeDatagram(bytes);
    if (datagram.kind === "refused")
      throw new Error(`the hotspot sent a datagram that is ${datagram.reason}`);
    const key = `${datagram.kind} ${datagram.token}`;
    const atMs = sentAtMs.get(key);
    if (atMs !== undefined) delaysMs.push(performance.now() - atMs);
    sentAtMs.delete(key);
    if (datagram.kind !== "pull_resp") return;
    const { txpk } = JSON.parse(Buffer.from(datagram.body).toString()) as { txpk: { data: string } };
    const payload = Uint8Array.from(Buffer.from(txpk.data, "base64"));
    transmitted.push(payload);
    forwarder.onTransmit(payload);
    down.send(encodeFromForwarder("tx_ack", 2, datagram.token, eui, ""));
  };
  up.on("message", receive);
  down.on("message", receive);
  const forwarder: BarePacketForwarder = {
    ...{ delaysMs, transmitted, sent: () => sent, onTransmit: () => undefined },
    pull: () => send(down, "pull_data"),
    push: (elements) => send(up, "push_data", `{"rxpk":[${elements.join(",")}]}`),
    close: async () => {
      for (const socket of [up, down]) socket.close();
    },
  };
  forwarder.pull();
  return forwarder;
}

async function open(port: number): Promise<Socket> {
  const socket = createSocket({ type: "udp4", recvBufferSize: 1_048_576 });
  // A hotspot that is being killed answers with ICMP.
  socket.on("error", () => undefined);
  socket.connect(port, "127.0.0.1");
  await once(socket, "connect");
  return socket;
}

/** An element as a forwarder prints it. @param payload what was received. @param tmstUs the concentrator's counter. */
export function printElement(payload: Uint8Array, tmstUs: number): string {
  return JSON.stringify({
    ...{ tmst: tmstUs % 2 ** 32, chan: 0, rfch: 0, freq: 868.1, mid: 8, stat: 1, modu: "LORA" },
    ...{ datr: "SF9BW125", codr: "4/5", rssis: -105, lsnr: -3.2, foff: 0, rssi: -101 },
    ...{ size: payload.length, data: Buffer.from(payload).toString("base64") },
  });
}
