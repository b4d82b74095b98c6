/**
 * Which of an epoch's accepted witnesses are paid: at most so many of one owner and so many in all for a beacon, drawn
 * by a seed that did not exist when they reported. This makes the outcomes final that were accepted with the selection
 * pending.
 */
import type { UnpaidReason } from "../evidence/reasons.ts";
import { isNear } from "../score/scoreV2.ts";
import { orderWitnesses, selectWitnesses } from "../score/selectWitnesses.ts";
import { createOutcome } from "./reports.ts";
import type { Places } from "./scoreEvidence.ts";
import type { EvidencedBeacon, Ledger, ValidWitness } from "./state.ts";
import type { ReportId, ReportOutcome } from "./types.ts";

/** A beacon with its paid and with all its valid witnesses, as indexes of hotspots. */
export type SelectedBeacon = {
  readonly reportId: ReportId;
  readonly hotspot: number;
  readonly challengeEpoch: number;
  readonly paid: readonly number[];
  readonly valid: readonly number[];
  /** Those accepted without a reason before the draw, in finalized order, drawn or not. */
  readonly accepted: readonly AcceptedWitness[];
};

export type AcceptedWitness = {
  readonly witness: number;
  readonly distanceM: number;
  /** Whether it was drawn. */
  readonly isPaid: boolean;
  /** Its report's last outcome, but for what the score will say it was worth. */
  readonly outcome: ReportOutcome;
};

/** What the draw left of an epoch's valid witnesses: the beacons, and how many witnesses are unpaid for which reason. */
export type Selection = {
  readonly beacons: readonly SelectedBeacon[];
  readonly unpaid: ReadonlyMap<UnpaidReason, number>;
};

/**
 * Draws the paid witnesses of every beacon that closed in the epoch.
 * @param places those in force at the epoch's start, by which version 2 tells who stands apart.
 */
export function selectPaid(ledger: Ledger, nextSeed: Uint8Array, places: Places): Selection {
  const unpaid = new Map<UnpaidReason, number>();
  const draw = ledger.parameters.scoreVersion >= 2 ? drawDiverse : drawReasons;
  const beacons = ledger.tally.beacons.map((beacon): SelectedBeacon => {
    const accepted: AcceptedWitness[] = [];
    const reasons = draw(ledger, beacon, nextSeed, places);
    for (const witness of beacon.witnesses) {
      const reason = witness.reason ?? reasons.get(witness.witness) ?? null;
      if (reason !== null) unpaid.set(reason, (unpaid.get(reason) ?? 0) + 1);
      if (witness.reason !== null) continue;
      const outcome = finalOutcome(ledger, beacon, witness, reason);
      const { distanceM } = witness;
      accepted.push({ witness: witness.witness, distanceM, isPaid: reason === null, outcome });
    }
    const paid = accepted.filter(({ isPaid }) => isPaid).map(({ witness }) => witness);
    const valid = beacon.witnesses.map(({ witness }) => witness);
    const { reportId, hotspot, challengeEpoch } = beacon;
    return { reportId, hotspot, challengeEpoch, paid, valid, accepted };
  });
  return { beacons, unpaid };
}

/**
 * Version 2's draw: in the order of the draws a witness is taken unless its owner's places are filled, or one that was
 * taken stands within 350 m of it, or as many were taken as are paid.
 */
function drawDiverse(
  { registry, parameters }: Ledger,
  beacon: EvidencedBeacon,
  nextSeed: Uint8Array,
  { latE7, lngE7 }: Places,
): Map<number, UnpaidReason> {
  const reasons = new Map<number, UnpaidReason>();
  const accepted = beacon.witnesses.filter(({ reason }) => reason === null).map(({ witness }) => witness);
  const order = orderWitnesses(nextSeed, beacon.commit, accepted);
  // The beaconer itself takes one of its owner's places.
  const ofOwner = new Map([[registry.list[beacon.hotspot]!.owner, 1]]);
  const taken: number[] = [];
  for (const index of order.map((place) => accepted[place]!)) {
    const { owner } = registry.list[index]!;
    const sameOwner = ofOwner.get(owner) ?? 0;
    if (sameOwner >= parameters.ownerWitnessCap) reasons.set(index, "over_owner_cap");
    else if (taken.some((other) => isNear(latE7, lngE7, other, index))) reasons.set(index, "over_place_cap");
    else if (taken.length >= parameters.witnessCap) reasons.set(index, "over_witness_cap");
    else {
      taken.push(index);
      ofOwner.set(owner, sameOwner + 1);
    }
  }
  return reasons;
}

/** Version 1's draw: the accepted witnesses that one of the caps leaves out, first the owners' cap, then the beacon's, by the same draw. */
function drawReasons(
  { registry, parameters }: Ledger,
  beacon: EvidencedBeacon,
  nextSeed: Uint8Array,
): Map<number, UnpaidReason> {
  const reasons = new Map<number, UnpaidReason>();
  const draw = (witnesses: readonly number[], cap: number, reason: UnpaidReason): number[] => {
    const drawn = selectWitnesses(nextSeed, beacon.commit, witnesses, cap).map((place) => witnesses[place]!);
    const isDrawn = new Set(drawn);
    for (const witness of witnesses) if (!isDrawn.has(witness)) reasons.set(witness, reason);
    return drawn;
  };
  const byOwner = new Map<number, number[]>();
  for (const { witness, reason } of beacon.witnesses) {
    if (reason !== null) continue;
    const { owner } = registry.list[witness]!;
    const ofOwner = byOwner.get(owner);
    if (ofOwner === undefined) byOwner.set(owner, [witness]);
    else ofOwner.push(witness);
  }
  const beaconerOwner = registry.list[beacon.hotspot]!.owner;
  const left: number[] = [];
  for (const [owner, witnesses] of byOwner) {
    // The beaconer itself takes one of its owner's places.
    const cap = parameters.ownerWitnessCap - (owner === beaconerOwner ? 1 : 0);
    left.push(...draw(witnesses, cap, "over_owner_cap"));
  }
  draw(left, parameters.witnessCap, "over_witness_cap");
  return reasons;
}

function finalOutcome(
  { registry }: Ledger,
  beacon: EvidencedBeacon,
  witness: ValidWitness,
  reason: UnpaidReason | null,
) {
  const { reportId, includedRound, measurement, distanceM, ceilingCentiDbm } = witness;
  return createOutcome({
    reportId,
    hotspot: registry.list[witness.witness]!.key,
    kind: "witness",
    includedRound,
    state: "accepted",
    reason,
    beacon: beacon.reportId,
    measurement,
    distanceM,
    ceilingCentiDbm,
  });
}
