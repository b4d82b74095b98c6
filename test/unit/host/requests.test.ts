/** Who gets a stream of a request protocol, before a byte of the request has come. */
import type { Connection, Libp2p, Stream } from "@libp2p/interface";
import { expect, test } from "vitest";
import { MAX_STREAMS_PER_PEER, serveRequests } from "../../../node/src/host/requests.ts";
import { eventually } from "./eventually.ts";

const MAX_CONCURRENT = 20;

/** A stream on which nothing comes until it is aborted. */
function createSilentStream() {
  const ended = Promise.withResolvers<never>();
  ended.promise.catch(() => {});
  let isOpen = true;
  const stream = {
    abort: (error: Error) => {
      isOpen = false;
      ended.reject(error);
    },
    [Symbol.asyncIterator]: async function* () {
      yield await ended.promise;
    },
  };
  return { stream: stream as unknown as Stream, abort: stream.abort, isOpen: () => isOpen };
}

/** A served protocol, where peers whose names begin with "friend" have places of their own. */
async function serve() {
  let take: (stream: Stream, connection: Connection) => void = () => {};
  const node = {
    handle: async (_protocol: string, handler: typeof take) => {
      take = handler;
    },
  };
  await serveRequests(
    node as unknown as Libp2p,
    ({ remotePeer }) => ({ peerId: String(remotePeer), publicKey: null }),
    "/test/1",
    {
      maxRequestBytes: 100,
      maxConcurrent: MAX_CONCURRENT,
      hasOwnPlaces: ({ peerId }) => peerId.startsWith("friend"),
    },
    async () => null,
  );
  return (peerId: string) => {
    const opened = createSilentStream();
    take(opened.stream, { remotePeer: peerId } as unknown as Connection);
    return opened;
  };
}

test("silent streams of strangers take their own places, and none of those that have theirs", async () => {
  const open = await serve();
  const strangers = Array.from({ length: 2 * MAX_CONCURRENT }, (_, index) => open(`stranger ${index}`));
  expect(strangers.filter(({ isOpen }) => isOpen())).toHaveLength(MAX_CONCURRENT);
  const friends = Array.from({ length: 2 * MAX_CONCURRENT }, (_, index) => open(`friend ${index}`));
  expect(friends.every(({ isOpen }) => isOpen())).toBe(true);
});

test("one peer holds so many streams, over however many connections, and gets new ones for those that end", async () => {
  const open = await serve();
  for (const peer of ["stranger", "friend"]) {
    const held = Array.from({ length: MAX_STREAMS_PER_PEER }, () => open(peer));
    expect(held.every(({ isOpen }) => isOpen())).toBe(true);
    expect(open(peer).isOpen()).toBe(false);
    held[0]!.abort(new Error("gone"));
    await eventually(() => open(peer).isOpen()).toBe(true);
  }
});
