/**
 * Seats: the validator set of an epoch from the one before it and the stakes. Every validator has the same weight, so
 * what matters is who sits; and as agreement rests on most of those who sit having been there before, few seats change
 * at a time. docs/decisions/validator-set.md says which rule gives way to which.
 */
import { compareBytes } from "../bytes/bytes.ts";
import { byteKey } from "./byteKey.ts";

/** A validator with or without a seat. `mayHaveSeat`: has enough at stake, does not unbond and was not convicted. */
export type SeatCandidate = {
  readonly key: Uint8Array;
  readonly stake: bigint;
  readonly mayHaveSeat: boolean;
  readonly isTombstoned: boolean;
};

/**
 * How many members may leave, and how many may join, between two epochs: a third, so that of every quorum of the set
 * before an honest member still sits, who holds what that quorum acknowledged; and at least one, or a small set could
 * never change.
 */
export function computeSeatChanges(seats: number): number {
  return Math.max(1, Math.floor(seats / 3));
}

/**
 * The next set's keys in the order of their seats: who stays keeps the order, who joins follows by rank.
 * @param current the set before, at least one key.
 * @param candidates every validator on record, in any order.
 * @param seats the most that a set has.
 */
export function computeSeats(
  current: readonly Uint8Array[],
  candidates: readonly SeatCandidate[],
  seats: number,
): Uint8Array[] {
  const changes = computeSeatChanges(current.length);
  const seated = new Set(current.map(byteKey));
  const wanted = candidates.filter(({ mayHaveSeat }) => mayHaveSeat).sort(compareRank);
  wanted.length = Math.min(wanted.length, seats);
  const newcomers = wanted.filter(({ key }) => !seated.has(byteKey(key)));
  const leavers = listLeavers(current, candidates, wanted);
  // A set of one only grows, or it could be replaced by a stranger, or end.
  const forced = current.length === 1 ? [] : leavers.forced.slice(0, changes);
  const outbid = current.length === 1 ? [] : leavers.outbid.slice(0, changes - forced.length);
  // Negative where genesis filled more seats than there are.
  const free = seats - (current.length - forced.length);
  const joining = Math.min(changes, newcomers.length, Math.max(0, free + outbid.length));
  const making = Math.min(outbid.length, Math.max(0, joining - free));
  const leaving = new Set([...forced, ...outbid.slice(0, making)].map(byteKey));
  return [
    ...current.filter((key) => !leaving.has(byteKey(key))),
    ...newcomers.slice(0, joining).map(({ key }) => key),
  ];
}

/** Highest stake first, equal ones by key. */
function compareRank(a: SeatCandidate, b: SeatCandidate): number {
  if (a.stake !== b.stake) return a.stake > b.stake ? -1 : 1;
  return compareBytes(a.key, b.key);
}

/** Members in the order in which they leave: those who must, the convicted first, and those whose seat others want. */
function listLeavers(
  current: readonly Uint8Array[],
  candidates: readonly SeatCandidate[],
  wanted: readonly SeatCandidate[],
): { readonly forced: Uint8Array[]; readonly outbid: Uint8Array[] } {
  const known = new Map(candidates.map((candidate) => [byteKey(candidate.key), candidate]));
  const members = current.map((key) => known.get(byteKey(key))!);
  const isWanted = new Set(wanted);
  const keysOf = (list: readonly SeatCandidate[]) => list.map(({ key }) => key);
  const convicted = members.filter(({ isTombstoned }) => isTombstoned);
  convicted.sort((a, b) => compareBytes(a.key, b.key));
  const lowestFirst = members.filter(({ isTombstoned }) => !isTombstoned).sort((a, b) => compareRank(b, a));
  const unfit = lowestFirst.filter(({ mayHaveSeat }) => !mayHaveSeat);
  const outbid = lowestFirst.filter((member) => member.mayHaveSeat && !isWanted.has(member));
  return { forced: keysOf([...convicted, ...unfit]), outbid: keysOf(outbid) };
}
