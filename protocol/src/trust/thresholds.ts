/**
 * Every number that a detector compares with, in one table, so that it can be read, cited and compared as a whole. The
 * source of each stands beside it; docs/truth.md gives what they measured. "Fitted" is: read off the fitting half of
 * the public data (fixed split, see test/eval), then rounded in favour of the honest; the other half measured it.
 */
import type { Ramp } from "./finding.ts";
import { OCTAVE } from "./fixed.ts";

/** Two or fewer counterparts say nothing about a place: one witness catches 2 % of 20 km lies at 1 % false alarms. */
export const COUNTERPARTS_MIN = 3;
/**
 * Of so many, and other owners, a place is judged in the graph. Measured (Grenoble's honest cases, without neighbours): of
 * three 12.4 % seemed implausible, of four drawn of a case's five 0.9 %, of five 0.7 %. Of four the lower middle one is the
 * median, which two far ones do not move.
 */
export const PLACE_COUNTERPARTS_MIN = 4;
/** Receptions from which a window's scatter is judged: middleman tools show within 10, constants too. */
export const WINDOW_MIN = 10;

/** Where each penalty begins and where it is largest. Units stand in the names. */
export const RAMPS = {
  /**
   * Octaves (x 1,024) of the nearest plus the median counterpart's distance over 1 m. Fitted: 99 % of the honest fitting
   * half at most 27,259; it begins where both lie at some 13 km, and is largest at 27 km.
   */
  distanceProfileOctaves: { from: Math.floor(27.4 * OCTAVE), to: Math.floor(29.4 * OCTAVE) },
  /**
   * Fitted: of honest hotspots in a city's graph with moved ones in it, 99 % score at most 9,280; largest three octaves
   * further. See edgePlausibility.ts.
   */
  edgePlausibilityOctaves: { from: 9_800, to: 13_000 },
  /** Fitted, where only links are known: 99 % of the honest fitting half at most 9,900 to 11,000, by number of links. */
  linkPlausibilityOctaves: { from: 11_000, to: 15_000 },
  /** Fitted: sd(RSSI) + sd(SNR) of gateways' honest windows is at least 1.22 dB (633 windows); constants have 0. */
  constantWindowCentiDb: { from: 100, to: 20 },
  /** Fitted: all honest gateway windows lie below 8.21 dB; uniform independent forgeries above 8.1 (median 10.8). */
  unexplainedRssiCentiDb: { from: 850, to: 1_100 },
  /** Share of receptions under the noise floor, ppm: no honest gateway window has any; a fifth is the facts' figure. */
  floorWindowPpm: { from: 200_000, to: 600_000 },
  /** Share of SNR values that no modem prints, ppm: honest gateways print none; the known tool 77 %. */
  snrGridPpm: { from: 50_000, to: 400_000 },
  /** Student's t (x 1,000) of signal against log distance over 20 pairs; honest -1.2 and below, independent N(0, 1). */
  distanceInsensitivityMilliT: { from: -1_000, to: 500 },
  /** Share of counterparts whose reverse direction is missing, ppm. Chosen: no public data has both directions. */
  missingReversePpm: { from: 600_000, to: 1_000_000 },
  /** dB of signal per dB of transmit power (x 1,000), upper confidence bound: honest 390 near the floor, 800-950 above. */
  powerSlopeMilli: { from: 400, to: 100 },
  /** Hotspots of one owner in a resolution-7 cell (5 km2). Chosen: 84 % of owners have at most 3 in all (Jagtap, IMC 2021). */
  ownerCapHotspots: { from: 4, to: 16 },
  /** Hotspots in a resolution-11 cell (2,150 m2). Chosen: of 206 real ones at most two share one. */
  placeCapHotspots: { from: 3, to: 12 },
} as const satisfies Record<string, Ramp>;
