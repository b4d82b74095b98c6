/**
 * Listens to packet forwarders in the hotspot's place, while it is stopped: acknowledges as it would, transmits nothing,
 * and notes who speaks how.
 */
import { createSocket, type RemoteInfo } from "node:dgram";
import { once } from "node:events";
import { decodeDatagram, encodeAck, type GwmpVersion } from "../../radio/gwmp/datagram.ts";
import { FORWARDERS_MAX } from "../../radio/gwmp/forwarders.ts";

/** One forwarder as it was heard. */
export type ForwarderHeard = {
  readonly eui: string;
  version: GwmpVersion;
  pushes: number;
  pulls: number;
  /** The addresses that it pulled from: a forwarder has one, two forwarders with one EUI have two. */
  readonly pullSources: Set<string>;
};

export type Listening =
  | { readonly bound: false }
  | { readonly bound: true; readonly forwarders: readonly ForwarderHeard[] };

/** A keepalive is 10 s at the slowest that is shipped: in so long, two that share a port have both been heard. */
const LEAST_LISTEN_MS = 12_000;
const MAX_SOURCES = 8;

/**
 * Listens for at most `listenMs`, and no longer than needed once every forwarder was heard both ways.
 * @returns `bound: false` where somebody else has the port.
 */
export async function listenToForwarders(
  endpoint: { readonly host: string; readonly port: number },
  listenMs: number,
): Promise<Listening> {
  const socket = createSocket(endpoint.host.includes(":") ? "udp6" : "udp4");
  const heard = new Map<string, ForwarderHeard>();
  socket.on("message", (bytes, from) => {
    const answer = note(heard, bytes, from);
    if (answer !== null) socket.send(answer, from.port, from.address);
  });
  try {
    socket.bind(endpoint.port, endpoint.host);
    await once(socket, "listening");
  } catch {
    socket.close();
    return { bound: false };
  }
  const { promise, resolve } = Promise.withResolvers<void>();
  const end = setTimeout(resolve, listenMs);
  const enough = setInterval(
    () => {
      const all = [...heard.values()];
      if (all.length > 0 && all.every(({ pushes, pulls }) => pushes > 0 && pulls > 0)) resolve();
    },
    Math.min(LEAST_LISTEN_MS, listenMs),
  );
  await promise;
  clearTimeout(end);
  clearInterval(enough);
  socket.close();
  return { bound: true, forwarders: [...heard.values()] };
}

/** Notes one datagram. @returns what to answer; null for nothing. */
function note(heard: Map<string, ForwarderHeard>, bytes: Uint8Array, from: RemoteInfo): Uint8Array | null {
  const datagram = decodeDatagram(bytes);
  if (datagram.kind === "refused" || !("eui" in datagram)) return null;
  const { kind, eui, version, token } = datagram;
  let forwarder = heard.get(eui);
  if (forwarder === undefined) {
    if (heard.size >= FORWARDERS_MAX) return null;
    forwarder = { eui, version, pushes: 0, pulls: 0, pullSources: new Set() };
    heard.set(eui, forwarder);
  }
  forwarder.version = version;
  if (kind === "push_data") {
    forwarder.pushes++;
    return encodeAck("push_ack", version, token);
  }
  if (kind === "pull_data") {
    forwarder.pulls++;
    if (forwarder.pullSources.size < MAX_SOURCES) forwarder.pullSources.add(`${from.address}:${from.port}`);
    return encodeAck("pull_ack", version, token);
  }
  return null;
}
