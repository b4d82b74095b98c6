/**
 * The two JSON texts of a transmission: the request as a real forwarder demands it (it keeps silent about anything
 * else), and its answer in all the forms that are in the field. An answer that is not clearly a success is a failure,
 * since a beacon report signs the power that was really used.
 */
import { PAYLOAD_BYTES_MAX } from "../../../../protocol/src/radio/airtime.ts";
import type { TransmitFailure, TransmitRequest } from "../radio.ts";
import { encodeStandardBase64 } from "./base64.ts";
import { asObject, type JsonObject, readNumber, readNumberWithin } from "./fields.ts";

/** Outside of these, no conducted power of a hotspot lies; an answer beyond them is not in dBm. */
const POWER_DBM_RANGE = [-20, 40] as const;
/** Eight symbols are LoRa's standard; the key must hold a number, since null makes a real forwarder send six. */
const PREAMBLE_SYMBOLS = 8;

/** Whether a forwarder can be asked for this: whole numbers in range, LoRa at 125, 250 or 500 kHz. */
export function isValidTransmitRequest(request: TransmitRequest): boolean {
  const { payload, freqHz, spreadingFactor, bandwidthHz, powerDbm } = request;
  return (
    payload.length >= 1 &&
    payload.length <= PAYLOAD_BYTES_MAX &&
    Number.isInteger(freqHz) &&
    freqHz >= 100_000_000 &&
    freqHz <= 3_000_000_000 &&
    Number.isInteger(spreadingFactor) &&
    spreadingFactor >= 5 &&
    spreadingFactor <= 12 &&
    [125_000, 250_000, 500_000].includes(bandwidthHz) &&
    Number.isInteger(powerDbm) &&
    powerDbm >= POWER_DBM_RANGE[0] &&
    powerDbm <= POWER_DBM_RANGE[1]
  );
}

/** The `txpk` object for a frame sent at once with upright polarity, as text. @param request a valid one. */
export function encodeTxpk(request: Omit<TransmitRequest, "forwarderEui">): string {
  return JSON.stringify({
    txpk: {
      imme: true,
      freq: request.freqHz / 1e6,
      rfch: 0,
      powe: request.powerDbm,
      modu: "LORA",
      datr: `SF${request.spreadingFactor}BW${request.bandwidthHz / 1_000}`,
      codr: "4/5",
      ipol: false,
      prea: PREAMBLE_SYMBOLS,
      size: request.payload.length,
      data: encodeStandardBase64(request.payload),
    },
  });
}

/** What a forwarder answered. `powerDbm` is null where the power asked for was taken. */
export type TxAckOutcome =
  | { readonly status: "queued"; readonly powerDbm: number | null; readonly tmstUs: number | null }
  | { readonly status: "failed"; readonly reason: TransmitFailure; readonly onAir: "no" | "possible" };

/** The errors that forwarders send, those of vendors included. All of them say that nothing was sent. */
const REASONS_BY_ERROR: Readonly<Record<string, TransmitFailure>> = {
  TOO_LATE: "too_late",
  TOO_EARLY: "too_early",
  COLLISION_PACKET: "collision_packet",
  COLLISION_BEACON: "collision_beacon",
  TX_FREQ: "tx_freq",
  TX_POWER: "tx_power",
  GPS_UNLOCKED: "gps_unlocked",
  SEND_LBT: "channel_busy",
  SEND_FAIL: "send_failed",
};

const ANSWER_UNKNOWN = { status: "failed", reason: "answer_unknown", onAir: "possible" } as const;
const PLAIN_SUCCESS = { status: "queued", powerDbm: null, tmstUs: null } as const;

/** Reads a TX_ACK's body (without trailing NULs): no body, or an object without an error, is a success. */
export function readTxAck(body: Uint8Array): TxAckOutcome {
  const text = new TextDecoder().decode(body).trim();
  if (text === "") return PLAIN_SUCCESS;
  let answer: JsonObject | null;
  try {
    answer = asObject(JSON.parse(text));
  } catch {
    return ANSWER_UNKNOWN;
  }
  if (answer === null) return ANSWER_UNKNOWN;
  const txpkAck = answer.txpk_ack ?? {};
  const fields = asObject(txpkAck);
  return fields === null ? ANSWER_UNKNOWN : judgeTxAck(fields);
}

function judgeTxAck(fields: JsonObject): TxAckOutcome {
  const { error, warn, value } = fields;
  if (!isAbsent(error)) {
    const reason = typeof error === "string" ? ownValue(REASONS_BY_ERROR, error) : undefined;
    return reason === undefined ? ANSWER_UNKNOWN : { status: "failed", reason, onAir: "no" };
  }
  const tmstUs = readNumberWithin(fields.tmst, 0, 2 ** 32 - 1);
  const power = readNumber(value);
  if (isAbsent(warn) && isAbsent(value)) return { status: "queued", powerDbm: null, tmstUs };
  // A value that came with a warning, or alone, is the power that was used; without one nobody can sign a report.
  const powerDbm = power === null ? null : readNumberWithin(Math.round(power), ...POWER_DBM_RANGE);
  if (powerDbm === null) return { status: "failed", reason: "power_unknown", onAir: "possible" };
  return { status: "queued", powerDbm, tmstUs };
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null || value === "" || value === "NONE";
}

function ownValue<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}
