/**
 * The way to one other validator: dialled until it stands, dialled again when it has gone, with a bounded queue before
 * it. Votes go before batches, and what does not fit is dropped, the oldest first: it is said again or asked for.
 */
import type { Channel } from "../../../node/src/host/types.ts";
import {
  MAX_PEER_MESSAGE_BYTES,
  type PeerMessageType,
} from "../../../protocol/src/agreement/peerMessages.ts";
import { equalBytes } from "../../../protocol/src/bytes/bytes.ts";
import { MAX_QUEUE_BYTES } from "../intake/inbox.ts";
import type { MeshModules } from "./mesh.ts";

/** From one try to the next: soon at first, so that a restarted validator is back within a round or two. */
const RETRY_MIN_MS = 250;
const RETRY_MAX_MS = 5_000;
/** Two of the largest messages: one being sent and one that follows it. */
const MAX_URGENT_BYTES = 2 * MAX_PEER_MESSAGE_BYTES;

export type LinkOptions = {
  readonly key: Uint8Array;
  readonly multiaddrs: readonly string[];
  readonly protocol: string;
  /** The peer's name on the network while it is connected, whoever dialled. */
  readonly peerId: () => string | null;
};

export class Link {
  readonly #options: LinkOptions;
  readonly #modules: MeshModules;
  /** Batches are as many bytes as a lane can have in flight; all else is small and goes first. */
  readonly #urgent = new BoundedQueue(MAX_URGENT_BYTES);
  readonly #bulk = new BoundedQueue(MAX_QUEUE_BYTES);
  #channel: Channel | null = null;
  #wake: (() => void) | null = null;
  #running: Promise<void> | null = null;
  #multiaddrs: readonly string[];
  #isClosed = false;

  constructor(options: LinkOptions, modules: MeshModules) {
    this.#options = options;
    this.#multiaddrs = options.multiaddrs;
    this.#modules = modules;
  }

  /** Where the validator listens from now on. */
  moveTo(multiaddrs: readonly string[]): void {
    this.#multiaddrs = multiaddrs;
  }

  /** Begins to connect. */
  open(): void {
    this.#running ??= this.#run();
  }

  /** Queues a message where the link stands; drops it where not, since nobody would want it later. */
  send(bytes: Uint8Array, type: PeerMessageType): void {
    if (this.#channel === null) return;
    (type === "batch" ? this.#bulk : this.#urgent).put(bytes);
    this.#wake?.();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#wake?.();
    this.#channel?.close();
    await this.#running;
  }

  async #run(): Promise<void> {
    let delayMs = RETRY_MIN_MS;
    while (!this.#isClosed) {
      const peerId = this.#options.peerId() ?? (await this.#dial());
      if (this.#isClosed) return;
      if (peerId !== null && (await this.#talk(peerId))) delayMs = RETRY_MIN_MS;
      await this.#sleep(delayMs);
      delayMs = Math.min(delayMs * 2, RETRY_MAX_MS);
    }
  }

  /** Dials the addresses in turn; whoever answers with another key is not the one. */
  async #dial(): Promise<string | null> {
    for (const multiaddr of this.#multiaddrs) {
      if (this.#isClosed) return null;
      try {
        const { publicKey, peerId } = await this.#modules.network.connect(multiaddr);
        if (publicKey !== null && equalBytes(publicKey, this.#options.key)) return peerId;
      } catch (error) {
        this.#modules.log.debug("Could not reach a validator", { multiaddr, error: String(error) });
      }
    }
    return null;
  }

  /** Sends what is queued until the channel ends. @returns whether it stood: one that is refused ends at once. */
  async #talk(peerId: string): Promise<boolean> {
    let channel: Channel;
    try {
      channel = await this.#modules.network.openChannel(peerId, this.#options.protocol);
    } catch (error) {
      this.#modules.log.debug("A validator takes no channel yet", { error: String(error) });
      return false;
    }
    this.#channel = channel;
    const openedMs = this.#modules.clock.elapsedMs();
    let isOpen = true;
    void channel.closed.then(() => {
      isOpen = false;
      this.#wake?.();
    });
    try {
      while (isOpen && !this.#isClosed) {
        const next = this.#urgent.take() ?? this.#bulk.take();
        if (next === null) await new Promise<void>((resolve) => (this.#wake = resolve));
        else await channel.write(next);
      }
    } catch (error) {
      this.#modules.log.debug("A validator's channel broke", { error: String(error) });
    } finally {
      this.#channel = null;
      this.#urgent.clear();
      this.#bulk.clear();
      channel.close();
    }
    return this.#modules.clock.elapsedMs() - openedMs >= RETRY_MAX_MS;
  }

  #sleep(delayMs: number): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.#modules.clock.after(delayMs, resolve);
      this.#wake = () => {
        if (!this.#isClosed) return;
        cancel();
        resolve();
      };
    });
  }
}

/** A queue that forgets its oldest entries where they would be too many bytes. */
class BoundedQueue {
  readonly #maxBytes: number;
  #entries: Uint8Array[] = [];
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  put(entry: Uint8Array): void {
    this.#entries.push(entry);
    this.#bytes += entry.length;
    while (this.#bytes > this.#maxBytes) this.take();
  }

  take(): Uint8Array | null {
    const entry = this.#entries.shift() ?? null;
    this.#bytes -= entry?.length ?? 0;
    return entry;
  }

  clear(): void {
    this.#entries = [];
    this.#bytes = 0;
  }
}
