/** Who sits next: the rules of docs/decisions/validator-set.md, each as a property over any set and any stakes. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { computeQuorum } from "../../../protocol/src/agreement/rounds.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { computeSeatChanges, computeSeats, type SeatCandidate } from "../../../protocol/src/ledger/seats.ts";

const keyOf = (id: number) => new Uint8Array(32).fill(id);
const idsOf = (keys: readonly Uint8Array[]) => keys.map((key) => key[0]!);
const candidate = (id: number, stake: number, change: Partial<SeatCandidate> = {}): SeatCandidate => ({
  ...{ key: keyOf(id), stake: BigInt(stake), mayHaveSeat: true, isTombstoned: false, ...change },
});

/** A set, what is known of everybody in it and of others, and how many seats there are. */
const situations = fc
  .uniqueArray(
    fc.record({
      id: fc.integer({ min: 1, max: 60 }),
      // Few different stakes, so that many are equal.
      stake: fc.integer({ min: 1, max: 5 }),
      isTombstoned: fc.boolean(),
      isLeaving: fc.boolean(),
      isSeated: fc.boolean(),
    }),
    { selector: ({ id }) => id, minLength: 1, maxLength: 24 },
  )
  .chain((people) => fc.record({ people: fc.constant(people), seats: fc.integer({ min: 1, max: 20 }) }))
  .map(({ people, seats }) => {
    const seated = people.filter(({ isSeated }) => isSeated);
    const current = (seated.length === 0 ? people.slice(0, 1) : seated).map(({ id }) => keyOf(id));
    const candidates = people.map(({ id, stake, isTombstoned, isLeaving }) =>
      candidate(id, stake, { isTombstoned, mayHaveSeat: !isTombstoned && !isLeaving }),
    );
    return { current, candidates, seats };
  });

/** The highest stakes that may sit, by rank. */
const wantedOf = (candidates: readonly SeatCandidate[], seats: number) =>
  candidates
    .filter(({ mayHaveSeat }) => mayHaveSeat)
    .toSorted((a, b) => Number(b.stake - a.stake) || a.key[0]! - b.key[0]!)
    .slice(0, seats);

describe("the next seats", () => {
  test("lose and gain at most a third, are never empty and hold nobody twice", () => {
    fc.assert(
      fc.property(situations, ({ current, candidates, seats }) => {
        const next = idsOf(computeSeats(current, candidates, seats));
        const before = idsOf(current);
        const left = before.filter((id) => !next.includes(id));
        const joined = next.filter((id) => !before.includes(id));
        expect(left.length).toBeLessThanOrEqual(computeSeatChanges(before.length));
        expect(joined.length).toBeLessThanOrEqual(computeSeatChanges(before.length));
        expect(next.length).toBeGreaterThan(0);
        expect(new Set(next).size).toBe(next.length);
        expect(next.length).toBeLessThanOrEqual(Math.max(seats, before.length - left.length));
      }),
    );
  });

  test("of one lose nobody", () => {
    fc.assert(
      fc.property(situations, ({ current, candidates, seats }) => {
        const next = computeSeats(current.slice(0, 1), candidates, seats);
        expect(next[0]).toEqual(current[0]);
        expect(next.length).toBeLessThanOrEqual(2);
      }),
    );
  });

  test("take in nobody who may not sit, and keep the convicted no longer than others who must go", () => {
    fc.assert(
      fc.property(situations, ({ current, candidates, seats }) => {
        const known = new Map(candidates.map((each) => [encodeHex(each.key), each]));
        const before = new Set(current.map(encodeHex));
        const next = computeSeats(current, candidates, seats).map(encodeHex);
        for (const key of next) if (!before.has(key)) expect(known.get(key)!.mayHaveSeat).toBe(true);
        const gone = [...before].filter((key) => !next.includes(key)).map((key) => known.get(key)!);
        const stay = next.filter((key) => before.has(key)).map((key) => known.get(key)!);
        if (stay.some(({ isTombstoned }) => isTombstoned))
          expect(gone.every(({ isTombstoned }) => isTombstoned)).toBe(true);
        if (stay.some(({ mayHaveSeat }) => !mayHaveSeat))
          expect(gone.every(({ mayHaveSeat }) => !mayHaveSeat)).toBe(true);
      }),
    );
  });

  test("do not depend on the order in which validators are on record", () => {
    fc.assert(
      fc.property(situations, fc.infiniteStream(fc.nat()), ({ current, candidates, seats }, draws) => {
        const shuffled = candidates
          .map((each) => ({ each, draw: draws.next().value as number }))
          .sort((a, b) => a.draw - b.draw)
          .map(({ each }) => each);
        expect(computeSeats(current, shuffled, seats)).toEqual(computeSeats(current, candidates, seats));
      }),
    );
  });

  test("become the highest stakes, and then change no more", () => {
    fc.assert(
      fc.property(situations, ({ current, candidates, seats }) => {
        const wanted = idsOf(wantedOf(candidates, seats).map(({ key }) => key));
        let set: readonly Uint8Array[] = current;
        for (let epoch = 0; epoch < 60; epoch++) set = computeSeats(set, candidates, seats);
        expect(computeSeats(set, candidates, seats)).toEqual(set);
        // A set of one with somebody who may not sit, or without a free seat, is all that can stay behind.
        if (set.length > 1) expect(idsOf(set).toSorted()).toEqual(wanted.toSorted());
      }),
    );
  });

  test("keep an honest member of every quorum of the set before, whoever leaves and whoever is faulty", () => {
    for (let n = 2; n <= 100; n++) {
      const faulty = Math.floor((n - 1) / 3);
      expect(computeQuorum(n) - faulty - computeSeatChanges(n)).toBeGreaterThanOrEqual(1);
    }
  });

  test.each<[string, number[], SeatCandidate[], number, number[]]>([
    ["stay as they are", [3, 1, 2], [candidate(1, 5), candidate(2, 5), candidate(3, 5)], 4, [3, 1, 2]],
    ["take one in", [1], [candidate(1, 5), candidate(2, 9), candidate(3, 8)], 4, [1, 2]],
    [
      "take the higher stake, equal ones by key",
      [1, 2, 3, 4],
      [1, 2, 3, 4, 7, 6, 5].map((id) => candidate(id, id < 5 ? 9 : 3)),
      9,
      [1, 2, 3, 4, 5],
    ],
    [
      "replace the lowest stake, the later key of equal ones",
      [1, 2, 3],
      [candidate(1, 5), candidate(2, 4), candidate(3, 4), candidate(4, 6)],
      3,
      [1, 2, 4],
    ],
    [
      "let the convicted go first, and the newcomer have the seat",
      [1, 2, 3, 4],
      [
        candidate(1, 1),
        candidate(2, 2),
        candidate(3, 9, { mayHaveSeat: false }),
        candidate(4, 9, { isTombstoned: true, mayHaveSeat: false }),
        candidate(5, 3),
      ],
      4,
      [1, 2, 3, 5],
    ],
    [
      "shrink towards the seats that there are",
      [1, 2, 3, 4, 5, 6],
      [1, 2, 3, 4, 5, 6].map((id) => candidate(id, id)),
      3,
      [3, 4, 5, 6],
    ],
  ])("%s", (_, current, candidates, seats, expected) => {
    expect(idsOf(computeSeats(current.map(keyOf), candidates, seats))).toEqual(expected);
  });
});
