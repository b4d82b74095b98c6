/**
 * Stakes: how they are locked, how they are lost and how they return; and, at an epoch's end, the validator set two
 * epochs on. What a stake is worth as a promise is that it stays locked for as long as what its validator signed can
 * still be held against it.
 */
import { createValidatorSet, requireSet } from "../agreement/certificates.ts";
import { type EvidenceKind, evidenceKindOf } from "../agreement/evidence.ts";
import type { Evidence } from "../agreement/rounds.ts";
import type { TransactionReason } from "../evidence/reasons.ts";
import { PPM } from "../network/parameters.ts";
import type { StakeTransaction, UnstakeTransaction } from "../wire/transactions.ts";
import type { Account } from "./accounts.ts";
import type { RoundLog } from "./roundLog.ts";
import { computeSeats } from "./seats.ts";
import type { Ledger } from "./state.ts";
import { isGone, toSeatCandidate, type ValidatorRecord } from "./validators.ts";

/**
 * Locks the sender's amount for a validator that has consented. It may have a seat from the epoch after the next on; one
 * that was leaving stays.
 */
export function executeStake(
  ledger: Ledger,
  log: RoundLog,
  sender: Account,
  { validator: key, amount, multiaddrs }: StakeTransaction,
  epoch: number,
): TransactionReason | null {
  const { validators, parameters } = ledger;
  const known = validators.find(key);
  if (known?.isTombstoned) return "tombstoned";
  const isFree = known === null || isGone(known);
  if (!isFree && known.owner !== sender) return "not_owner";
  if (sender.balance < amount) return "insufficient_balance";
  if ((known?.stake ?? 0n) + amount < parameters.validatorStake) return "stake_too_small";
  const record = known ?? validators.open(key, sender, epoch);
  if (isFree) {
    record.owner = sender;
    record.sinceEpoch = epoch;
  }
  sender.balance -= amount;
  record.stake += amount;
  record.unbondingUntilEpoch = null;
  record.multiaddrs = multiaddrs;
  log.touchValidator(record);
  return null;
}

/** Lets a validator leave. Said again it changes nothing, least of all when the stake returns. */
export function executeUnstake(
  ledger: Ledger,
  log: RoundLog,
  sender: Account,
  { validator: key }: UnstakeTransaction,
  epoch: number,
): TransactionReason | null {
  const record = ledger.validators.find(key);
  if (record === null || isGone(record)) return "not_validator";
  if (record.owner !== sender) return "not_owner";
  startUnbonding(ledger, record, epoch);
  log.touchValidator(record);
  return null;
}

/**
 * Carries out what a value's evidence says: part of the stake is burned and the validator never sits again. Evidence
 * against somebody who was convicted before, or never staked, has no effect. Each piece was judged with the value.
 */
export function executeEvidence(
  ledger: Ledger,
  log: RoundLog,
  evidence: readonly Evidence[],
  epoch: number,
): void {
  for (const piece of evidence) {
    const record = ledger.validators.find(piece.offender);
    if (record === null || record.isTombstoned) continue;
    const { first, second } = piece;
    const kind = evidenceKindOf(piece) as EvidenceKind;
    const slashed = (record.stake * BigInt(ledger.parameters.slashPpm)) / BigInt(PPM);
    record.stake -= slashed;
    ledger.burned += slashed;
    record.isTombstoned = true;
    startUnbonding(ledger, record, epoch);
    log.touchValidator(record);
    log.evidence.push({ offender: record.key, kind, slashed, first, second });
  }
}

/** Makes the set two epochs after the one that closes. @returns its keys in the order of seats. */
export function fillSeats(ledger: Ledger, epoch: number): readonly Uint8Array[] {
  const { validators, parameters, sets } = ledger;
  const candidates = validators.list.map((record) => toSeatCandidate(record, parameters.validatorStake));
  const before = requireSet(ledger, epoch + 1);
  const keys = computeSeats(before.keys, candidates, parameters.validatorSeats);
  sets.set(epoch + 2, createValidatorSet(keys));
  for (const known of sets.keys()) if (known < epoch) sets.delete(known);
  return keys;
}

/**
 * Returns the stakes whose time is over with this epoch. Who leaves and still has a seat, since only so many may change
 * at a time, stays locked for as long as if it had left with that seat.
 */
export function returnStakes(ledger: Ledger, log: RoundLog, epoch: number): void {
  for (const record of ledger.validators.list) {
    const { unbondingUntilEpoch } = record;
    if (unbondingUntilEpoch === null) continue;
    const seatLockEpoch = findLastSeatEpoch(ledger, record) + ledger.parameters.unbondEpochs;
    if (seatLockEpoch > unbondingUntilEpoch) {
      record.unbondingUntilEpoch = seatLockEpoch;
    } else if (unbondingUntilEpoch > epoch) {
      continue;
    } else {
      record.owner.balance += record.stake;
      record.stake = 0n;
      record.unbondingUntilEpoch = null;
      log.touchAccount(record.owner);
    }
    log.touchValidator(record);
  }
}

/** Unbonding is counted from the last seat: up to then the validator can still sign what it is to answer for. */
function startUnbonding(ledger: Ledger, record: ValidatorRecord, epoch: number): void {
  const lastEpoch = Math.max(epoch, findLastSeatEpoch(ledger, record));
  record.unbondingUntilEpoch ??= lastEpoch + ledger.parameters.unbondEpochs;
}

/** The last epoch, of those whose sets are known, in which a validator has a seat; -Infinity where it has none. */
function findLastSeatEpoch({ sets }: Ledger, { key }: ValidatorRecord): number {
  const seated = [...sets].filter(([, set]) => set.positionOf(key) !== undefined);
  return Math.max(...seated.map(([epoch]) => epoch));
}
