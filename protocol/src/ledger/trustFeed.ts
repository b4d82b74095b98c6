/**
 * What execution tells the history of trust: every report that was judged with a revealed beacon and was valid, paid or
 * not, or was refused by a gate on its measurement, which still says how it was made. Other refusals say nothing about a
 * radio. What the history has no place for is not paid.
 */

import { computeTakenStepDb } from "../evidence/challenge.ts";
import type { UnpaidReason, WitnessReason } from "../evidence/reasons.ts";
import { computeMarginCentiDb, GATE_REASONS, type LinkMeasurement } from "../radio/gates.ts";
import type { HistoryEntry } from "../trust/linkRecord.ts";
import { createMoments } from "../trust/moments.ts";
import type { Measurement } from "../wire/reports.ts";
import { forgetRecord } from "./appeal.ts";
import type { Candidate } from "./beaconBook.ts";
import { assertPlace, type Hotspot, isMove, type Place, placeAt, planOf } from "./registry.ts";
import type { Ledger } from "./state.ts";
import type { TrustBook } from "./trustBook.ts";

const GATED: ReadonlySet<string> = new Set(GATE_REASONS);

/** A witness report with its verdict. */
export type JudgedReception = {
  readonly beacon: Candidate;
  readonly witness: Hotspot;
  readonly measurement: Measurement;
  readonly link: LinkMeasurement | null;
  readonly reason: WitnessReason | UnpaidReason | null;
  readonly isValid: boolean;
};

/** Counts a revealed beacon. Where the score does not ask for trust nothing is kept for it. */
export function feedBeacon({ trust, parameters }: Ledger, hotspot: number, closedEpoch: number): void {
  if (parameters.scoreVersion >= 2) trust.history.countBeacon(hotspot, closedEpoch);
}

/**
 * Adds a judged report to the history, in the epoch in which its beacon closes.
 * @returns why one without a reason is left unpaid: the history had no place for it; null where it had.
 */
export function feedReception(
  ledger: Ledger,
  judged: JudgedReception,
  closedEpoch: number,
): "over_link_cap" | null {
  const { beacon, witness, measurement, link, reason, isValid } = judged;
  if (!isValid && (reason === null || !GATED.has(reason))) return null;
  if (link?.distanceM === undefined || ledger.parameters.scoreVersion < 2) return null;
  const beaconer = ledger.registry.list[beacon.hotspot]!;
  const epoch = beacon.challengeEpoch;
  // Who has moved since is judged by what is heard there.
  if (hasMovedSince(beaconer, epoch) || hasMovedSince(witness, epoch)) return null;
  const place = placeAt(beaconer, epoch)!;
  const powerStepDb = computeTakenStepDb(planOf(place), place.gainCentiDbi, beacon.challenge!.powerStepDb);
  const entry: HistoryEntry = {
    witness: witness.index,
    beaconer: beaconer.index,
    epoch: closedEpoch,
    verdict: isValid ? "valid" : "refused",
    distanceM: link.distanceM,
    moments: createMoments({ ...measurement, powerStepDb }),
    marginCentiDb: computeMarginCentiDb(measurement),
  };
  const isKept = ledger.trust.history.record(entry, ledger.trust.isTrusted(beaconer.index, epoch));
  const left = isKept || !isValid ? null : "over_link_cap";
  if (isValid) noteTrusted(ledger.trust, { beaconer, witness, epoch, reason: reason ?? left }, closedEpoch);
  return left;
}

/** What a valid report says for each end whose other end is trusted; what is unpaid bears nobody out. */
function noteTrusted(
  trust: TrustBook,
  {
    beaconer,
    witness,
    epoch,
    reason,
  }: Pick<JudgedReception, "witness" | "reason"> & {
    readonly beaconer: Hotspot;
    readonly epoch: number;
  },
  closedEpoch: number,
): void {
  const isWord = reason === null && beaconer.owner !== witness.owner;
  if (trust.isTrusted(witness.index, epoch)) {
    trust.heardBy.set(beaconer.index, closedEpoch);
    if (isWord) trust.corroboration.note(beaconer.index, witness.owner, closedEpoch);
  }
  if (trust.isTrusted(beaconer.index, epoch)) {
    trust.heard.set(witness.index, closedEpoch);
    if (isWord) trust.corroboration.note(witness.index, beaconer.owner, closedEpoch);
  }
}

/** Whether the place in force in an epoch is another than the newest: assertions that are no moves change nothing. */
function hasMovedSince({ movedEpoch }: Hotspot, epoch: number): boolean {
  return movedEpoch !== null && movedEpoch >= epoch;
}

/** Asserts a place in an epoch, and has trust forget the hotspot where what it can hear or be heard by changes with it. */
export function assertPlaceAnew(ledger: Ledger, hotspot: Hotspot, place: Place, epoch: number): void {
  const isMoved = isMove(hotspot, place);
  assertPlace(hotspot, place, epoch);
  if (!isMoved) return;
  hotspot.movedEpoch = epoch;
  forgetRecord(ledger, hotspot, epoch);
}
