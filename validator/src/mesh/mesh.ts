/**
 * The full mesh of validators: a link to each of the others, authenticated by its key, over which messages go directly.
 * Nothing here is reliable: a link that is down loses what is sent, and whoever needs an answer says it again.
 */
import type { Clock, Log, Network, PeerRef } from "../../../node/src/host/types.ts";
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
  type SeatsOf,
} from "../../../protocol/src/agreement/peerMessages.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { MAX_VALIDATORS } from "../../../protocol/src/network/parameters.ts";
import { TokenBuckets } from "../intake/buckets.ts";
import { Link } from "./link.ts";
import { StrangersFetches } from "./strangersFetches.ts";

/**
 * Whom a validator has links to at most, and whatever is kept of each: those with a seat in one of four epochs in a row
 * (`KnownSets.members`), of which each has a third of its seats anew.
 */
export const MAX_MEMBERS = 2 * MAX_VALIDATORS;

/** The stream protocol of validators' messages. */
export const PEERS_PROTOCOL = "/hexbeacon/peers/1";
/** A batch over a slow line; whoever asked then asks the next. */
const FETCH_TIMEOUT_MS = 5_000;
/** Streams for questions that those without a seat may hold at once, most of them still silent: a few kB each. */
const MAX_STRANGERS_STREAMS = 512;

/** Why something that came over the mesh went no further. */
export const MESH_REFUSALS = ["stranger", "flooded", "malformed"] as const;
export type MeshRefusal = (typeof MESH_REFUSALS)[number];

/**
 * Units a second from one validator, and as many as may come at once; a message is one, and so is each 16 KiB of it. A
 * round is some ten messages of each, a busy lane adds its batches and acknowledgements: 17 units the largest, a proposal
 * of a hundred validators' values 155. A signature costs 0.1 ms, a unit of a batch or a proposal 0.06 to 0.1 ms to decode,
 * so a hostile one gets a tenth of a core, and by signatures that are not valid a five-hundredth. What is above is dropped:
 * an honest validator says it again. As much again goes into answers to its questions, 16 MiB a second: one that catches
 * up asks the next where one refuses.
 */
const UNITS_PER_SECOND = 1_000;
const UNIT_BYTES = 16_384;
/**
 * For each signature that was verified in a message of which one is not valid: 33 validators that forge together get 660
 * a second, a fifteenth of a core.
 */
const FORGERY_UNITS = 50;

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
  /** The validators that can be asked now: a connection to them stands. */
  readonly connected: () => readonly PeerName[];
  /** What a validator said cost so many verifications, and holds a signature that is not valid: it is heard later. */
  readonly charge: (from: PeerName, verifications: number) => void;
};

/** Who takes what the others say and ask. */
export type MeshHandlers = {
  readonly onMessage: (from: PeerName, message: PeerMessage) => void;
  /** The answer to a fetch; null where there is none. `from`: who asks, with a seat or without. */
  readonly answer: (fetch: Fetch, from: PeerName) => Promise<Uint8Array | null>;
  readonly onRefused?: (reason: MeshRefusal) => void;
};

/** A validator that a link is wanted to, and where it listens. */
export type MeshPeer = { readonly key: Uint8Array; readonly multiaddrs: readonly string[] };

export type MeshOptions = {
  readonly self: Uint8Array;
  readonly seatsOf: SeatsOf;
};
export type MeshModules = {
  readonly network: Pick<
    Network,
    "connect" | "peers" | "onPeerChange" | "openChannel" | "serveChannels" | "serve" | "request"
  >;
  readonly clock: Clock;
  readonly log: Log;
};

export type OpenedMesh = Mesh & {
  /** Serves the others and begins to connect. */
  readonly open: (handlers: MeshHandlers) => Promise<void>;
  /** Those that links are kept to from now on: new ones are dialled, others let go. The own key is passed over. */
  readonly want: (peers: readonly MeshPeer[]) => void;
  readonly close: () => Promise<void>;
};

export function createMesh(options: MeshOptions, modules: MeshModules): OpenedMesh {
  return new ValidatorMesh(options, modules);
}

class ValidatorMesh implements OpenedMesh {
  #options: MeshOptions;
  #modules: MeshModules;
  #links = new Map<PeerName, Link>();
  /** Connected peers' names on the network by their keys; null until somebody asks after a change. */
  #peerIds: ReadonlyMap<PeerName, string> | null = null;
  #stopWatching: () => void;
  readonly #messages = createAllowances();
  readonly #answers = createAllowances();
  #strangers: StrangersFetches;
  #isOpen = false;

  constructor(options: MeshOptions, modules: MeshModules) {
    this.#options = options;
    this.#modules = modules;
    this.#strangers = new StrangersFetches(modules.clock);
    this.#stopWatching = modules.network.onPeerChange(() => {
      this.#peerIds = null;
    });
  }

  open = async (handlers: MeshHandlers): Promise<void> => {
    const { network } = this.#modules;
    await network.serveChannels(PEERS_PROTOCOL, { maxMessageBytes: MAX_PEER_MESSAGE_BYTES }, (from) =>
      this.#acceptChannel(from, handlers),
    );
    const limits = {
      maxRequestBytes: MAX_FETCH_BYTES,
      maxConcurrent: MAX_STRANGERS_STREAMS,
      hasOwnPlaces: (from: PeerRef) => this.#links.has(nameOf(from)),
    };
    await network.serve(FETCH_PROTOCOL, limits, (from, request) => this.#answer(from, request, handlers));
    this.#isOpen = true;
    for (const link of this.#links.values()) link.open();
  };

  want = (peers: readonly MeshPeer[]): void => {
    const wanted = new Map(peers.map((peer) => [encodeHex(peer.key), peer]));
    wanted.delete(encodeHex(this.#options.self));
    for (const [name, link] of this.#links) {
      if (wanted.has(name)) continue;
      this.#links.delete(name);
      void link.close();
    }
    for (const [name, { key, multiaddrs }] of wanted) {
      const before = this.#links.get(name);
      if (before !== undefined) {
        before.moveTo(multiaddrs);
        continue;
      }
      const peerId = () => this.#peerIdOf(name);
      const link = new Link({ key, multiaddrs, protocol: PEERS_PROTOCOL, peerId }, this.#modules);
      this.#links.set(name, link);
      if (this.#isOpen) link.open();
    }
  };

  broadcast = (message: PeerMessage): void => {
    if (this.#links.size === 0) return;
    const bytes = encodePeerMessage(message, this.#options.seatsOf);
    for (const link of this.#links.values()) link.send(bytes, message.type);
  };

  send = (to: PeerName, message: PeerMessage): void => {
    const link = this.#links.get(to);
    if (link !== undefined) link.send(encodePeerMessage(message, this.#options.seatsOf), message.type);
  };

  fetch = async (from: PeerName, fetch: Fetch): Promise<Uint8Array | null> => {
    const peerId = this.#links.has(from) ? this.#peerIdOf(from) : null;
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
    [...this.#links.keys()].filter((name) => this.#peerIdOf(name) !== null);

  charge = (from: PeerName, verifications: number): void =>
    this.#messages.charge(from, verifications * FORGERY_UNITS, this.#modules.clock.elapsedMs());

  close = async (): Promise<void> => {
    this.#stopWatching();
    await Promise.all([...this.#links.values()].map((link) => link.close()));
  };

  /** A channel belongs to one who is wanted; one who is not any more is heard no longer. */
  #acceptChannel({ publicKey }: PeerRef, handlers: MeshHandlers): ((bytes: Uint8Array) => void) | null {
    const { clock } = this.#modules;
    const from = publicKey === null ? null : encodeHex(publicKey);
    if (from === null || !this.#links.has(from)) {
      handlers.onRefused?.("stranger");
      return null;
    }
    return (bytes) => {
      if (!this.#links.has(from)) handlers.onRefused?.("stranger");
      else if (!this.#messages.take(from, 1 + unitsOf(bytes), clock.elapsedMs()))
        handlers.onRefused?.("flooded");
      else {
        const message = decodePeerMessage(bytes, this.#options.seatsOf);
        if (message === null) handlers.onRefused?.("malformed");
        else handlers.onMessage(from, message);
      }
    };
  }

  /** Anyone may ask, since what is answered is proven; strangers' questions take nothing from validators'. */
  async #answer(peer: PeerRef, request: Uint8Array, handlers: MeshHandlers): Promise<Uint8Array | null> {
    const from = nameOf(peer);
    const fetch = decodeFetch(request);
    if (fetch === null) {
      handlers.onRefused?.("malformed");
      return null;
    }
    const answer = this.#links.has(from)
      ? await this.#answerMember(from, () => handlers.answer(fetch, from))
      : await this.#strangers.answer(from, () => handlers.answer(fetch, from));
    if (answer !== "flooded") return answer;
    handlers.onRefused?.("flooded");
    return null;
  }

  /** How long an answer is shows when it is there: what it costs beyond what is left is owed. */
  async #answerMember(
    from: PeerName,
    answer: () => Promise<Uint8Array | null>,
  ): Promise<Uint8Array | null | "flooded"> {
    const { clock } = this.#modules;
    if (!this.#answers.take(from, 1, clock.elapsedMs())) return "flooded";
    const bytes = await answer();
    if (bytes !== null) this.#answers.charge(from, unitsOf(bytes), clock.elapsedMs());
    return bytes;
  }

  #peerIdOf(name: PeerName): string | null {
    this.#peerIds ??= new Map(
      this.#modules.network
        .peers()
        .flatMap(({ publicKey, peerId }) =>
          publicKey === null ? [] : [[encodeHex(publicKey), peerId] as const],
        ),
    );
    return this.#peerIds.get(name) ?? null;
  }
}

/** A validator's name; that of a stranger without an Ed25519 key cannot be mistaken for one. */
const nameOf = ({ publicKey, peerId }: PeerRef): string =>
  publicKey === null ? peerId : encodeHex(publicKey);

const unitsOf = (bytes: Uint8Array): number => Math.floor(bytes.length / UNIT_BYTES);

const createAllowances = (): TokenBuckets =>
  new TokenBuckets({
    capacity: UNITS_PER_SECOND,
    refillPerMs: UNITS_PER_SECOND / 1_000,
    maxBuckets: MAX_MEMBERS,
  });
