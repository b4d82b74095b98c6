/**
 * How quiet each concentrator can be. A forwarder that is asked for less than its gain table holds sends more and says
 * so only afterwards; with a good antenna that is more than the region allows. So what it once said is remembered, and
 * the next beacon is refused before it is on air. The table belongs to a run of the forwarder: after its restart, which
 * shows by the port that it pulls from, it may have another one. Where nothing is known of a table it is taken to begin
 * where the reference table does, so that not even the first beacon is louder than the region allows.
 */

import { POWER_TOLERANCE_CENTI_DB } from "../../../protocol/src/evidence/beaconRules.ts";
import { STEP_FLOOR_CENTI_DBM } from "../../../protocol/src/evidence/challenge.ts";
import type { RegionPlan } from "../../../protocol/src/radio/regions.ts";
import type { RadioStatus } from "../radio/radio.ts";

/** The least conducted power that a run of a forwarder has, as far as it said. */
export type PowerFloor = { readonly forwarder: string; readonly lowestPowerDbm: number };

/** Runs that are remembered: as many as there may be forwarders. */
export const POWER_FLOORS_KEPT = 16;

/** A forwarder that would transmit: its EUI, and its run as `EUI@address:port`. */
export type TransmittingRun = { readonly eui: string; readonly run: string };

/** The forwarder that would transmit now; null where none is there. */
export function findTransmittingRun({ forwarders }: Pick<RadioStatus, "forwarders">): TransmittingRun | null {
  const found = forwarders.find(({ transmits }) => transmits);
  return found === undefined ? null : { eui: found.eui, run: `${found.eui}@${found.downlinkAddress}` };
}

/** Why a concentrator may not be asked for a power: it cannot go so low, or nobody has said that it can. */
export const FLOOR_REASONS = ["power_floor", "floor_unknown"] as const;

/** Judges what is asked for, in conducted power. @param lowestPowerDbm the table's least; null where it is not known. */
export function checkFloor(
  plan: RegionPlan,
  gainCentiDbi: number,
  askedCentiDbm: number,
  lowestPowerDbm: number | null,
): (typeof FLOOR_REASONS)[number] | null {
  const floorCentiDbm = lowestPowerDbm === null ? STEP_FLOOR_CENTI_DBM : lowestPowerDbm * 100;
  if (meetsFloor(plan, gainCentiDbi, askedCentiDbm, floorCentiDbm)) return null;
  return lowestPowerDbm === null ? "floor_unknown" : "power_floor";
}

/** Whether a concentrator that cannot go below a power may be asked for this one. */
function meetsFloor(
  plan: RegionPlan,
  gainCentiDbi: number,
  askedCentiDbm: number,
  floorCentiDbm: number,
): boolean {
  if (floorCentiDbm <= askedCentiDbm) return true;
  // Further off, the honest report would miss the challenge.
  const isNear = floorCentiDbm - askedCentiDbm <= POWER_TOLERANCE_CENTI_DB;
  return isNear && floorCentiDbm + gainCentiDbi <= plan.maxEirpCentiDbm;
}

/**
 * The least conducted power that a run of a forwarder has, or null where nobody knows: what is set, unless it has once
 * sent louder than it was asked.
 */
export function findLowestPower(
  floors: readonly PowerFloor[],
  run: string | null,
  setDbm: number | null,
): number | null {
  const learntDbm = floors.find(({ forwarder }) => forwarder === run)?.lowestPowerDbm ?? null;
  return setDbm === null || learntDbm === null ? (setDbm ?? learntDbm) : Math.max(setDbm, learntDbm);
}

/** The floors with what one answer taught: a run that sent louder than it was asked has nothing lower. */
export function learnFloor(
  floors: readonly PowerFloor[],
  forwarder: string | null,
  askedDbm: number,
  usedDbm: number,
): readonly PowerFloor[] {
  if (forwarder === null || usedDbm <= askedDbm) return floors;
  const others = floors.filter((floor) => floor.forwarder !== forwarder);
  return [...others, { forwarder, lowestPowerDbm: usedDbm }].slice(-POWER_FLOORS_KEPT);
}
