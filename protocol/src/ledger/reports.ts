/**
 * Reports at their inclusion: a beacon is judged by its rules and opened, or refused; a witness report waits for its
 * beacon's reveal; a reveal is judged and marks its beacon for closing at the round's end.
 */

import { equalBytes } from "../bytes/bytes.ts";
import { checkBeacon } from "../evidence/beaconRules.ts";
import { type Challenge, computeChallenge } from "../evidence/challenge.ts";
import { computeCommit, computeTag } from "../evidence/commitReveal.ts";
import type { Reason, RevealReason } from "../evidence/reasons.ts";
import { epochOfRound } from "../network/parameters.ts";
import type { BeaconReport, RevealReport, WitnessReport } from "../wire/reports.ts";
import { type Candidate, OTHERS_PER_REVEAL, STUBS_PER_TAG, WAITING_PER_TAG } from "./beaconBook.ts";
import { isCosigned } from "./binding.ts";
import { byteKey } from "./byteKey.ts";
import { evidenceKeysOf, type Hotspot, hasEnded, isSilent, type Place, placeAt, planOf } from "./registry.ts";
import type { RoundLog } from "./roundLog.ts";
import type { Ledger } from "./state.ts";
import type { LedgerMessage, ReportId, ReportOutcome, RoundInput } from "./types.ts";

type BundleMessage = Extract<LedgerMessage, { kind: "reports" }>;

/** What a report is judged by beside itself: its sender, its bundle's epoch and the round. */
type Inclusion = {
  readonly hotspot: Hotspot;
  readonly epoch: number;
  readonly round: number;
  readonly latestTimeMs: number;
  /** Whether the bundle's beacons have the co-signature that they need. */
  readonly isCosigned: boolean;
};

/** An outcome with the fields that most outcomes leave null. */
export function createOutcome(
  fields: Pick<ReportOutcome, "reportId" | "hotspot" | "kind" | "includedRound" | "state" | "reason"> &
    Partial<ReportOutcome>,
): ReportOutcome {
  return {
    selectionPending: false,
    beacon: null,
    beaconReport: null,
    measurement: null,
    distanceM: null,
    ceilingCentiDbm: null,
    unitsPpm: null,
    ...fields,
  };
}

/** Executes a bundle's reports in the order of their indexes: beacons, witnesses, reveals. */
export function executeBundle(
  ledger: Ledger,
  log: RoundLog,
  message: BundleMessage,
  input: RoundInput,
): void {
  const { id: envelopeId, sender, bundle } = message;
  const hotspot = ledger.registry.find(sender);
  const inclusion = hotspot && {
    hotspot,
    epoch: bundle.epoch,
    round: input.round,
    latestTimeMs: input.timeMs + ledger.parameters.clockToleranceMs,
    isCosigned: isCosigned(hotspot, bundle.epoch, bundle.cosignature),
  };
  let index = 0;
  const execute = <R>(
    kind: ReportOutcome["kind"],
    reports: readonly R[],
    judge: (ledger: Ledger, log: RoundLog, reportId: ReportId, report: R, inclusion: Inclusion) => void,
  ): void => {
    for (const report of reports) {
      const reportId = { envelopeId, index: index++ };
      if (inclusion === null) {
        const fields = { reportId, hotspot: sender, kind, includedRound: input.round } as const;
        log.outcomes.push(createOutcome({ ...fields, state: "refused", reason: "unknown_hotspot" }));
      } else if (takeQuota(ledger, log, inclusion.hotspot)) judge(ledger, log, reportId, report, inclusion);
    }
  };
  execute("beacon", bundle.beacons, executeBeacon);
  execute("witness", bundle.witnesses, executeWitness);
  execute("reveal", bundle.reveals, executeReveal);
}

/** Nothing is free: beyond its quota of the running epoch a hotspot's reports are counted and not kept. */
function takeQuota(ledger: Ledger, log: RoundLog, hotspot: Hotspot): boolean {
  if (hotspot.reportsInEpoch >= ledger.parameters.reportsPerEpoch) {
    log.countOverQuota(hotspot);
    return false;
  }
  hotspot.reportsInEpoch++;
  return true;
}

/** The epoch whose challenge a beacon answers is its bundle's: the commit binds it, so nothing else may decide it. */
function executeBeacon(
  ledger: Ledger,
  log: RoundLog,
  reportId: ReportId,
  report: BeaconReport,
  { hotspot, epoch, round, latestTimeMs, isCosigned: hasCosignature }: Inclusion,
): void {
  const place = placeAt(hotspot, epoch);
  const challenge = place && challengeOf(ledger, hotspot, place, epoch);
  const reason = checkBeacon({
    report,
    includedRound: round,
    latestTimeMs,
    toleranceRounds: ledger.parameters.beaconToleranceRounds,
    hasBeaconed: ledger.book.findMark(hotspot.index, epoch) !== null,
    isCosigned: hasCosignature,
    place: place && { plan: planOf(place), gainCentiDbi: place.gainCentiDbi },
    challenge,
  });
  const tag = byteKey(computeTag(report.commit));
  if (reason === null || ledger.book.candidatesOf(tag).length < STUBS_PER_TAG) {
    ledger.book.addCandidate({
      reportId,
      hotspot: hotspot.index,
      challengeEpoch: epoch,
      includedRound: round,
      tag,
      report,
      challenge: reason === null ? challenge : null,
      eirpCentiDbm: report.powerCentiDbm + (place?.gainCentiDbi ?? 0),
      secret: null,
    });
  }
  if (reason !== null) {
    const { beaconsRefused } = ledger.tally;
    beaconsRefused.set(reason, (beaconsRefused.get(reason) ?? 0) + 1);
  }
  log.outcomes.push(
    createOutcome({
      reportId,
      hotspot: hotspot.key,
      kind: "beacon",
      includedRound: round,
      state: reason === null ? "pending" : "refused",
      reason,
      beaconReport: report,
    }),
  );
}

/**
 * A hotspot's challenge in an epoch: only with registration and assertion in force at the end of the epoch before the
 * previous one (an assertion in force then was registered before), or keys and places could be ground against a seed
 * that is already known; none with a key that it took since then or under a plan that it chose since then, for the same
 * reason; and none while silenced, or after its registration was ended.
 */
export function challengeOf(ledger: Ledger, hotspot: Hotspot, place: Place, epoch: number): Challenge | null {
  const earlier = placeAt(hotspot, epoch - 2);
  if (earlier === null || planOf(earlier) !== planOf(place)) return null;
  if (hotspot.rotatedEpoch !== null && hotspot.rotatedEpoch > epoch - 2) return null;
  if (isSilent(hotspot, epoch) || hasEnded(hotspot, epoch)) return null;
  const seed = ledger.seeds.get(epoch);
  if (seed === undefined) return null;
  return computeChallenge(ledger.parameters, seed, hotspot.key, epoch, planOf(place));
}

function executeWitness(
  ledger: Ledger,
  log: RoundLog,
  reportId: ReportId,
  report: WitnessReport,
  { hotspot, round, latestTimeMs }: Inclusion,
): void {
  const { book } = ledger;
  const tag = byteKey(report.tag);
  const fields = {
    reportId,
    hotspot: hotspot.key,
    kind: "witness",
    includedRound: round,
    measurement: report.measurement,
  } as const;
  const hasLeft = hasEnded(hotspot, epochOfRound(ledger.parameters, round));
  const reason = hasLeft ? "unknown_hotspot" : checkWaiting(ledger, hotspot, tag, report, latestTimeMs);
  if (reason !== null) {
    countRefusedWitness(ledger, reason);
    log.outcomes.push(createOutcome({ ...fields, state: "refused", reason }));
    return;
  }
  hotspot.waiting++;
  book.addWaiting(
    {
      reportId,
      witness: hotspot.index,
      includedRound: round,
      tag,
      report,
      fate: "no_beacon",
      fateBeacon: null,
    },
    true,
  );
  log.outcomes.push(createOutcome({ ...fields, state: "pending", reason: null }));
}

/** Counts a refused witness report in the epoch's tally. */
export function countRefusedWitness(ledger: Ledger, reason: Reason): void {
  const { witnessesRefused } = ledger.tally;
  witnessesRefused.set(reason, (witnessesRefused.get(reason) ?? 0) + 1);
}

/** What a witness report must fulfil before it may wait; all else is judged when a proof verifies. */
function checkWaiting(
  ledger: Ledger,
  hotspot: Hotspot,
  tag: string,
  report: WitnessReport,
  latestTimeMs: number,
): "future_dated" | "waiting_full" | null {
  // Nobody reports what has not happened: at most the clock's tolerance ahead of the round's time.
  if (report.measurement.timeMs > latestTimeMs) return "future_dated";
  // Waiting costs memory, so a hotspot has so many places for it.
  if (hotspot.waiting >= ledger.parameters.waitingPerHotspot) return "waiting_full";
  // And proofs cost hashes, so it has few for one tag.
  let withTag = 0;
  for (const { witness } of ledger.book.waitingOf(tag)) if (witness === hotspot.index) withTag++;
  return withTag >= WAITING_PER_TAG ? "waiting_full" : null;
}

/** A reveal's tag leads to the open beacons that it may be of, and its secret to the one whose commit it fits. */
function executeReveal(
  ledger: Ledger,
  log: RoundLog,
  reportId: ReportId,
  { tag, secret }: RevealReport,
  { hotspot, round }: Inclusion,
): void {
  const key = byteKey(tag);
  const open = ledger.book.candidatesOf(key).filter(({ challenge }) => challenge !== null);
  const beacon = findCommitted(ledger, open, hotspot, secret);
  let reason: RevealReason | null;
  if (beacon !== null) reason = checkReveal(ledger, beacon, hotspot, round);
  else if (open.length > 0) reason = "reveal_mismatch";
  // A closed beacon that was not revealed is as unknown as one that never was: its time is over.
  else reason = ledger.book.wasRevealed(key) ? "already_revealed" : "unknown_beacon";
  if (reason === null) {
    beacon!.secret = secret;
    ledger.revealed.push(beacon!);
  }
  log.outcomes.push(
    createOutcome({
      reportId,
      hotspot: hotspot.key,
      kind: "reveal",
      includedRound: round,
      state: reason === null ? "accepted" : "refused",
      reason,
      beacon: beacon?.reportId ?? null,
    }),
  );
}

/** The first of a tag's open beacons that is bound to a secret: any of the sender's own, or of so many others. */
function findCommitted(
  { registry }: Ledger,
  open: readonly Candidate[],
  sender: Hotspot,
  secret: Uint8Array,
): Candidate | null {
  let others = 0;
  for (const candidate of open) {
    if (candidate.hotspot !== sender.index && others++ >= OTHERS_PER_REVEAL) continue;
    for (const key of evidenceKeysOf(registry.list[candidate.hotspot]!)) {
      const commit = computeCommit(key, candidate.challengeEpoch, secret);
      if (equalBytes(commit, candidate.report.commit)) return candidate;
    }
  }
  return null;
}

/** The rules of a reveal whose secret fits an open beacon. */
function checkReveal(
  { parameters }: Ledger,
  beacon: Candidate,
  sender: Hotspot,
  round: number,
): RevealReason | null {
  // The first valid reveal closes the beacon, at the end of its round.
  if (beacon.secret !== null) return "already_revealed";
  const windowEndRound = beacon.includedRound + parameters.witnessWindowRounds;
  // While witness reports still count, the secret must not be told.
  if (round <= windowEndRound) return "early_reveal";
  // In the first half of the reveal window, rounded down, only the beaconer may; then anyone registered.
  const ownRounds = Math.floor(parameters.revealWindowRounds / 2);
  if (round <= windowEndRound + ownRounds && sender.index !== beacon.hotspot) return "not_beaconer";
  return null;
}
