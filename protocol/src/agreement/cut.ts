/**
 * Cuts: which batches a round takes in. A cut has one certified entry a lane; everything in a lane up to its entry and
 * beyond the entry of the cut before is new in the round, and is executed in one fixed order.
 */
import { compareBytes } from "../bytes/bytes.ts";
import { encodeHex } from "../bytes/hex.ts";
import { requireSet, type ValidatorSet, type ValidatorSets } from "./certificates.ts";
import type { AvailabilityCert, LaneTip, SignedTips } from "./rounds.ts";

/** Entries sorted by lane key; a lane without a certified batch has none. */
export type Cut = readonly AvailabilityCert[];

/** The digest that a lane's first batch names as the one before it. */
export const LANE_START: Uint8Array = new Uint8Array(32);

/** What a round newly takes from a lane: the batches after `from` up to and with `to`, chained by their `prev`. */
export type LaneSpan = {
  readonly lane: Uint8Array;
  readonly from: { readonly seq: number; readonly digest: Uint8Array };
  readonly to: AvailabilityCert;
};

/**
 * Whether a lane may be in the cuts of an epoch: its author has a seat in it, or had one in the epoch before, so that what
 * it admitted last is not lost. Without an end, lanes of former validators would fill every value for ever.
 */
export function createLaneFilter(sets: ValidatorSets, epoch: number): (lane: Uint8Array) => boolean {
  const recent = [requireSet(sets, epoch), ...(epoch === 0 ? [] : [requireSet(sets, epoch - 1)])];
  return (lane) => recent.some((set) => set.positionOf(lane) !== undefined);
}

/**
 * The cut that a value must have: the highest entry of each lane over its tips, and never below the cut before. Lanes that
 * may not be in it are passed over, and leave it.
 * @param isInCut which lanes may be in the round's cut, see `createLaneFilter`.
 * @param certificateOf the certificate that the proposer holds for a tip. Only a lane's highest tip is asked about: a
 *   value carries no others, and whoever had not heard of the highest yet names a lower one.
 * @returns null where a lane's highest tip has no certificate; such tips do not belong in a value.
 */
export function computeCut(
  tips: readonly SignedTips[],
  previous: Cut,
  isInCut: (lane: Uint8Array) => boolean,
  certificateOf: (tip: LaneTip) => AvailabilityCert | null,
): Cut | null {
  const entries = new Map<string, AvailabilityCert>();
  for (const entry of previous) if (isInCut(entry.lane)) entries.set(encodeHex(entry.lane), entry);
  const highest = new Map<string, LaneTip>();
  for (const tip of tips.flatMap((signed) => signed.tips.tips)) {
    if (!isInCut(tip.lane)) continue;
    const lane = encodeHex(tip.lane);
    if (tip.seq > (highest.get(lane)?.seq ?? entries.get(lane)?.seq ?? 0)) highest.set(lane, tip);
  }
  for (const [lane, tip] of highest) {
    const certificate = certificateOf(tip);
    if (certificate === null) return null;
    entries.set(lane, certificate);
  }
  return [...entries.values()].sort((a, b) => compareBytes(a.lane, b.lane));
}

/**
 * What a cut takes in beyond those before it, lanes in validator order; lanes of former members come last, by key.
 * @param laneEndOf where the cuts before it have left a lane, also one that has been out of them for a while.
 */
export function listLaneSpans(
  cut: Cut,
  set: ValidatorSet,
  laneEndOf: (lane: Uint8Array) => LaneSpan["from"],
): LaneSpan[] {
  const spans: LaneSpan[] = [];
  for (const to of cut) {
    const from = laneEndOf(to.lane);
    if (to.seq > from.seq) spans.push({ lane: to.lane, from, to });
  }
  const rank = (lane: Uint8Array) => set.positionOf(lane) ?? set.keys.length;
  return spans.sort((a, b) => rank(a.lane) - rank(b.lane) || compareBytes(a.lane, b.lane));
}

/**
 * The round's time: the lower median of its tips' times, never less than the round's before. With one Byzantine clock
 * in four the median still lies between two honest ones.
 * @param tips at least one.
 */
export function computeRoundTimeMs(tips: readonly SignedTips[], previousTimeMs: number): number {
  const times = tips.map((signed) => signed.tips.timeMs).sort((a, b) => a - b);
  return Math.max(previousTimeMs, times[(times.length - 1) >> 1]!);
}
