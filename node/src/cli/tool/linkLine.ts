/** One line of `tool judge`: a link in the units people write, turned into what the gates judge. */
import { computeDistanceM } from "../../../../protocol/src/geo/distance.ts";
import {
  BANDWIDTH_MAX_HZ,
  SPREADING_FACTOR_MAX,
  SPREADING_FACTOR_MIN,
} from "../../../../protocol/src/radio/airtime.ts";
import type { LinkMeasurement } from "../../../../protocol/src/radio/gates.ts";
import { findRegionPlan, REGION_NAMES, type RegionPlan } from "../../../../protocol/src/radio/regions.ts";
import { parseJson, ToolInputError } from "./toolInput.ts";

export type Link = {
  readonly id: string | number | null;
  readonly measurement: LinkMeasurement & { readonly distanceM: number };
};

/** What most regions allow; where neither power nor region is given, a transmitter counts as no louder than this. */
const EIRP_DEFAULT_CENTI_DBM = 1_600;
/** Half of the Earth's circumference and a little: nothing is farther. */
const DISTANCE_MAX_M = 20_100_000;
// What the wire can carry: 16-bit deci-dBm and centi-dB, and a 32-bit frequency.
const RSSI_RANGE_DBM = [-3_276.8, 3_276.7] as const;
const SNR_RANGE_DB = [-327.68, 327.67] as const;
const POWER_RANGE_DB = [-327.68, 327.67] as const;
const FREQ_MAX_HZ = 0xffff_ffff;

/**
 * Reads one link. Strengths are rounded to what the wire carries (0.1 dBm, 0.01 dB), distances to metres.
 * @throws ToolInputError that names the field at fault.
 */
export function readLink(line: string): Link {
  const json = parseJson(line);
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new ToolInputError("a link must be a JSON object");
  }
  const fields = json as Record<string, unknown>;
  const region = readRegion(fields);
  const eirpDbm = readOptional(fields, "eirpDbm", POWER_RANGE_DB);
  const rxGainDbi = readOptional(fields, "rxGainDbi", POWER_RANGE_DB);
  const freqHz = readOptional(fields, "frequencyHz", [1, FREQ_MAX_HZ]);
  checkRssiKind(fields);
  return {
    id: readId(fields),
    measurement: {
      rssiDeciDbm: Math.round(readNumber(fields, "rssiDbm", RSSI_RANGE_DBM) * 10),
      snrCentiDb: Math.round(readNumber(fields, "snrDb", SNR_RANGE_DB) * 100),
      spreadingFactor: readWhole(fields, "spreadingFactor", [SPREADING_FACTOR_MIN, SPREADING_FACTOR_MAX]),
      bandwidthHz: readWhole(fields, "bandwidthHz", [1, BANDWIDTH_MAX_HZ]),
      eirpCentiDbm:
        eirpDbm === null ? (region?.maxEirpCentiDbm ?? EIRP_DEFAULT_CENTI_DBM) : Math.round(eirpDbm * 100),
      rxGainCentiDbi: rxGainDbi === null ? null : Math.round(rxGainDbi * 100),
      distanceM: readDistanceM(fields),
      ...(freqHz !== null && { freqHz: Math.round(freqHz) }),
      ...(region !== null && { region }),
    },
  };
}

type Range = readonly [least: number, most: number];

/** A field that is left out and one that is null say the same. */
const isAbsent = (value: unknown): value is null | undefined => value === undefined || value === null;

function readNumber(fields: Record<string, unknown>, name: string, [least, most]: Range): number {
  const value = fields[name];
  if (typeof value === "number" && value >= least && value <= most) return value;
  throw new ToolInputError(`${name} must be a number from ${least} to ${most}`);
}

function readWhole(fields: Record<string, unknown>, name: string, range: Range): number {
  const value = readNumber(fields, name, range);
  if (!Number.isInteger(value)) throw new ToolInputError(`${name} must be a whole number`);
  return value;
}

function readOptional(fields: Record<string, unknown>, name: string, range: Range): number | null {
  return isAbsent(fields[name]) ? null : readNumber(fields, name, range);
}

function readDistanceM(fields: Record<string, unknown>): number {
  if (!isAbsent(fields.distanceM)) return Math.round(readNumber(fields, "distanceM", [0, DISTANCE_MAX_M]));
  if (isAbsent(fields.from) && isAbsent(fields.to))
    throw new ToolInputError("distanceM, or from and to, is missing");
  const from = readPlaceE7(fields, "from");
  const to = readPlaceE7(fields, "to");
  return computeDistanceM(from.latE7, from.lngE7, to.latE7, to.lngE7);
}

function readPlaceE7(fields: Record<string, unknown>, name: string): { latE7: number; lngE7: number } {
  const value = fields[name];
  const [lat, lng]: unknown[] = Array.isArray(value) && value.length === 2 ? value : [];
  const isPlace =
    typeof lat === "number" && typeof lng === "number" && Math.abs(lat) <= 90 && Math.abs(lng) <= 180;
  if (!isPlace) throw new ToolInputError(`${name} must be [latitude, longitude] in degrees`);
  return { latE7: Math.round(lat * 1e7), lngE7: Math.round(lng * 1e7) };
}

function readRegion(fields: Record<string, unknown>): RegionPlan | null {
  const value = fields.region;
  if (isAbsent(value)) return null;
  const plan = typeof value === "string" ? findRegionPlan(value) : null;
  if (plan === null) throw new ToolInputError(`region must be one of ${REGION_NAMES.join(", ")}`);
  return plan;
}

/** Both kinds are judged alike: the gates hold for signal and channel strengths. */
function checkRssiKind(fields: Record<string, unknown>): void {
  const value = fields.rssiKind;
  if (isAbsent(value) || value === "channel" || value === "signal") return;
  throw new ToolInputError("rssiKind must be channel or signal");
}

function readId(fields: Record<string, unknown>): string | number | null {
  const value = fields.id;
  if (isAbsent(value)) return null;
  if (typeof value === "string" || typeof value === "number") return value;
  throw new ToolInputError("id must be a string or a number");
}
