/**
 * Prints receptions and statistics as the real forwarders do: sx1302_hal's for a receiver that tells the signal's
 * strength, packet_forwarder's for one that does not. C's `%.1f` rounds an SNR of a quarter to the even digit.
 */
import { encodeStandardBase64 } from "../gwmp/base64.ts";
import type { EtherReception } from "./ether.ts";

/** One `rxpk` element. @param channel the IF channel's index. @param tmstUs the counter at the frame's end. */
export function printRxpk(reception: EtherReception, channel: number, tmstUs: number): string {
  const { rssiChannelDbm, rssiSignalDbm, snrDb, payload } = reception;
  const isHal = rssiSignalDbm !== null;
  const freqMhz = (reception.freqHz / 1e6).toFixed(6);
  const radio = channel < 4 ? 0 : 1;
  const head = isHal ? `"jver":1,"tmst":${tmstUs}` : `"tmst":${tmstUs}`;
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

/** The `stat` object. */
export function printStat(counts: StatCounts, nowMs: number): string {
  const time = `${new Date(nowMs).toISOString().slice(0, 19).replace("T", " ")} GMT`;
  const { rxnb, rxok, rxfw, ackRatio, dwnb, txnb } = counts;
  return (
    `{"time":"${time}","rxnb":${rxnb},"rxok":${rxok},"rxfw":${rxfw},"ackr":${ackRatio.toFixed(1)},` +
    `"dwnb":${dwnb},"txnb":${txnb},"temp":25.0}`
  );
}
