/** What follows from a beacon's record: the bundles that it travels in, and the rounds that each step has. */
import { type SigningDomains, signingMessage } from "../../../protocol/src/crypto/domain.ts";
import type { Challenge } from "../../../protocol/src/evidence/challenge.ts";
import { computeCommit, computeTag } from "../../../protocol/src/evidence/commitReveal.ts";
import type { Parameters } from "../../../protocol/src/network/parameters.ts";
import {
  type Cosignature,
  encodeCosignedBeacons,
  type ReportBundle,
} from "../../../protocol/src/wire/reports.ts";
import type { BeaconRecord } from "./beaconState.ts";

/**
 * A device that signs a message: its key, which may be known only then, and its signature.
 * Throws CodedError "device_key_failed" where the device is silent.
 */
export type Cosigner = (message: Uint8Array) => Promise<Cosignature>;

/** The record of a beacon that is about to be sent for the first time. @param secret 16 fresh random bytes. */
export function armBeacon(
  { slotRound, freqHz, spreadingFactor, bandwidthHz }: Challenge,
  epoch: number,
  hotspot: Uint8Array,
  secret: Uint8Array,
): BeaconRecord {
  return {
    epoch,
    slotRound,
    freqHz,
    spreadingFactor,
    bandwidthHz,
    secret,
    commit: computeCommit(hotspot, epoch, secret),
    phase: "armed",
    attempts: 1,
    powerCentiDbm: null,
    timeMs: null,
    cosignature: null,
    submitRound: null,
    includedRound: null,
    revealEpoch: null,
    end: null,
  };
}

/**
 * The record once validators name the round of its report's inclusion; the same record where they tell nothing new. The
 * later round counts: after a restart others may be asked than before.
 */
export function noteIncludedRound(beacon: BeaconRecord, saidRound: number | null): BeaconRecord {
  const isLater = saidRound !== null && (beacon.includedRound === null || saidRound > beacon.includedRound);
  return isLater ? { ...beacon, includedRound: saidRound } : beacon;
}

/** The bundle that reports a beacon which was sent. */
export function beaconBundleOf(beacon: BeaconRecord): ReportBundle {
  const { commit, freqHz, spreadingFactor, bandwidthHz } = beacon;
  const report = {
    commit,
    freqHz,
    spreadingFactor,
    bandwidthHz,
    powerCentiDbm: beacon.powerCentiDbm!,
    timeMs: beacon.timeMs!,
  };
  const bundle = { epoch: beacon.epoch, beacons: [report], witnesses: [], reveals: [] };
  return beacon.cosignature === null ? bundle : { ...bundle, cosignature: beacon.cosignature };
}

/** What a device signs of a beacon which was sent. */
export function cosignedMessageOf(
  hotspot: Uint8Array,
  beacon: BeaconRecord,
  domains: SigningDomains,
): Uint8Array {
  const body = encodeCosignedBeacons(hotspot, beaconBundleOf(beacon));
  return signingMessage(domains, "cosigned", body);
}

/** The bundle that reveals a beacon. */
export function revealBundleOf(beacon: BeaconRecord): ReportBundle {
  const reveal = { tag: computeTag(beacon.commit), secret: beacon.secret };
  return { epoch: beacon.revealEpoch!, beacons: [], witnesses: [], reveals: [reveal] };
}

/** The last round after which a beacon still makes it: one round is for its report to reach a cut. */
export function lastAttemptRoundOf(
  { slotRound }: Pick<BeaconRecord, "slotRound">,
  { beaconToleranceRounds }: Parameters,
): number {
  return slotRound + beaconToleranceRounds - 2;
}

/**
 * The last round in which a witness's report can count. Where the inclusion is unknown it is taken as late as the slot
 * allows; and whatever validators say, the report was in no round that was certified before it was submitted, and in
 * none after its slot.
 */
export function windowEndOf(
  { includedRound, slotRound, submitRound }: BeaconRecord,
  { beaconToleranceRounds, witnessWindowRounds }: Parameters,
): number {
  const latest = slotRound + beaconToleranceRounds;
  const included = Math.min(includedRound ?? latest, latest);
  return Math.max(included, (submitRound ?? 0) + 1) + witnessWindowRounds;
}

/** The last round in which its reveal can count. */
export function lastRevealRoundOf(beacon: BeaconRecord, parameters: Parameters): number {
  return windowEndOf(beacon, parameters) + parameters.revealWindowRounds;
}
