/**
 * Long-lived streams of length-prefixed messages, one way each: for peers that talk all the time, where a stream a
 * message would cost more than the message. What waits to be sent is bounded by the stream's own buffer limit.
 */
import type { Connection, Libp2p, Stream } from "@libp2p/interface";
import { CodedError } from "./codedError.ts";
import { encodeLength, FrameSplitter } from "./streamFrame.ts";
import type { Channel, ChannelAcceptor, PeerRef } from "./types.ts";

const OPEN_TIMEOUT_MS = 5_000;
/** A peer that takes nothing for this long is given up: its link starts afresh. */
const WRITE_TIMEOUT_MS = 10_000;
/** A peer's old channel may linger while its new one opens. */
const MAX_CHANNELS_PER_CONNECTION = 2;

/** Opens a channel over a connection: see `Network.openChannel`. */
export async function openChannel(connection: Connection, protocol: string): Promise<Channel> {
  let stream: Stream;
  try {
    stream = await connection.newStream(protocol, { signal: AbortSignal.timeout(OPEN_TIMEOUT_MS) });
  } catch (cause) {
    throw new CodedError("request_refused", `${protocol}: refused by the peer`, cause);
  }
  // A stream that ends while it is full says so by its end alone: its room never comes.
  const ended = new AbortController();
  const closed = new Promise<void>((resolve) => {
    const end = () => {
      ended.abort();
      resolve();
    };
    stream.addEventListener("close", end);
    stream.addEventListener("remoteCloseWrite", end);
    // A peer that refuses the channel may have reset it already.
    if (stream.status !== "open") end();
  });
  return {
    write: async (message) => {
      const frame = Buffer.concat([encodeLength(message.length), message]);
      if (stream.send(frame)) return;
      await stream.onDrain({
        signal: AbortSignal.any([ended.signal, AbortSignal.timeout(WRITE_TIMEOUT_MS)]),
      });
    },
    closed,
    close: () => stream.abort(new CodedError("stopped", "the channel is closed")),
  };
}

/** Takes channels from peers: see `Network.serveChannels`. */
export async function serveChannels(
  node: Libp2p,
  toPeerRef: (connection: Connection) => PeerRef,
  protocol: string,
  limits: { readonly maxMessageBytes: number },
  accept: ChannelAcceptor,
): Promise<void> {
  const serve = async (stream: Stream, connection: Connection): Promise<void> => {
    const take = accept(toPeerRef(connection));
    if (take === null) {
      stream.abort(new CodedError("request_refused", "no channel for this peer"));
      return;
    }
    try {
      await readMessages(stream, limits.maxMessageBytes, take);
      stream.abort(new CodedError("stopped", "the channel has ended"));
    } catch (error) {
      stream.abort(error as Error);
    }
  };
  await node.handle(protocol, (stream, connection) => void serve(stream, connection), {
    maxInboundStreams: MAX_CHANNELS_PER_CONNECTION,
    maxOutboundStreams: MAX_CHANNELS_PER_CONNECTION,
  });
}

async function readMessages(
  stream: Stream,
  maxBytes: number,
  take: (message: Uint8Array) => void,
): Promise<void> {
  const splitter = new FrameSplitter(maxBytes);
  for await (const chunk of stream) {
    const messages = splitter.push(chunk.subarray());
    if (typeof messages === "string") throw new CodedError("request_refused", `a message is ${messages}`);
    for (const message of messages) take(message);
  }
}
