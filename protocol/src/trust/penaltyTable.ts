/**
 * The penalties as a table for people: what each asks, in which unit, from where to where, and whence its numbers. One
 * table for the API and for docs/truth.md, which a test compares.
 */
import { PENALTY_REASONS, type PenaltyReason, type Ramp } from "./finding.ts";
import { RAMPS } from "./thresholds.ts";

export type PenaltyEntry = {
  readonly reason: PenaltyReason;
  readonly asks: string;
  /** Of the ramp's two numbers. */
  readonly unit: string;
  readonly ramp: Ramp;
  readonly source: string;
};

const ENTRIES: Readonly<Record<PenaltyReason, Omit<PenaltyEntry, "reason">>> = {
  distance_profile: {
    asks: "log2 of nearest plus median counterpart distance (m)",
    unit: "2^-10 octaves",
    ramp: RAMPS.distanceProfileOctaves,
    source: "fitted: 99 % of the honest at most 26.6 octaves",
  },
  edge_implausible: {
    asks: "likelihood of the asserted place against the best one, by links and by silent neighbours",
    unit: "2^-10 octaves",
    ramp: RAMPS.edgePlausibilityOctaves,
    source: "fitted: 99 % of the honest at most 9.1 octaves",
  },
  constant_window: {
    asks: "standard deviations of RSSI and of SNR together",
    unit: "hundredths of a dB",
    ramp: RAMPS.constantWindowCentiDb,
    source: "fitted: honest gateways at least 1.22 dB",
  },
  unexplained_rssi: {
    asks: "standard deviation of RSSI that the SNR does not explain",
    unit: "hundredths of a dB",
    ramp: RAMPS.unexplainedRssiCentiDb,
    source: "fitted: honest gateways at most 8.2 dB",
  },
  floor_window: {
    asks: "share of receptions under the noise gate",
    unit: "parts per million",
    ramp: RAMPS.floorWindowPpm,
    source: "measured: honest gateways none",
  },
  snr_grid: {
    asks: "share of SNRs that no modem prints",
    unit: "parts per million",
    ramp: RAMPS.snrGridPpm,
    source: "measured: honest gateways none, the known tool 77 %",
  },
  distance_insensitive: {
    asks: "Student's t of mean signal on log distance",
    unit: "thousandths",
    ramp: RAMPS.distanceInsensitivityMilliT,
    source: "independent levels have t = 0 +- 1; honest below -1.2",
  },
  missing_reverse: {
    asks: "share of well-heard counterparts without the other direction, each owner's counted as one",
    unit: "parts per million",
    ramp: RAMPS.missingReversePpm,
    source: "chosen, not measured on real data",
  },
  power_insensitive: {
    asks: "dB of signal per dB of power step, plus two standard errors",
    unit: "thousandths",
    ramp: RAMPS.powerSlopeMilli,
    source: "honest 0.39 near the floor, 0.8 to 0.95 above",
  },
  owner_cap: {
    asks: "an owner's hotspots in a resolution-7 cell, each counting for what the graph gives it",
    unit: "hotspots",
    ramp: RAMPS.ownerCapHotspots,
    source: "chosen; 84 % of owners have at most 3 (Jagtap and others, IMC 2021)",
  },
  place_cap: {
    asks: "hotspots in a resolution-11 cell, each counting for what the graph gives it",
    unit: "hotspots",
    ramp: RAMPS.placeCapHotspots,
    source: "chosen; of 206 real hotspots at most 2 share a cell",
  },
};

/** In the order of their numbers. */
export const PENALTY_TABLE: readonly PenaltyEntry[] = PENALTY_REASONS.map((reason) => ({
  reason,
  ...ENTRIES[reason],
}));
