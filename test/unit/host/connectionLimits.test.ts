/** Who gets a connection where there are fewer than are wanted: by address, and by what a peer is to the network. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import { networkInterfaces } from "node:os";
import { afterEach, describe, expect, test } from "vitest";
import { createSystemClock } from "../../../node/src/host/clock.ts";
import {
  AddressCounts,
  chooseEvicted,
  MAX_CONNECTIONS_PER_ADDRESS,
  networkOfAddress,
  type Standing,
} from "../../../node/src/host/connectionLimits.ts";
import { createSilentLog } from "../../../node/src/host/log.ts";
import { createNetwork, type NetworkOptions } from "../../../node/src/host/network.ts";
import { eventually } from "./eventually.ts";

const TOPIC = "/hexbeacon/0000000000000000/rounds/1";

describe("an address", () => {
  test.each([
    ["/ip4/192.0.2.1/tcp/4001", "192.0.2.1"],
    ["/ip6/2001:db8:1:2:3::4/tcp/4001", "2001:db8:1:2"],
    ["/ip6/2001:db8:1:2::/tcp/1", "2001:db8:1:2"],
    ["/ip6/2001:0DB8:0001:2:ffff:1:2:3/tcp/1", "2001:db8:1:2"],
    ["/ip6/2001:db8::9/tcp/1", "2001:db8:0:0"],
    ["/ip6zone/eth0/ip6/fe80::1/tcp/1", "fe80:0:0:0"],
    ["/ip6/::ffff:192.0.2.1/tcp/1", "192.0.2.1"],
    ["/ip4/127.0.0.5/tcp/1", null],
    ["/ip6/::1/tcp/1", null],
    ["/unix/somewhere", null],
  ])("%s is counted as %s", (address, network) => {
    expect(networkOfAddress(address)).toBe(network);
  });

  test("holds so many, from before their handshake until they close; loopback any number", () => {
    const counts = new AddressCounts();
    const come = (address: string) => {
      const target = new EventTarget();
      const isAdmitted = counts.admit({
        remoteAddr: { toString: () => address },
        addEventListener: target.addEventListener.bind(target),
      } as never);
      return { isAdmitted, close: () => target.dispatchEvent(new Event("close")) };
    };
    const all = Array.from({ length: MAX_CONNECTIONS_PER_ADDRESS }, (_, i) =>
      come(`/ip6/2001:db8::${i.toString(16)}/tcp/1`),
    );
    expect(all.every(({ isAdmitted }) => isAdmitted)).toBe(true);
    expect(come("/ip6/2001:db8::ffff/tcp/1").isAdmitted).toBe(false);
    expect(come("/ip6/2001:db8:0:1::/tcp/1").isAdmitted).toBe(true);
    all[7]!.close();
    expect(come("/ip6/2001:db8::ffff/tcp/1").isAdmitted).toBe(true);
    expect(come("/ip6/2001:db8::ffff/tcp/1").isAdmitted).toBe(false);
    for (let i = 0; i < 2 * MAX_CONNECTIONS_PER_ADDRESS; i++)
      expect(come("/ip4/127.0.0.1/tcp/1").isAdmitted).toBe(true);
  });
});

test("strangers give way first, of the most crowded address the newest, and nobody who was dialled", () => {
  type Peer = Parameters<typeof chooseEvicted>[0][number] & { readonly name: string };
  const standings: Record<string, Standing> = { seat: "seated", mine: "stranger", dialled: "stranger" };
  const peer = (
    name: string,
    host: string,
    open: number,
    direction: "inbound" | "outbound" = "inbound",
  ): Peer => ({
    name,
    direction,
    timeline: { open },
    remoteAddr: { toString: () => `/ip4/${host}/tcp/1` },
  });
  let peers = [
    peer("dialled", "10.0.0.1", 9, "outbound"),
    peer("seat", "10.0.0.2", 8),
    peer("hotspot", "10.0.0.3", 7),
    peer("crowd 1", "10.0.0.3", 1),
    peer("crowd 2", "10.0.0.3", 2),
    peer("newcomer", "10.0.0.4", 6),
  ];
  const gone: string[] = [];
  for (;;) {
    const evicted = chooseEvicted(peers, ({ name }) =>
      name === "hotspot" ? "registered" : (standings[name] ?? "stranger"),
    );
    if (evicted === null) break;
    gone.push(evicted.name);
    peers = peers.filter((each) => each !== evicted);
  }
  expect(gone).toEqual(["crowd 2", "newcomer", "crowd 1", "hotspot", "seat"]);
});

describe("a network that is full", () => {
  const open: { readonly stop: () => Promise<void> }[] = [];
  afterEach(async () => {
    for (const network of open.splice(0).reverse()) await network.stop();
  });
  async function start(options: Partial<NetworkOptions>, standings = new Map<string, Standing>()) {
    const network = await createNetwork(
      {
        secretSeed: randomBytes(32),
        listen: [],
        maxConnections: 8,
        subscribe: [TOPIC],
        publishOnly: [],
        role: "validator",
        ...options,
      },
      {
        clock: createSystemClock(),
        log: createSilentLog(),
        standingOf: ({ peerId }) => standings.get(peerId) ?? "stranger",
      },
    );
    open.push(network);
    return network;
  }

  test("takes seats and the registered in, and strangers go", async () => {
    const standings = new Map<string, Standing>();
    const full = await start({ listen: ["/ip4/127.0.0.1/tcp/0"], maxConnections: 3 }, standings);
    const held = () => full.peers().map(({ peerId }) => standings.get(peerId));
    const join = async (standing: Standing, expected: readonly Standing[]) => {
      const peer = await start({});
      standings.set(peer.peerId, standing);
      // Who has to go at once may not even hear that it was there.
      await peer.connect(full.multiaddrs()[0]!).catch(() => undefined);
      await eventually(() => held().sort()).toEqual(expected);
    };
    await join("seated", ["seated"]);
    await join("stranger", ["seated", "stranger"]);
    await join("stranger", ["seated", "stranger", "stranger"]);
    await join("stranger", ["seated", "stranger", "stranger"]);
    await join("registered", ["registered", "seated", "stranger"]);
    await join("seated", ["registered", "seated", "seated"]);
    await join("registered", ["registered", "seated", "seated"]);
    await join("seated", ["seated", "seated", "seated"]);
  });

  const [own] = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ family, internal }) => family === "IPv4" && !internal);
  test.skipIf(own === undefined)(
    "an address has room again once its connections end, whatever they were",
    async () => {
      const listen = [`/ip4/${own?.address}/tcp/0`];
      const node = await start({ listen, maxConnectionsPerAddress: 2 });
      const [address] = node.multiaddrs();
      const port = Number(address!.split("/")[4]);
      const mute = Array.from({ length: 2 }, () => connectTcp(port, own!.address));
      await Promise.all(mute.map((socket) => once(socket, "connect")));
      const peer = await start({});
      await expect(peer.connect(address!)).rejects.toMatchObject({ code: "peer_unreachable" });
      for (const socket of mute) socket.destroy();
      for (let again = 0; again < 3; again++) {
        await eventually(() =>
          peer.connect(address!).then(
            () => true,
            () => false,
          ),
        ).toBe(true);
        await peer.disconnect(node.peerId);
        await eventually(() => node.peers().length).toBe(0);
      }
    },
  );
});
