/**
 * Reward units of one beacon after Helium's HIP-15: up to four witnesses are worth a whole unit each, every further
 * one makes all of them worth less. All in integers, parts per million of a unit.
 */
import { PPM } from "../network/parameters.ts";

/** HIP-15's N: the number of witnesses from which a beacon is worth its full five units. */
export const UNITS_WITNESSES_FULL = 4;

/** Most witnesses a beacon is computed for. The protocol pays 14; the calculator may ask for more. */
export const UNITS_WITNESSES_MAX = 1_000;

/** What a beacon with N or more witnesses is worth altogether: N for the witnesses and one for the beaconer. */
export const BEACON_UNITS_FULL_PPM = (UNITS_WITNESSES_FULL + 1) * PPM;

/** HIP-15's decay, as the fraction 4/5: each witness beyond N moves a fifth of what is left to the beaconer. */
const DECAY_NUMERATOR = 4n;
const DECAY_DENOMINATOR = 5n;

/** HIP-15's cap: the beaconer's units approach, and never pass, this many, so the witnesses' approach 5 less it. */
const BEACONER_CAP = 2n;

/** Units of one beacon in parts per million: what each paid witness gets, and what the beaconer gets. */
export type BeaconUnits = {
  readonly perWitnessPpm: number;
  readonly beaconerPpm: number;
};

/**
 * Units of a beacon with so many paid witnesses.
 *
 * Below N = 4 each witness gets 1 and the beaconer a quarter of a unit a witness. From N up the beaconer is due
 * `2 - 0.8^(w-N)` and the witnesses share `3 + 0.8^(w-N)`: `perWitnessPpm` is a w-th of that, rounded half up from
 * the exact fraction, and the beaconer takes five units less what the witnesses take, so no rounding makes a beacon
 * worth more or less than five. (Beyond the 14 that are paid this residue may part from the fraction by w/2 ppm.)
 *
 * Source: HIP-15 and `reward_unit_calculations` of Helium's oracles, N = 4, decay 0.8, cap 2.
 * @param witnesses a whole number from 0 to `UNITS_WITNESSES_MAX`; anything else is a bug of the caller and throws.
 */
export function computeUnits(witnesses: number): BeaconUnits {
  const units = UNITS_BY_WITNESSES[witnesses];
  if (units === undefined)
    throw new RangeError(`Units are defined for 0 to ${UNITS_WITNESSES_MAX} witnesses`);
  return units;
}

function computeUnitsExactly(witnesses: number): BeaconUnits {
  if (witnesses < UNITS_WITNESSES_FULL) {
    const perWitnessPpm = witnesses === 0 ? 0 : PPM;
    return { perWitnessPpm, beaconerPpm: (witnesses * PPM) / UNITS_WITNESSES_FULL };
  }
  // The witnesses' share is (floor * 5^k + 4^k) / 5^k units, where the floor is five less the beaconer's cap.
  const beyond = BigInt(witnesses - UNITS_WITNESSES_FULL);
  const denominator = DECAY_DENOMINATOR ** beyond;
  const floorUnits = BigInt(UNITS_WITNESSES_FULL + 1) - BEACONER_CAP;
  const sharePpm = (floorUnits * denominator + DECAY_NUMERATOR ** beyond) * BigInt(PPM);
  const divisor = denominator * BigInt(witnesses);
  const perWitnessPpm = Number((2n * sharePpm + divisor) / (2n * divisor));
  return { perWitnessPpm, beaconerPpm: BEACON_UNITS_FULL_PPM - witnesses * perWitnessPpm };
}

const UNITS_BY_WITNESSES: readonly BeaconUnits[] = Array.from(
  { length: UNITS_WITNESSES_MAX + 1 },
  (_, witnesses) => Object.freeze(computeUnitsExactly(witnesses)),
);
