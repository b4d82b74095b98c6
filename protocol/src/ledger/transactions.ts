/**
 * Transactions: what moves money and places. Co-signatures were checked with the envelope's; what stands here needs the
 * ledger.
 *
 * Nonce and fee: a transaction executes only with its account's nonce. A higher one is passed over as if it had never
 * been in the cut, and may come again. A lower one is refused, and so is one whose account cannot pay the fee: those are
 * unpaid, and an account has a few of them in an epoch; beyond, and of an account that was never opened, they are passed
 * over too. Any other transaction burns the fee and uses up the nonce, also where it is then refused.
 *
 * The unpaid burn nothing of what there is: a stranger may bring what the sender once signed and never needed.
 */
import type { TransactionReason } from "../evidence/reasons.ts";
import { cellFromBigint, resolutionOf } from "../geo/cell.ts";
import { findRegionPlanById } from "../radio/regions.ts";
import type {
  AssertTransaction,
  DeregisterTransaction,
  RegisterTransaction,
  Transaction,
  TransferTransaction,
} from "../wire/transactions.ts";
import type { Account } from "./accounts.ts";
import { executeAppeal } from "./appeal.ts";
import { executeBind, executeUnbind } from "./binding.ts";
import { byteKey } from "./byteKey.ts";
import { isMove } from "./registry.ts";
import { executeRotate } from "./rotation.ts";
import type { RoundLog } from "./roundLog.ts";
import { executeStake, executeUnstake } from "./stakes.ts";
import { type Ledger, registerHotspot } from "./state.ts";
import { assertPlaceAnew } from "./trustFeed.ts";
import type { LedgerMessage } from "./types.ts";

/**
 * Transactions of an account in an epoch that are refused though nobody pays for them: enough to tell who sends twice by
 * mistake, and no more than so many ids to remember and verdicts to store for an account that somebody has paid to open.
 */
export const UNPAID_PER_EPOCH = 4;

type TransactionMessage = Exclude<LedgerMessage, { kind: "reports" }>;

/** Cells of places are of this H3 resolution: 0.0003 km2, finer than what radio can tell. */
const PLACE_RESOLUTION = 12;
/** What an assertion may claim; genesis is held to the same. */
const LAT_MAX_E7 = 900_000_000;
const LNG_MAX_E7 = 1_800_000_000;
const GAIN_MIN_CENTI_DBI = -1_000;
const GAIN_MAX_CENTI_DBI = 3_000;
const ELEVATION_MIN_M = -500;
const ELEVATION_MAX_M = 10_000;

/**
 * Executes a cut's transactions: each account's in the order of their nonces, in the places that the cut gives to the
 * account's transactions.
 */
export function executeTransactions(
  ledger: Ledger,
  log: RoundLog,
  messages: readonly TransactionMessage[],
  epoch: number,
): void {
  for (const message of orderByNonce(messages)) {
    const { id, sender, kind, transaction } = message;
    // The same message may stand in a cut twice.
    if (ledger.seen.has(transaction.epoch, id)) continue;
    const account = ledger.accounts.find(sender);
    const unpaid = checkPayment(account, transaction.nonce, ledger.parameters.txFee);
    const isAhead = transaction.nonce > (account?.nonce ?? 0);
    if (unpaid !== null && (isAhead || !takeUnpaid(ledger, account))) {
      log.notExecuted.push({ id, reason: unpaid });
      continue;
    }
    ledger.seen.add(transaction.epoch, id);
    log.included.push(id);
    const reason = unpaid ?? execute(ledger, log, account!, transaction, epoch);
    log.transactions.push({ id, sender, kind, reason });
  }
}

/** Why a transaction cannot take its fee; null where it can. */
function checkPayment(
  account: Account | null,
  nonce: number,
  txFee: bigint,
): "wrong_nonce" | "insufficient_balance" | null {
  if (nonce !== (account?.nonce ?? 0)) return "wrong_nonce";
  return account === null || account.balance < txFee ? "insufficient_balance" : null;
}

/** Whether an account may have one more unpaid transaction refused in the running epoch, which is then counted. */
function takeUnpaid({ tally }: Ledger, account: Account | null): boolean {
  if (account === null) return false;
  const before = tally.unpaid.get(account.index) ?? 0;
  if (before >= UNPAID_PER_EPOCH) return false;
  tally.unpaid.set(account.index, before + 1);
  return true;
}

function orderByNonce(messages: readonly TransactionMessage[]): TransactionMessage[] {
  const bySender = new Map<string, TransactionMessage[]>();
  for (const message of messages) {
    const key = byteKey(message.sender);
    const list = bySender.get(key);
    if (list === undefined) bySender.set(key, [message]);
    else list.push(message);
  }
  // The sort is stable: equal nonces keep the cut's order.
  for (const list of bySender.values()) list.sort((a, b) => a.transaction.nonce - b.transaction.nonce);
  const taken = new Map<string, number>();
  return messages.map((message) => {
    const key = byteKey(message.sender);
    const place = taken.get(key) ?? 0;
    taken.set(key, place + 1);
    return bySender.get(key)![place]!;
  });
}

/** Takes the fee, which the account has, and executes. */
function execute(
  ledger: Ledger,
  log: RoundLog,
  account: Account,
  transaction: Transaction,
  epoch: number,
): TransactionReason | null {
  const { txFee } = ledger.parameters;
  account.balance -= txFee;
  ledger.burned += txFee;
  account.nonce++;
  log.touchAccount(account);
  switch (transaction.kind) {
    case "register":
      return executeRegister(ledger, log, account, transaction, epoch);
    case "assert":
      return executeAssert(ledger, log, account, transaction, epoch);
    case "transfer":
      return executeTransfer(ledger, log, account, transaction);
    case "deregister":
      return executeDeregister(ledger, log, account, transaction, epoch);
    case "stake":
      return executeStake(ledger, log, account, transaction, epoch);
    case "unstake":
      return executeUnstake(ledger, log, account, transaction, epoch);
    case "appeal":
      return executeAppeal(ledger, account, transaction);
    case "rotate":
      return executeRotate(ledger, log, account, transaction, epoch);
    case "bind":
      return executeBind(ledger, log, account, transaction, epoch);
    case "unbind":
      return executeUnbind(ledger, log, account, transaction, epoch);
  }
}

/** Locks the bond from the sender, whoever that is; hotspot and owner have both consented. */
function executeRegister(
  ledger: Ledger,
  log: RoundLog,
  payer: Account,
  { registration, epoch: itsEpoch }: RegisterTransaction,
  epoch: number,
): TransactionReason | null {
  const { hotspotBond } = ledger.parameters;
  if (registration.epoch !== itsEpoch) return "epoch_mismatch";
  const { registry } = ledger;
  // A key that was changed for another is no one's again, or who stole it could come back with it.
  if (registry.find(registration.hotspot) !== null || registry.isRetired(registration.hotspot)) {
    return "already_registered";
  }
  if (payer.balance < hotspotBond) return "insufficient_balance";
  payer.balance -= hotspotBond;
  const owner = ledger.accounts.open(registration.owner);
  log.touchAccount(owner);
  const terms = { key: registration.hotspot, registeredEpoch: epoch, bond: hotspotBond };
  log.touchHotspot(registerHotspot(ledger, { ...terms, owner, payer }));
  return null;
}

/**
 * Ends a registration with the running epoch. What is open still closes; the bond stays for `unbondEpochs`, so that what
 * comes to light later can still cost it. Said again it changes nothing, least of all when the bond returns.
 */
function executeDeregister(
  ledger: Ledger,
  log: RoundLog,
  sender: Account,
  { hotspot: key }: DeregisterTransaction,
  epoch: number,
): TransactionReason | null {
  const hotspot = ledger.registry.find(key);
  if (hotspot === null) return "not_registered";
  if (hotspot.owner !== sender.index) return "not_owner";
  hotspot.leaving ??= { sinceEpoch: epoch, untilEpoch: epoch + ledger.parameters.unbondEpochs };
  log.touchHotspot(hotspot);
  return null;
}

/**
 * Every assertion costs the fee, the first one too; it is in force from the next epoch. What changes where a hotspot stands
 * or what it hears has its record forgotten, by which it is judged and by which its receptions are divided: so only once in
 * a window of the record. The first change is free to come at any time, as mistakes show in the first hours.
 */
function executeAssert(
  ledger: Ledger,
  log: RoundLog,
  sender: Account,
  { assertion, epoch: itsEpoch }: AssertTransaction,
  epoch: number,
): TransactionReason | null {
  const { assertFee, trustWindowEpochs } = ledger.parameters;
  if (assertion.epoch !== itsEpoch) return "epoch_mismatch";
  const hotspot = ledger.registry.find(assertion.hotspot);
  if (hotspot === null) return "not_registered";
  if (hotspot.owner !== sender.index) return "not_owner";
  const { latE7, lngE7, gainCentiDbi, elevationM } = assertion;
  const cell = cellFromBigint(assertion.cell);
  const plan = findRegionPlanById(assertion.region);
  const fits =
    Math.abs(latE7) <= LAT_MAX_E7 &&
    Math.abs(lngE7) <= LNG_MAX_E7 &&
    gainCentiDbi >= GAIN_MIN_CENTI_DBI &&
    gainCentiDbi <= GAIN_MAX_CENTI_DBI &&
    elevationM >= ELEVATION_MIN_M &&
    elevationM <= ELEVATION_MAX_M;
  // Whether the centre is the cell's needs host trigonometry: that is admission's, within its tolerance.
  if (cell === null || resolutionOf(cell) !== PLACE_RESOLUTION || plan === null || !fits)
    return "invalid_location";
  const place = {
    ...{ cellHi: cell.hi, cellLo: cell.lo, latE7, lngE7, gainCentiDbi, elevationM },
    ...{ region: plan.name, fromEpoch: epoch + 1 },
  };
  const { movedEpoch } = hotspot;
  const mayMove = movedEpoch === null || epoch >= movedEpoch + trustWindowEpochs;
  if (!mayMove && isMove(hotspot, place)) return "asserted_lately";
  if (sender.balance < assertFee) return "insufficient_balance";
  sender.balance -= assertFee;
  ledger.burned += assertFee;
  assertPlaceAnew(ledger, hotspot, place, epoch);
  log.touchHotspot(hotspot);
  return null;
}

/** Opens the account it credits; nothing opens no account, or state would grow for the fee alone. */
function executeTransfer(
  ledger: Ledger,
  log: RoundLog,
  sender: Account,
  { to, amount }: TransferTransaction,
): TransactionReason | null {
  if (sender.balance < amount) return "insufficient_balance";
  if (amount === 0n) return null;
  const receiver = ledger.accounts.open(to);
  sender.balance -= amount;
  receiver.balance += amount;
  log.touchAccount(receiver);
  return null;
}
