/**
 * The host layer's seams: what hotspot and validator see of clock, network and log. Each has one real implementation in
 * this folder, and tests put others in its place.
 */

/** Time as the shells see it. Nothing below the shells ever reads a clock. */
export type Clock = {
  /** Unix milliseconds, as this machine has them: NTP sets them forwards and back. For what others read, or the disk keeps. */
  readonly nowMs: () => number;
  /** Whole milliseconds since a moment of its own, which nobody sets: for every pause, age and limit of this process. */
  readonly elapsedMs: () => number;
  /** Calls back once after `delayMs`; the result cancels. */
  readonly after: (delayMs: number, callback: () => void) => () => void;
  /** Calls back every `periodMs`; the result cancels. */
  readonly every: (periodMs: number, callback: () => void) => () => void;
};

/** A structured log: an imperative sentence, values as fields; no peer-supplied text at info or above. */
export type Log = {
  readonly debug: (message: string, fields?: Record<string, unknown>) => void;
  readonly info: (message: string, fields?: Record<string, unknown>) => void;
  readonly warn: (message: string, fields?: Record<string, unknown>) => void;
  readonly error: (message: string, fields?: Record<string, unknown>) => void;
  readonly child: (fields: Record<string, unknown>) => Log;
};

/** Who sent something: an Ed25519 key where the peer's id carries one, and an opaque name of the connection's peer. */
export type PeerRef = { readonly peerId: string; readonly publicKey: Uint8Array | null };

/** What gossip does with a message: forward it, drop it silently, or drop it and count it against its sender. */
export type GossipVerdict = "accept" | "ignore" | "reject";

/** A connection as it stands now, for whoever operates the node. */
export type ConnectionView = PeerRef & {
  /** The other end's address, without its peer id. */
  readonly address: string;
  readonly direction: "inbound" | "outbound";
  /** Unix milliseconds. */
  readonly openedAtMs: number;
  /** What gossip thinks of the peer: below 0 it has misbehaved lately. */
  readonly score: number;
};

export type GossipHandler = (from: PeerRef, data: Uint8Array) => GossipVerdict | Promise<GossipVerdict>;

/** Answers one request; null closes the stream without an answer. */
export type RequestHandler = (from: PeerRef, request: Uint8Array) => Promise<Uint8Array | null>;

export type ServeLimits = {
  readonly maxRequestBytes: number;
  /** Streams at once of all peers together, but for those that have places of their own. */
  readonly maxConcurrent: number;
  /**
   * Who has them, asked before a byte is read: nobody else's streams, silent ones included, take those places. They must be
   * a few peers that are known, since each may hold as many as one peer may. Nobody by default.
   */
  readonly hasOwnPlaces?: (from: PeerRef) => boolean;
};

export type RequestOptions = {
  readonly maxAnswerBytes: number;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
};

/** The sending end of a long-lived stream of messages to one peer. */
export type Channel = {
  /** Sends one message; resolves when the stream has room for the next. Rejects where the stream has ended. */
  readonly write: (message: Uint8Array) => Promise<void>;
  /** Resolves when the stream has ended, whoever ended it. */
  readonly closed: Promise<void>;
  readonly close: () => void;
};

/** Decides on a peer's new channel: what takes its messages, one after the other, or null to refuse it. */
export type ChannelAcceptor = (from: PeerRef) => ((message: Uint8Array) => void) | null;

/** A libp2p node: gossip topics, request and response streams, connections. */
export type Network = {
  readonly publicKey: Uint8Array;
  readonly peerId: string;
  /** Addresses that others can dial, each with this node's peer id. */
  readonly multiaddrs: () => readonly string[];
  /** Connects, or does nothing where a connection stands. Throws a CodedError where the peer cannot be reached. */
  readonly connect: (multiaddr: string, signal?: AbortSignal) => Promise<PeerRef>;
  readonly isConnected: (peerId: string) => boolean;
  readonly peers: () => readonly PeerRef[];
  readonly onPeerChange: (callback: () => void) => () => void;
  /** Publishes to a topic that was named when the network was created. @returns how many peers it went to. */
  readonly publish: (topic: string, data: Uint8Array) => Promise<number>;
  /** Handles a topic's messages; the topic must have been named as subscribed when the network was created. */
  readonly onGossip: (topic: string, handler: GossipHandler) => void;
  /** Serves a request/response protocol; longer requests and excess concurrent streams are refused. */
  readonly serve: (protocol: string, limits: ServeLimits, handler: RequestHandler) => Promise<void>;
  /** One request and its answer, each one length-prefixed message. Throws a CodedError on refusal or timeout. */
  readonly request: (
    peerId: string,
    protocol: string,
    request: Uint8Array,
    options: RequestOptions,
  ) => Promise<Uint8Array>;
  /** Opens a channel to a connected peer. Throws a CodedError where it is not connected or refuses. */
  readonly openChannel: (peerId: string, protocol: string) => Promise<Channel>;
  /** Takes channels that peers open; a message that is malformed or over the limit ends its channel. */
  readonly serveChannels: (
    protocol: string,
    limits: { readonly maxMessageBytes: number },
    accept: ChannelAcceptor,
  ) => Promise<void>;
  readonly disconnect: (peerId: string) => Promise<void>;
  readonly stop: () => Promise<void>;
};
