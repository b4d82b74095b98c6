/**
 * The hotspot's connections to validators: it dials, it is never dialled. A few at a time are enough; each address is
 * tried again after a growing, jittered pause, so that a validator's restart is not met by everybody at once. Whoever
 * joins the set is dialled where it is said to listen, and who has left it is let go.
 */
import type { ValidatorAddress } from "../../../protocol/src/agreement/setAnswers.ts";
import { equalBytes } from "../../../protocol/src/bytes/bytes.ts";
import { encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import type { Clock, Log, Network, PeerRef } from "../host/types.ts";
import type { KnownSets } from "./knownSets.ts";
import { computeFraction, type RandomBytes } from "./random.ts";

/** Three or four validators: a report survives the loss of some, and gossip's fan-out stays small. */
export const MAX_VALIDATOR_LINKS = 4;
/** Addresses that are taken from settings and genesis; a set is at most 100, and a hotspot needs few of them. */
export const MAX_VALIDATOR_ADDRESSES = 32;
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 30_000;
/** Who has no seat gets one at an epoch's begin at the soonest, and there is somebody at every address. */
const LAST_STRANGER_RETRY_MS = 300_000;
const TICK_MS = 500;

export type LinkStatus = {
  readonly address: string;
  readonly connected: boolean;
  /** Why the last attempt failed, or null. */
  readonly lastError: "unreachable" | "not_a_validator" | null;
};

type Link = {
  readonly address: string;
  /** Whose address it is said to be; null for one that the operator or genesis gives. */
  readonly learned: ValidatorAddress | null;
  peer: PeerRef | null;
  /** Who was left for having no seat, or null. */
  stranger: PeerRef | null;
  dialling: boolean;
  failures: number;
  retryAtMs: number;
  lastError: LinkStatus["lastError"];
};

export type ValidatorLinksOptions = {
  /** The operator's and genesis's: they are always kept. */
  readonly addresses: readonly string[];
};
export type ValidatorLinksModules = {
  readonly network: Pick<Network, "connect" | "isConnected" | "disconnect">;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: RandomBytes;
  readonly sets: Pick<KnownSets, "isMember" | "addresses" | "noteReached" | "onChange">;
  /** Asks a peer for newer validator sets than are known: it may be a validator that is not known yet. */
  readonly askForSets: (peer: PeerRef) => Promise<void>;
};

export class ValidatorLinks {
  #links: Link[];
  readonly #modules: ValidatorLinksModules;
  readonly #callbacks = new Set<(peer: PeerRef) => void>();
  #stopTicking: (() => void) | null = null;
  #signal: AbortSignal | null = null;

  constructor(options: ValidatorLinksOptions, modules: ValidatorLinksModules) {
    const addresses = [...new Set(options.addresses)].slice(0, MAX_VALIDATOR_ADDRESSES);
    this.#links = addresses.map((address) => createLink(address, null));
    this.#modules = modules;
  }

  /** Starts dialling; nothing is awaited, since a hotspot works with no validator in reach. */
  start(signal: AbortSignal): void {
    this.#signal = signal;
    this.#modules.sets.onChange(() => this.#letStrangersGo());
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

  /** Who has no seat any more is left; who was left for having none, and has one now, is dialled at once. */
  #letStrangersGo(): void {
    for (const link of this.#links) {
      const { peer, stranger } = link;
      if (peer !== null && !this.#isMember(peer)) void this.#leave(link, peer);
      else if (stranger !== null && this.#isMember(stranger)) link.retryAtMs = 0;
    }
  }

  /** Takes over where members are said to listen; what is not said any more goes, unless it is in use. */
  #renewLearned(): void {
    const learned = new Map(this.#modules.sets.addresses().map((each) => [each.multiaddr, each]));
    this.#links = this.#links.filter(
      (link) => link.learned === null || learned.has(link.address) || link.dialling || this.#isUsed(link),
    );
    for (const { address } of this.#links) learned.delete(address);
    for (const address of learned.values()) this.#links.push(createLink(address.multiaddr, address));
  }

  #isUsed({ peer }: Link): boolean {
    return peer !== null && this.#isUp(peer);
  }

  #isMember({ publicKey }: PeerRef): boolean {
    return publicKey !== null && this.#modules.sets.isMember(publicKey);
  }

  /** A validator that is connected, or being dialled, needs no second connection by another of its addresses. */
  #isAtHand({ learned }: Link, connected: readonly PeerRef[]): boolean {
    if (learned === null) return false;
    const dialled = this.#links.flatMap((link) =>
      link.dialling && link.learned !== null ? link.learned.validator : [],
    );
    const keys = [...connected.flatMap(({ publicKey }) => publicKey ?? []), ...dialled];
    return keys.some((key) => equalBytes(key, learned.validator));
  }

  #tick(): void {
    this.#renewLearned();
    const elapsedMs = this.#modules.clock.elapsedMs();
    const connected = this.connected();
    let busy = connected.length + this.#links.filter(({ dialling }) => dialling).length;
    for (const link of this.#links) {
      if (busy >= MAX_VALIDATOR_LINKS) return;
      if (link.dialling || elapsedMs < link.retryAtMs || this.#isUsed(link)) continue;
      if (link.peer !== null) {
        // It was up and is not: everybody on this validator notices at once, so each waits its own while.
        link.peer = null;
        link.retryAtMs = elapsedMs + this.#jitter(FIRST_RETRY_MS);
        continue;
      }
      if (this.#isAtHand(link, connected)) continue;
      busy++;
      void this.#dial(link);
    }
  }

  async #dial(link: Link): Promise<void> {
    const { network, askForSets, sets, log } = this.#modules;
    link.dialling = true;
    try {
      const peer = await network.connect(link.address, this.#signal!);
      if (!this.#isMember(peer)) await askForSets(peer);
      if (!this.#isMember(peer)) {
        await this.#leave(link, peer);
        return;
      }
      link.peer = peer;
      link.stranger = null;
      link.failures = 0;
      link.lastError = null;
      if (link.learned !== null) sets.noteReached({ ...link.learned, validator: peer.publicKey! });
      log.info("Connect to a validator", describeLink(link));
      for (const callback of this.#callbacks) callback(peer);
    } catch {
      if (this.#signal!.aborted) return;
      this.#postpone(link, "unreachable");
      // Once an outage: the status shows that it lasts.
      if (link.failures === 1) log.warn("Cannot reach a validator; keep trying", describeLink(link));
    } finally {
      link.dialling = false;
    }
  }

  async #leave(link: Link, peer: PeerRef): Promise<void> {
    const { network, log } = this.#modules;
    link.peer = null;
    link.stranger = peer;
    this.#postpone(link, "not_a_validator");
    if (link.failures === 1) log.warn("Leave a peer that has no seat in this network", describeLink(link));
    await network.disconnect(peer.peerId);
  }

  #postpone(link: Link, error: LinkStatus["lastError"]): void {
    link.lastError = error;
    link.failures++;
    const longestMs = error === "unreachable" ? LAST_RETRY_MS : LAST_STRANGER_RETRY_MS;
    const pauseMs = Math.min(longestMs, FIRST_RETRY_MS * 2 ** Math.min(link.failures - 1, 10));
    link.retryAtMs = this.#modules.clock.elapsedMs() + this.#jitter(pauseMs);
  }

  /** Between half and all of a pause. */
  #jitter(pauseMs: number): number {
    return pauseMs * (0.5 + 0.5 * computeFraction(this.#modules.random));
  }
}

const createLink = (address: string, learned: ValidatorAddress | null): Link => ({
  address,
  learned,
  peer: null,
  stranger: null,
  dialling: false,
  failures: 0,
  retryAtMs: 0,
  lastError: null,
});

/** For the log, which repeats nothing that a peer has said. */
const describeLink = ({ address, learned }: Link) =>
  learned === null ? { address } : { validator: encodeDidKey(learned.validator) };
