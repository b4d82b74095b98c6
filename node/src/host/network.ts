/**
 * A libp2p node for hotspots and validators: gossip on named topics, request and response streams, connections. The
 * only file that composes libp2p; everything else sees `Network`.
 */
import assert from "node:assert";
import { type GossipSub, gossipsub, TopicValidatorResult } from "@chainsafe/libp2p-gossipsub";
import { noise } from "@chainsafe/libp2p-noise";
import { yamux } from "@chainsafe/libp2p-yamux";
import { generateKeyPairFromSeed } from "@libp2p/crypto/keys";
import { type Identify, identify } from "@libp2p/identify";
import type { Connection, Ed25519PrivateKey, Libp2p, PeerId } from "@libp2p/interface";
import { peerIdFromString } from "@libp2p/peer-id";
import { tcp } from "@libp2p/tcp";
import { type Multiaddr, multiaddr } from "@multiformats/multiaddr";
import { createLibp2p } from "libp2p";
import { openChannel, serveChannels } from "./channels.ts";
import { CodedError, isCodedError } from "./codedError.ts";
import { AddressCounts, chooseEvicted, MAX_PENDING_CONNECTIONS, type Standing } from "./connectionLimits.ts";
import { createGossipOptions, MAX_GOSSIP_MESSAGE_BYTES, MAX_STREAM_BUFFER_BYTES } from "./gossipOptions.ts";
import { sendRequest, serveRequests } from "./requests.ts";
import type {
  Channel,
  ChannelAcceptor,
  Clock,
  ConnectionView,
  GossipHandler,
  GossipVerdict,
  Log,
  Network,
  PeerRef,
  RequestHandler,
  ServeLimits,
} from "./types.ts";

export type NetworkOptions = {
  /** The node's Ed25519 seed, 32 bytes: its identity on the wire is its identity everywhere. */
  readonly secretSeed: Uint8Array;
  /** Multiaddrs to listen on; none for a node that only dials. */
  readonly listen: readonly string[];
  /** Topics to subscribe to. */
  readonly subscribe: readonly string[];
  /** Topics to publish to without hearing them. */
  readonly publishOnly: readonly string[];
  /** Beyond it one that came in gives way for each that comes: see `chooseEvicted`. */
  readonly maxConnections: number;
  /** Of those that came in, loopback's apart. */
  readonly maxConnectionsPerAddress?: number;
  /** A hotspot dials a few validators; a validator is dialled, by many at once after a restart. */
  readonly role: "hotspot" | "validator";
};
export type NetworkModules = {
  readonly clock: Clock;
  readonly log: Log;
  /** Whether a peer may have a connection, and its gossip a hearing; everybody by default. Asked at every connection. */
  readonly mayConnect?: (peer: PeerRef) => boolean;
  /** What a peer is to this node; everybody a stranger by default. Asked where there are too many connections. */
  readonly standingOf?: (peer: PeerRef) => Standing;
};

/** A network that shows its operator who is connected. */
export type OperatedNetwork = Network & { readonly connections: () => readonly ConnectionView[] };

type Node = Libp2p<{ pubsub: GossipSub; identify: Identify }>;

/**
 * New connections from one address in a second. The library's 5 would turn away a block of homes behind one address,
 * or a devnet on loopback, when a validator restarts; a handshake costs about 2 ms, so this is a tenth of a core.
 */
const INBOUND_PER_SECOND: Readonly<Record<NetworkOptions["role"], number>> = { hotspot: 5, validator: 64 };
const DIAL_TIMEOUT_MS = 5_000;
/** A peer that answers no ping for this long is gone, however patient its TCP connection is. */
const PING_INTERVAL_MS = 30_000;
const PING_TIMEOUT_MS = 15_000;
/** Identification and the first gossip stream take a few round trips, on a slow machine some seconds. */
const GOSSIP_GRACE_MS = 10_000;
/** Peers that went away are forgotten this often; the library would keep each for six hours. */
const FORGET_INTERVAL_MS = 60_000;

const VERDICTS: Readonly<Record<GossipVerdict, TopicValidatorResult>> = {
  accept: TopicValidatorResult.Accept,
  ignore: TopicValidatorResult.Ignore,
  reject: TopicValidatorResult.Reject,
};

/** Starts a node. @throws CodedError "listen_failed" where an address cannot be bound. */
export async function createNetwork(
  options: NetworkOptions,
  modules: NetworkModules,
): Promise<OperatedNetwork> {
  const privateKey = await generateKeyPairFromSeed("Ed25519", options.secretSeed);
  const node = await startNode(options, modules, privateKey);
  for (const topic of options.subscribe) node.services.pubsub.subscribe(topic);
  return new LibpNetwork(node, options, modules);
}

async function startNode(
  options: NetworkOptions,
  { mayConnect = () => true }: NetworkModules,
  privateKey: Ed25519PrivateKey,
): Promise<Node> {
  const topics = [...options.subscribe, ...options.publishOnly];
  const isRefused = (id: PeerId) => !mayConnect(refOf(id));
  const inbound = new AddressCounts(options.maxConnectionsPerAddress);
  const handshakes = options.role === "validator" ? MAX_PENDING_CONNECTIONS : INBOUND_PER_SECOND.hotspot;
  // Room beyond the limit for those on their way in: who gives way is decided when it is known who comes.
  const maxSockets = options.maxConnections + handshakes;
  try {
    return await createLibp2p({
      privateKey,
      addresses: { listen: [...options.listen] },
      transports: [tcp({ maxConnections: maxSockets })],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux({ streamOptions: { maxWriteBufferLength: MAX_STREAM_BUFFER_BYTES } })],
      connectionManager: {
        maxConnections: maxSockets,
        inboundConnectionThreshold: INBOUND_PER_SECOND[options.role],
        maxIncomingPendingConnections: handshakes,
        dialTimeout: DIAL_TIMEOUT_MS,
        // Reconnecting is the caller's: it knows which peers it still wants.
        reconnectRetries: 0,
      },
      connectionMonitor: {
        pingInterval: PING_INTERVAL_MS,
        pingTimeout: { minTimeout: PING_TIMEOUT_MS, maxTimeout: PING_TIMEOUT_MS },
      },
      // Who dials in is known once the handshake has proven its key; who is dialled is known before.
      connectionGater: {
        denyDialPeer: isRefused,
        denyInboundConnection: (connection) => !inbound.admit(connection),
        denyInboundEncryptedConnection: isRefused,
      },
      services: { identify: identify(), pubsub: gossipsub(createGossipOptions(topics)) },
    });
  } catch (cause) {
    throw new CodedError("listen_failed", `cannot listen on ${options.listen.join(", ")}`, cause);
  }
}

type PeerScores = { readonly getScore: (peerId: string) => number };

class LibpNetwork implements OperatedNetwork {
  readonly publicKey: Uint8Array;
  readonly peerId: string;
  readonly #node: Node;
  /** The library's class has it, and leaves it out of the type that it exports. */
  readonly #scores: PeerScores;
  readonly #topics: ReadonlySet<string>;
  readonly #subscribed: ReadonlySet<string>;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #mayConnect: (peer: PeerRef) => boolean;
  readonly #handlers = new Map<string, GossipHandler>();
  readonly #peerCallbacks = new Set<() => void>();
  readonly #standingOf: (peer: PeerRef) => Standing;
  readonly #maxConnections: number;
  readonly #stopForgetting: () => void;
  #stopped = false;

  constructor(node: Node, options: NetworkOptions, modules: NetworkModules) {
    this.#node = node;
    this.#scores = node.services.pubsub as unknown as PeerScores;
    this.#clock = modules.clock;
    this.#log = modules.log;
    this.#mayConnect = modules.mayConnect ?? (() => true);
    this.#standingOf = modules.standingOf ?? (() => "stranger");
    this.#maxConnections = options.maxConnections;
    this.#subscribed = new Set(options.subscribe);
    this.#topics = new Set([...options.subscribe, ...options.publishOnly]);
    this.peerId = node.peerId.toString();
    const publicKey = publicKeyOf(node.peerId);
    assert(publicKey !== null, "the node's own id carries its Ed25519 key");
    this.publicKey = publicKey;
    for (const topic of options.subscribe) this.#validate(topic);
    const notify = () => {
      for (const callback of this.#peerCallbacks) callback();
    };
    node.addEventListener("peer:connect", notify);
    node.addEventListener("peer:disconnect", notify);
    node.addEventListener("connection:open", () => this.#makeRoom());
    node.services.pubsub.addEventListener("subscription-change", notify);
    node.services.pubsub.addEventListener("gossipsub:heartbeat", () => this.#dropSilencedLinks());
    this.#stopForgetting = modules.clock.every(FORGET_INTERVAL_MS, () => void this.#forgetPeers());
  }

  multiaddrs(): readonly string[] {
    return this.#node.getMultiaddrs().map(String);
  }

  async connect(address: string, signal?: AbortSignal): Promise<PeerRef> {
    let target: Multiaddr;
    try {
      target = multiaddr(address);
    } catch (cause) {
      throw new CodedError("peer_address_invalid", `${address} is no multiaddr`, cause);
    }
    if (this.#stopped) throw new CodedError("stopped", "the network has stopped");
    const timeout = AbortSignal.timeout(DIAL_TIMEOUT_MS);
    try {
      const connection = await this.#node.dial(target, {
        signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      });
      return toPeerRef(connection);
    } catch (cause) {
      throw new CodedError("peer_unreachable", `cannot reach ${address}`, cause);
    }
  }

  isConnected(peerId: string): boolean {
    return this.#findConnection(peerId) !== null;
  }

  peers(): readonly PeerRef[] {
    return this.#node.getPeers().map(refOf);
  }

  connections(): readonly ConnectionView[] {
    return this.#node.getConnections().map((connection) => ({
      ...toPeerRef(connection),
      address: connection.remoteAddr.toString().replace(/\/p2p\/.*$/, ""),
      direction: connection.direction,
      openedAtMs: connection.timeline.open,
      score: this.#scores.getScore(connection.remotePeer.toString()),
    }));
  }

  onPeerChange(callback: () => void): () => void {
    this.#peerCallbacks.add(callback);
    return () => this.#peerCallbacks.delete(callback);
  }

  async publish(topic: string, data: Uint8Array): Promise<number> {
    assert(this.#topics.has(topic), "a topic is named when the network is created");
    assert(data.length <= MAX_GOSSIP_MESSAGE_BYTES, "a message that no peer would take is never published");
    if (this.#stopped) return 0;
    const { recipients } = await this.#node.services.pubsub.publish(topic, data);
    return recipients.length;
  }

  onGossip(topic: string, handler: GossipHandler): void {
    assert(this.#subscribed.has(topic), "a handled topic is subscribed to");
    this.#handlers.set(topic, handler);
  }

  async serve(protocol: string, limits: ServeLimits, handler: RequestHandler): Promise<void> {
    await serveRequests(this.#node, toPeerRef, protocol, limits, handler);
  }

  async request(
    peerId: string,
    protocol: string,
    request: Uint8Array,
    options: { readonly maxAnswerBytes: number; readonly timeoutMs: number; readonly signal?: AbortSignal },
  ): Promise<Uint8Array> {
    const connection = this.#findConnection(peerId);
    if (connection === null) throw new CodedError("peer_not_connected", "the peer is not connected");
    return await sendRequest(connection, protocol, request, options);
  }

  async openChannel(peerId: string, protocol: string): Promise<Channel> {
    const connection = this.#findConnection(peerId);
    if (connection === null) throw new CodedError("peer_not_connected", "the peer is not connected");
    return await openChannel(connection, protocol);
  }

  async serveChannels(
    protocol: string,
    limits: { readonly maxMessageBytes: number },
    accept: ChannelAcceptor,
  ): Promise<void> {
    await serveChannels(this.#node, toPeerRef, protocol, limits, accept);
  }

  async disconnect(peerId: string): Promise<void> {
    await this.#node.hangUp(peerIdFromString(peerId)).catch(() => undefined);
  }

  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#stopForgetting();
    // A goodbye is polite and not worth waiting for: a stalled peer would hold every connection's close for a second.
    for (const connection of this.#node.getConnections())
      connection.abort(new CodedError("stopped", "goodbye"));
    await this.#node.stop();
  }

  #validate(topic: string): void {
    this.#node.services.pubsub.topicValidators.set(topic, async (peer, message) => {
      const handler = this.#handlers.get(topic);
      const from = refOf(peer);
      // What was on its way when a peer lost its connection is not heard either.
      if (handler === undefined || !this.#mayConnect(from)) return TopicValidatorResult.Ignore;
      return VERDICTS[await handler(from, message.data)];
    });
  }

  #findConnection(peerId: string): Connection | null {
    let id: PeerId;
    try {
      id = peerIdFromString(peerId);
    } catch {
      return null;
    }
    return this.#node.getConnections(id).find(({ status }) => status === "open") ?? null;
  }

  #makeRoom(): void {
    const connections = this.#node.getConnections().filter(({ status }) => status === "open");
    if (connections.length <= this.#maxConnections) return;
    const evicted = chooseEvicted(connections, (connection) => this.#standingOf(toPeerRef(connection)));
    if (evicted === null) return;
    this.#log.debug("End a connection to make room", { peer: evicted.remotePeer.toString() });
    evicted.abort(new CodedError("stopped", "there are too many connections"));
  }

  /**
   * A frame over the limit ends a peer's gossip stream, and the library never opens another on the same connection:
   * the link stays up and silent. So the connection goes too, and whoever wants it dials again. Every peer of this
   * network speaks gossip, so one that does not, a while after it connected, is such a link.
   */
  #dropSilencedLinks(): void {
    const speaking = new Set(this.#node.services.pubsub.getPeers().map(String));
    for (const connection of this.#node.getConnections()) {
      if (speaking.has(connection.remotePeer.toString())) continue;
      const ageMs = this.#clock.nowMs() - connection.timeline.open;
      // Below 0, the clock was set back since.
      if (ageMs >= 0 && ageMs < GOSSIP_GRACE_MS) continue;
      this.#log.debug("Drop a link whose gossip stream has ended", {
        peer: connection.remotePeer.toString(),
      });
      connection.abort(new CodedError("stopped", "the gossip stream has ended"));
    }
  }

  async #forgetPeers(): Promise<void> {
    try {
      for (const { id } of await this.#node.peerStore.all()) {
        if (this.#node.getConnections(id).length === 0) await this.#node.peerStore.delete(id);
      }
    } catch (error) {
      if (!this.#stopped && !isCodedError(error, "stopped")) {
        this.#log.debug("Could not forget peers that went away", { error: String(error) });
      }
    }
  }
}

function toPeerRef(connection: Connection): PeerRef {
  return refOf(connection.remotePeer);
}

function refOf(id: PeerId): PeerRef {
  return { peerId: id.toString(), publicKey: publicKeyOf(id) };
}

/** The Ed25519 key that a peer's id carries, or null where it is of another kind. */
function publicKeyOf(id: PeerId): Uint8Array | null {
  return id.type === "Ed25519" ? id.publicKey.raw : null;
}
