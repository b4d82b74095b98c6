/**
 * The writer: one round's result becomes rows, in the order in which execution made them. It runs inside a transaction
 * that the store opens and commits.
 */
import type { DatabaseSync } from "node:sqlite";
import { computeValueDigest } from "../../../../protocol/src/agreement/rounds.ts";
import { equalBytes } from "../../../../protocol/src/bytes/bytes.ts";
import { encodeReason } from "../../../../protocol/src/evidence/reasons.ts";
import type {
  AccountView,
  ClosedBeacon,
  EpochClose,
  HotspotView,
  ReportId,
  ReportOutcome,
  RoundResult,
  TrustRow,
} from "../../../../protocol/src/ledger/types.ts";
import { MAX_REPORTS_PER_BUNDLE, RSSI_KINDS } from "../../../../protocol/src/wire/reports.ts";
import { TRANSACTION_KINDS } from "../../../../protocol/src/wire/transactions.ts";
import { keyOfBytes } from "../../bytesKey.ts";
import { computeCoverageLevels } from "../cellRange.ts";
import { rankLines } from "../rankLines.ts";
import type { RoundCommit, Snapshot, StoreBase } from "../store.ts";
import {
  encodeAmounts,
  encodeDigests,
  encodeFindings,
  encodePayments,
  encodePools,
  encodeSpans,
  REPORT_KINDS,
  toSigned,
  VERDICT_STATES,
} from "./columns.ts";
import { writeEarnings } from "./earningRecords.ts";
import { computeIdPrefix, type RecentIds } from "./recentIds.ts";
import { ValidatorWriter } from "./validatorRecords.ts";
import { prepareWriting, type WriteStatements } from "./writeStatements.ts";

/** A hotspot's row number, and its newest envelope's. */
type Chain = { readonly position: number; head: number | null };

/** Chains in memory by hotspot, asked for with every envelope; cleared when they have grown to some 40 MB. */
const MAX_CACHED_CHAINS = 262_144;

export class RoundWriter {
  readonly #sql: WriteStatements;
  readonly #validators: ValidatorWriter;
  readonly #recent: RecentIds;
  readonly #chains = new Map<string, Chain>();
  #nextSeq: number;
  /** Where the transaction under way began, and the envelopes that it has numbered. */
  #firstSeq: number;
  #added: { readonly id: Uint8Array; readonly seq: number }[] = [];
  /** Of the round that is written. */
  #epoch = 0;

  /** @param recent the map of recent envelopes, filled from the file; @param nextSeq the next envelope's number. */
  constructor(db: DatabaseSync, recent: RecentIds, nextSeq: number) {
    this.#sql = prepareWriting(db);
    this.#validators = new ValidatorWriter(db);
    this.#recent = recent;
    this.#nextSeq = nextSeq;
    this.#firstSeq = nextSeq;
  }

  writeHotspots(hotspots: readonly HotspotView[]): void {
    for (const h of hotspots) {
      const a = h.assertion;
      this.#sql.hotspot.run(
        h.key,
        h.owner,
        h.registeredEpoch,
        toSigned(h.bond),
        a?.cell ?? null,
        a?.latE7 ?? null,
        a?.lngE7 ?? null,
        a?.gainCentiDbi ?? null,
        a?.elevationM ?? null,
        a?.region ?? null,
        a?.fromEpoch ?? null,
        h.lastActiveEpoch,
        h.silentUntilEpoch,
        h.leavingUntilEpoch,
        h.device?.key ?? null,
        h.device?.fromEpoch ?? null,
      );
    }
  }

  writeAccounts(accounts: readonly AccountView[]): void {
    for (const { key, balance, nonce, earned } of accounts) {
      this.#sql.account.run(key, toSigned(balance), nonce, toSigned(earned));
    }
  }

  /** Writes where a store begins that does not begin with round 0: a round without its messages, and its snapshot. */
  writeBase({ round, snapshot }: StoreBase): void {
    const { value, finalCert, stateDigest } = round;
    const none = new Uint8Array(0);
    const digest = computeValueDigest(value);
    const place = [round.round, round.epoch, round.timeMs] as const;
    this.#sql.round.run(
      ...place,
      value,
      digest,
      finalCert,
      stateDigest,
      none,
      none,
      this.#nextSeq,
      0,
      0,
      0,
      0,
    );
    this.writeSnapshot(snapshot);
  }

  writeSnapshot({ epoch, stateRoot, bytes }: Snapshot): void {
    this.#sql.snapshot.run(epoch, stateRoot, bytes);
  }

  /** A transaction begins: what it leaves in memory is noted, in case that it fails. */
  begin(): void {
    this.#firstSeq = this.#nextSeq;
    this.#added = [];
  }

  /** Writes everything of a round but the round's own row last, which is what makes it committed. */
  writeRound(commit: RoundCommit): void {
    const { result } = commit;
    const firstSeq = this.#nextSeq;
    this.#epoch = result.epoch;
    // Registrations first: the reports of the round may already speak of the new hotspots.
    this.writeHotspots(result.hotspotsChanged);
    this.writeAccounts(result.accountsChanged);
    this.#validators.writeRound(result);
    this.#writeEnvelopes(result);
    const reports = this.#writeOutcomes(result.outcomes, firstSeq);
    for (const beacon of result.beaconsClosed) this.#closeBeacon(beacon);
    for (const t of result.transactions) {
      const seq = this.#seqOfEnvelope(t.id);
      this.#sql.transaction.run(seq, t.sender, TRANSACTION_KINDS.indexOf(t.kind), encodeReason(t.reason));
    }
    if (result.epochClose !== null) this.#closeEpoch(result.epochClose);
    this.#sql.round.run(
      result.round,
      result.epoch,
      result.timeMs,
      commit.value,
      computeValueDigest(commit.value),
      commit.finalCert,
      result.stateDigest,
      encodeDigests(commit.batchDigests),
      encodeSpans(commit.batchSpans),
      firstSeq,
      result.included.length,
      reports,
      result.transactions.length,
      result.beaconsClosed.length,
    );
  }

  /** Takes back what a failed transaction left in memory. */
  forget(): void {
    for (const { id, seq } of this.#added) this.#recent.remove(id, seq);
    this.#nextSeq = this.#firstSeq;
    this.#chains.clear();
  }

  /** Numbers the round's envelopes and links each one to its hotspot's last. */
  #writeEnvelopes(result: RoundResult): void {
    const firstSeq = this.#nextSeq;
    for (const [index, id] of result.included.entries()) this.#remember(id, firstSeq + index);
    const senders = new Map<number, Uint8Array>();
    for (const { reportId, hotspot } of result.outcomes) {
      const seq = this.#findEnvelope(reportId.envelopeId);
      if (seq !== null && seq >= firstSeq) senders.set(seq, hotspot);
    }
    for (const id of result.included) {
      const seq = this.#nextSeq++;
      const sender = senders.get(seq);
      const chain = sender === undefined ? null : this.#chainOf(sender);
      const previous = chain?.head ?? null;
      if (chain !== null) {
        chain.head = seq;
        this.#sql.setHead.run(chain.position, seq);
      }
      this.#sql.envelope.run(seq, id, result.round, previous);
    }
  }

  /** Writes the rows of new reports, and the verdicts of those that are there; returns how many were new. */
  #writeOutcomes(outcomes: readonly ReportOutcome[], firstSeq: number): number {
    const firstReport = firstSeq * MAX_REPORTS_PER_BUNDLE;
    const added = new Set<number>();
    for (const outcome of outcomes) {
      const seq = this.#seqOfReport(outcome.reportId);
      const beacon = outcome.beacon === null ? null : this.#seqOfReport(outcome.beacon);
      // Nearly all come twice, in the round of their inclusion and with their verdict: the second writes little.
      const isThere = added.has(seq) || seq < firstReport;
      if (isThere && this.#updateVerdict(seq, beacon, outcome)) continue;
      this.#addReport(seq, beacon, outcome);
      added.add(seq);
    }
    return added.size;
  }

  #updateVerdict(seq: number, beacon: number | null, outcome: ReportOutcome): boolean {
    const { changes } = this.#sql.verdict.run(
      VERDICT_STATES.indexOf(outcome.state),
      encodeReason(outcome.reason),
      outcome.selectionPending ? 1 : 0,
      beacon,
      outcome.distanceM,
      outcome.ceilingCentiDbm,
      outcome.unitsPpm,
      seq,
    );
    return changes > 0;
  }

  #addReport(seq: number, beacon: number | null, outcome: ReportOutcome): void {
    const { measurement: m, beaconReport: b } = outcome;
    this.#sql.report.run(
      seq,
      REPORT_KINDS.indexOf(outcome.kind),
      outcome.hotspot,
      outcome.includedRound,
      VERDICT_STATES.indexOf(outcome.state),
      encodeReason(outcome.reason),
      outcome.selectionPending ? 1 : 0,
      beacon,
      m?.rssiDeciDbm ?? null,
      m === null ? null : RSSI_KINDS.indexOf(m.rssiKind),
      m?.snrCentiDb ?? null,
      m?.freqHz ?? null,
      m?.spreadingFactor ?? null,
      m?.bandwidthHz ?? null,
      m?.timeMs ?? null,
      outcome.distanceM,
      outcome.ceilingCentiDbm,
      outcome.unitsPpm,
    );
    if (b === null) return;
    this.#sql.beacon.run(
      seq,
      computeIdPrefix(outcome.reportId.envelopeId),
      b.commit,
      b.freqHz,
      b.spreadingFactor,
      b.bandwidthHz,
      b.powerCentiDbm,
      b.timeMs,
    );
  }

  #closeBeacon(beacon: ClosedBeacon): void {
    this.#sql.closeBeacon.run(
      beacon.challengeEpoch,
      beacon.closedEpoch,
      beacon.closedRound,
      encodeReason(beacon.reason),
      beacon.eirpCentiDbm,
      beacon.secret,
      beacon.witnessesAccepted,
      beacon.witnessesUnpaid,
      beacon.witnessesRefused,
      this.#seqOfReport(beacon.reportId),
    );
  }

  #closeEpoch(e: EpochClose): void {
    this.#sql.epoch.run(
      e.epoch,
      e.firstRound,
      e.lastRound,
      e.startTimeMs,
      e.endTimeMs,
      e.seed,
      e.nextSeed,
      encodePools(e.pools),
      encodePayments(e.validatorsPaid),
      e.beaconsClosed,
      e.witnessesAccepted,
      JSON.stringify(e.witnessesUnpaid),
      JSON.stringify(e.witnessesRefused),
      JSON.stringify(e.beaconsRefused),
      e.accounts,
      e.record,
      e.recordDigest,
      e.inputsDigest,
      e.rewardRoot,
      e.stateRoot,
      encodeAmounts(e.escrow),
      encodeAmounts(e.shares),
    );
    for (const line of rankLines(e.lines)) {
      this.#sql.rewardLine.run(
        e.epoch,
        line.rank,
        this.#chainOf(line.hotspot)!.position,
        line.owner,
        line.beaconUnitsPpm,
        line.witnessUnitsPpm,
        line.scalePpm,
        toSigned(line.beaconPaid),
        toSigned(line.witnessPaid),
        line.trustPpm,
        line.penalties,
        toSigned(line.beaconWithheld),
        toSigned(line.witnessWithheld),
      );
    }
    writeEarnings(this.#sql, e, (hotspot) => this.#chainOf(hotspot)!.position);
    for (const row of [...e.renamedTrust, ...(e.trustRows ?? [])]) this.#writeTrust(row);
    for (const { reportId, paidWitnesses, perWitnessPpm, beaconerPpm } of e.beaconUnits) {
      this.#sql.beaconUnits.run(paidWitnesses, perWitnessPpm, beaconerPpm, this.#seqOfReport(reportId));
    }
    for (const [resolution, cells] of computeCoverageLevels(e.coverage).entries()) {
      for (const c of cells) {
        this.#sql.coverage.run(
          e.epoch,
          resolution,
          c.cell,
          c.cells,
          c.hotspots,
          c.counterpartsMax,
          c.coveragePpmMax,
        );
      }
    }
  }

  #writeTrust({ hotspot, findings, ...row }: TrustRow): void {
    this.#sql.trust.run(
      this.#chainOf(hotspot)!.position,
      row.fromEpoch,
      row.graphPpm,
      row.trustPpm,
      row.isSuspended ? 1 : 0,
      row.isAppealed ? 1 : 0,
      encodeFindings(findings),
    );
  }

  #seqOfReport(id: ReportId): number {
    return this.#seqOfEnvelope(id.envelopeId) * MAX_REPORTS_PER_BUNDLE + id.index;
  }

  #seqOfEnvelope(id: Uint8Array): number {
    const seq = this.#findEnvelope(id) ?? this.#adoptEnvelope(id);
    if (seq !== null) return seq;
    throw new Error("a result speaks of an envelope that was never included, or too long ago");
  }

  /** A store that begins with a checkpoint hears of envelopes from before it, when their reports get a verdict. */
  #adoptEnvelope(id: Uint8Array): number | null {
    const base = this.#sql.lowestRound.get()?.round as number | null | undefined;
    if (base === undefined || base === null || base === 0) return null;
    const seq = this.#nextSeq++;
    this.#remember(id, seq);
    this.#sql.envelope.run(seq, id, base, null);
    return seq;
  }

  #remember(id: Uint8Array, seq: number): void {
    this.#recent.add(this.#epoch, id, seq);
    this.#added.push({ id, seq });
  }

  #findEnvelope(id: Uint8Array): number | null {
    const candidates = this.#recent.candidates(id);
    // Two ids of one prefix are told apart by the rows; nearly always there is one candidate and it is the one meant.
    for (const seq of candidates) {
      if (candidates.length === 1) return seq;
      const row = this.#sql.envelopeId.get(seq);
      if (row !== undefined && equalBytes(row.id as Uint8Array, id)) return seq;
    }
    return null;
  }

  #chainOf(hotspot: Uint8Array): Chain | null {
    const key = keyOfBytes(hotspot);
    const cached = this.#chains.get(key);
    if (cached !== undefined) return cached;
    const row = this.#sql.chain.get(hotspot);
    if (row === undefined) return null;
    if (this.#chains.size >= MAX_CACHED_CHAINS) this.#chains.clear();
    const chain = { position: row.position as number, head: row.envelope as number | null };
    this.#chains.set(key, chain);
    return chain;
  }
}
