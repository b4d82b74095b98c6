/**
 * Sums over a window of receptions from which every signal test is computed: counts, first and second moments of RSSI
 * and SNR, and how RSSI moved with the transmit power. Sums add up, so a link's windows make a hotspot's.
 */
import { isBelowNoise, isOnSnrGrid } from "../radio/gates.ts";
import { centiDbToOctaves, computeLogSumOctaves, computeRoot, octavesToCentiDb } from "./fixed.ts";

/** One accepted reception as trust sees it. */
export type Reception = {
  readonly rssiDeciDbm: number;
  readonly rssiKind: "channel" | "signal";
  readonly snrCentiDb: number;
  readonly bandwidthHz: number;
  /** What the beaconer was told to send with, below the plan's maximum. */
  readonly powerStepDb: number;
};

/** Columns of sums, in the order in which they are kept and encoded. */
export const MOMENT_COLUMNS = [
  "count",
  "rssi",
  "rssiSquare",
  "snr",
  "snrSquare",
  "rssiSnr",
  "signal",
  "power",
  "powerSquare",
  "powerSignal",
  "signalSquare",
  "belowFloor",
  "offGrid",
] as const;
export type Moments = Readonly<Record<(typeof MOMENT_COLUMNS)[number], number>>;

/** No reception yet. */
export const EMPTY_MOMENTS: Moments = {
  count: 0,
  rssi: 0,
  rssiSquare: 0,
  snr: 0,
  snrSquare: 0,
  rssiSnr: 0,
  signal: 0,
  power: 0,
  powerSquare: 0,
  powerSignal: 0,
  signalSquare: 0,
  belowFloor: 0,
  offGrid: 0,
};

/**
 * RSSI and signal are summed as tenths of a dB above this. It lies in the middle of the permitted range, so that the
 * square of any reception is at most 700^2: 63 of them above the 6 bits of a count (`linkColumns.ts`) are 92 % of 2^31.
 */
export const RSSI_ORIGIN_DECI_DBM = -800;

/**
 * The strength of the signal alone in tenths of a dBm, rounded down: a channel's strength has the noise in it, which
 * near and below the noise floor is nearly all of it.
 */
export function computeSignalDeciDbm({
  rssiDeciDbm,
  rssiKind,
  snrCentiDb,
}: Pick<Reception, "rssiDeciDbm" | "rssiKind" | "snrCentiDb">): number {
  if (rssiKind === "signal") return rssiDeciDbm;
  const noiseShare = octavesToCentiDb(computeLogSumOctaves(centiDbToOctaves(-snrCentiDb)));
  return Math.floor((rssiDeciDbm * 10 - noiseShare) / 10);
}

/** What lies outside of this was refused, and counts as its bound: no sum may be driven beyond its bits. */
const SIGNAL_MOST = 700;
const SNR_LEAST_CENTI_DB = -2_900;

const clamp = (value: number, least: number, most: number): number => Math.min(Math.max(value, least), most);

/** The sums of one reception, refused or not. */
export function createMoments(reception: Reception): Moments {
  const rssi = clamp(reception.rssiDeciDbm - RSSI_ORIGIN_DECI_DBM, -SIGNAL_MOST, SIGNAL_MOST);
  const snr = clamp(reception.snrCentiDb, SNR_LEAST_CENTI_DB, -SNR_LEAST_CENTI_DB);
  const signal = clamp(computeSignalDeciDbm(reception) - RSSI_ORIGIN_DECI_DBM, -SIGNAL_MOST, SIGNAL_MOST);
  const power = -reception.powerStepDb;
  return {
    count: 1,
    rssi,
    rssiSquare: rssi * rssi,
    snr,
    snrSquare: snr * snr,
    rssiSnr: rssi * snr,
    signal,
    power,
    powerSquare: power * power,
    powerSignal: power * signal,
    signalSquare: signal * signal,
    belowFloor: isBelowNoise(reception) ? 1 : 0,
    offGrid: isOnSnrGrid(snr) ? 0 : 1,
  };
}

/** The sums of two windows together. */
export function addMoments(a: Moments, b: Moments): Moments {
  const sum = { ...a };
  for (const column of MOMENT_COLUMNS) (sum as Record<string, number>)[column] = a[column] + b[column];
  return sum;
}

/** The sums of any receptions. */
export function sumReceptions(receptions: readonly Reception[]): Moments {
  return receptions.map(createMoments).reduce(addMoments, EMPTY_MOMENTS);
}

/** How far a window's values scatter, in hundredths of a dB, rounded down. */
export type Spread = {
  readonly rssiCentiDb: number;
  readonly snrCentiDb: number;
  /** What is left of the RSSI's scatter when the SNR has explained what it can: sd x sqrt(1 - rho^2). */
  readonly unexplainedCentiDb: number;
};

/**
 * Standard deviations of a window (over n, not n - 1). Products of sums stay below 2^52 for windows of up to
 * 25,000 receptions; the one quotient is rounded by IEEE 754, then down to an integer.
 */
export function computeSpread(moments: Moments): Spread {
  const { count, rssi, rssiSquare, snr, snrSquare, rssiSnr } = moments;
  if (count === 0) return { rssiCentiDb: 0, snrCentiDb: 0, unexplainedCentiDb: 0 };
  const rssiVariance = count * rssiSquare - rssi * rssi;
  const snrVariance = count * snrSquare - snr * snr;
  const covariance = count * rssiSnr - rssi * snr;
  const explained = snrVariance === 0 ? 0 : Math.floor((covariance / snrVariance) * covariance);
  const unexplained = Math.max(0, rssiVariance - explained);
  return {
    rssiCentiDb: Math.floor((10 * computeRoot(rssiVariance)) / count),
    snrCentiDb: Math.floor(computeRoot(snrVariance) / count),
    unexplainedCentiDb: Math.floor((10 * computeRoot(unexplained)) / count),
  };
}
