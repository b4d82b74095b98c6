/**
 * The radio as the hotspot sees it: frames come in with their measurement, one frame at a time goes out, and what was
 * lost on the way is counted by a closed list of reasons. Pure types and their closed lists; `gwmp/` is the one
 * implementation; in simulations a channel stands behind it as a packet forwarder (`test/ether/`).
 */
import type { Clock, Log } from "../host/types.ts";

/** What a radio needs of time. */
export type RadioClock = Pick<Clock, "nowMs" | "elapsedMs" | "after">;

/** What a radio logs with. */
export type RadioLog = Pick<Log, "info" | "warn">;

/** Whether RSSI is the power in the channel, noise included, or the power of the LoRa signal alone. */
export type RssiKind = "channel" | "signal";

/**
 * What a reception's time is from: the forwarder's GPS, the concentrator's counter, or, where neither says anything, the
 * arrival of the datagram.
 */
export const TIME_SOURCES = ["gps", "counter", "arrival"] as const;
export type TimeSource = (typeof TIME_SOURCES)[number];

/** Why an element that a forwarder reported is no usable reception; the value in `/v1/packets` and the metric label. */
export const PACKET_REFUSALS = [
  /** Not a JSON object, or a field that must be there has no clear meaning. */
  "malformed",
  "not_lora",
  "crc_bad",
  /** Sent without a checksum, or the forwarder does not say that it was good. */
  "crc_none",
  "data_rate_unknown",
  "frequency_missing",
  "tmst_missing",
  "rssi_missing",
  "snr_missing",
  "payload_malformed",
  /** Longer than the 255 bytes that LoRa's length field can say. */
  "payload_too_long",
  /** Beyond the 255 elements that a forwarder puts into one datagram. */
  "over_limit",
] as const;
export type PacketRefusal = (typeof PACKET_REFUSALS)[number];

/** A LoRa frame heard with a good checksum, as one demodulator of one forwarder reported it. */
export type ReceivedPacket = {
  /** Wall clock at the end of reception, as well as it is known. */
  readonly receivedAtMs: number;
  readonly timeSource: TimeSource;
  /** The same moment by this machine's clock alone, by which two forwarders' receptions compare, one with GPS or not. */
  readonly hostTimeMs: number;
  /** The forwarder, as 16 lower-case hexadecimal digits. */
  readonly forwarderEui: string;
  /** The concentrator's counter at the end of reception: microseconds modulo 2^32. */
  readonly tmstUs: number;
  readonly freqHz: number;
  readonly modulation: "lora";
  readonly spreadingFactor: number;
  readonly bandwidthHz: number;
  readonly rssiDeciDbm: number;
  readonly rssiKind: RssiKind;
  readonly snrCentiDb: number;
  readonly crc: "ok";
  readonly payload: Uint8Array;
};

/** A reported element that is no usable reception: the reason, and what of it could be read (null: could not). */
export type RefusedPacket = {
  readonly reason: PacketRefusal;
  /** Wall clock at the arrival of the datagram that carried it. */
  readonly receivedAtMs: number;
  readonly forwarderEui: string;
  readonly freqHz: number | null;
  readonly modulation: "lora" | "fsk" | "lr_fhss" | null;
  readonly spreadingFactor: number | null;
  readonly bandwidthHz: number | null;
  readonly rssiDeciDbm: number | null;
  readonly rssiKind: RssiKind | null;
  readonly snrCentiDb: number | null;
  readonly crc: "ok" | "bad" | "none" | null;
  readonly payloadBytes: number | null;
};

/** A frame to send at once, with upright polarity, so that other hotspots hear it. */
export type TransmitRequest = {
  /** 1 to 255 bytes. */
  readonly payload: Uint8Array;
  readonly freqHz: number;
  readonly spreadingFactor: number;
  readonly bandwidthHz: number;
  /** Conducted power, before the antenna's gain: an integer, since forwarders cut off decimals without a word. */
  readonly powerDbm: number;
  /**
   * The forwarder that the power was judged for, whose table is its own: no other one sends it. Null where none was there
   * to be judged, and then none sends it.
   */
  readonly forwarderEui: string | null;
};

/** Why a frame was not, or may not have been, sent as asked; the value in the status and the metric label. */
export const TRANSMIT_FAILURES = [
  /** The caller's request lies outside what a forwarder can be asked. */
  "invalid_request",
  /** No forwarder has sent PULL_DATA lately, so there is no address to send to. */
  "no_forwarder",
  /** Another forwarder than the one that was judged fit for it would send it now. */
  "forwarder_changed",
  /** An earlier frame is still on its way through this forwarder. */
  "busy",
  /** The forwarder never answered; it also keeps silent about requests that it does not understand. */
  "no_answer",
  "aborted",
  "radio_stopped",
  /** The operating system would not send the datagram. */
  "socket_error",
  "too_late",
  "too_early",
  "collision_packet",
  "collision_beacon",
  "tx_freq",
  /** Power refused outright, as forwarders of the SX1301 do. */
  "tx_power",
  "gps_unlocked",
  /** Listen before talk found the channel taken. */
  "channel_busy",
  "send_failed",
  /** The forwarder changed the power and did not say to what, so no honest report of it can be signed. */
  "power_unknown",
  /** An answer that says neither success nor a known error. */
  "answer_unknown",
] as const;
export type TransmitFailure = (typeof TRANSMIT_FAILURES)[number];

/**
 * What became of a transmission. "queued" is all that a forwarder ever says: emission follows, and is not confirmed.
 * A failure's `onAir` tells the duty-cycle budget whether the frame may have been sent all the same.
 */
export type TransmitResult =
  | {
      readonly status: "queued";
      readonly forwarderEui: string;
      /** The conducted power really used, which may be more or less than what was asked. */
      readonly powerDbm: number;
      /** "unknown" with version 1, which has no acknowledgement. */
      readonly acknowledged: true | "unknown";
      /** The counter at emission, where the forwarder tells it. */
      readonly tmstUs: number | null;
    }
  | { readonly status: "failed"; readonly reason: TransmitFailure; readonly onAir: "no" | "possible" };

/** What happened to datagrams: the three kinds that were taken, then why one was not, or what was wrong with it. */
export const DATAGRAM_COUNTERS = [
  "push_data",
  "pull_data",
  "tx_ack",
  "too_short",
  "too_long",
  "version_unknown",
  "kind_unknown",
  "length_wrong",
  /** A kind that only servers send. */
  "kind_unexpected",
  "eui_not_allowed",
  "forwarders_full",
  /** It claims a forwarder that is alive at another IP address. */
  "foreign_address",
  /** Acknowledged, but what followed the header was no JSON object. */
  "body_malformed",
  /** An answer to nothing that was asked, or one that came too late. */
  "tx_ack_unmatched",
  "socket_error",
] as const;
export type DatagramCounter = (typeof DATAGRAM_COUNTERS)[number];

/** What a forwarder last said of itself: the numbers of its `stat` object, those of its fields that were numbers. */
export type ForwarderStat = {
  readonly receivedAtMs: number;
  readonly values: Readonly<Partial<Record<StatField, number>>>;
};

/** The fields of `stat` that are kept; whatever else a vendor adds is ignored. */
export const STAT_FIELDS = [
  "rxnb",
  "rxok",
  "rxfw",
  "ackr",
  "dwnb",
  "txnb",
  "temp",
  "lati",
  "long",
  "alti",
] as const;
export type StatField = (typeof STAT_FIELDS)[number];

/** How a forwarder's receptions get their time; null is what is not known yet, or never will be without GPS. */
export type ForwarderTiming = {
  readonly source: TimeSource;
  /** How long the last reception took to get here. */
  readonly latencyMs: number | null;
  /** By how much this machine's clock runs faster than the concentrator's counter. */
  readonly driftPpm: number | null;
  /** By how much this machine's clock is ahead of GPS. */
  readonly gpsSkewMs: number | null;
  /** How often the counter or this machine's clock has jumped. */
  readonly restarts: number;
};

/** One forwarder as the status shows it. */
export type ForwarderStatus = {
  readonly eui: string;
  /** Whether beacons would leave through this one now. */
  readonly transmits: boolean;
  /** The IP address and port that downlinks go to; null until a PULL_DATA came. */
  readonly downlinkAddress: string | null;
  readonly version: 1 | 2;
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
  readonly lastPullMs: number | null;
  /** When it last reported anything, receptions or statistics. */
  readonly lastPushMs: number | null;
  readonly alive: boolean;
  readonly timing: ForwarderTiming | null;
  readonly stat: ForwarderStat | null;
  /** Datagrams refused of late because they claimed this EUI from another IP address while it was alive. */
  readonly takeoversRefused: number;
  /** How often downlinks have lately gone back to a port that they had left: two forwarders with this EUI take turns. */
  readonly downlinkReturns: number;
};

/** What the radio has seen so far; every counter's keys are a closed list. */
export type RadioStatus = {
  readonly listeningOn: string | null;
  readonly forwarders: readonly ForwarderStatus[];
  readonly datagrams: Readonly<Record<DatagramCounter, number>>;
  readonly packets: Readonly<Record<"accepted" | PacketRefusal, number>>;
  readonly transmissions: Readonly<Record<"queued" | TransmitFailure, number>>;
};

/** The hotspot's radio. */
export type Radio = {
  /** Opens it. @throws CodedError "listen_failed" where the address cannot be bound. */
  start(): Promise<void>;
  /** Closes it; transmissions under way fail with `radio_stopped`. Never throws, and may be called twice. */
  stop(): Promise<void>;
  /** Sends one frame at once. Resolves within the acknowledgement's time limit; never rejects. */
  transmit(request: TransmitRequest, signal?: AbortSignal): Promise<TransmitResult>;
  /** Calls back for every frame heard, ghost copies included. @returns what ends the subscription. */
  onPacket(callback: (packet: ReceivedPacket) => void): () => void;
  /** Calls back for every reported element that is no usable reception. @returns what ends the subscription. */
  onRefused(callback: (refused: RefusedPacket) => void): () => void;
  /** Calls back when a forwarder can be sent to: it is new, or back after a silence. @returns the unsubscribe. */
  onForwarderAlive(callback: (forwarderEui: string) => void): () => void;
  status(): RadioStatus;
};
