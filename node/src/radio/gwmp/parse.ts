/**
 * Judges one `rxpk` element: a usable reception, or the reason why it is none together with what could be read of it.
 * An odd field is forgiven where its meaning is clear, and a measurement is never put together from two antennas.
 */
import { PAYLOAD_BYTES_MAX } from "../../../../protocol/src/radio/airtime.ts";
import type { PacketRefusal, ReceivedPacket, RefusedPacket, RssiKind } from "../radio.ts";
import { decodeTolerantBase64 } from "./base64.ts";
import { asObject, type JsonObject, readNumber, readNumberWithin } from "./fields.ts";
import type { StampedElement } from "./receptionClock.ts";

const TMST_PERIOD_US = 2 ** 32;
const NS_PER_S = 1_000_000_000;
const BANDWIDTHS_KHZ: readonly number[] = [125, 250, 500];
/** Wide enough for every band with LoRa below 1 GHz and at 2.4 GHz; a value outside is in another unit. */
const FREQ_MHZ_RANGE = [100, 3_000] as const;
/** Far outside what a receiver can measure: beyond it, the number is not dBm or dB. */
const RSSI_DBM_RANGE = [-200, 50] as const;
const SNR_DB_RANGE = [-60, 60] as const;

export type PacketSource = { readonly receivedAtMs: number; readonly forwarderEui: string };
/** A packet has its datagram's arrival for its time until `stamps` are read. */
export type ParsedPacket =
  | { readonly packet: ReceivedPacket; readonly stamps: StampedElement; readonly refused: null }
  | { readonly packet: null; readonly stamps: null; readonly refused: RefusedPacket };

type Measurement = { readonly rssiDeciDbm: number; readonly rssiKind: RssiKind };

/** Judges one element of `rxpk`, already parsed as JSON by itself. Never throws. */
export function parsePacket(element: unknown, source: PacketSource): ParsedPacket {
  const rxpk = asObject(element);
  if (rxpk === null) return { packet: null, stamps: null, refused: createRefusal("malformed", source) };

  const modulation = readModulation(rxpk);
  const dataRate = readDataRate(rxpk.datr);
  const crc = readCrc(rxpk.stat);
  const freqMhz = readNumberWithin(rxpk.freq, ...FREQ_MHZ_RANGE);
  const freqHz = freqMhz === null ? null : Math.round(freqMhz * 1e6);
  const tmstUs = readTmst(rxpk.tmst);
  const { rssi, snrCentiDb } = readMeasurement(rxpk);
  const payload = typeof rxpk.data === "string" ? decodeTolerantBase64(rxpk.data) : null;

  const refuse = (reason: PacketRefusal): ParsedPacket => ({
    packet: null,
    stamps: null,
    refused: {
      ...source,
      reason,
      freqHz,
      modulation,
      spreadingFactor: dataRate?.spreadingFactor ?? null,
      bandwidthHz: dataRate?.bandwidthHz ?? null,
      rssiDeciDbm: rssi?.rssiDeciDbm ?? null,
      rssiKind: rssi?.rssiKind ?? null,
      snrCentiDb,
      crc,
      payloadBytes: payload?.length ?? null,
    },
  });
  if (modulation === null) return refuse("malformed");
  if (modulation !== "lora") return refuse("not_lora");
  if (crc === "bad") return refuse("crc_bad");
  if (crc !== "ok") return refuse("crc_none");
  if (dataRate === null) return refuse("data_rate_unknown");
  if (freqHz === null) return refuse("frequency_missing");
  if (tmstUs === null) return refuse("tmst_missing");
  if (rssi === null) return refuse("rssi_missing");
  if (snrCentiDb === null) return refuse("snr_missing");
  if (payload === null || payload.length === 0) return refuse("payload_malformed");
  if (payload.length > PAYLOAD_BYTES_MAX) return refuse("payload_too_long");
  const tmms = readNumberWithin(rxpk.tmms, 0, Number.MAX_SAFE_INTEGER);
  const ftimeNs = readNumberWithin(rxpk.ftime, 0, NS_PER_S - 1);
  const measured = { tmstUs, freqHz, modulation, ...dataRate, ...rssi, snrCentiDb, crc, payload };
  return {
    packet: { ...source, timeSource: "arrival", hostTimeMs: source.receivedAtMs, ...measured },
    stamps: { tmstUs, tmms, ftimeNs },
    refused: null,
  };
}

/** A refusal of which nothing is known but its reason. */
function createRefusal(reason: PacketRefusal, source: PacketSource): RefusedPacket {
  return {
    ...source,
    reason,
    freqHz: null,
    modulation: null,
    spreadingFactor: null,
    bandwidthHz: null,
    rssiDeciDbm: null,
    rssiKind: null,
    snrCentiDb: null,
    crc: null,
    payloadBytes: null,
  };
}

/** Where `modu` is absent, the form of the data rate tells: a number of bits a second is FSK. */
function readModulation(rxpk: JsonObject): "lora" | "fsk" | "lr_fhss" | null {
  const modu = rxpk.modu;
  const datr = rxpk.datr;
  if (modu === "LORA") return "lora";
  if (modu === "FSK") return "fsk";
  if (modu === "LR-FHSS") return "lr_fhss";
  if (modu !== undefined && modu !== null) return null;
  if (typeof datr === "number") return "fsk";
  if (typeof datr !== "string") return null;
  return datr.startsWith("SF") ? "lora" : datr.startsWith("M") ? "lr_fhss" : null;
}

function readDataRate(datr: unknown): { spreadingFactor: number; bandwidthHz: number } | null {
  const match = typeof datr === "string" ? /^SF(\d{1,2})BW(\d{3})$/.exec(datr) : null;
  if (match === null) return null;
  const spreadingFactor = Number(match[1]);
  const bandwidthKhz = Number(match[2]);
  if (spreadingFactor < 5 || spreadingFactor > 12 || !BANDWIDTHS_KHZ.includes(bandwidthKhz)) return null;
  return { spreadingFactor, bandwidthHz: bandwidthKhz * 1_000 };
}

/** Absent says nothing about the checksum, so it is not taken for good. */
function readCrc(stat: unknown): "ok" | "bad" | "none" {
  const value = readNumber(stat);
  if (value === 1) return "ok";
  return value === -1 ? "bad" : "none";
}

/** The counter, also where it was printed as a float or as a signed number. */
function readTmst(tmst: unknown): number | null {
  const value = readNumberWithin(tmst, -TMST_PERIOD_US / 2, TMST_PERIOD_US - 1);
  if (value === null || !Number.isInteger(value)) return null;
  return value < 0 ? value + TMST_PERIOD_US : value;
}

/**
 * Signal strength and SNR of one antenna. With `rsig` (JSON version 2) it is the antenna with the best SNR, because
 * that one decided whether the frame was read; its own two numbers stay together.
 */
function readMeasurement(rxpk: JsonObject): { rssi: Measurement | null; snrCentiDb: number | null } {
  const rsig = rxpk.rsig;
  if (!Array.isArray(rsig) || rsig.length === 0) {
    return { rssi: readRssi(rxpk.rssis, rxpk.rssi), snrCentiDb: readSnr(rxpk.lsnr) };
  }
  let best: { rssi: Measurement; snrCentiDb: number } | null = null;
  for (const element of rsig) {
    const antenna = asObject(element);
    const rssi = antenna === null ? null : readRssi(antenna.rssis, antenna.rssic);
    const snrCentiDb = antenna === null ? null : readSnr(antenna.lsnr);
    if (rssi === null || snrCentiDb === null) continue;
    if (best === null || isBetterAntenna({ rssi, snrCentiDb }, best)) best = { rssi, snrCentiDb };
  }
  return best ?? { rssi: null, snrCentiDb: null };
}

type AntennaMeasurement = { readonly rssi: Measurement; readonly snrCentiDb: number };

function isBetterAntenna(candidate: AntennaMeasurement, best: AntennaMeasurement): boolean {
  if (candidate.snrCentiDb !== best.snrCentiDb) return candidate.snrCentiDb > best.snrCentiDb;
  return candidate.rssi.rssiDeciDbm > best.rssi.rssiDeciDbm;
}

/** The signal's strength where it was measured, else the channel's. */
function readRssi(signal: unknown, channel: unknown): Measurement | null {
  const signalDbm = readNumberWithin(signal, ...RSSI_DBM_RANGE);
  if (signalDbm !== null) return { rssiDeciDbm: Math.round(signalDbm * 10), rssiKind: "signal" };
  const channelDbm = readNumberWithin(channel, ...RSSI_DBM_RANGE);
  return channelDbm === null ? null : { rssiDeciDbm: Math.round(channelDbm * 10), rssiKind: "channel" };
}

function readSnr(lsnr: unknown): number | null {
  const snrDb = readNumberWithin(lsnr, ...SNR_DB_RANGE);
  return snrDb === null ? null : Math.round(snrDb * 100);
}
