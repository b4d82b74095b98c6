/**
 * Reads a PULL_RESP as the real lora_pkt_fwd 2.1.0 does, down to its silences: what is incomplete or malformed gets no
 * answer at all, wrong values of the right kind are cast, and one wrong character in the data ends the process.
 */

import { decodeTolerantBase64 } from "../../node/src/radio/gwmp/base64.ts";
import { asObject, type JsonObject } from "../../node/src/radio/gwmp/fields.ts";
import {
  computeAirtimeUs,
  PAYLOAD_BYTES_MAX,
  PREAMBLE_SYMBOLS_MAX,
} from "../../protocol/src/radio/airtime.ts";
import type { Emission } from "./ether.ts";

/** The radio that a forwarder's configuration describes. */
export type TransmitterConfiguration = {
  readonly txFreqMinHz: number;
  readonly txFreqMaxHz: number;
  /** The powers that the gain table has, in dBm, ascending. */
  readonly lutDbm: readonly number[];
  /** Taken off the power asked for, as `antenna_gain` in the configuration is. */
  readonly antennaGainDbi: number;
  /**
   * What is said of a power that the table lacks: forwarders of the SX1302 take the nearest below and warn, those of the
   * SX1301 (packet_forwarder 4.0.1) refuse.
   */
  readonly powerPolicy: "warn" | "refuse";
  /** Whether a GPS receiver has a fix, so that times of it can be kept. */
  readonly hasGps: boolean;
};

/** Semtech's table for EU868: a power below 12 dBm does not exist on it. */
export const REFERENCE_LUT_DBM: readonly number[] = Array.from({ length: 16 }, (_, i) => 12 + i);
/** A table as makers of complete hotspots ship it, for low powers with high antennas. */
export const WIDE_LUT_DBM: readonly number[] = Array.from({ length: 34 }, (_, i) => i - 6);

/** When to send: as soon as can be, at a value of the counter, or at a millisecond of GPS time. */
export type EmissionMoment =
  | { readonly kind: "now" }
  | { readonly kind: "counter"; readonly tmstUs: number }
  | { readonly kind: "gps"; readonly tmms: number };

export type PullRespOutcome =
  | { readonly kind: "silence" }
  /** The forwarder's process ends. */
  | { readonly kind: "exit" }
  | { readonly kind: "error"; readonly error: "TX_FREQ" | "TX_POWER" | "GPS_UNLOCKED" }
  | {
      readonly kind: "transmit";
      readonly emission: Emission;
      readonly moment: EmissionMoment;
      /** The power taken in place of the one asked for; null where the table has it. */
      readonly warnPowerDbm: number | null;
    };

const SILENCE = { kind: "silence" } as const;
const PREAMBLE_STANDARD = 8;
const PREAMBLE_MIN = 6;
/** FSK's preamble and sync word in bytes, and the data rates that the radio has (sx1302_hal, loragw_hal.h). */
const FSK_PREAMBLE_STANDARD = 5;
const FSK_PREAMBLE_MIN = 3;
const FSK_SYNC_BYTES = 3;
const FSK_LEAST_BPS = 500;
const FSK_MOST_BPS = 250_000;
const CODING_RATES: Readonly<Record<string, number>> = {
  "4/5": 1,
  "4/6": 2,
  "2/3": 2,
  "4/7": 3,
  "4/8": 4,
  "2/4": 4,
  "1/2": 4,
};

/** Judges the body of a PULL_RESP. @param body the bytes behind the four of the header. */
export function readPullResp(body: Uint8Array, configuration: TransmitterConfiguration): PullRespOutcome {
  const txpk = parseTxpk(body);
  if (txpk === null) return SILENCE;
  const moment = readMoment(txpk);
  if (moment === null) return SILENCE;
  if (moment.kind === "gps" && !configuration.hasGps) return { kind: "error", error: "GPS_UNLOCKED" };

  const { freq, rfch, size, data } = txpk;
  if (freq === undefined || rfch === undefined) return SILENCE;
  // Only the first radio of the reference design transmits.
  if (castNumber(rfch) !== 0) return SILENCE;
  const modulation = readModulation(txpk);
  if (modulation === null || size === undefined || typeof data !== "string") return SILENCE;
  const decoded = /[^A-Za-z0-9+/=]/.test(data) ? null : decodeTolerantBase64(data);
  if (decoded === null) return { kind: "exit" };

  const freqHz = Math.trunc(castNumber(freq) * 1e6);
  const { txFreqMinHz, txFreqMaxHz } = configuration;
  if (freqHz < txFreqMinHz || freqHz > txFreqMaxHz) return { kind: "error", error: "TX_FREQ" };
  const { powerDbm, isExact } = choosePower(txpk.powe, configuration);
  if (!isExact && configuration.powerPolicy === "refuse") return { kind: "error", error: "TX_POWER" };
  const payload = resizePayload(decoded, castNumber(size));
  const { spreadingFactor, bandwidthHz, computeAirtimeUs } = modulation;
  const airtimeUs = computeAirtimeUs(payload.length);
  const invertedPolarity = txpk.ipol === true;
  return {
    kind: "transmit",
    emission: { payload, freqHz, spreadingFactor, bandwidthHz, powerDbm, airtimeUs, invertedPolarity },
    moment,
    warnPowerDbm: isExact ? null : powerDbm,
  };
}

function parseTxpk(body: Uint8Array): JsonObject | null {
  try {
    return asObject(asObject(JSON.parse(new TextDecoder().decode(body)))?.txpk);
  } catch {
    return null;
  }
}

/** A null, a text or a boolean where a number belongs reads as 0. */
function castNumber(value: unknown): number {
  return typeof value === "number" ? value : 0;
}

/** Null where nothing of it is a moment. */
function readMoment(txpk: JsonObject): EmissionMoment | null {
  if (txpk.imme === true) return { kind: "now" };
  if (txpk.tmst !== undefined) return { kind: "counter", tmstUs: castNumber(txpk.tmst) >>> 0 };
  return txpk.tmms === undefined ? null : { kind: "gps", tmms: castNumber(txpk.tmms) };
}

/** How a frame is sent, and how long so many bytes then take. */
type Modulation = Pick<Emission, "spreadingFactor" | "bandwidthHz"> & {
  readonly computeAirtimeUs: (payloadBytes: number) => number;
};

/** Null where it is none of the two, or lacks what it needs. */
function readModulation(txpk: JsonObject): Modulation | null {
  if (txpk.modu === "LORA") return readLora(txpk);
  return txpk.modu === "FSK" ? readFsk(txpk) : null;
}

function readLora(txpk: JsonObject): Modulation | null {
  const { datr, codr } = txpk;
  const match = typeof datr === "string" ? /^SF(\d{1,2})BW(125|250|500)/.exec(datr) : null;
  const codingRate =
    typeof codr === "string" && Object.hasOwn(CODING_RATES, codr) ? CODING_RATES[codr] : undefined;
  if (match === null || codingRate === undefined) return null;
  const spreadingFactor = Number(match[1]);
  if (spreadingFactor < 5 || spreadingFactor > 12) return null;
  const bandwidthHz = Number(match[2]) * 1_000;
  const frame = {
    ...{ spreadingFactor, bandwidthHz, codingRate },
    preambleSymbols: readPreamble(txpk.prea, PREAMBLE_STANDARD, PREAMBLE_MIN),
    crc: txpk.ncrc !== true,
    explicitHeader: txpk.nhdr !== true,
  };
  return {
    ...{ spreadingFactor, bandwidthHz },
    computeAirtimeUs: (payloadBytes) => computeAirtimeUs({ ...frame, payloadBytes }),
  };
}

/**
 * A frame of FSK: data rate in bits a second and deviation are needed. On air are preamble, sync word, one byte of length,
 * the payload, and two of CRC (sx1302_hal, `lgw_time_on_air`).
 */
function readFsk({ datr, fdev, prea, ncrc }: JsonObject): Modulation | null {
  const bitsPerS = castNumber(datr);
  if (fdev === undefined || bitsPerS < FSK_LEAST_BPS || bitsPerS > FSK_MOST_BPS) return null;
  const framingBytes =
    readPreamble(prea, FSK_PREAMBLE_STANDARD, FSK_PREAMBLE_MIN) +
    FSK_SYNC_BYTES +
    1 +
    (ncrc === true ? 0 : 2);
  return {
    spreadingFactor: null,
    bandwidthHz: 2 * castNumber(fdev) + bitsPerS,
    computeAirtimeUs: (payloadBytes) => Math.ceil((8e6 * (framingBytes + payloadBytes)) / bitsPerS),
  };
}

/** A null reads as 0, and so becomes the least there is. */
function readPreamble(prea: unknown, standard: number, least: number): number {
  if (prea === undefined) return standard;
  return Math.min(Math.max(least, Math.trunc(castNumber(prea))), PREAMBLE_SYMBOLS_MAX);
}

/** The strongest power of the table that is not above the one asked for, or the weakest there is. */
function choosePower(
  powe: unknown,
  { lutDbm, antennaGainDbi }: TransmitterConfiguration,
): { powerDbm: number; isExact: boolean } {
  const asked = powe === undefined ? 0 : Math.trunc(castNumber(powe)) - antennaGainDbi;
  const powerDbm = lutDbm.findLast((power) => power <= asked) ?? lutDbm[0]!;
  return { powerDbm, isExact: powerDbm === asked };
}

/** `size` bytes of the data, cut off or filled up with zeros. */
function resizePayload(data: Uint8Array, size: number): Uint8Array {
  const payload = new Uint8Array(Math.min(Math.max(Math.trunc(size), 0), PAYLOAD_BYTES_MAX));
  payload.set(data.subarray(0, payload.length));
  return payload;
}
