/**
 * The forwarders that speak to this hotspot: one bounded entry for each gateway EUI. The protocol has no passwords, so
 * this decides who may speak for an EUI, and it alone says where a downlink goes: to the last PULL_DATA's source.
 * (A forwarder pushes from another port than it pulls from; taking the address from PUSH_DATA loses downlinks.)
 */
import type { ForwarderStat, ForwarderStatus } from "../radio.ts";
import type { GwmpVersion } from "./datagram.ts";
import { ReceptionClock } from "./receptionClock.ts";

/** A hotspot has one concentrator, a mast with sectors a few; more than these is somebody inventing identifiers. */
export const FORWARDERS_MAX = 16;
/**
 * Six keepalives of the 10 s that forwarders ship with; after that its address is not worth a downlink. gateway-rs and
 * ChirpStack's gateway bridge wait as long.
 */
export const FORWARDER_ALIVE_MS = 60_000;

/** One that shares an EUI speaks every 10 s or so: after this much quiet it has been put right. */
const RIVAL_FORGOTTEN_MS = 600_000;
/** Sources of PULL_DATA that are remembered of one EUI: two forwarders that share it, and some restarts. */
const PULL_SOURCES_MAX = 8;

export type Endpoint = { readonly address: string; readonly port: number };

/** As people write it: an IPv6 address stands in brackets. */
export function formatEndpoint({ address, port }: Endpoint): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

export type AdmissionRefusal = "eui_not_allowed" | "forwarders_full" | "foreign_address";

export type ForwarderEntry = {
  readonly eui: string;
  version: GwmpVersion;
  downlink: Endpoint | null;
  /** Since when it has been there: of this silence's end, where it was silent. As all times here by the clock that nobody sets. */
  firstSeenMs: number;
  lastSeenMs: number;
  lastPullMs: number | null;
  lastPushMs: number | null;
  readonly receptionClock: ReceptionClock;
  stat: ForwarderStat | null;
  readonly takeoversRefused: Spell;
  readonly downlinkReturns: Spell;
  /** Where it pulled from and when last, the latest last. */
  readonly pullSources: Map<string, number>;
  /** Until when its transmitter is taken by a frame of ours; infinite while an answer is awaited. */
  busyUntilMs: number;
};

/** What happens again and again while something is wrong, counted until it has been quiet for long. */
type Spell = { count: number; lastMs: number };

export class ForwarderTable {
  readonly #allowed: readonly string[] | null;
  readonly #entries = new Map<string, ForwarderEntry>();

  /** @param allowed the EUIs that may speak, as 16 lower-case hexadecimal digits, who transmits first; null for any. */
  constructor(allowed: readonly string[] | null) {
    this.#allowed = allowed;
  }

  /** Decides whether a datagram from this address may speak for the EUI, and notes that it was heard. */
  admit(
    eui: string,
    address: string,
    version: GwmpVersion,
    elapsedMs: number,
  ): ForwarderEntry | AdmissionRefusal {
    if (this.#allowed !== null && !this.#allowed.includes(eui)) return "eui_not_allowed";
    const known = this.#entries.get(eui);
    if (known !== undefined) {
      if (isAlive(known, elapsedMs) && known.downlink!.address !== address) {
        addTo(known.takeoversRefused, elapsedMs);
        return "foreign_address";
      }
      // Back from a silence, it has its time anew to report something.
      if (elapsedMs - known.lastSeenMs >= FORWARDER_ALIVE_MS) {
        known.firstSeenMs = elapsedMs;
        known.lastPushMs = null;
      }
      known.lastSeenMs = elapsedMs;
      return known;
    }
    if (this.#entries.size >= FORWARDERS_MAX && !this.#evictSilent(elapsedMs)) return "forwarders_full";
    const entry: ForwarderEntry = {
      eui,
      version,
      downlink: null,
      firstSeenMs: elapsedMs,
      lastSeenMs: elapsedMs,
      lastPullMs: null,
      lastPushMs: null,
      receptionClock: new ReceptionClock(),
      stat: null,
      takeoversRefused: { count: 0, lastMs: elapsedMs },
      downlinkReturns: { count: 0, lastMs: elapsedMs },
      pullSources: new Map(),
      busyUntilMs: 0,
    };
    this.#entries.set(eui, entry);
    return entry;
  }

  has(eui: string): boolean {
    return this.#entries.has(eui);
  }

  /**
   * The forwarder that a frame leaves through: of the live ones the first in the allow-list, and without a list the one
   * with the lowest EUI, so that the same antenna sends after every restart. Null where none is alive.
   */
  findTransmitting(elapsedMs: number): ForwarderEntry | null {
    const inOrder = this.#allowed ?? [...this.#entries.keys()].sort();
    for (const eui of inOrder) {
      const entry = this.#entries.get(eui);
      if (entry !== undefined && isAlive(entry, elapsedMs)) return entry;
    }
    return null;
  }

  /** All of them, their times told by the wall clock as it is now. */
  status({ nowMs, elapsedMs }: { readonly nowMs: number; readonly elapsedMs: number }): ForwarderStatus[] {
    const transmitting = this.findTransmitting(elapsedMs);
    const toUnixMs = (atMs: number) => nowMs - (elapsedMs - atMs);
    const toUnixMsIfAny = (atMs: number | null) => (atMs === null ? null : toUnixMs(atMs));
    return [...this.#entries.values()].map((entry) => ({
      eui: entry.eui,
      transmits: entry === transmitting,
      downlinkAddress: entry.downlink === null ? null : formatEndpoint(entry.downlink),
      version: entry.version,
      firstSeenMs: toUnixMs(entry.firstSeenMs),
      lastSeenMs: toUnixMs(entry.lastSeenMs),
      lastPullMs: toUnixMsIfAny(entry.lastPullMs),
      lastPushMs: toUnixMsIfAny(entry.lastPushMs),
      timing: entry.receptionClock.status(nowMs),
      alive: isAlive(entry, elapsedMs),
      stat: entry.stat,
      takeoversRefused: countOf(entry.takeoversRefused, elapsedMs),
      downlinkReturns: countOf(entry.downlinkReturns, elapsedMs),
    }));
  }

  /** Makes room by forgetting the one that has been silent longest; one heard lately keeps its place. */
  #evictSilent(elapsedMs: number): boolean {
    let oldest: ForwarderEntry | null = null;
    for (const entry of this.#entries.values()) {
      if (oldest === null || entry.lastSeenMs < oldest.lastSeenMs) oldest = entry;
    }
    if (oldest === null || elapsedMs - oldest.lastSeenMs < FORWARDER_ALIVE_MS) return false;
    return this.#entries.delete(oldest.eui);
  }
}

/**
 * Has downlinks sent to the source of a PULL_DATA from now on.
 * @returns whether that was left for another one and is back within its time: a forwarder that starts anew never does so, but
 * two that have one EUI on one machine take turns.
 */
export function moveDownlink(entry: ForwarderEntry, { address, port }: Endpoint, elapsedMs: number): boolean {
  const to = { address, port };
  const key = formatEndpoint(to);
  const isMoved = entry.downlink !== null && formatEndpoint(entry.downlink) !== key;
  const before = entry.pullSources.get(key);
  const isBack = isMoved && before !== undefined && elapsedMs - before < FORWARDER_ALIVE_MS;
  entry.pullSources.delete(key);
  entry.pullSources.set(key, elapsedMs);
  const [oldest] = entry.pullSources.keys();
  if (entry.pullSources.size > PULL_SOURCES_MAX) entry.pullSources.delete(oldest!);
  entry.downlink = to;
  entry.lastPullMs = elapsedMs;
  if (isBack) addTo(entry.downlinkReturns, elapsedMs);
  return isBack;
}

function addTo(spell: Spell, elapsedMs: number): void {
  spell.count = countOf(spell, elapsedMs) + 1;
  spell.lastMs = elapsedMs;
}

function countOf({ count, lastMs }: Spell, elapsedMs: number): number {
  return elapsedMs - lastMs < RIVAL_FORGOTTEN_MS ? count : 0;
}

/** Whether a downlink can reach it: its last PULL_DATA is not too old. */
export function isAlive(entry: ForwarderEntry, elapsedMs: number): boolean {
  return entry.lastPullMs !== null && elapsedMs - entry.lastPullMs < FORWARDER_ALIVE_MS;
}
