/**
 * What a beacon report must fulfil to open a beacon: one rule, one reason, cheapest first. All of them are judged when
 * the report is included; that it is revealed and witnessed is seen when the beacon closes.
 */
import { FREQ_TOLERANCE_HZ } from "../radio/gates.ts";
import { beaconSpreadingFactors, type RegionPlan } from "../radio/regions.ts";
import type { BeaconReport } from "../wire/reports.ts";
import { type Challenge, computeChallengePowerCentiDbm } from "./challenge.ts";
import type { BeaconReason } from "./reasons.ts";

/** A beacon report beside what the ledger knows of its hotspot in the challenge's epoch. */
export type BeaconCase = {
  readonly report: BeaconReport;
  readonly includedRound: number;
  /** Where a report's time is later than this, it is future-dated: the round's time and the tolerance. */
  readonly latestTimeMs: number;
  readonly toleranceRounds: number;
  /** Whether the hotspot already has a beacon for this challenge. */
  readonly hasBeaconed: boolean;
  /** Whether the device that was bound to the hotspot at the start of the challenge's epoch, if any, co-signed. */
  readonly isCosigned: boolean;
  /** Plan and antenna in force at the start of the challenge's epoch; null: nothing asserted. */
  readonly place: { readonly plan: RegionPlan; readonly gainCentiDbi: number } | null;
  /** Null: not challenged in that epoch. */
  readonly challenge: Challenge | null;
};

/** A rule: whether a case breaks it, and the reason it then gives. */
export type BeaconRule = { readonly reason: BeaconReason; readonly fails: (beacon: BeaconCase) => boolean };

/** A concentrator steps whole dB, and forwarders clamp to their table: so far off is still what was asked for. */
export const POWER_TOLERANCE_CENTI_DB = 100;

export const BEACON_RULES: readonly BeaconRule[] = [
  // Nobody reports what has not happened: at most the clock's tolerance ahead of the round's time.
  { reason: "future_dated", fails: ({ report, latestTimeMs }) => report.timeMs > latestTimeMs },
  // One who has asserted no place, or whose assertion is not yet in force, cannot be challenged.
  { reason: "not_asserted", fails: ({ place }) => place === null },
  // Where a device is bound, its hotspot's key alone says nothing: the file that holds it may have been copied.
  { reason: "not_cosigned", fails: ({ isCosigned }) => !isCosigned },
  // One beacon a challenge: the first valid one in finalized order.
  { reason: "duplicate_beacon", fails: ({ hasBeaconed }) => hasBeaconed },
  // Only the epoch's seed says who beacons, among those registered and asserted long enough and not silenced.
  { reason: "not_challenged", fails: ({ challenge }) => challenge === null },
  // Included from the slot's round on, and at most the tolerance after it.
  {
    reason: "out_of_slot",
    fails: ({ challenge, includedRound, toleranceRounds }) =>
      includedRound < challenge!.slotRound || includedRound > challenge!.slotRound + toleranceRounds,
  },
  // Channel, bandwidth and spreading factor must be ones that the region's plan has for beacons.
  { reason: "region_violated", fails: violatesPlan },
  // Power and antenna together never exceed the plan, not even by a hundredth of a dB.
  {
    reason: "over_eirp",
    fails: ({ report, place }) => report.powerCentiDbm + place!.gainCentiDbi > place!.plan.maxEirpCentiDbm,
  },
  // What was sent is what was asked for: channel within 100 kHz, the very data rate, power within a dB.
  { reason: "challenge_unmet", fails: missesChallenge },
];

/** The reason of the first rule that a beacon report breaks, or null. */
export function checkBeacon(beacon: BeaconCase): BeaconReason | null {
  for (const { reason, fails } of BEACON_RULES) if (fails(beacon)) return reason;
  return null;
}

const NO_AIRTIME_LIMIT_MS = 3_600_000;

function violatesPlan({ report, place }: BeaconCase): boolean {
  const { plan } = place!;
  if (report.bandwidthHz !== plan.bwHz) return true;
  if (!beaconSpreadingFactors(plan, NO_AIRTIME_LIMIT_MS).includes(report.spreadingFactor)) return true;
  return !plan.beaconFreqsHz.some((freqHz) => Math.abs(report.freqHz - freqHz) <= FREQ_TOLERANCE_HZ);
}

function missesChallenge({ report, place, challenge }: BeaconCase): boolean {
  const { freqHz, spreadingFactor, bandwidthHz, powerStepDb } = challenge!;
  if (report.spreadingFactor !== spreadingFactor || report.bandwidthHz !== bandwidthHz) return true;
  if (Math.abs(report.freqHz - freqHz) > FREQ_TOLERANCE_HZ) return true;
  const asked = computeChallengePowerCentiDbm(place!.plan, place!.gainCentiDbi, powerStepDb);
  return Math.abs(report.powerCentiDbm - asked) > POWER_TOLERANCE_CENTI_DB;
}
