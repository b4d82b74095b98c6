/**
 * Collapses the copies of one frame. A strong signal is demodulated on neighbouring channels too, within microseconds
 * and much weaker; the forwarder reports every copy, in any order and possibly in two datagrams. And where several
 * concentrators share a mast, each hears it. Copies are collected for a while and the strongest is the reception. Pure:
 * the caller brings the time and sets its own timer.
 */
import { encodeHex } from "../../../../protocol/src/bytes/hex.ts";
import type { ReceivedPacket } from "../radio.ts";

/** How long copies are awaited: a push blocks a forwarder for up to 100 ms, and two may be in the way. */
export const GHOST_HOLD_OFF_MS = 300;
/** Copies end in the same symbol; demodulators stamp them within this of each other. */
export const GHOST_TMST_TOLERANCE_US = 50;
/**
 * Two concentrators' counters have nothing in common, and one may have GPS and the other not. So there the times by this
 * machine's clock decide, which may be off by a blocked push before a counter's line is known. The same bytes sent again
 * end at least an airtime and a round later.
 */
export const COPY_TIME_TOLERANCE_MS = 150;
/**
 * A concentrator's 16 demodulators at the shortest useful frame (SF5 takes some 10 ms) end 480 frames in a hold-off;
 * with more waiting than this the oldest is let go early.
 */
export const GHOST_GROUPS_MAX = 512;
/** One frame has at most one copy on each of a concentrator's 10 channels; further ones are only counted. */
export const GHOST_COPIES_KEPT_MAX = 9;

const TMST_PERIOD_US = 2 ** 32;

/** A frame with all copies of it that came. */
export type PacketGroup = {
  /** The strongest copy: the reception to report. */
  readonly strongest: ReceivedPacket;
  /** The other copies, for diagnosis. */
  readonly ghosts: readonly ReceivedPacket[];
  /** How many other copies there were, those not kept included. */
  readonly ghostCount: number;
};

type OpenGroup = {
  readonly key: string;
  readonly dueMs: number;
  strongest: ReceivedPacket;
  ghosts: ReceivedPacket[];
  ghostCount: number;
};

export class GhostFilter {
  /** In order of arrival, and so of falling due. */
  readonly #groups: OpenGroup[] = [];
  readonly #byKey = new Map<string, OpenGroup[]>();
  readonly #holdOffMs: number;

  constructor(holdOffMs = GHOST_HOLD_OFF_MS) {
    this.#holdOffMs = holdOffMs;
  }

  /**
   * Takes one packet in. It joins the group of the same payload and moment, or opens one.
   * @returns groups that had to be let go before their time to make room; normally none.
   */
  offer(packet: ReceivedPacket, nowMs: number): PacketGroup[] {
    const key = encodeHex(packet.payload);
    const candidates = this.#byKey.get(key) ?? [];
    const group = candidates.find((open) => areCopies(open.strongest, packet));
    if (group !== undefined) {
      addCopy(group, packet);
      return [];
    }
    const released: PacketGroup[] = [];
    if (this.#groups.length >= GHOST_GROUPS_MAX) released.push(this.#releaseOldest());
    const opened = { key, dueMs: nowMs + this.#holdOffMs, strongest: packet, ghosts: [], ghostCount: 0 };
    this.#groups.push(opened);
    this.#byKey.set(key, [...(this.#byKey.get(key) ?? []), opened]);
    return released;
  }

  /** Gives and forgets the groups whose hold-off has passed, oldest first. */
  due(nowMs: number): PacketGroup[] {
    const released: PacketGroup[] = [];
    while (this.#groups.length > 0 && this.#groups[0]!.dueMs <= nowMs) released.push(this.#releaseOldest());
    return released;
  }

  /** When `due` will next have something, or null where nothing waits. */
  nextDueMs(): number | null {
    return this.#groups[0]?.dueMs ?? null;
  }

  #releaseOldest(): PacketGroup {
    const group = this.#groups.shift()!;
    const others = this.#byKey.get(group.key)!.filter((open) => open !== group);
    if (others.length === 0) this.#byKey.delete(group.key);
    else this.#byKey.set(group.key, others);
    return { strongest: group.strongest, ghosts: group.ghosts, ghostCount: group.ghostCount };
  }
}

function addCopy(group: OpenGroup, packet: ReceivedPacket): void {
  const isStronger = compareStrength(packet, group.strongest) > 0;
  const ghost = isStronger ? group.strongest : packet;
  if (isStronger) group.strongest = packet;
  group.ghostCount++;
  if (group.ghosts.length < GHOST_COPIES_KEPT_MAX) group.ghosts.push(ghost);
}

function areCopies(a: ReceivedPacket, b: ReceivedPacket): boolean {
  if (a.forwarderEui !== b.forwarderEui) {
    return Math.abs(a.hostTimeMs - b.hostTimeMs) <= COPY_TIME_TOLERANCE_MS;
  }
  const ahead = (a.tmstUs - b.tmstUs + TMST_PERIOD_US) % TMST_PERIOD_US;
  return Math.min(ahead, TMST_PERIOD_US - ahead) <= GHOST_TMST_TOLERANCE_US;
}

/**
 * Positive where `a` is the stronger copy. Strengths of the same kind compare directly; a channel's and a signal's do
 * not, so then SNR decides. Equal copies: the one that came first stays.
 */
export function compareStrength(a: ReceivedPacket, b: ReceivedPacket): number {
  if (a.rssiKind === b.rssiKind && a.rssiDeciDbm !== b.rssiDeciDbm) return a.rssiDeciDbm - b.rssiDeciDbm;
  return a.snrCentiDb - b.snrCentiDb;
}
