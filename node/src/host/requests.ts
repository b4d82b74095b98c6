/**
 * Request and response over libp2p streams: one length-prefixed message each way, then the stream is done. Sizes, times
 * and the number of streams are bounded on both sides.
 */
import type { Connection, Libp2p, Stream } from "@libp2p/interface";
import { CodedError, isCodedError } from "./codedError.ts";
import { readFrame, writeFrame } from "./streamFrame.ts";
import type { PeerRef, RequestHandler, RequestOptions, ServeLimits } from "./types.ts";

/** A request must have arrived whole by then: 64 kB take five seconds over a 100 kbit/s uplink. */
const REQUEST_ARRIVAL_TIMEOUT_MS = 10_000;
/** Handling and answering: a durable write and a round of agreement are well below it. */
const ANSWER_TIMEOUT_MS = 20_000;
/** Streams of one protocol that one peer may hold, over however many connections; a hotspot uses one or two. */
export const MAX_STREAMS_PER_PEER = 8;

/** Serves a protocol: see `Network.serve`. */
export async function serveRequests(
  node: Libp2p,
  toPeerRef: (connection: Connection) => PeerRef,
  protocol: string,
  limits: ServeLimits,
  handler: RequestHandler,
): Promise<void> {
  const places = new Places(limits);
  const serve = async (stream: Stream, connection: Connection): Promise<void> => {
    const from = toPeerRef(connection);
    const leave = places.take(from);
    if (leave === null) {
      stream.abort(new CodedError("request_refused", "too many requests at once"));
      return;
    }
    try {
      await answer(stream, from, limits.maxRequestBytes, handler);
    } catch (error) {
      stream.abort(error as Error);
    } finally {
      leave();
    }
  };
  // libp2p keeps the handler's promise; a rejection is handled above, so there is none.
  await node.handle(protocol, (stream, connection) => void serve(stream, connection), {
    maxInboundStreams: MAX_STREAMS_PER_PEER,
  });
}

/** The streams of a protocol that are under way, from before their request has come until the answer has left. */
class Places {
  readonly #limits: ServeLimits;
  /** By peer, how many streams it holds. */
  readonly #held = new Map<string, number>();
  #shared = 0;

  constructor(limits: ServeLimits) {
    this.#limits = limits;
  }

  /** @returns what gives the place back; null where there is none. */
  take(from: PeerRef): (() => void) | null {
    const { maxConcurrent, hasOwnPlaces } = this.#limits;
    const held = this.#held.get(from.peerId) ?? 0;
    const isShared = hasOwnPlaces?.(from) !== true;
    if (held >= MAX_STREAMS_PER_PEER || (isShared && this.#shared >= maxConcurrent)) return null;
    this.#held.set(from.peerId, held + 1);
    if (isShared) this.#shared++;
    return () => {
      const rest = this.#held.get(from.peerId)! - 1;
      if (rest > 0) this.#held.set(from.peerId, rest);
      else this.#held.delete(from.peerId);
      if (isShared) this.#shared--;
    };
  }
}

async function answer(
  stream: Stream,
  from: PeerRef,
  maxRequestBytes: number,
  handler: RequestHandler,
): Promise<void> {
  const request = await within(stream, REQUEST_ARRIVAL_TIMEOUT_MS, () => readFrame(stream, maxRequestBytes));
  const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
  await within(stream, ANSWER_TIMEOUT_MS, async () => {
    const response = await handler(from, request);
    if (response === null) {
      stream.abort(new CodedError("request_refused", "no answer"));
      return;
    }
    await writeFrame(stream, response, signal);
    await stream.close({ signal });
  });
}

/** Sends one request over a connection and gives its answer: see `Network.request`. */
export async function sendRequest(
  connection: Connection,
  protocol: string,
  request: Uint8Array,
  options: RequestOptions,
): Promise<Uint8Array> {
  const timeout = AbortSignal.timeout(options.timeoutMs);
  const signal = options.signal === undefined ? timeout : AbortSignal.any([timeout, options.signal]);
  let stream: Stream | null = null;
  const abort = () => stream?.abort(new CodedError("request_timeout", `${protocol} was given up`));
  signal.addEventListener("abort", abort, { once: true });
  try {
    stream = await connection.newStream(protocol, { signal });
    const opened = stream;
    // The answer's listener stands before the request leaves, so that not a byte of it is missed.
    const answered = readFrame(opened, options.maxAnswerBytes);
    answered.catch(() => undefined);
    await writeFrame(opened, request, signal);
    await opened.close({ signal });
    const response = await answered;
    if (opened.status === "open") opened.abort(new CodedError("stopped", "the answer is complete"));
    return response;
  } catch (cause) {
    stream?.abort(cause as Error);
    if (options.signal?.aborted === true) throw new CodedError("stopped", `${protocol} was given up`, cause);
    if (timeout.aborted) {
      throw new CodedError("request_timeout", `${protocol}: no answer in ${options.timeoutMs} ms`, cause);
    }
    if (isCodedError(cause)) throw cause;
    throw new CodedError("request_refused", `${protocol}: refused by the peer`, cause);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** Runs work on a stream, which is aborted when the time is up; then the work's own rejection follows. */
async function within<T>(stream: Stream, timeoutMs: number, work: () => Promise<T>): Promise<T> {
  const timer = setTimeout(
    () => stream.abort(new CodedError("request_timeout", `not done in ${timeoutMs} ms`)),
    timeoutMs,
  );
  try {
    return await work();
  } finally {
    clearTimeout(timer);
  }
}
