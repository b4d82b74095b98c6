/**
 * The full mesh of validators: a link to each of the others, authenticated by its key, over which messages go directly.
 * Nothing here is reliable: a link that is down loses what is sent, and whoever needs an answer says it again.
 */
import type { Clock, Log, Network } from "../../../node/src/host/types.ts";
import type { ValidatorSet } from "../../../protocol/src/agreement/certificates.ts";
import {
  decodeFetch,
  encodeFetch,
  FETCH_PROTOCOL,
  type Fetch,
  MAX_FETCH_ANSWER_BYTES,
  MAX_FETCH_BYTES,
} from "../../../protocol/src/agreement/fetches.ts";
import {
  decodePeerMessage,
  encodePeerMessage,
  MAX_PEER_MESSAGE_BYTES,
  type PeerMessage,
} from "../../../protocol/src/agreement/peerMessages.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { TokenBuckets } from "../intake/buckets.ts";
import { Link } from "./link.ts";

/** The stream protocol of validators' messages. */
export const PEERS_PROTOCOL = "/hexbeacon/peers/1";
/** A batch over a slow line; whoever asked then asks the next. */
const FETCH_TIMEOUT_MS = 5_000;
/** Fetches under way at once from one validator: three batches, a value and rounds, and as many again. */
const CONCURRENT_FETCHES_PER_PEER = 16;

/**
 * Messages a second from one validator, and as many as may come at once. A round is some ten messages of each, a busy
 * lane adds its batches and acknowledgements; a signature costs 0.1 ms, so a hostile one gets a tenth of a core. What
 * is above is dropped: an honest validator says it again.
 */
const MESSAGES_PER_SECOND = 1_000;

/**
 * A validator as the mesh names it: its key in lower-case hexadecimal. A position belongs to one epoch's set, a key is
 * the same in all of them.
 */
export type PeerName = string;

/** What the rest of a validator sees of the others. */
export type Mesh = {
  /** To every other validator. */
  readonly broadcast: (message: PeerMessage) => void;
  readonly send: (to: PeerName, message: PeerMessage) => void;
  /** Asks one validator; null where it has no answer, or there is no way to it. */
  readonly fetch: (from: PeerName, fetch: Fetch) => Promise<Uint8Array | null>;
  /** The validators that a link to stands now. */
  readonly connected: () => readonly PeerName[];
};

/** Who takes what the others say and ask. */
export type MeshHandlers = {
  readonly onMessage: (from: PeerName, message: PeerMessage) => void;
  /** The answer to a fetch; null where there is none. */
  readonly answer: (fetch: Fetch) => Promise<Uint8Array | null>;
};

export type MeshOptions = {
  readonly set: ValidatorSet;
  readonly self: Uint8Array;
  /** Where each validator listens, by position. */
  readonly multiaddrs: readonly (readonly string[])[];
};
export type MeshModules = {
  readonly network: Pick<
    Network,
    "connect" | "peers" | "openChannel" | "serveChannels" | "serve" | "request"
  >;
  readonly clock: Clock;
  readonly log: Log;
};

export type OpenedMesh = Mesh & {
  /** Serves the others and begins to connect. */
  readonly open: (handlers: MeshHandlers) => Promise<void>;
  readonly close: () => Promise<void>;
};

export function createMesh(options: MeshOptions, modules: MeshModules): OpenedMesh {
  return new ValidatorMesh(options, modules);
}

class ValidatorMesh implements OpenedMesh {
  #options: MeshOptions;
  #modules: MeshModules;
  #links = new Map<PeerName, Link>();

  constructor(options: MeshOptions, modules: MeshModules) {
    this.#options = options;
    this.#modules = modules;
    const self = options.set.positionOf(options.self);
    for (const [position, key] of options.set.keys.entries()) {
      if (position === self) continue;
      const multiaddrs = options.multiaddrs[position] ?? [];
      this.#links.set(encodeHex(key), new Link({ key, multiaddrs, protocol: PEERS_PROTOCOL }, modules));
    }
  }

  open = async (handlers: MeshHandlers): Promise<void> => {
    const { network, clock, log } = this.#modules;
    const { set } = this.#options;
    const size = set.keys.length;
    const allowances = new TokenBuckets({
      capacity: MESSAGES_PER_SECOND,
      refillPerMs: MESSAGES_PER_SECOND / 1_000,
      maxBuckets: size,
    });
    const isMember = (key: Uint8Array | null) => key !== null && set.positionOf(key) !== undefined;
    await network.serveChannels(
      PEERS_PROTOCOL,
      { maxMessageBytes: MAX_PEER_MESSAGE_BYTES },
      ({ publicKey }) => {
        if (publicKey === null || !isMember(publicKey)) return null;
        const from = encodeHex(publicKey);
        return (bytes) => {
          if (!allowances.take(from, 1, clock.nowMs())) return;
          const message = decodePeerMessage(bytes, size);
          if (message === null) log.debug("Drop a malformed message of a validator", { from });
          else handlers.onMessage(from, message);
        };
      },
    );
    const limits = { maxRequestBytes: MAX_FETCH_BYTES, maxConcurrent: size * CONCURRENT_FETCHES_PER_PEER };
    await network.serve(FETCH_PROTOCOL, limits, async ({ publicKey }, request) => {
      const fetch = isMember(publicKey) ? decodeFetch(request) : null;
      return fetch && (await handlers.answer(fetch));
    });
    for (const link of this.#links.values()) link.open();
  };

  broadcast = (message: PeerMessage): void => {
    const bytes = encodePeerMessage(message, this.#options.set.keys.length);
    for (const link of this.#links.values()) link.send(bytes, message.type);
  };

  send = (to: PeerName, message: PeerMessage): void => {
    this.#links.get(to)?.send(encodePeerMessage(message, this.#options.set.keys.length), message.type);
  };

  fetch = async (from: PeerName, fetch: Fetch): Promise<Uint8Array | null> => {
    const peerId = this.#links.get(from)?.peerId() ?? null;
    if (peerId === null) return null;
    try {
      return await this.#modules.network.request(peerId, FETCH_PROTOCOL, encodeFetch(fetch), {
        maxAnswerBytes: MAX_FETCH_ANSWER_BYTES,
        timeoutMs: FETCH_TIMEOUT_MS,
      });
    } catch {
      // Refused, gone or too slow: the caller asks another.
      return null;
    }
  };

  connected = (): readonly PeerName[] =>
    [...this.#links].filter(([, link]) => link.isUp()).map(([name]) => name);

  close = async (): Promise<void> => {
    await Promise.all([...this.#links.values()].map((link) => link.close()));
  };
}
