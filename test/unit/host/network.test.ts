import { randomBytes } from "node:crypto";
import { connect as connectTcp, createServer, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { createSystemClock } from "../../../node/src/host/clock.ts";
import { MAX_STREAM_BUFFER_BYTES } from "../../../node/src/host/gossipOptions.ts";
import { createSilentLog } from "../../../node/src/host/log.ts";
import { createNetwork, type NetworkOptions, type OperatedNetwork } from "../../../node/src/host/network.ts";
import type { Network, PeerRef } from "../../../node/src/host/types.ts";
import { eventually } from "./eventually.ts";
import { createRogue } from "./rogue.ts";

const TOPIC = "/hexbeacon/0000000000000000/rounds/1";
const OTHER = "/hexbeacon/0000000000000000/transactions/1";
/** The sockets of both halves of a loopback proxy, as large as Linux lets them grow. */
const SYSTEM_BUFFERS_BYTES = 24 * 1_048_576;
const open: { stop: () => Promise<unknown> }[] = [];

async function start(
  options: Partial<NetworkOptions> = {},
  aheadMs = 0,
  mayConnect: (peer: PeerRef) => boolean = () => true,
): Promise<OperatedNetwork> {
  const network = await createNetwork(
    {
      secretSeed: randomBytes(32),
      listen: ["/ip4/127.0.0.1/tcp/0"],
      subscribe: [TOPIC],
      publishOnly: [],
      maxConnections: 32,
      role: "validator",
      ...options,
    },
    {
      clock: { ...createSystemClock(), nowMs: () => Date.now() + aheadMs },
      log: createSilentLog(),
      mayConnect,
    },
  );
  open.push(network);
  return network;
}

/** Publishes again and again, a new message each time, until one reaches the network's topic. */
async function publishUntilHeard(from: Network, to: Network, topic = TOPIC): Promise<void> {
  const { promise: heard, resolve } = Promise.withResolvers<void>();
  to.onGossip(topic, () => {
    resolve();
    return "accept";
  });
  const timer = setInterval(() => void from.publish(topic, randomBytes(100)), 50);
  try {
    await heard;
  } finally {
    clearInterval(timer);
  }
}

afterEach(async () => {
  for (const part of open.splice(0).reverse()) await part.stop();
});

describe("a peer that may not connect", () => {
  test("is refused both ways, and shown to nobody, until it may again", async () => {
    const refused = new Set<string>();
    const guarded = await start({}, 0, ({ peerId }) => !refused.has(peerId));
    const other = await start();
    refused.add(other.peerId);
    await expect(guarded.connect(other.multiaddrs()[0]!)).rejects.toMatchObject({ code: "peer_unreachable" });
    // The other's own handshake may have ended before it is turned away.
    await other.connect(guarded.multiaddrs()[0]!).catch(() => undefined);
    await eventually(() => other.isConnected(guarded.peerId)).toBe(false);
    expect(guarded.connections()).toEqual([]);
    refused.clear();
    await other.connect(guarded.multiaddrs()[0]!);
    await eventually(() => guarded.connections()).toHaveLength(1);
    expect(guarded.connections()[0]).toMatchObject({
      peerId: other.peerId,
      publicKey: other.publicKey,
      direction: "inbound",
      address: expect.stringMatching(/^\/ip4\/127\.0\.0\.1\/tcp\/\d+$/),
    });
  });

  test("is not heard on a link that still stands", async () => {
    let isRefused = false;
    let refusals = 0;
    const guarded = await start({}, 0, () => {
      if (isRefused) refusals++;
      return !isRefused;
    });
    const other = await start();
    await other.connect(guarded.multiaddrs()[0]!);
    await publishUntilHeard(other, guarded);
    let heard = 0;
    guarded.onGossip(TOPIC, () => {
      heard++;
      return "accept";
    });
    isRefused = true;
    await other.publish(TOPIC, randomBytes(100));
    // More than one where another that was said before was still under way.
    await eventually(() => refusals).toBeGreaterThan(0);
    expect(heard).toBe(0);
  });
});

describe("gossip", () => {
  test("passes along a line of three nodes, and a publisher need not subscribe", async () => {
    const [a, b, c] = [await start({ subscribe: [], publishOnly: [TOPIC] }), await start(), await start()];
    b.onGossip(TOPIC, () => "accept");
    await a.connect(b.multiaddrs()[0]!);
    await c.connect(b.multiaddrs()[0]!);
    await publishUntilHeard(a, c);
  });

  test("does not forward what a handler ignores, and counts what goes where", async () => {
    const [a, b] = [await start(), await start({ subscribe: [TOPIC, OTHER] })];
    expect(await a.publish(TOPIC, randomBytes(10))).toBe(0);
    await a.connect(b.multiaddrs()[0]!);
    await publishUntilHeard(a, b);
    expect(await a.publish(TOPIC, randomBytes(10))).toBe(1);
    await expect(a.publish(OTHER, randomBytes(10))).rejects.toThrow("named");
    await expect(a.publish(TOPIC, randomBytes(64_001))).rejects.toThrow("no peer would take");
  });

  test("an oversized frame does not silence a link for good", async () => {
    // By this node's clock every link is old, so that a silent one goes at the next heartbeat.
    const b = await start({}, 60_000);
    const rogue = await createRogue(TOPIC);
    open.push(rogue);
    const address = b.multiaddrs()[0]!;
    rogue.keepDialing(address);
    const heard: number[] = [];
    let wake = () => {};
    b.onGossip(TOPIC, (_, data) => {
      heard.push(data.length);
      wake();
      return "accept";
    });
    const until = (length: number) =>
      new Promise<void>((resolve) => {
        const check = () => heard.includes(length) && resolve();
        wake = check;
        check();
      });
    await rogue.publishUntil(100, until(100));
    const dropped = rogue.disconnected();
    await rogue.publish(140_000);
    await dropped;
    expect(heard).not.toContain(140_000);
    await rogue.publishUntil(101, until(101));
  });

  test("a stalled peer does not grow memory", async () => {
    const [a, b] = [await start(), await start()];
    const proxy = await startProxy(Number(a.multiaddrs()[0]!.split("/")[4]));
    open.push(proxy);
    await b.connect(`/ip4/127.0.0.1/tcp/${proxy.port}/p2p/${a.peerId}`);
    await publishUntilHeard(a, b);
    proxy.stall();
    // What is held for it is bounded: then its stream is reset, and nothing more is taken for it.
    let takenBytes = 0;
    while ((await a.publish(TOPIC, randomBytes(64_000))) > 0) takenBytes += 64_000;
    expect(takenBytes).toBeLessThan(MAX_STREAM_BUFFER_BYTES + SYSTEM_BUFFERS_BYTES);
    expect(await a.publish(TOPIC, randomBytes(64_000))).toBe(0);
  });
});

describe("requests", () => {
  const PROTOCOL = "/hexbeacon/test/1";
  const options = { maxAnswerBytes: 100_000, timeoutMs: 5_000 };

  test("carry bytes both ways, and say who asks", async () => {
    const [a, b] = [await start({ listen: [] }), await start()];
    await b.serve(PROTOCOL, { maxRequestBytes: 70_000, maxConcurrent: 4 }, async (from, request) => {
      expect(from.publicKey).toEqual(a.publicKey);
      return request.slice().reverse();
    });
    const peer = await a.connect(b.multiaddrs()[0]!);
    expect(peer.publicKey).toEqual(b.publicKey);
    for (const size of [0, 1, 127, 128, 65_000]) {
      const request = randomBytes(size);
      const answer = await a.request(peer.peerId, PROTOCOL, request, options);
      expect(Buffer.from(answer)).toEqual(Buffer.from(request).reverse());
    }
  });

  test("are refused beyond their limits", async () => {
    const [a, b] = [await start({ listen: [] }), await start()];
    const release = Promise.withResolvers<Uint8Array>();
    const entered = Promise.withResolvers<void>();
    await b.serve(PROTOCOL, { maxRequestBytes: 10, maxConcurrent: 1 }, async (_, request) => {
      if (request.length === 0) return null;
      if (request[0] !== 1) return new Uint8Array(50);
      entered.resolve();
      return await release.promise;
    });
    const { peerId } = await a.connect(b.multiaddrs()[0]!);
    const ask = (bytes: number[], more = {}) =>
      a.request(peerId, PROTOCOL, Uint8Array.from(bytes), { ...options, ...more });
    await expect(ask(new Array(11).fill(2))).rejects.toMatchObject({ code: "request_refused" });
    await expect(ask([])).rejects.toMatchObject({ code: "request_refused" });
    await expect(ask([2], { maxAnswerBytes: 49 })).rejects.toMatchObject({ code: "answer_oversized" });
    expect(await ask([2])).toHaveLength(50);
    const waiting = expect(ask([1], { timeoutMs: 2_000 })).rejects.toMatchObject({ code: "request_timeout" });
    await entered.promise;
    await waiting;
    const stop = AbortSignal.abort();
    await expect(ask([2], { signal: stop })).rejects.toMatchObject({ code: "stopped" });
    // The one that waits still holds the only place.
    await expect(ask([2])).rejects.toMatchObject({ code: "request_refused" });
    release.resolve(new Uint8Array(1));
    await eventually(() => ask([2]).catch(() => null)).toHaveLength(50);
    await expect(a.request(b.peerId, "/hexbeacon/none/1", new Uint8Array(1), options)).rejects.toMatchObject({
      code: "request_refused",
    });
  });
});

describe("connections", () => {
  test("are made, seen and ended", async () => {
    const [a, b] = [await start({ listen: [] }), await start()];
    let changes = 0;
    b.onPeerChange(() => changes++);
    await expect(a.connect("nonsense")).rejects.toMatchObject({ code: "peer_address_invalid" });
    await expect(a.connect("/ip4/127.0.0.1/tcp/1")).rejects.toMatchObject({ code: "peer_unreachable" });
    await a.connect(b.multiaddrs()[0]!);
    await a.connect(b.multiaddrs()[0]!);
    expect(a.isConnected(b.peerId)).toBe(true);
    await eventually(() => b.peers().map(({ peerId }) => peerId)).toEqual([a.peerId]);
    expect(changes).toBeGreaterThan(0);
    await a.disconnect(b.peerId);
    expect(a.isConnected(b.peerId)).toBe(false);
    await expect(
      a.request(b.peerId, "/x", new Uint8Array(1), { maxAnswerBytes: 1, timeoutMs: 1 }),
    ).rejects.toMatchObject({
      code: "peer_not_connected",
    });
    await eventually(() => b.peers()).toEqual([]);
    const taken = b.multiaddrs()[0]!.split("/p2p/")[0]!;
    await expect(start({ listen: [taken] })).rejects.toMatchObject({ code: "listen_failed" });
  });

  test("24 dial one validator at once", async () => {
    const validator = await start();
    const dialers = await Promise.all(
      Array.from({ length: 24 }, () => start({ listen: [], role: "hotspot" })),
    );
    await Promise.all(dialers.map((dialer) => dialer.connect(validator.multiaddrs()[0]!)));
    await eventually(() => validator.peers().length).toBe(24);
  });
});

type Proxy = { readonly port: number; readonly stall: () => void; readonly stop: () => Promise<void> };

/** A TCP proxy that can stop reading from the side it dials, as a peer with a dead uplink does. */
async function startProxy(targetPort: number): Promise<Proxy> {
  const sockets: Socket[] = [];
  const upstreams: Socket[] = [];
  const server: Server = createServer((client) => {
    const upstream = connectTcp(targetPort, "127.0.0.1");
    sockets.push(client, upstream);
    upstreams.push(upstream);
    client.pipe(upstream);
    upstream.pipe(client);
    for (const socket of [client, upstream]) socket.on("error", () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    port: address.port,
    stall: () => {
      for (const upstream of upstreams) upstream.unpipe().pause();
    },
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
