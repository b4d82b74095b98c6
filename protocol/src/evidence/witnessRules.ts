/**
 * What a witness report must fulfil, once its proof has verified with a revealed beacon: one rule, one reason, cheapest
 * first, and what is valid but unpaid after what is refused. Physics stands in `radio/gates.ts`, whose gates are rules
 * of this list.
 */
import { GATES, type LinkMeasurement } from "../radio/gates.ts";
import type { RegionPlan } from "../radio/regions.ts";
import type { UnpaidReason, WitnessReason } from "./reasons.ts";

/** A report with a verified proof, beside its beacon and what the ledger knows of both ends in the beacon's epoch. */
export type WitnessCase = {
  readonly includedRound: number;
  /** The last round in which a report of this beacon counts. */
  readonly windowEndRound: number;
  readonly isSelf: boolean;
  /** Whether an earlier report of the same witness already verified with this beacon. */
  readonly isDuplicate: boolean;
  /** Whether the witness was registered at the start of the beacon's epoch. */
  readonly isRegistered: boolean;
  readonly beaconPlan: RegionPlan;
  /** The witness's plan then; null: nothing asserted. */
  readonly witnessPlan: RegionPlan | null;
  /** The reception; null where the witness has no place. */
  readonly link: LinkMeasurement | null;
  /** Whether reciprocity is asked for and the beaconer has not witnessed this witness within `reciprocityEpochs`. */
  readonly lacksReciprocity: boolean;
  /** The lesser of what the graph gives both ends at the start of the beacon's epoch. */
  readonly graphPpm: number;
  /** The least that is paid. */
  readonly trustPaidMinPpm: number;
  /** Whether the beaconer alone fills its owner's places, so that none is left for this witness of the same owner. */
  readonly ownerHasNoPlace: boolean;
};

/** A rule: whether a case breaks it, and the reason it then gives. */
export type WitnessRule = {
  readonly reason: WitnessReason | UnpaidReason;
  readonly fails: (witness: WitnessCase) => boolean;
};

export const WITNESS_RULES: readonly WitnessRule[] = [
  // A report counts that is included at most the witness window after its beacon.
  { reason: "late", fails: ({ includedRound, windowEndRound }) => includedRound > windowEndRound },
  // Nobody witnesses themselves.
  { reason: "self_witness", fails: ({ isSelf }) => isSelf },
  // Of a witness's verifying reports of one beacon the first in finalized order counts.
  { reason: "duplicate_witness", fails: ({ isDuplicate }) => isDuplicate },
  // Who witnesses must have been registered when the beacon's epoch began.
  { reason: "unknown_hotspot", fails: ({ isRegistered }) => !isRegistered },
  // And must have had a place then.
  { reason: "not_asserted", fails: ({ witnessPlan }) => witnessPlan === null },
  // Both ends are under the same region's plan.
  { reason: "region_mismatch", fails: ({ beaconPlan, witnessPlan }) => witnessPlan !== beaconPlan },
  // The gates of physics, in their own order; too close and too far come last of them and are unpaid only.
  ...GATES.map(
    ({ reason, fails }): WitnessRule => ({ reason, fails: ({ link }) => link !== null && fails(link) }),
  ),
  // One who is heard must also hear: old enough pairs are paid only when they have been heard the other way round.
  { reason: "not_reciprocal", fails: ({ lacksReciprocity }) => lacksReciprocity },
  // Who is not trusted is not paid, nor is it of use to be heard by one. Evidence it is: so trust begins.
  { reason: "below_trust", fails: ({ graphPpm, trustPaidMinPpm }) => graphPpm < trustPaidMinPpm },
  // The beaconer takes one of its owner's places; where there is only one, its owner's witnesses are not paid.
  { reason: "over_owner_cap", fails: ({ ownerHasNoPlace }) => ownerHasNoPlace },
];

/** The reason of the first rule that a witness report breaks, or null. */
export function checkWitness(witness: WitnessCase): WitnessReason | UnpaidReason | null {
  for (const { reason, fails } of WITNESS_RULES) if (fails(witness)) return reason;
  return null;
}
