/** The mesh over real libp2p nodes: validators find each other by key, strangers get no channel, fetches are answered. */
import { afterEach, describe, expect, test } from "vitest";
import { createSystemClock } from "../../../node/src/host/clock.ts";
import { createSilentLog } from "../../../node/src/host/log.ts";
import { createNetwork } from "../../../node/src/host/network.ts";
import type { ChannelAcceptor, Network, RequestHandler, ServeLimits } from "../../../node/src/host/types.ts";
import { encodeFetch, FETCH_PROTOCOL, type Fetch } from "../../../protocol/src/agreement/fetches.ts";
import { encodePeerMessage, type PeerMessage } from "../../../protocol/src/agreement/peerMessages.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import {
  createMesh,
  type MeshRefusal,
  type OpenedMesh,
  PEERS_PROTOCOL,
  type PeerName,
} from "../../../validator/src/mesh/mesh.ts";
import { ManualClock } from "./support/manualClock.ts";
import { keyNamed } from "./support/network.ts";

const clock = createSystemClock();
const log = createSilentLog();
const TOPIC = "/test/1";
const keys = [0, 1, 2].map((index) => keyNamed(`mesh ${index}`));
const nameOf = (position: number) => encodeHex(keys[position]!.publicKey);

type Node = {
  readonly network: Network;
  readonly mesh: OpenedMesh;
  readonly heard: Heard;
  readonly refused: MeshRefusal[];
};
/** What came, and a promise of what will. */
type Heard = {
  readonly messages: { readonly from: PeerName; readonly message: PeerMessage }[];
  readonly until: (count: number) => Promise<void>;
};

const statusOf = (view: number): PeerMessage => ({ type: "status", status: { round: 1, view, rounds: 1 } });

function createHeard(): Heard & { readonly take: (from: PeerName, message: PeerMessage) => void } {
  const messages: { from: PeerName; message: PeerMessage }[] = [];
  const watchers = new Set<() => void>();
  return {
    messages,
    take: (from, message) => {
      messages.push({ from, message });
      for (const watch of [...watchers]) watch();
    },
    until: (count) =>
      new Promise((resolve) => {
        const watch = () => {
          if (messages.length < count) return;
          watchers.delete(watch);
          resolve();
        };
        watchers.add(watch);
        watch();
      }),
  };
}

describe("the mesh of validators", () => {
  const started: Node[] = [];
  afterEach(async () => {
    for (const { mesh, network } of started.splice(0)) {
      await mesh.close();
      await network.stop();
    }
  });

  const networkOf = (secretSeed: Uint8Array, listen = "/ip4/127.0.0.1/tcp/0") =>
    createNetwork(
      {
        secretSeed,
        listen: [listen],
        subscribe: [TOPIC],
        publishOnly: [],
        maxConnections: 16,
        role: "validator",
      },
      { clock, log },
    );

  /** A validator that knows the addresses of those that listen already. */
  async function start(position: number, multiaddrs: readonly (readonly string[])[]): Promise<Node> {
    const network = await networkOf(keys[position]!.secretSeed);
    const self = keys[position]!.publicKey;
    const refused: MeshRefusal[] = [];
    const mesh = createMesh({ self, seatsOf: () => keys.length }, { network, clock, log });

    mesh.want(keys.map(({ publicKey }, index) => ({ key: publicKey, multiaddrs: multiaddrs[index]! })));
    const heard = createHeard();
    const answer = async (fetch: Fetch) => (fetch.type === "rounds" ? Uint8Array.of(fetch.from) : null);
    await mesh.open({ onMessage: heard.take, answer, onRefused: (reason) => refused.push(reason) });
    const node = { network, mesh, heard, refused };
    started.push(node);
    return node;
  }

  /** Says something until it is heard: a link that is not up yet drops what is sent. */
  async function reach(from: Node, to: Node): Promise<void> {
    const before = to.heard.messages.length;
    const stop = clock.every(20, () => from.mesh.broadcast(statusOf(0)));
    await to.heard.until(before + 1);
    stop();
  }

  test("carries messages both ways, whoever dialled, and answers fetches", async () => {
    const first = await start(0, [[], [], []]);
    const second = await start(1, [first.network.multiaddrs(), [], []]);
    await reach(second, first);
    await reach(first, second);
    expect(first.heard.messages[0]).toEqual({ from: nameOf(1), message: statusOf(0) });
    expect(first.mesh.connected()).toEqual([nameOf(1)]);
    const before = first.heard.messages.length;
    for (let view = 1; view <= 200; view++) second.mesh.send(nameOf(0), statusOf(view));
    await first.heard.until(before + 200);
    const views = first.heard.messages
      .slice(-200)
      .map(({ message }) => message.type === "status" && message.status.view);
    expect(views).toEqual(Array.from({ length: 200 }, (_, index) => index + 1));
    expect(await first.mesh.fetch(nameOf(1), { type: "rounds", from: 7 })).toEqual(Uint8Array.of(7));
    expect(await first.mesh.fetch(nameOf(1), { type: "batch", digest: new Uint8Array(32) })).toBeNull();
    expect(await first.mesh.fetch(nameOf(2), { type: "rounds", from: 7 })).toBeNull();
  });

  test("finds a validator again that was away", async () => {
    const first = await start(0, [[], [], []]);
    const second = await start(1, [first.network.multiaddrs(), [], []]);
    await reach(second, first);
    await second.mesh.close();
    await second.network.stop();
    started.splice(started.indexOf(second), 1);
    const again = await start(1, [first.network.multiaddrs(), [], []]);
    await reach(again, first);
    await reach(first, again);
  });

  test("gives a stranger no channel, and answers its questions", async () => {
    const first = await start(0, [[], [], []]);
    const stranger = await networkOf(keyNamed("stranger").secretSeed);
    const { peerId } = await stranger.connect(first.network.multiaddrs()[0]!);
    const channel = await stranger.openChannel(peerId, PEERS_PROTOCOL);
    await channel.closed;
    // What is answered is proven by itself, and whoever wants a seat must follow first.
    const question = encodeFetch({ type: "rounds", from: 5 });
    const limits = { maxAnswerBytes: 100, timeoutMs: 2_000 };
    expect(await stranger.request(peerId, FETCH_PROTOCOL, question, limits)).toEqual(Uint8Array.of(5));
    const malformed = stranger.request(peerId, FETCH_PROTOCOL, Uint8Array.of(99), limits);
    await expect(malformed).rejects.toMatchObject({ code: "request_refused" });
    expect(first.refused).toEqual(["stranger", "malformed"]);
    expect(first.heard.messages).toEqual([]);
    await stranger.stop();
  });

  test("drops what is malformed or oversized, and goes on", async () => {
    const first = await start(0, [[], [], []]);
    const network = await networkOf(keys[1]!.secretSeed);
    const { peerId } = await network.connect(first.network.multiaddrs()[0]!);
    const channel = await network.openChannel(peerId, PEERS_PROTOCOL);
    await channel.write(Uint8Array.of(99, 1, 2));
    await channel.write(new Uint8Array(0));
    const huge = await network.openChannel(peerId, PEERS_PROTOCOL);
    await huge.write(new Uint8Array(8_000_000)).catch(() => {});
    await huge.closed;
    expect(first.heard.messages).toEqual([]);
    expect(first.refused).toEqual(["malformed", "malformed"]);
    await network.stop();
  });

  test("drops what is more than one validator may say in a second", async () => {
    const first = await start(0, [[], [], []]);
    const second = await start(1, [first.network.multiaddrs(), [], []]);
    await reach(second, first);
    const { promise: flooded, resolve } = Promise.withResolvers<void>();
    const stop = clock.every(5, () => {
      for (let view = 0; view < 200; view++) second.mesh.send(nameOf(0), statusOf(view));
      if (first.refused.includes("flooded")) resolve();
    });
    await flooded;
    stop();
    expect(new Set(first.refused)).toEqual(new Set(["flooded"]));
  });

  /** A mesh whose clock stands, without a network: what it would do with a member's messages and questions. */
  async function openStill(answer: () => Promise<Uint8Array | null>, onMessage = (_mesh: OpenedMesh) => {}) {
    let accept: ChannelAcceptor = () => null;
    let ask: RequestHandler = async () => null;
    let limits: ServeLimits | null = null;
    const network = {
      onPeerChange: () => () => {},
      serve: async (_protocol: string, given: ServeLimits, handler: RequestHandler) => {
        limits = given;
        ask = handler;
      },
      serveChannels: async (_protocol: string, _limits: unknown, given: ChannelAcceptor) => {
        accept = given;
      },
      peers: () => [],
    };
    const still = new ManualClock(0);
    const self = keys[0]!.publicKey;
    const mesh = createMesh({ self, seatsOf: () => 3 }, { network: network as never, clock: still, log });
    mesh.want([{ key: keys[1]!.publicKey, multiaddrs: [] }]);
    const refused: MeshRefusal[] = [];
    await mesh.open({
      onMessage: () => onMessage(mesh),
      answer,
      onRefused: (reason) => refused.push(reason),
    });
    const member = { peerId: "second", publicKey: keys[1]!.publicKey };
    return { mesh, still, refused, member, limits: limits!, take: accept(member)!, ask };
  }

  test("counts a message by its bytes too", async () => {
    const { mesh, still, refused, take } = await openStill(async () => null);
    // 101 units each, of a thousand in a second.
    for (let i = 0; i < 10; i++) take(new Uint8Array(100 * 16_384));
    expect(refused).toEqual([...new Array(9).fill("malformed"), "flooded"]);
    still.advance(100);
    take(new Uint8Array(100 * 16_384));
    expect(refused.at(-1)).toBe("malformed");
    // Nobody is a flooder because the wall clock was set back.
    still.set(-3_600_000);
    still.advance(1_000);
    take(new Uint8Array(100 * 16_384));
    expect(refused.at(-1)).toBe("malformed");
    await mesh.close();
  });

  test("hears few forgeries of one validator, and then nothing until it has paid for them", async () => {
    let heard = 0;
    let verifications = 1;
    const { mesh, still, refused, take } = await openStill(
      async () => null,
      ({ charge }) => {
        heard++;
        charge(encodeHex(keys[1]!.publicKey), verifications);
      },
    );
    const bytes = encodePeerMessage(statusOf(1), 3);
    for (let i = 0; i < 100; i++) take(bytes);
    // A thousand units pay for twenty, at 51 each.
    expect([heard, new Set(refused)]).toEqual([20, new Set(["flooded"])]);
    verifications = 40;
    still.advance(50);
    take(bytes);
    still.advance(1_900);
    take(bytes);
    expect(heard).toBe(21);
    still.advance(100);
    take(bytes);
    expect(heard).toBe(22);
    await mesh.close();
  });

  test("answers a validator as much in a second, questions and bytes, whatever it says", async () => {
    const answer = new Uint8Array(99 * 16_384);
    const { mesh, still, refused, member, take, ask } = await openStill(async () => answer);
    const question = encodeFetch({ type: "standing" });
    take(new Uint8Array(900 * 16_384));
    for (let i = 0; i < 10; i++) expect(await ask(member, question)).toBe(answer);
    expect(await ask(member, question)).toBeNull();
    expect(refused).toEqual(["malformed", "flooded"]);
    still.advance(100);
    expect(await ask(member, question)).toBe(answer);
    await mesh.close();
  });

  test("keeps places for validators' questions that no stranger can take", async () => {
    const { mesh, limits, member } = await openStill(async () => null);
    expect(limits.hasOwnPlaces!(member)).toBe(true);
    expect(limits.hasOwnPlaces!({ peerId: "third", publicKey: keys[2]!.publicKey })).toBe(false);
    expect(limits.hasOwnPlaces!({ peerId: "third", publicKey: null })).toBe(false);
    await mesh.close();
  });

  test("lets go of those who lost their seat, and finds those who got one", async () => {
    const first = await start(0, [[], [], []]);
    const second = await start(1, [first.network.multiaddrs(), [], []]);
    await reach(second, first);
    first.mesh.want([]);
    const before = first.heard.messages.length;
    const { promise: refused, resolve } = Promise.withResolvers<void>();
    const stop = clock.every(20, () => {
      second.mesh.broadcast(statusOf(0));
      if (first.refused.includes("stranger")) resolve();
    });
    await refused;
    stop();
    expect(first.heard.messages.length - before).toBeLessThan(5);
    expect(first.mesh.connected()).toEqual([]);
    first.mesh.want([{ key: keys[1]!.publicKey, multiaddrs: [] }]);
    await reach(second, first);
    await reach(first, second);
  });
});
