/**
 * A challenge: in which epoch, round, channel, spreading factor and power a hotspot must beacon. It follows from the
 * epoch's seed, which nobody knows before the epoch, so nobody can prepare evidence for it; and a forger has to get
 * the physics of that very power and spreading factor right.
 */
import { hashLabelled } from "../crypto/sha256.ts";
import { firstRoundOfEpoch, type Parameters } from "../network/parameters.ts";
import { beaconSpreadingFactors, type RegionPlan } from "../radio/regions.ts";

/** What a hotspot is told to send. `slotRound`: the round from which on its beacon report may be included. */
export type Challenge = {
  readonly slotRound: number;
  readonly freqHz: number;
  readonly spreadingFactor: number;
  readonly bandwidthHz: number;
  /** How far below the highest power that plan, antenna and concentrators allow, in whole dB; not below the floor. */
  readonly powerStepDb: number;
};

/**
 * The challenge of a hotspot in an epoch, or null where it has none.
 *
 * All draws are 32-bit little-endian words of H("challenge", seed, hotspot): whether it beacons (word 0 divisible by
 * `beaconIntervalEpochs`), slot (word 1), channel (word 2), spreading factor (word 3), power step (word 4), each modulo
 * the number of choices. A choice out of n is thereby off its fair share by less than n / 2^32 of it.
 *
 * Whether it beacons is drawn anew in each epoch, rather than fixed by a phase of the hotspot: one that knew its epochs
 * beforehand could be switched on, or carried to where it claims to stand, for those only.
 * @param seed the epoch's seed, 32 bytes.
 * @param hotspotKey 32 bytes.
 * @param plan the plan of the region that the hotspot has asserted.
 */
export function computeChallenge(
  parameters: Parameters,
  seed: Uint8Array,
  hotspotKey: Uint8Array,
  epoch: number,
  plan: RegionPlan,
): Challenge | null {
  const hash = hashLabelled("challenge", seed, hotspotKey);
  const words = new DataView(hash.buffer, hash.byteOffset, hash.byteLength);
  const draw = (word: number, choices: number): number => words.getUint32(word * 4, true) % choices;
  if (draw(0, parameters.beaconIntervalEpochs) !== 0) return null;
  const spreadingFactors = challengeSpreadingFactors(plan, parameters.challengeAirtimeMaxMs);
  // Presets leave every plan a spreading factor; a network whose airtime is too short for a plan challenges nobody there.
  if (spreadingFactors.length === 0) return null;
  return {
    slotRound: firstRoundOfEpoch(parameters, epoch) + draw(1, parameters.roundsPerEpoch),
    freqHz: plan.beaconFreqsHz[draw(2, plan.beaconFreqsHz.length)]!,
    spreadingFactor: spreadingFactors[draw(3, spreadingFactors.length)]!,
    bandwidthHz: plan.bwHz,
    powerStepDb: parameters.powerStepsDb[draw(4, parameters.powerStepsDb.length)]!,
  };
}

/**
 * The most that is asked of a concentrator: the top of the SX1302's reference gain table, 27 dBm. Where a plan allows
 * more (US915: 36 dBm EIRP), a challenge for the plan's own maximum could be met by hardly any hardware.
 */
export const MAX_CONDUCTED_CENTI_DBM = 2_700;

/**
 * A step asks for no less than the bottom of that table, 12 dBm: a forwarder answers a request below it by sending 12,
 * with a warning, and the honest report of that would miss the challenge. Where antenna and plan leave less than 12
 * anyway, every step asks for just what they leave.
 */
export const STEP_FLOOR_CENTI_DBM = 1_200;

/**
 * The conducted power asked for, in hundredths of a dBm: what the plan's highest EIRP leaves after the antenna's gain,
 * or what a concentrator has where that is less, and from there down by the step to the floor. Rounded down to a whole dB, since
 * packet forwarders take whole dB and a rounding up would break the plan.
 */
export function computeChallengePowerCentiDbm(
  plan: RegionPlan,
  gainCentiDbi: number,
  powerStepDb: number,
): number {
  const highest = Math.min(plan.maxEirpCentiDbm - gainCentiDbi, MAX_CONDUCTED_CENTI_DBM);
  const asked = Math.max(highest - powerStepDb * 100, Math.min(highest, STEP_FLOOR_CENTI_DBM));
  return Math.floor(asked / 100) * 100;
}

/**
 * The step that a challenge really takes, in whole dB: where plan and antenna leave little above the floor it is less
 * than what was drawn (EU868 with 3 dBi: 1 dB of 6), and whoever judges how a signal follows the power must reckon with that.
 */
export function computeTakenStepDb(plan: RegionPlan, gainCentiDbi: number, powerStepDb: number): number {
  const full = computeChallengePowerCentiDbm(plan, gainCentiDbi, 0);
  return (full - computeChallengePowerCentiDbm(plan, gainCentiDbi, powerStepDb)) / 100;
}

// Plans are constants, and a network has one limit: the airtime is computed once for each pair.
const cache = new Map<string, readonly number[]>();

function challengeSpreadingFactors(plan: RegionPlan, airtimeMaxMs: number): readonly number[] {
  const key = `${plan.name}/${airtimeMaxMs}`;
  let factors = cache.get(key);
  if (factors === undefined) {
    factors = beaconSpreadingFactors(plan, airtimeMaxMs);
    cache.set(key, factors);
  }
  return factors;
}
