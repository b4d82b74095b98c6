/**
 * Missing reverse direction: radio links work both ways, a few dB apart (honest directions differ by 4.5 to 7.4 dB a
 * packet). Where a hotspot is well heard by, or hears well, counterparts that it never hears, or that never hear it,
 * though both beacon, most of its links are somebody's claim and not a channel.
 * The size of the difference is a weak sign and not used; the absence of one direction is the better one.
 */
import { PPM } from "../../network/parameters.ts";
import { createFinding, type Finding, type FindingTerm } from "../finding.ts";
import { COUNTERPARTS_MIN, RAMPS } from "../thresholds.ts";

/** Receptions one way that make the other way due. */
export const REVERSE_DUE_RECEPTIONS = 8;
/** Beacons that the silent direction must have had to be heard: as many. */
export const REVERSE_DUE_BEACONS = 8;
/** Mean SNR over the demodulation limit that makes it due, hundredths of a dB: twice the spread between directions. */
export const REVERSE_DUE_MARGIN_CENTI_DB = 1_500;

/** Both directions between a hotspot and one counterpart, in the kept history. */
export type TwoWay = {
  /** Of the counterpart, which is another's than the hotspot's. */
  readonly owner: number;
  /** Receptions of the counterpart's beacons by the hotspot, and of the hotspot's by the counterpart. */
  readonly heard: number;
  readonly heardBy: number;
  /** Beacons that the counterpart sent, and the hotspot, while both were active. */
  readonly counterpartBeacons: number;
  readonly ownBeacons: number;
  /** Mean SNR over the demodulation limit of the direction that was received, the better one of two. */
  readonly marginCentiDb: number;
};

/** Whether one direction works so well that the other ought to have been heard. */
function isReverseDue({ heard, heardBy, counterpartBeacons, ownBeacons, marginCentiDb }: TwoWay): boolean {
  if (marginCentiDb < REVERSE_DUE_MARGIN_CENTI_DB) return false;
  const dueFromOwn = heard >= REVERSE_DUE_RECEPTIONS && ownBeacons >= REVERSE_DUE_BEACONS;
  const dueFromThem = heardBy >= REVERSE_DUE_RECEPTIONS && counterpartBeacons >= REVERSE_DUE_BEACONS;
  return dueFromOwn || dueFromThem;
}

const isMissing = ({ heard, heardBy }: TwoWay): boolean => heard === 0 || heardBy === 0;

/**
 * The share of due counterparts that lack one direction, ppm rounded down, an owner's counted as one: the mean of each
 * owner's share. Else one strong radio that carries twenty of an owner's hotspots, none of which reports this one, would
 * speak against it twenty times. Null below `COUNTERPARTS_MIN` owners with due ones.
 */
export function computeMissingReversePpm(links: readonly TwoWay[]): number | null {
  const byOwner = new Map<number, { due: number; missing: number }>();
  for (const link of links) {
    if (!isReverseDue(link)) continue;
    const { due, missing } = byOwner.get(link.owner) ?? { due: 0, missing: 0 };
    byOwner.set(link.owner, { due: due + 1, missing: missing + (isMissing(link) ? 1 : 0) });
  }
  if (byOwner.size < COUNTERPARTS_MIN) return null;
  let sumPpm = 0;
  for (const { due, missing } of byOwner.values()) sumPpm += Math.floor((missing * PPM) / due);
  return Math.floor(sumPpm / byOwner.size);
}

/** Judges a hotspot by its links both ways; evidence: the one-way ones. */
export function checkMissingReverse(links: readonly TwoWay[], term: FindingTerm): Finding | null {
  const oneWay = Array.from(links.keys()).filter((i) => isMissing(links[i]!) && isReverseDue(links[i]!));
  // Most have none, and owners are not told apart for them.
  const share = oneWay.length === 0 ? null : computeMissingReversePpm(links);
  return share === null
    ? null
    : createFinding("missing_reverse", share, RAMPS.missingReversePpm, oneWay, term);
}
