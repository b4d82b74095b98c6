/**
 * Which of an epoch's accepted witnesses are paid: at most so many of one owner and so many in all for a beacon, drawn
 * by a seed that did not exist when they reported. This makes the outcomes final that were accepted with the selection
 * pending.
 */
import type { UnpaidReason } from "../evidence/reasons.ts";
import { selectWitnesses } from "../score/selectWitnesses.ts";
import { createOutcome } from "./reports.ts";
import type { RoundLog } from "./roundLog.ts";
import type { EvidencedBeacon, Ledger, ValidWitness } from "./state.ts";
import type { ReportId } from "./types.ts";

/** A beacon with its paid and with all its valid witnesses, as indexes of hotspots. */
export type SelectedBeacon = {
  readonly reportId: ReportId;
  readonly hotspot: number;
  readonly paid: readonly number[];
  readonly valid: readonly number[];
};

/** What the draw left of an epoch's valid witnesses: the beacons, and how many witnesses are unpaid for which reason. */
export type Selection = {
  readonly beacons: readonly SelectedBeacon[];
  readonly unpaid: ReadonlyMap<UnpaidReason, number>;
};

/** Draws the paid witnesses of every beacon that closed in the epoch. */
export function selectPaid(ledger: Ledger, log: RoundLog, nextSeed: Uint8Array): Selection {
  const unpaid = new Map<UnpaidReason, number>();
  const beacons = ledger.tally.beacons.map((beacon): SelectedBeacon => {
    const paid: number[] = [];
    const reasons = drawReasons(ledger, beacon, nextSeed);
    for (const witness of beacon.witnesses) {
      const reason = witness.reason ?? reasons.get(witness.witness) ?? null;
      if (reason === null) paid.push(witness.witness);
      else unpaid.set(reason, (unpaid.get(reason) ?? 0) + 1);
      if (witness.reason === null) log.outcomes.push(finalOutcome(ledger, beacon, witness, reason));
    }
    const valid = beacon.witnesses.map(({ witness }) => witness);
    return { reportId: beacon.reportId, hotspot: beacon.hotspot, paid, valid };
  });
  return { beacons, unpaid };
}

/** The accepted witnesses that one of the caps leaves out: first the owners' cap, then the beacon's, by the same draw. */
function drawReasons(
  { registry, parameters }: Ledger,
  beacon: EvidencedBeacon,
  nextSeed: Uint8Array,
): Map<number, UnpaidReason> {
  const reasons = new Map<number, UnpaidReason>();
  const draw = (witnesses: readonly number[], cap: number, reason: UnpaidReason): number[] => {
    const keys = witnesses.map((witness) => registry.list[witness]!.key);
    const drawn = selectWitnesses(nextSeed, beacon.commit, keys, cap).map((place) => witnesses[place]!);
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
