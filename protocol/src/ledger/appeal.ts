/**
 * Appeals: an owner asks that the findings against a hotspot be judged anew. The next computation of trust does so by the
 * same arithmetic over the record as it then is, with nothing standing from before; what it does not find again is
 * reversed, and where that leaves the hotspot believed enough to be paid, what was withheld is released: all of it, or the part
 * that is left.
 *
 * Nobody is acquitted for want of a record: whoever has it forgotten by asserting another place has no appeal, and a
 * finding stands where others have taken away most of what it named (`networkTrust.ts`).
 */
import type { TransactionReason } from "../evidence/reasons.ts";
import { isCap } from "../trust/finding.ts";
import type { AppealTransaction } from "../wire/transactions.ts";
import type { Account } from "./accounts.ts";
import { computeEscrowEnd } from "./escrow.ts";
import type { Hotspot } from "./registry.ts";
import type { Ledger } from "./state.ts";

/** What is held of a hotspot's pay, and how it stands with appeals. */
export type AppealView = {
  /** In the order of their ends: whose it is, how much in base units, and the last epoch in which it can be released. */
  readonly escrow: readonly {
    readonly owner: Uint8Array;
    readonly amount: bigint;
    readonly untilEpoch: number;
  }[];
  /** Whether the next computation of trust decides an appeal. */
  readonly isPending: boolean;
  /** The last epoch in which no appeal is heard, as its record was forgotten; null where one is. */
  readonly barredUntilEpoch: number | null;
  /** From this epoch on the next computation is in force. */
  readonly decidedFromEpoch: number;
};

/** How a hotspot stands at this round; null where there is none of that key. */
export function viewAppeal(ledger: Ledger, key: Uint8Array): AppealView | null {
  const { trust, registry, accounts, escrow, nextEpoch } = ledger;
  const { trustIntervalEpochs } = ledger.parameters;
  const hotspot = registry.find(key);
  if (hotspot === null) return null;
  const { index } = hotspot;
  // What has ended returns with the running epoch, and is its pools'.
  const held = escrow.entriesOf(index).filter(({ untilEpoch }) => untilEpoch >= nextEpoch);
  return {
    escrow: held.map(({ owner, beacons, witnesses, untilEpoch }) => ({
      ...{ owner: accounts.list[owner]!.key, amount: beacons + witnesses, untilEpoch },
    })),
    isPending: trust.appealed.has(index),
    barredUntilEpoch: isBarred(ledger, hotspot) ? trust.barredUntil.get(index)! : null,
    decidedFromEpoch: (Math.floor(nextEpoch / trustIntervalEpochs) + 1) * trustIntervalEpochs,
  };
}

/**
 * Notes an appeal. It names counterparts that can vouch for it: each must have a valid link with the hotspot on record, so
 * that who has nothing but the finding to show cannot ask for more than time. Said again before it is decided it changes
 * nothing.
 */
export function executeAppeal(
  ledger: Ledger,
  sender: Account,
  { hotspot: key, evidence }: AppealTransaction,
): TransactionReason | null {
  const { trust, registry } = ledger;
  const hotspot = registry.find(key);
  if (hotspot === null) return "not_registered";
  if (hotspot.owner !== sender.index) return "not_owner";
  if (!isPenalised(ledger, hotspot)) return "not_penalised";
  if (isBarred(ledger, hotspot)) return "no_evidence";
  const vouches = (other: Uint8Array): boolean => isLinked(ledger, hotspot, registry.find(other));
  if (!evidence.every(vouches)) return "no_evidence";
  trust.appealed.add(hotspot.index);
  return null;
}

/**
 * Has trust forget a hotspot in an epoch, as it stands elsewhere, or has another antenna or owner. Where something stands
 * against it, or is withheld of it, it cannot appeal until all of that has run out, and what the findings still withhold
 * too: with the record gone nothing could be found anew.
 */
export function forgetRecord(ledger: Ledger, hotspot: Hotspot, epoch: number): void {
  const { trust, parameters } = ledger;
  trust.forget(hotspot);
  // The caps accuse it of nothing that a record could have shown.
  const accusations = trust.findings.get(hotspot.index)?.filter(({ reason }) => !isCap(reason)) ?? [];
  if (accusations.length === 0 && !ledger.escrow.holdsFor(hotspot.index)) return;
  const ends = accusations.map(({ endsEpoch }) => endsEpoch - 1);
  trust.barredUntil.set(hotspot.index, computeEscrowEnd(parameters, Math.max(epoch, ...ends)));
}

function isPenalised({ trust, escrow }: Ledger, { index }: Hotspot): boolean {
  return trust.findings.has(index) || escrow.holdsFor(index);
}

function isBarred({ trust, nextEpoch }: Ledger, { index }: Hotspot): boolean {
  return (trust.barredUntil.get(index) ?? -1) >= nextEpoch;
}

function isLinked({ trust, nextEpoch }: Ledger, hotspot: Hotspot, other: Hotspot | null): boolean {
  if (other === null || other === hotspot) return false;
  const { links } = trust.history;
  const heard = links.find(hotspot.index, other.index, nextEpoch);
  const heardBy = links.find(other.index, hotspot.index, nextEpoch);
  return (heard?.epochs ?? 0) + (heardBy?.epochs ?? 0) > 0;
}
