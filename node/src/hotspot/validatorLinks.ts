/**
 * The hotspot's connections to validators: it dials, it is never dialled. A few at a time are enough; each address is
 * tried again after a growing, jittered pause, so that a validator's restart is not met by everybody at once.
 */
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import type { Clock, Log, Network, PeerRef } from "../host/types.ts";
import { computeFraction, type RandomBytes } from "./random.ts";

/** Three or four validators: a report survives the loss of some, and gossip's fan-out stays small. */
export const MAX_VALIDATOR_LINKS = 4;
/** Addresses that are kept; a validator set is at most 100, and a hotspot needs few of them. */
export const MAX_VALIDATOR_ADDRESSES = 32;
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 30_000;
const TICK_MS = 500;

export type LinkStatus = {
  readonly address: string;
  readonly connected: boolean;
  /** Why the last attempt failed, or null. */
  readonly lastError: "unreachable" | "not_a_validator" | null;
};

type Link = {
  readonly address: string;
  peer: PeerRef | null;
  dialling: boolean;
  failures: number;
  retryAtMs: number;
  lastError: LinkStatus["lastError"];
};

export type ValidatorLinksOptions = {
  readonly addresses: readonly string[];
  /** The keys of the validator set. */
  readonly validators: readonly Uint8Array[];
};
export type ValidatorLinksModules = {
  readonly network: Pick<Network, "connect" | "isConnected" | "disconnect">;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: RandomBytes;
};

export class ValidatorLinks {
  readonly #links: Link[];
  readonly #validators: ReadonlySet<string>;
  readonly #modules: ValidatorLinksModules;
  readonly #callbacks = new Set<(peer: PeerRef) => void>();
  #stopTicking: (() => void) | null = null;
  #signal: AbortSignal | null = null;

  constructor(options: ValidatorLinksOptions, modules: ValidatorLinksModules) {
    const addresses = [...new Set(options.addresses)].slice(0, MAX_VALIDATOR_ADDRESSES);
    this.#links = addresses.map((address) => ({
      address,
      peer: null,
      dialling: false,
      failures: 0,
      retryAtMs: 0,
      lastError: null,
    }));
    this.#validators = new Set(options.validators.map(encodeHex));
    this.#modules = modules;
  }

  /** Starts dialling; nothing is awaited, since a hotspot works with no validator in reach. */
  start(signal: AbortSignal): void {
    this.#signal = signal;
    this.#stopTicking = this.#modules.clock.every(TICK_MS, () => this.#tick());
    this.#tick();
  }

  stop(): void {
    this.#stopTicking?.();
    this.#stopTicking = null;
  }

  /** Calls back whenever a validator has been connected. */
  onConnected(callback: (peer: PeerRef) => void): void {
    this.#callbacks.add(callback);
  }

  /** The validators that are connected now, each once: one may have several addresses. */
  connected(): PeerRef[] {
    const peers = new Map<string, PeerRef>();
    for (const { peer } of this.#links) if (peer !== null && this.#isUp(peer)) peers.set(peer.peerId, peer);
    return [...peers.values()];
  }

  status(): LinkStatus[] {
    return this.#links.map(({ address, peer, lastError }) => ({
      address,
      connected: peer !== null && this.#isUp(peer),
      lastError,
    }));
  }

  #isUp(peer: PeerRef): boolean {
    return this.#modules.network.isConnected(peer.peerId);
  }

  #tick(): void {
    const nowMs = this.#modules.clock.nowMs();
    let busy = this.connected().length + this.#links.filter(({ dialling }) => dialling).length;
    for (const link of this.#links) {
      if (busy >= MAX_VALIDATOR_LINKS) return;
      if (link.dialling || nowMs < link.retryAtMs) continue;
      if (link.peer !== null && this.#isUp(link.peer)) continue;
      if (link.peer !== null) {
        // It was up and is not: everybody on this validator notices at once, so each waits its own while.
        link.peer = null;
        link.retryAtMs = nowMs + this.#jitter(FIRST_RETRY_MS);
        continue;
      }
      busy++;
      void this.#dial(link);
    }
  }

  async #dial(link: Link): Promise<void> {
    const { network, log } = this.#modules;
    link.dialling = true;
    try {
      const peer = await network.connect(link.address, this.#signal!);
      if (peer.publicKey === null || !this.#validators.has(encodeHex(peer.publicKey))) {
        await network.disconnect(peer.peerId);
        this.#postpone(link, "not_a_validator");
        log.warn("Leave a peer that is no validator of this network", { address: link.address });
        return;
      }
      link.peer = peer;
      link.failures = 0;
      link.lastError = null;
      log.info("Connect to a validator", { address: link.address });
      for (const callback of this.#callbacks) callback(peer);
    } catch {
      if (this.#signal!.aborted) return;
      this.#postpone(link, "unreachable");
      // Once an outage: the status shows that it lasts.
      if (link.failures === 1) log.warn("Cannot reach a validator; keep trying", { address: link.address });
    } finally {
      link.dialling = false;
    }
  }

  #postpone(link: Link, error: LinkStatus["lastError"]): void {
    link.lastError = error;
    link.failures++;
    const pauseMs = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(link.failures - 1, 10));
    link.retryAtMs = this.#modules.clock.nowMs() + this.#jitter(pauseMs);
  }

  /** Between half and all of a pause. */
  #jitter(pauseMs: number): number {
    return pauseMs * (0.5 + 0.5 * computeFraction(this.#modules.random));
  }
}
