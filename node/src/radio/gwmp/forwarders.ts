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
  /** Since when it has been there: of this silence's end, where it was silent. */
  firstSeenMs: number;
  lastSeenMs: number;
  lastPullMs: number | null;
  lastPushMs: number | null;
  readonly receptionClock: ReceptionClock;
  stat: ForwarderStat | null;
  takeoversRefused: number;
  /** Until when its transmitter is taken by a frame of ours; infinite while an answer is awaited. */
  busyUntilMs: number;
};

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
    nowMs: number,
  ): ForwarderEntry | AdmissionRefusal {
    if (this.#allowed !== null && !this.#allowed.includes(eui)) return "eui_not_allowed";
    const known = this.#entries.get(eui);
    if (known !== undefined) {
      if (isAlive(known, nowMs) && known.downlink!.address !== address) {
        known.takeoversRefused++;
        return "foreign_address";
      }
      // Back from a silence, it has its time anew to report something.
      if (nowMs - known.lastSeenMs >= FORWARDER_ALIVE_MS) {
        known.firstSeenMs = nowMs;
        known.lastPushMs = null;
      }
      known.lastSeenMs = nowMs;
      return known;
    }
    if (this.#entries.size >= FORWARDERS_MAX && !this.#evictSilent(nowMs)) return "forwarders_full";
    const entry: ForwarderEntry = {
      eui,
      version,
      downlink: null,
      firstSeenMs: nowMs,
      lastSeenMs: nowMs,
      lastPullMs: null,
      lastPushMs: null,
      receptionClock: new ReceptionClock(),
      stat: null,
      takeoversRefused: 0,
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
  findTransmitting(nowMs: number): ForwarderEntry | null {
    const inOrder = this.#allowed ?? [...this.#entries.keys()].sort();
    for (const eui of inOrder) {
      const entry = this.#entries.get(eui);
      if (entry !== undefined && isAlive(entry, nowMs)) return entry;
    }
    return null;
  }

  status(nowMs: number): ForwarderStatus[] {
    const transmitting = this.findTransmitting(nowMs);
    return [...this.#entries.values()].map((entry) => ({
      eui: entry.eui,
      transmits: entry === transmitting,
      downlinkAddress: entry.downlink === null ? null : formatEndpoint(entry.downlink),
      version: entry.version,
      firstSeenMs: entry.firstSeenMs,
      lastSeenMs: entry.lastSeenMs,
      lastPullMs: entry.lastPullMs,
      lastPushMs: entry.lastPushMs,
      timing: entry.receptionClock.status(),
      alive: isAlive(entry, nowMs),
      stat: entry.stat,
      takeoversRefused: entry.takeoversRefused,
    }));
  }

  /** Makes room by forgetting the one that has been silent longest; one heard lately keeps its place. */
  #evictSilent(nowMs: number): boolean {
    let oldest: ForwarderEntry | null = null;
    for (const entry of this.#entries.values()) {
      if (oldest === null || entry.lastSeenMs < oldest.lastSeenMs) oldest = entry;
    }
    if (oldest === null || nowMs - oldest.lastSeenMs < FORWARDER_ALIVE_MS) return false;
    return this.#entries.delete(oldest.eui);
  }
}

/** Whether a downlink can reach it: its last PULL_DATA is not too old. */
export function isAlive(entry: ForwarderEntry, nowMs: number): boolean {
  return entry.lastPullMs !== null && nowMs - entry.lastPullMs < FORWARDER_ALIVE_MS;
}
