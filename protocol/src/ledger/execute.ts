/**
 * Execution of a finalized round: the cut's new messages in order, then what the round's end brings, then, in an
 * epoch's last round, its close. Deterministic and total: whatever the messages are, it gives the same result
 * everywhere and refuses what it must with a reason. An exception here is a bug.
 *
 * Order within a round: evidence; reports in the cut's order; transactions, by nonce within each account; beacons that were
 * revealed, in the order of their reveals; beacons whose reveal window ends; waiting reports for which no beacon can
 * come any more; the epoch's close.
 */
import { requireSet } from "../agreement/certificates.ts";
import { sha256 } from "../crypto/sha256.ts";
import { epochOfRound, firstRoundOfEpoch } from "../network/parameters.ts";
import { ByteWriter } from "./byteWriter.ts";
import { closeEpoch } from "./epochClose.ts";
import { executeBundle } from "./reports.ts";
import { RoundLog } from "./roundLog.ts";
import { settleRound } from "./settle.ts";
import { computeStateRoot } from "./snapshot.ts";
import { executeEvidence } from "./stakes.ts";
import type { Ledger } from "./state.ts";
import { executeTransactions } from "./transactions.ts";
import type { LedgerMessage, RoundInput, RoundResult } from "./types.ts";

/**
 * Executes the next round and changes the ledger in place.
 * @throws Error where the round is not the next one or its time goes back: the caller's bugs.
 */
export function executeRound(ledger: Ledger, input: RoundInput): RoundResult {
  if (input.round !== ledger.round + 1) {
    throw new Error(`round ${input.round} cannot follow round ${ledger.round}`);
  }
  if (input.timeMs < ledger.timeMs) throw new Error("a round's time is never less than the one before");
  const { parameters } = ledger;
  const epoch = epochOfRound(parameters, input.round);
  const log = new RoundLog();
  if (input.round === firstRoundOfEpoch(parameters, epoch)) ledger.tally.startTimeMs = input.timeMs;
  executeEvidence(ledger, log, input.evidence, epoch);
  const transactions: TransactionMessage[] = [];
  for (const message of input.messages) {
    if (!isDue(ledger, log, message, epoch)) continue;
    if (message.kind === "reports") {
      include(ledger, log, message);
      executeBundle(ledger, log, message, input);
    } else transactions.push(message);
  }
  executeTransactions(ledger, log, transactions, epoch);
  settleRound(ledger, log, input.round);
  countParticipants(ledger, epoch, input.participants);
  for (const { lane, seq, digest } of input.lanes) {
    const record = ledger.validators.find(lane);
    if (record !== null) record.laneEnd = { seq, digest };
  }
  foldInputs(ledger, log, input);
  ledger.round = input.round;
  ledger.timeMs = input.timeMs;
  const isEpochEnd = epochOfRound(parameters, input.round + 1) !== epoch;
  const close = isEpochEnd ? closeEpoch(ledger, log, epoch) : null;
  const result = log.finish(input, epoch, ledger.digest, close?.recordDigest ?? null);
  ledger.digest = result.stateDigest;
  // The state root covers the digest too, so it is computed last.
  return { ...result, epochClose: close && { ...close, stateRoot: computeStateRoot(ledger) } };
}

type TransactionMessage = Exclude<LedgerMessage, { kind: "reports" }>;

/** A message's own epoch. */
function epochOfMessage(message: LedgerMessage): number {
  return message.kind === "reports" ? message.bundle.epoch : message.transaction.epoch;
}

/**
 * Whether a message is executed: not older than the previous epoch, not from a later one, not executed before.
 * Admission refuses these too; execution must not depend on it.
 */
function isDue(ledger: Ledger, log: RoundLog, message: LedgerMessage, epoch: number): boolean {
  const itsEpoch = epochOfMessage(message);
  if (itsEpoch < epoch - 1 || itsEpoch > epoch) {
    log.notExecuted.push({ id: message.id, reason: itsEpoch > epoch ? "future_epoch" : "stale_epoch" });
    return false;
  }
  return !ledger.seen.has(itsEpoch, message.id);
}

/** Notes a message as executed. */
function include(ledger: Ledger, log: RoundLog, message: LedgerMessage): void {
  ledger.seen.add(epochOfMessage(message), message.id);
  log.included.push(message.id);
}

/** Counts each participant once; who is not in the running epoch's set is not paid for it, and not counted. */
function countParticipants(ledger: Ledger, epoch: number, participants: readonly Uint8Array[]): void {
  const set = requireSet(ledger, epoch);
  const positions = new Set(participants.map((key) => set.positionOf(key)));
  for (const position of positions) {
    if (position !== undefined) ledger.tally.participation[position]!++;
  }
}

function foldInputs(ledger: Ledger, log: RoundLog, { round, timeMs }: RoundInput): void {
  const inputs = new ByteWriter();
  inputs.bytes(ledger.tally.inputsDigest);
  inputs.int64(round);
  inputs.int64(timeMs);
  for (const id of log.included) inputs.bytes(id);
  ledger.tally.inputsDigest = sha256(inputs.finish());
}
