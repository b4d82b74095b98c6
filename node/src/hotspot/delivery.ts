/**
 * One envelope on its way: waiting, admitted by a validator, included in a round, each report with its verdict. The
 * rules of what comes next, as pure functions of what was answered; the submitter has the sockets.
 */
import { decodeReason, type Reason } from "../../../protocol/src/evidence/reasons.ts";
import { MAX_ENVELOPES_PER_PARCEL, MAX_PARCEL_BYTES } from "../../../protocol/src/wire/envelope.ts";
import { type MessageStatus, VERDICT_PENDING } from "../../../protocol/src/wire/receipts.ts";
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
  /** `included` where enough validators say so: until then it is kept, and offered to those that may not have it. */
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
  /** What each validator that calls it included last said of its reports, a code each, by peer id; bounded as `refusers`. */
  readonly words: Map<string, readonly number[]>;
  /** The latest round that was named until enough had called it included. */
  includedRound: number | null;
  /** One a report; undefined until enough have said one. */
  readonly verdicts: (Reason | null | undefined)[];
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
    words: new Map(),
    includedRound: null,
    verdicts: about.kinds.map(() => undefined),
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
 * Has it submitted anew where it is overdue: a quarter of a witnesses' window has passed without a cut. Whoever calls it
 * included has it.
 * @returns whether it is.
 */
export function submitAgainIfOverdue(delivery: Delivery, newestRound: number, windowRounds: number): boolean {
  const { receipts, tried, words } = delivery;
  // A receipt may have named a round that is still to come.
  delivery.submitRound = Math.min(delivery.submitRound, newestRound);
  const lastRound = delivery.submitRound + Math.ceil(windowRounds / 4);
  if (delivery.entry === null || newestRound <= lastRound) return false;
  for (const peerId of receipts) {
    if (words.has(peerId)) continue;
    tried.add(peerId);
    receipts.delete(peerId);
  }
  if (receipts.size === 0) delivery.state = "waiting";
  delivery.submitRound = newestRound;
  delivery.submitAtMs = 0;
  return true;
}

/**
 * How many validators must say what one of them, who lies or is behind, may say wrongly.
 * @param validators how many the network has.
 */
function countWordsWanted(validators: number): number {
  return Math.min(WORDS_WANTED, validators);
}

/** Whether a refusal for good is believed: two have said so, or the only one that there is. */
export function isRefused({ refusers }: Delivery, validators: number): boolean {
  return refusers.size >= countWordsWanted(validators);
}

/** Whether nothing more is to be asked about it. */
export function isSettled({ state, verdicts }: Delivery): boolean {
  return state === "included" && verdicts.every((verdict) => verdict !== undefined);
}

/** Whether a validator has said of each report what became of it, so that it need not be asked again. */
export function hasToldAll({ words }: Delivery, peerId: string): boolean {
  return words.get(peerId)?.every((code) => decodeReason(code) !== undefined) ?? false;
}

/** Whether an included report waits for something to come of its beacon, as far as is known. */
export function isWaiting({ state, words }: Delivery, index: number, validators: number): boolean {
  // A witness report whose beacon has closed may still wait for the epoch's end to say its verdict.
  const closed = [...words.values()].filter((codes) => codes[index] !== VERDICT_PENDING);
  return state === "included" && closed.length < countWordsWanted(validators);
}

/**
 * Takes in an "included" status: what one validator says counts once as many have said it as are wanted. Of several
 * rounds the latest counts, before which a reveal might be early.
 * @returns the indexes whose verdict is known by it; a verdict that is known stays.
 */
export function takeStatus(
  delivery: Delivery,
  peerId: string,
  { round, verdicts }: Pick<MessageStatus, "round" | "verdicts">,
  validators: number,
): number[] {
  delivery.words.set(
    peerId,
    delivery.kinds.map((_, index) => verdicts[index] ?? VERDICT_PENDING),
  );
  if (delivery.state !== "included") {
    delivery.includedRound = Math.max(delivery.includedRound ?? 0, round);
    if (delivery.words.size < countWordsWanted(validators)) return [];
    delivery.state = "included";
  }
  const known: number[] = [];
  for (const index of delivery.kinds.keys()) {
    const verdict = findVerdict(delivery, index, validators);
    if (verdict === undefined || delivery.verdicts[index] !== undefined) continue;
    delivery.verdicts[index] = verdict;
    known.push(index);
  }
  return known;
}

/** What became of a report where enough have said it: refused where none of them has it accepted. */
function findVerdict({ words }: Delivery, index: number, validators: number): Reason | null | undefined {
  const said = [...words.values()]
    .map((codes) => decodeReason(codes[index]!))
    .filter((verdict) => verdict !== undefined);
  if (said.length < countWordsWanted(validators)) return undefined;
  return said.includes(null) ? null : said[0];
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
