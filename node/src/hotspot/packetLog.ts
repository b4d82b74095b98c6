/** The last received packets, for people: what was heard, and whether it was kept or why not. */

import { FRAME_REASONS } from "../../../protocol/src/radio/frame.ts";
import { PACKET_REFUSALS, type ReceivedPacket, type RefusedPacket, type TimeSource } from "../radio/radio.ts";
import { BUNDLE_REFUSALS } from "./bundler.ts";

export const PACKETS_SHOWN = 200;

/** What a packet was. A `ghost` is a weaker copy of a frame, on a neighbouring channel or by another concentrator. */
export const PACKET_KINDS = ["beacon", "ghost", "other"] as const;
export type PacketKind = (typeof PACKET_KINDS)[number];

/** Why a packet made no witness report: a closed list, the metric's label too. */
export const NOT_KEPT_REASONS = [
  ...PACKET_REFUSALS,
  ...FRAME_REASONS,
  ...BUNDLE_REFUSALS,
  "ghost_copy",
  /** Another of this hotspot's concentrators heard the same frame better. */
  "other_concentrator",
  "own_beacon",
  "heard_before",
] as const;
export type NotKeptReason = (typeof NOT_KEPT_REASONS)[number];

/** A row of `/v1/packets`; null is what the forwarder did not say. */
export type PacketRow = {
  readonly time: string;
  /** What the time is from; null for what was not received whole, which has its arrival's. */
  readonly timeSource: TimeSource | null;
  /** The EUI of the forwarder that reported it. */
  readonly forwarder: string;
  readonly frequencyHz: number | null;
  readonly spreadingFactor: number | null;
  readonly bandwidthHz: number | null;
  readonly rssiDbm: number | null;
  readonly rssiKind: "channel" | "signal" | null;
  readonly snrDb: number | null;
  readonly size: number | null;
  readonly crc: "ok" | "bad" | "none" | null;
  readonly kind: PacketKind;
  readonly kept: boolean;
  readonly reason: NotKeptReason | null;
};

export class PacketLog {
  readonly #rows: PacketRow[] = [];

  /** Notes a reception. @param reason null where it made a witness report. */
  addReceived(packet: ReceivedPacket, kind: PacketKind, reason: NotKeptReason | null): void {
    this.#add({ ...toRow(packet, packet.payload.length), kind, kept: reason === null, reason });
  }

  /** Notes an element that is no usable reception. */
  addRefused(refused: RefusedPacket): void {
    const row = toRow(refused, refused.payloadBytes);
    this.#add({ ...row, kind: "other", kept: false, reason: refused.reason });
  }

  /** The newest first. */
  rows(): PacketRow[] {
    return [...this.#rows].reverse();
  }

  #add(row: PacketRow): void {
    this.#rows.push(row);
    if (this.#rows.length > PACKETS_SHOWN) this.#rows.shift();
  }
}

function toRow(packet: ReceivedPacket | RefusedPacket, size: number | null) {
  return {
    time: new Date(packet.receivedAtMs).toISOString(),
    timeSource: "timeSource" in packet ? packet.timeSource : null,
    forwarder: packet.forwarderEui,
    frequencyHz: packet.freqHz,
    spreadingFactor: packet.spreadingFactor,
    bandwidthHz: packet.bandwidthHz,
    rssiDbm: packet.rssiDeciDbm === null ? null : packet.rssiDeciDbm / 10,
    rssiKind: packet.rssiKind,
    snrDb: packet.snrCentiDb === null ? null : packet.snrCentiDb / 100,
    size,
    crc: packet.crc,
  };
}
