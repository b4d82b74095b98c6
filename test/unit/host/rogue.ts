/** A gossip peer without this project's limits, for what honest nodes never send. */
import { randomBytes } from "node:crypto";
import { gossipsub, StrictNoSign } from "@chainsafe/libp2p-gossipsub";
import { noise } from "@chainsafe/libp2p-noise";
import { yamux } from "@chainsafe/libp2p-yamux";
import { identify } from "@libp2p/identify";
import { tcp } from "@libp2p/tcp";
import { multiaddr } from "@multiformats/multiaddr";
import { createLibp2p } from "libp2p";

export async function createRogue(topic: string) {
  const node = await createLibp2p({
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: {
      identify: identify(),
      pubsub: gossipsub({
        globalSignaturePolicy: StrictNoSign,
        msgIdFn: (message) => message.data.subarray(0, 20),
        allowPublishToZeroTopicPeers: true,
      }),
    },
  });
  let redialling: NodeJS.Timeout | undefined;
  const publish = (bytes: number) => node.services.pubsub.publish(topic, randomBytes(bytes));
  return {
    publish,
    /** Publishes messages of a size until the promise settles. */
    publishUntil: async (bytes: number, heard: Promise<void>) => {
      const timer = setInterval(() => void publish(bytes), 50);
      await heard.finally(() => clearInterval(timer));
    },
    /** Dials, and again whenever the link is gone, as a peer that wants to stay does. */
    keepDialing: (address: string) => {
      const dial = () => {
        if (node.getConnections().length === 0) void node.dial(multiaddr(address)).catch(() => undefined);
      };
      redialling = setInterval(dial, 100);
      dial();
    },
    disconnected: () =>
      new Promise<void>((resolve) =>
        node.addEventListener("peer:disconnect", () => resolve(), { once: true }),
      ),
    stop: async () => {
      clearInterval(redialling);
      await node.stop();
    },
  };
}
