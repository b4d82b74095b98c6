/**
 * One envelope on its way: waiting, admitted by a validator, included in a round, each report with its verdict. The
 * rules of what comes next, as pure functions of what was answered; the submitter has the sockets.
 */
import { decodeReason, type Reason } from "../../../protocol/src/evidence/reasons.ts";
import { MAX_ENVELOPES_PER_PARCEL, MAX_PARCEL_BYTES } from "../../../protocol/src/wire/envelope.ts";
import {
  type MessageStatus,
  VERDICT_PENDING,
  VERDICT_SELECTION_PENDING,
} from "../../../protocol/src/wire/receipts.ts";
import type { ReportBundle } from "../../../protocol/src/wire/reports.ts";
import type { ReportKind } from "./events.ts";
import type { SpoolEntry } from "./spool.ts";

/** Envelopes of an SSZ list: an offset each. */
const PARCEL_OVERHEAD_BYTES = 4;

export type Delivery = {
  readonly id: Uint8Array;
  readonly epoch: number;
  readonly kinds: readonly ReportKind[];
  /** Null where it is watched only: it is no longer, or was never, in the spool. */
  readonly entry: SpoolEntry | null;
  state: "waiting" | "admitted" | "included";
  /** Validators that were asked since the last success, by peer id. */
  readonly tried: Set<string>;
  attempts: number;
  published: boolean;
  /** Not submitted, and not asked about, before these. */
  submitAtMs: number;
  askAtMs: number;
  /** Who admitted it, by peer id. */
  readonly receipts: Set<string>;
  /** Who refused it for good, by peer id; bounded by the set's seats. */
  readonly refusers: Set<string>;
  /** The newest round when it was first admitted. */
  submitRound: number;
  /** Whether its state was asked for. */
  wasAsked: boolean;
  /** Who said that it is in a round, by peer id, and the latest round that one of them named. */
  readonly includedBy: Set<string>;
  includedRound: number | null;
  /** One a report; undefined while pending. */
  readonly verdicts: (Reason | null | undefined)[];
  /** Indexes of witness reports whose beacon has closed, and whose verdict is the epoch's end to say. */
  readonly unselected: Set<number>;
};

/** What a receipt's reason means for the sender: admitted (also when it was there already), again later, or never. */
export function classifyReceipt(reason: Reason | null): "admitted" | "later" | "never" {
  switch (reason) {
    case null:
    case "duplicate_message":
      return "admitted";
    case "busy":
    case "rate_limited":
    // A validator that is a round behind does not know the epoch yet; it will.
    case "future_epoch":
      return "later";
    default:
      return "never";
  }
}

/** A new envelope's delivery. */
export function createDelivery(
  entry: SpoolEntry | null,
  about: { readonly id: Uint8Array; readonly epoch: number; readonly kinds: readonly ReportKind[] },
): Delivery {
  return {
    id: about.id,
    epoch: about.epoch,
    kinds: about.kinds,
    entry,
    state: entry === null ? "admitted" : "waiting",
    tried: new Set(),
    attempts: 0,
    published: false,
    submitAtMs: 0,
    askAtMs: 0,
    receipts: new Set(),
    refusers: new Set(),
    submitRound: 0,
    wasAsked: false,
    includedBy: new Set(),
    includedRound: null,
    verdicts: about.kinds.map(() => undefined),
    unselected: new Set(),
  };
}

/** The kinds of a bundle's reports, in the order of their indexes. */
export function kindsOf(bundle: ReportBundle): ReportKind[] {
  return [
    ...bundle.beacons.map(() => "beacon" as const),
    ...bundle.witnesses.map(() => "witness" as const),
    ...bundle.reveals.map(() => "reveal" as const),
  ];
}

/**
 * How many validators' receipts: one may lose what it has promised, or be the only one that says so. Both hear it by gossip
 * anyway, so the second costs them no verification.
 */
export const RECEIPTS_WANTED = 2;

/** How many must say what one of them, who lies or is behind, may say wrongly. */
const WORDS_WANTED = 2;

const LONGEST_RETRY_MS = 30_000;

/** How long until the next try: twice as long each time, and by chance between half of that and all. */
export function computeRetryMs(attempts: number, leastMs: number, fraction: number): number {
  const pauseMs = Math.min(LONGEST_RETRY_MS, leastMs * 2 ** Math.min(attempts - 1, 10));
  return pauseMs * (0.5 + 0.5 * fraction);
}

/** Envelopes by how far they have come. */
export type DeliveryCounts = {
  readonly waiting: number;
  readonly admitted: number;
  /** Of the admitted those that have two validators' receipts. */
  readonly admittedTwice: number;
  readonly included: number;
};

/** Counts them. */
export function countDeliveries(deliveries: Iterable<Delivery>): DeliveryCounts {
  const counts = { waiting: 0, admitted: 0, admittedTwice: 0, included: 0 };
  for (const { state, receipts } of deliveries) {
    counts[state]++;
    if (state === "admitted" && receipts.size >= RECEIPTS_WANTED) counts.admittedTwice++;
  }
  return counts;
}

/** Whether another validator should be asked for a receipt, if there is one that has not given it. */
export function wantsReceipt(delivery: Delivery): boolean {
  if (delivery.entry === null || delivery.state === "included") return false;
  return delivery.state === "waiting" || delivery.receipts.size < RECEIPTS_WANTED;
}

/**
 * Has it submitted anew where it is overdue: a quarter of a witnesses' window has passed without a cut.
 * @returns whether it is.
 */
export function submitAgainIfOverdue(delivery: Delivery, newestRound: number, windowRounds: number): boolean {
  // A receipt may have named a round that is still to come.
  delivery.submitRound = Math.min(delivery.submitRound, newestRound);
  const lastRound = delivery.submitRound + Math.ceil(windowRounds / 4);
  if (delivery.entry === null || newestRound <= lastRound) return false;
  for (const peerId of delivery.receipts) delivery.tried.add(peerId);
  delivery.receipts.clear();
  delivery.state = "waiting";
  delivery.submitAtMs = 0;
  return true;
}

/**
 * Whether enough validators have said that it is in a round, and what became of it there: two where it has an own beacon,
 * whose one reveal goes by what they say, else one.
 * @param validators how many the network has.
 */
export function isSaid({ kinds, includedBy }: Delivery, validators: number): boolean {
  return includedBy.size >= (kinds.includes("beacon") ? Math.min(WORDS_WANTED, validators) : 1);
}

/** Whether a refusal for good is believed: two have said so, or the only one that there is. */
export function isRefused({ refusers }: Delivery, validators: number): boolean {
  return refusers.size >= Math.min(WORDS_WANTED, validators);
}

/** Whether nothing more is to be asked about it. */
export function isSettled(delivery: Delivery, validators: number): boolean {
  return isSaid(delivery, validators) && delivery.verdicts.every((verdict) => verdict !== undefined);
}

/** Whether an included report waits for something to come of its beacon, as far as is known. */
export function isWaiting({ state, verdicts, unselected }: Delivery, index: number): boolean {
  return state === "included" && verdicts[index] === undefined && !unselected.has(index);
}

/**
 * Takes in an "included" status. A report that is accepted stays so, and of several rounds the latest counts, before
 * which a reveal might be early.
 * @returns the indexes whose verdict is new or has changed.
 */
export function takeStatus(delivery: Delivery, peerId: string, status: MessageStatus): number[] {
  const changed: number[] = [];
  delivery.state = "included";
  delivery.includedBy.add(peerId);
  delivery.includedRound = Math.max(delivery.includedRound ?? 0, status.round);
  for (const [index, code] of status.verdicts.entries()) {
    if (index >= delivery.kinds.length || code === VERDICT_PENDING) continue;
    if (code === VERDICT_SELECTION_PENDING) {
      delivery.unselected.add(index);
      continue;
    }
    const [before, verdict] = [delivery.verdicts[index], decodeReason(code)];
    if (verdict === undefined || verdict === before || before === null) continue;
    delivery.verdicts[index] = verdict;
    changed.push(index);
  }
  return changed;
}

/** Batches that each fit one parcel, in order. */
export function splitIntoParcels(deliveries: readonly Delivery[]): Delivery[][] {
  const parcels: Delivery[][] = [];
  let bytes = 0;
  for (const delivery of deliveries) {
    const cost = delivery.entry!.envelope.length + PARCEL_OVERHEAD_BYTES;
    const last = parcels.at(-1);
    if (last === undefined || last.length === MAX_ENVELOPES_PER_PARCEL || bytes + cost > MAX_PARCEL_BYTES) {
      parcels.push([delivery]);
      bytes = cost;
    } else {
      last.push(delivery);
      bytes += cost;
    }
  }
  return parcels;
}
