/** What stands between a challenge and the air: the region's limits, and what the concentrator would make of it. */
import { type Challenge, computeChallengePowerCentiDbm } from "../../../protocol/src/evidence/challenge.ts";
import { computeAirtimeUs } from "../../../protocol/src/radio/airtime.ts";
import { checkTransmission, DUTY_REASONS, type Transmission } from "../../../protocol/src/radio/dutyCycle.ts";
import { FRAME_BYTES } from "../../../protocol/src/radio/frame.ts";
import type { RegionPlan } from "../../../protocol/src/radio/regions.ts";
import type { TransmitFailure } from "../radio/radio.ts";
import { checkFloor, FLOOR_REASONS, findLowestPower, type PowerFloor } from "./powerFloor.ts";

/** Why a beacon was not even asked for: the region's limits, or a concentrator that cannot be quiet enough for them. */
export const GUARD_REASONS = [...DUTY_REASONS, ...FLOOR_REASONS] as const;
export type GuardReason = (typeof GUARD_REASONS)[number];
/** Why an attempt to beacon came to nothing. */
export type AttemptFailure = TransmitFailure | GuardReason | "no_cosignature";

export type GuardParts = {
  readonly plan: RegionPlan;
  readonly gainCentiDbi: number;
  /** What is set to be the least of the concentrator's power table; null where nothing is. */
  readonly lowestPowerDbm: number | null;
  /** What was sent, what is queued, and what warnings have taught. */
  readonly transmissions: readonly Transmission[];
  readonly powerFloors: readonly PowerFloor[];
  /** The forwarder's run that would transmit; null where none is there. */
  readonly run: string | null;
};

/** The packet that a challenge asks for, were it sent now. */
export function planBeacon(
  { plan, gainCentiDbi }: Pick<GuardParts, "plan" | "gainCentiDbi">,
  challenge: Challenge,
  nowMs: number,
): Transmission {
  const powerCentiDbm = computeChallengePowerCentiDbm(plan, gainCentiDbi, challenge.powerStepDb);
  return {
    freqHz: challenge.freqHz,
    startMs: nowMs,
    airtimeUs: computeAirtimeUs({ ...challenge, payloadBytes: FRAME_BYTES }),
    eirpCentiDbm: powerCentiDbm + gainCentiDbi,
  };
}

/**
 * Failures that somebody should look into: what is set up wrongly, which no later round mends, and a forwarder or device
 * that gave no answer, which may have been once, so that a later attempt that goes well takes it back. A gain table's are
 * not among them, which can be looked up as they are now, nor is what frees itself or is told by other signs.
 */
const LASTING_FAILURES: ReadonlySet<AttemptFailure> = new Set([
  "out_of_band",
  "over_eirp",
  "no_cosignature",
  "no_answer",
  "tx_freq",
  "tx_power",
  "power_unknown",
]);

/**
 * Why beacons fail, as far as somebody should look into it, or null where nothing is known to be in the way: a gain
 * table that begins above the loudest that is asked for, before any is, or else how the last attempt ended.
 */
export function findLastingFailure(
  { plan, gainCentiDbi, lowestPowerDbm, powerFloors, run }: Omit<GuardParts, "transmissions">,
  lastFailure: AttemptFailure | null,
): AttemptFailure | null {
  const loudestCentiDbm = computeChallengePowerCentiDbm(plan, gainCentiDbi, 0);
  const lowestDbm = findLowestPower(powerFloors, run, lowestPowerDbm);
  const refusal = checkFloor(plan, gainCentiDbi, loudestCentiDbm, lowestDbm);
  if (refusal !== null) return refusal;
  return lastFailure !== null && LASTING_FAILURES.has(lastFailure) ? lastFailure : null;
}

/** Why a packet may not be sent, or null. */
export function checkLimits(parts: GuardParts, candidate: Transmission): GuardReason | null {
  const { plan, gainCentiDbi, lowestPowerDbm, transmissions, powerFloors, run } = parts;
  const duty = checkTransmission(plan, transmissions, candidate);
  if (!duty.ok) return duty.reason;
  const lowestDbm = findLowestPower(powerFloors, run, lowestPowerDbm);
  return checkFloor(plan, gainCentiDbi, candidate.eirpCentiDbm - gainCentiDbi, lowestDbm);
}
