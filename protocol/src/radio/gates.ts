/**
 * What physics and honest hardware allow in a single reception: the gates that a witness's measurement passes one after
 * the other. Their numbers come from some 313,000 real LoRa receptions; of those by gateways they refuse one in two
 * thousand. All in integers. A failing gate refuses the report and counts against the pair; it convicts nobody.
 */
import { computeBandwidthNoiseCentiDb, computeCeilingCentiDbm } from "./pathLoss.ts";
import { findDutyBands, REGION_NAMES, REGION_PLANS, type RegionPlan } from "./regions.ts";

/** What a reception is held against. An optional field that is left out is not judged, or judged as generously as can be. */
export type LinkMeasurement = {
  readonly rssiDeciDbm: number;
  /** As printed by the forwarder. */
  readonly snrCentiDb: number;
  readonly spreadingFactor: number;
  readonly bandwidthHz: number;
  /** Conducted power and transmit antenna together, as claimed; the region caps it. */
  readonly eirpCentiDbm: number;
  /** null: unknown. */
  readonly rxGainCentiDbi: number | null;
  readonly distanceM?: number;
  readonly freqHz?: number;
  readonly region?: RegionPlan;
  /** What the beaconer was told to send with. */
  readonly challenge?: {
    readonly freqHz: number;
    readonly spreadingFactor: number;
    readonly bandwidthHz: number;
  };
};

export const GATE_REASONS = [
  "rssi_out_of_range",
  "snr_out_of_range",
  "snr_off_grid",
  "frequency_mismatch",
  "data_rate_mismatch",
  "snr_below_demodulation",
  "rssi_below_noise",
  "rssi_above_ceiling",
  "too_close",
  "too_far",
] as const;
export type GateReason = (typeof GATE_REASONS)[number];

/** One rule: whether a measurement breaks it, and the reason it then gives. */
export type Gate = { readonly reason: GateReason; readonly fails: (link: LinkMeasurement) => boolean };

export const RSSI_MIN_DECI_DBM = -1_450;
export const RSSI_MAX_DECI_DBM = -100;
export const SNR_MAX_CENTI_DB = 1_600;
export const FREQ_TOLERANCE_HZ = 100_000;
export const NOISE_FLOOR_CENTI_DBM = -12_600;
export const PAID_DISTANCE_MIN_M = 300;
export const PAID_DISTANCE_MAX_M = 100_000;

/** The lowest SNR at which each spreading factor can be demodulated, in hundredths of a dB (SX1261/2 data sheet). */
const DEMODULATION_LIMIT_CENTI_DB: Readonly<Record<number, number>> = {
  5: -250,
  6: -500,
  7: -750,
  8: -1_000,
  9: -1_250,
  10: -1_500,
  11: -1_750,
  12: -2_000,
};
/** Of real receptions at most 0.07 % lie this far below the limit. */
const DEMODULATION_MARGIN_CENTI_DB = 400;

/** Coverage is asked for around 900 MHz; a link of the plans at 433 and 470 MHz says so itself. */
const PRESUMED_FROM_HZ = 800_000_000;
// Where neither frequency nor region is known, the lowest there gives the least loss, hence the most generous ceiling.
const LOWEST_FREQ_HZ = Math.min(
  ...REGION_NAMES.flatMap((name) => REGION_PLANS[name].beaconFreqsHz).filter((hz) => hz >= PRESUMED_FROM_HZ),
);

/** The gates, in the order in which they are asked: cheapest first, and what earns nothing after what is refused. */
export const GATES: readonly Gate[] = [
  // No receiver of this kind measures below -145 or above -10 dBm.
  {
    reason: "rssi_out_of_range",
    fails: ({ rssiDeciDbm }) => rssiDeciDbm < RSSI_MIN_DECI_DBM || rssiDeciDbm > RSSI_MAX_DECI_DBM,
  },
  // LoRa modems saturate at about 16 dB of SNR.
  { reason: "snr_out_of_range", fails: ({ snrCentiDb }) => snrCentiDb > SNR_MAX_CENTI_DB },
  // Modems measure SNR in quarters of a dB, printed in full or with one decimal.
  { reason: "snr_off_grid", fails: ({ snrCentiDb }) => !isOnSnrGrid(snrCentiDb) },
  // A beacon is heard where it was sent, within 100 kHz, and inside its region's bands.
  { reason: "frequency_mismatch", fails: hasOtherFrequency },
  // A beacon is heard with the spreading factor and bandwidth it was sent with, which its region allows.
  { reason: "data_rate_mismatch", fails: hasOtherDataRate },
  // Nothing is demodulated more than 4 dB below what the spreading factor needs.
  { reason: "snr_below_demodulation", fails: isBelowDemodulation },
  // Strength less SNR is noise, and noise is at least thermal: -174 dBm/Hz, the bandwidth, and the receiver's figure.
  {
    reason: "rssi_below_noise",
    fails: isBelowNoise,
  },
  // Nothing arrives stronger than free space lets through, with the margin that real antennas need.
  {
    reason: "rssi_above_ceiling",
    fails: (link) => {
      const ceiling = computeLinkCeilingCentiDbm(link);
      return ceiling !== null && link.rssiDeciDbm * 10 > ceiling;
    },
  },
  // Coverage is what reaches beyond the neighbours: under 300 m is valid and not paid.
  {
    reason: "too_close",
    fails: ({ distanceM }) => distanceM !== undefined && distanceM < PAID_DISTANCE_MIN_M,
  },
  // Real lines of sight go beyond 100 km, but cover nobody down there: valid and not paid.
  { reason: "too_far", fails: ({ distanceM }) => distanceM !== undefined && distanceM > PAID_DISTANCE_MAX_M },
];

/** The reason of the first gate that a reception fails, or null. Any integers may come in. */
export function checkLink(link: LinkMeasurement): GateReason | null {
  for (const { reason, fails } of GATES) if (fails(link)) return reason;
  return null;
}

/** The ceiling that `rssi_above_ceiling` holds a link against, in hundredths of a dBm; null without a distance. */
export function computeLinkCeilingCentiDbm(link: LinkMeasurement): number | null {
  if (link.distanceM === undefined) return null;
  return computeCeilingCentiDbm({
    eirpCentiDbm: link.eirpCentiDbm,
    rxGainCentiDbi: link.rxGainCentiDbi,
    distanceM: link.distanceM,
    freqHz: link.freqHz ?? link.region?.beaconFreqsHz[0] ?? LOWEST_FREQ_HZ,
    plan: link.region ?? null,
  });
}

/** How far an SNR lies over what its spreading factor needs, in hundredths of a dB; -4 dB is the least that passes. */
export function computeMarginCentiDb({
  snrCentiDb,
  spreadingFactor,
}: Pick<LinkMeasurement, "snrCentiDb" | "spreadingFactor">): number {
  return snrCentiDb - (DEMODULATION_LIMIT_CENTI_DB[spreadingFactor] ?? 0);
}

/** Quarters in full (.00 .25 .50 .75), or as one decimal prints them (.0 .2 .5 .8), on either side of zero. */
export function isOnSnrGrid(snrCentiDb: number): boolean {
  const hundredths = Math.abs(snrCentiDb) % 100;
  return hundredths % 25 === 0 || hundredths === 20 || hundredths === 80;
}

/** Whether strength less SNR is less noise than any receiver has in that bandwidth. */
export function isBelowNoise({
  rssiDeciDbm,
  snrCentiDb,
  bandwidthHz,
}: Pick<LinkMeasurement, "rssiDeciDbm" | "snrCentiDb" | "bandwidthHz">): boolean {
  return rssiDeciDbm * 10 - snrCentiDb - computeBandwidthNoiseCentiDb(bandwidthHz) < NOISE_FLOOR_CENTI_DBM;
}

function hasOtherFrequency({ freqHz, challenge, region }: LinkMeasurement): boolean {
  if (freqHz === undefined) return false;
  if (challenge !== undefined && Math.abs(freqHz - challenge.freqHz) > FREQ_TOLERANCE_HZ) return true;
  return region !== undefined && findDutyBands(region, freqHz).length === 0;
}

function hasOtherDataRate({ spreadingFactor, bandwidthHz, challenge, region }: LinkMeasurement): boolean {
  if (DEMODULATION_LIMIT_CENTI_DB[spreadingFactor] === undefined) return true;
  if (challenge !== undefined) {
    if (spreadingFactor !== challenge.spreadingFactor || bandwidthHz !== challenge.bandwidthHz) return true;
  }
  return region !== undefined && !(region.dataRates.includes(spreadingFactor) && region.bwHz === bandwidthHz);
}

function isBelowDemodulation({ snrCentiDb, spreadingFactor }: LinkMeasurement): boolean {
  const limit = DEMODULATION_LIMIT_CENTI_DB[spreadingFactor];
  return limit !== undefined && snrCentiDb < limit - DEMODULATION_MARGIN_CENTI_DB;
}
