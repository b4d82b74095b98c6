/**
 * The end of a round: beacons close, and the witness reports that waited for them get their verdicts. Every report
 * that waits leaves here with exactly one verdict, at the latest when the last beacon it could belong to has closed.
 */
import { equalBytes } from "../bytes/bytes.ts";
import { computeProof } from "../evidence/commitReveal.ts";
import { isUnpaidReason } from "../evidence/reasons.ts";
import { checkWitness, type WitnessCase } from "../evidence/witnessRules.ts";
import { computeDistanceM } from "../geo/distance.ts";
import { epochOfRound } from "../network/parameters.ts";
import { computeLinkCeilingCentiDbm, type LinkMeasurement } from "../radio/gates.ts";
import { encodeMeasurement } from "../wire/reports.ts";
import { type Candidate, FATES, type Fate, type Waiting } from "./beaconBook.ts";
import { evidenceKeysOf, type Hotspot, placeAt, planOf } from "./registry.ts";
import { countRefusedWitness, createOutcome } from "./reports.ts";
import type { RoundLog } from "./roundLog.ts";
import type { Ledger, ValidWitness } from "./state.ts";
import { feedBeacon, feedReception } from "./trustFeed.ts";

/** Closes what closes with this round. */
export function settleRound(ledger: Ledger, log: RoundLog, round: number): void {
  const { book, parameters } = ledger;
  for (const beacon of ledger.revealed) closeRevealed(ledger, log, beacon, round);
  ledger.revealed.length = 0;
  const openRounds = parameters.witnessWindowRounds + parameters.revealWindowRounds;
  for (const candidate of book.candidates) {
    if (candidate.includedRound + openRounds > round) break;
    closeUnrevealed(ledger, log, candidate, round);
  }
  for (const waiting of book.early) {
    if (waiting.includedRound + parameters.waitRounds > round) break;
    book.early.delete(waiting);
    if (hasCandidate(ledger, waiting)) continue;
    book.removeWaiting(waiting);
    refuseFated(ledger, log, waiting);
  }
}

/**
 * Whether a beacon that a waiting report could belong to is still open: one included soon enough after it, or before.
 * The first of a tag's candidates was included first, so it tells for all.
 */
function hasCandidate(ledger: Ledger, waiting: Waiting): boolean {
  const [first] = ledger.book.candidatesOf(waiting.tag);
  return first !== undefined && isCandidateOf(ledger, first, waiting);
}

function isCandidateOf({ parameters }: Ledger, candidate: Candidate, waiting: Waiting): boolean {
  return candidate.includedRound <= waiting.includedRound + parameters.waitRounds;
}

/**
 * Tells the waiting reports of a closed beacon's tag that it is not theirs, in the word for what became of it; those
 * for which no other can be open or come any more have their verdict by that.
 */
function settleFate(
  ledger: Ledger,
  log: RoundLog,
  candidate: Candidate,
  fate: Fate,
  verify: (waiting: Waiting) => boolean,
): void {
  ledger.book.settleWaiting(candidate.tag, (waiting) => {
    if (!isCandidateOf(ledger, candidate, waiting)) return false;
    if (verify(waiting)) return true;
    if (FATES.indexOf(fate) > FATES.indexOf(waiting.fate)) {
      waiting.fate = fate;
      waiting.fateBeacon = candidate.reportId;
    }
    if (ledger.book.early.has(waiting) || hasCandidate(ledger, waiting)) return false;
    refuseFated(ledger, log, waiting);
    return true;
  });
}

/** The verdict of a report that has outlived every beacon it could belong to. */
function refuseFated(ledger: Ledger, log: RoundLog, waiting: Waiting): void {
  const witness = ledger.registry.list[waiting.witness]!;
  witness.waiting--;
  countRefusedWitness(ledger, waiting.fate);
  log.outcomes.push(
    createOutcome({
      reportId: waiting.reportId,
      hotspot: witness.key,
      kind: "witness",
      includedRound: waiting.includedRound,
      state: "refused",
      reason: waiting.fate,
      beacon: waiting.fateBeacon,
      measurement: waiting.report.measurement,
    }),
  );
}

/** A stub's time is over, or a beacon was never revealed: then its hotspot is not challenged for `silenceEpochs`. */
function closeUnrevealed(ledger: Ledger, log: RoundLog, candidate: Candidate, round: number): void {
  ledger.book.removeCandidate(candidate);
  const isStub = candidate.challenge === null;
  if (!isStub) {
    const hotspot = ledger.registry.list[candidate.hotspot]!;
    silence(ledger, log, hotspot, epochOfRound(ledger.parameters, round));
    ledger.book.mark({ ...candidate, state: "never_revealed" });
    reportClosed(ledger, log, candidate, "never_revealed", round, [], 0);
  }
  settleFate(ledger, log, candidate, isStub ? "beacon_refused" : "never_revealed", () => false);
}

/** Silence covers the epochs after the one in which the beacon closed, so that no order within an epoch matters. */
function silence(ledger: Ledger, log: RoundLog, hotspot: Hotspot, closedEpoch: number): void {
  const untilEpoch = closedEpoch + ledger.parameters.silenceEpochs;
  const isRunning = hotspot.silence !== null && hotspot.silence.untilEpoch >= closedEpoch;
  hotspot.silence = { fromEpoch: isRunning ? hotspot.silence!.fromEpoch : closedEpoch + 1, untilEpoch };
  log.touchHotspot(hotspot);
}

/** Judges every waiting report whose proof verifies, in finalized order, and closes the beacon. */
function closeRevealed(ledger: Ledger, log: RoundLog, beacon: Candidate, round: number): void {
  const { book, registry } = ledger;
  book.removeCandidate(beacon);
  book.mark({ ...beacon, state: "revealed" });
  const closedEpoch = epochOfRound(ledger.parameters, round);
  feedBeacon(ledger, beacon.hotspot, closedEpoch);
  const witnesses: ValidWitness[] = [];
  const judged = new Set<number>();
  let refused = 0;
  settleFate(ledger, log, beacon, "proof_mismatch", (waiting) => {
    const witness = registry.list[waiting.witness]!;
    if (!provesHearing(beacon, witness, waiting)) return false;
    const valid = judgeWitness(ledger, log, beacon, witness, waiting, judged.has(witness.index), closedEpoch);
    if (valid === null) refused++;
    else witnesses.push(valid);
    judged.add(witness.index);
    return true;
  });
  noteEvidence(ledger, log, beacon, witnesses, closedEpoch);
  const isWitnessed = witnesses.some(({ reason }) => reason === null);
  reportClosed(ledger, log, beacon, isWitnessed ? null : "no_witness", round, witnesses, refused);
}

function provesHearing({ secret }: Candidate, witness: Hotspot, { report }: Waiting): boolean {
  const measurement = encodeMeasurement(report.measurement);
  return evidenceKeysOf(witness).some((key) =>
    equalBytes(computeProof(secret!, key, measurement), report.proof),
  );
}

/** Gives a report with a verified proof its verdict; null where it is refused. */
function judgeWitness(
  ledger: Ledger,
  log: RoundLog,
  beacon: Candidate,
  witness: Hotspot,
  waiting: Waiting,
  isDuplicate: boolean,
  closedEpoch: number,
): ValidWitness | null {
  const { witnessCase, link } = createWitnessCase(ledger, beacon, witness, waiting, isDuplicate, closedEpoch);
  const judgement = checkWitness(witnessCase);
  const distanceM = link?.distanceM ?? null;
  const ceilingCentiDbm = link && computeLinkCeilingCentiDbm(link);
  witness.waiting--;
  const isValid = judgement === null || isUnpaidReason(judgement);
  if (!isValid) countRefusedWitness(ledger, judgement);
  const { measurement } = waiting.report;
  const judged = { beacon, witness, measurement, link, reason: judgement, isValid };
  const left = feedReception(ledger, judged, closedEpoch);
  const reason = judgement ?? left;
  const { reportId, includedRound } = waiting;
  log.outcomes.push(
    createOutcome({
      reportId,
      hotspot: witness.key,
      kind: "witness",
      includedRound,
      state: isValid ? "accepted" : "refused",
      reason,
      selectionPending: reason === null,
      beacon: beacon.reportId,
      measurement,
      distanceM,
      ceilingCentiDbm,
    }),
  );
  if (!isValid) return null;
  return {
    reportId,
    witness: witness.index,
    includedRound,
    measurement,
    distanceM: distanceM!,
    ceilingCentiDbm: ceilingCentiDbm!,
    reason: judgement ?? left,
  };
}

/** Location, gain and owner of both ends are those in force at the start of the beacon's own epoch. */
function createWitnessCase(
  ledger: Ledger,
  beacon: Candidate,
  witness: Hotspot,
  { report, includedRound }: Waiting,
  isDuplicate: boolean,
  closedEpoch: number,
): { witnessCase: WitnessCase; link: LinkMeasurement | null } {
  const { parameters, registry, links, trust } = ledger;
  const beaconer = registry.list[beacon.hotspot]!;
  const epoch = beacon.challengeEpoch;
  const beaconPlace = placeAt(beaconer, epoch)!;
  const place = placeAt(witness, epoch);
  const beaconPlan = planOf(beaconPlace);
  const { measurement } = report;
  const link = place && {
    rssiDeciDbm: measurement.rssiDeciDbm,
    snrCentiDb: measurement.snrCentiDb,
    spreadingFactor: measurement.spreadingFactor,
    bandwidthHz: measurement.bandwidthHz,
    freqHz: measurement.freqHz,
    eirpCentiDbm: beacon.eirpCentiDbm,
    rxGainCentiDbi: place.gainCentiDbi,
    distanceM: computeDistanceM(beaconPlace.latE7, beaconPlace.lngE7, place.latE7, place.lngE7),
    region: beaconPlan,
    challenge: beacon.challenge!,
  };
  const youngest = Math.max(beaconer.registeredEpoch, witness.registeredEpoch);
  const asksReciprocity = epoch - youngest >= parameters.reciprocityEpochs;
  const witnessCase = {
    includedRound,
    windowEndRound: beacon.includedRound + parameters.witnessWindowRounds,
    isSelf: witness === beaconer,
    isDuplicate,
    isRegistered: witness.registeredEpoch < epoch,
    beaconPlan,
    witnessPlan: place && planOf(place),
    link,
    lacksReciprocity: asksReciprocity && !links.isLinked(beaconer.index, witness.index, closedEpoch),
    // Whose pay is withheld is counted like any other.
    graphPpm: Math.min(
      trust.trustAt(beaconer.index, epoch).graphPpm,
      trust.trustAt(witness.index, epoch).graphPpm,
    ),
    trustPaidMinPpm: parameters.trustPaidMinPpm,
    ownerHasNoPlace: parameters.ownerWitnessCap === 1 && witness.owner === beaconer.owner,
  };
  return { witnessCase, link };
}

/** Valid witnesses, paid or not, count as links and as activity of both ends. */
function noteEvidence(
  ledger: Ledger,
  log: RoundLog,
  beacon: Candidate,
  witnesses: readonly ValidWitness[],
  closedEpoch: number,
): void {
  if (witnesses.length === 0) return;
  const { registry, links, tally } = ledger;
  noteActive(log, registry.list[beacon.hotspot]!, closedEpoch);
  for (const { witness } of witnesses) {
    noteActive(log, registry.list[witness]!, closedEpoch);
    links.link(witness, beacon.hotspot, closedEpoch);
  }
  tally.beacons.push({
    reportId: beacon.reportId,
    commit: beacon.report.commit,
    hotspot: beacon.hotspot,
    challengeEpoch: beacon.challengeEpoch,
    secret: beacon.secret!,
    witnesses,
  });
}

function noteActive(log: RoundLog, hotspot: Hotspot, epoch: number): void {
  if (hotspot.lastActiveEpoch === epoch) return;
  hotspot.lastActiveEpoch = epoch;
  log.touchHotspot(hotspot);
}

/** A beacon's last outcome, and the beacon itself with what became of its witnesses. */
function reportClosed(
  ledger: Ledger,
  log: RoundLog,
  beacon: Candidate,
  reason: "never_revealed" | "no_witness" | null,
  round: number,
  witnesses: readonly ValidWitness[],
  witnessesRefused: number,
): void {
  const { tally, registry, parameters } = ledger;
  const hotspot = registry.list[beacon.hotspot]!;
  tally.beaconsClosed++;
  if (reason !== null) tally.beaconsRefused.set(reason, (tally.beaconsRefused.get(reason) ?? 0) + 1);
  const witnessesAccepted = witnesses.filter((witness) => witness.reason === null).length;
  const { reportId, includedRound, report } = beacon;
  log.beaconsClosed.push({
    reportId,
    hotspot: hotspot.key,
    challengeEpoch: beacon.challengeEpoch,
    closedEpoch: epochOfRound(parameters, round),
    includedRound,
    closedRound: round,
    reason,
    report,
    eirpCentiDbm: beacon.eirpCentiDbm,
    secret: beacon.secret,
    witnessesAccepted,
    witnessesUnpaid: witnesses.length - witnessesAccepted,
    witnessesRefused,
  });
  log.outcomes.push(
    createOutcome({
      reportId,
      hotspot: hotspot.key,
      kind: "beacon",
      includedRound,
      state: reason === null ? "accepted" : "refused",
      reason,
      beaconReport: report,
    }),
  );
}
