/**
 * Prints receptions and statistics as the real forwarders do: sx1302_hal's for a receiver that tells the signal's
 * strength, packet_forwarder's for one that does not. C's `%.1f` rounds an SNR of a quarter to the even digit.
 */
import { encodeStandardBase64 } from "../../node/src/radio/gwmp/base64.ts";
import type { EtherReception } from "./ether.ts";

/** 1980-01-06, when GPS time began, and what it is ahead of UTC by since 2017. */
const GPS_EPOCH_MS = 315_964_800_000;
const GPS_AHEAD_MS = 18_000;

/** GPS time of a Unix time, in whole milliseconds. */
export function toGpsMs(unixMs: number): number {
  return Math.floor(unixMs) - GPS_EPOCH_MS + GPS_AHEAD_MS;
}

/** What a forwarder with a fix says of a moment: UTC and GPS time, and for sx1303 boards the fraction of the second. */
function printGpsTimes(endedAtMs: number, isHal: boolean): string {
  const us = Math.round((endedAtMs - Math.floor(endedAtMs / 1_000) * 1_000) * 1_000);
  const second = new Date(Math.floor(endedAtMs / 1_000) * 1_000).toISOString().slice(0, 19);
  const fraction = isHal ? `,"ftime":${us * 1_000}` : "";
  return `,"time":"${second}.${String(us).padStart(6, "0")}Z","tmms":${toGpsMs(endedAtMs)}${fraction}`;
}

/** A frame that no LoRa demodulator gave: of the FSK one, or in the clear part of an LR-FHSS reception. */
export type OtherFrame = {
  readonly modulation: "fsk" | "lr_fhss";
  readonly freqHz: number;
  readonly rssiDbm: number;
  readonly payload: Uint8Array;
};

/** Its `rxpk` element: a number for a data rate, or a data rate and coding rate of their own, and never an SNR. */
export function printOtherRxpk(frame: OtherFrame, tmstUs: number): string {
  const { modulation, freqHz, rssiDbm, payload } = frame;
  const rate =
    modulation === "fsk" ? '"modu":"FSK","datr":50000' : '"modu":"LR-FHSS","datr":"M0CW137","codr":"2/3"';
  return (
    `{"jver":1,"tmst":${tmstUs},"chan":9,"rfch":0,"freq":${(freqHz / 1e6).toFixed(6)},"mid":10,"stat":1,${rate},` +
    `"rssi":${rssiDbm},"size":${payload.length},"data":"${encodeStandardBase64(payload)}"}`
  );
}

/**
 * One `rxpk` element.
 * @param channel the IF channel's index. @param tmstUs the counter at the frame's end.
 * @param hasGps whether it also says the time of that.
 */
export function printRxpk(
  reception: EtherReception,
  channel: number,
  tmstUs: number,
  hasGps = false,
): string {
  const { rssiChannelDbm, rssiSignalDbm, snrDb, payload } = reception;
  const isHal = rssiSignalDbm !== null;
  const freqMhz = (reception.freqHz / 1e6).toFixed(6);
  const radio = channel < 4 ? 0 : 1;
  const times = hasGps ? printGpsTimes(reception.endedAtMs, isHal) : "";
  const head = isHal ? `"jver":1,"tmst":${tmstUs}${times}` : `"tmst":${tmstUs}${times}`;
  const modem = isHal ? `,"mid":${String(channel).padStart(2)}` : "";
  const dataRate = `SF${reception.spreadingFactor}BW${reception.bandwidthHz / 1_000}`;
  const signal = isHal
    ? `"rssis":${rssiSignalDbm},"lsnr":${printSnr(snrDb)},"foff":0,"rssi":${rssiChannelDbm}`
    : `"lsnr":${printSnr(snrDb)},"rssi":${rssiChannelDbm}`;
  return (
    `{${head},"chan":${channel},"rfch":${radio},"freq":${freqMhz}${modem},"stat":${reception.isCrcGood ? 1 : -1},` +
    `"modu":"LORA","datr":"${dataRate}","codr":"4/5",${signal},` +
    `"size":${payload.length},"data":"${encodeStandardBase64(payload)}"}`
  );
}

/** An SNR in quarters of a dB with one decimal: .25 prints as .2 and .75 as .8, on either side of zero. */
export function printSnr(snrDb: number): string {
  const quarters = Math.abs(Math.round(snrDb * 4));
  const digit = ["0", "2", "5", "8"][quarters % 4]!;
  return `${snrDb < 0 ? "-" : ""}${Math.floor(quarters / 4)}.${digit}`;
}

/** Packets since the statistics before; `ackRatio` is the percentage of pushes that were acknowledged. */
export type StatCounts = {
  readonly rxnb: number;
  readonly rxok: number;
  readonly rxfw: number;
  readonly ackRatio: number;
  readonly dwnb: number;
  readonly txnb: number;
};

/** Where a GPS receiver stands. */
export type Fix = { readonly latE7: number; readonly lngE7: number; readonly elevationM: number };

/** The `stat` object. @param fix null without GPS. */
export function printStat(counts: StatCounts, nowMs: number, fix: Fix | null = null): string {
  const time = `${new Date(nowMs).toISOString().slice(0, 19).replace("T", " ")} GMT`;
  const { rxnb, rxok, rxfw, ackRatio, dwnb, txnb } = counts;
  const place =
    fix === null
      ? ""
      : `"lati":${(fix.latE7 / 1e7).toFixed(5)},"long":${(fix.lngE7 / 1e7).toFixed(5)},"alti":${Math.round(fix.elevationM)},`;
  return (
    `{"time":"${time}",${place}"rxnb":${rxnb},"rxok":${rxok},"rxfw":${rxfw},"ackr":${ackRatio.toFixed(1)},` +
    `"dwnb":${dwnb},"txnb":${txnb},"temp":25.0}`
  );
}
