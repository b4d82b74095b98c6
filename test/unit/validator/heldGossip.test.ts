/** Who batches what came by gossip only, and what becomes of the rest (specification A6). */
import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PRESET_NAMES, PRESETS } from "../../../protocol/src/network/presets.ts";
import type { Candidate } from "../../../validator/src/intake/candidate.ts";
import { computeHoldRounds, computeTurn, HeldGossip } from "../../../validator/src/intake/heldGossip.ts";

const seatsOf = (count: number) => Array.from({ length: count }, (_, seat) => seat);
const candidateOf = (name: string, bytes = 100) =>
  ({ idKey: name, bytes: new Uint8Array(bytes) }) as unknown as Candidate;
const namesOf = (candidates: readonly Candidate[]) => candidates.map(({ idKey }) => idKey);

describe("the nearest seats", () => {
  test("are two neighbours, whatever the id and however many seats there are", () => {
    const ids = fc.uint8Array({ minLength: 32, maxLength: 32 });
    fc.assert(
      fc.property(ids, fc.integer({ min: 1, max: 100 }), (id, count) => {
        const nearest = seatsOf(count).filter((seat) => computeTurn(id, seat, count) === 0);
        expect(nearest).toHaveLength(Math.min(2, count));
        const [first = 0, second = first] = nearest;
        expect([0, 1, count - 1]).toContain(second - first);
      }),
    );
  });

  test("are followed by one seat after the other", () => {
    const ids = fc.uint8Array({ minLength: 32, maxLength: 32 });
    fc.assert(
      fc.property(ids, fc.integer({ min: 3, max: 100 }), (id, count) => {
        const turns = seatsOf(count).map((seat) => computeTurn(id, seat, count));
        expect(turns.filter((turn) => turn > 0).sort((a, b) => a - b)).toEqual(
          seatsOf(count - 2).map((at) => at + 1),
        );
      }),
    );
  });

  test("are those on both sides of the id", () => {
    const id = (firstByte: number) =>
      Uint8Array.from({ length: 32 }, (_, at) => (at === 0 ? firstByte : 255));
    const nearestTo = (firstByte: number) =>
      seatsOf(4).filter((seat) => computeTurn(id(firstByte), seat, 4) === 0);
    expect([0, 0x3f, 0x40, 0x7f, 0x80, 0xbf, 0xc0, 0xff].map(nearestTo)).toEqual([
      ...[
        [0, 1],
        [0, 1],
        [1, 2],
        [1, 2],
      ],
      ...[
        [2, 3],
        [2, 3],
        [0, 3],
        [0, 3],
      ],
    ]);
  });

  test("get equal shares", () => {
    const shares = seatsOf(7).map(() => 0);
    const ids = 20_000;
    for (let at = 0; at < ids; at++) {
      const id = randomBytes(32);
      for (const seat of seatsOf(7)) if (computeTurn(id, seat, 7) === 0) shares[seat]!++;
    }
    // Two sevenths each, within seven standard deviations of a binomial.
    for (const share of shares) expect(Math.abs(share - (2 / 7) * ids)).toBeLessThan(450);
  });
});

test("messages are held for at most half of the witness window", () => {
  for (const preset of PRESET_NAMES) {
    const rounds = computeHoldRounds(PRESETS[preset]);
    expect(rounds).toBeGreaterThanOrEqual(2);
    expect(rounds).toBeLessThanOrEqual(3);
    // Two rounds more until a batch is in an executed cut.
    expect(rounds + 2).toBeLessThanOrEqual(PRESETS[preset].witnessWindowRounds);
  }
  expect(computeHoldRounds({ witnessWindowRounds: 1 })).toBe(0);
});

describe("held messages", () => {
  test("are due in their round, in their order, so many at a time", () => {
    const held = new HeldGossip();
    for (const [name, round] of [
      ["a", 5],
      ["b", 5],
      ["c", 6],
      ["d", 7],
    ] as const)
      held.put(candidateOf(name), round);
    expect(held.takeDue(4, 10)).toEqual([]);
    expect(namesOf(held.takeDue(6, 2))).toEqual(["a", "b"]);
    expect(namesOf(held.takeDue(6, 2))).toEqual(["c"]);
    expect(held.has("c")).toBe(false);
    expect(held.size).toBe(1);
  });

  test("never are more bytes than may be held: the oldest go", () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 700 }), { maxLength: 60 });
    fc.assert(
      fc.property(sizes, (bytes) => {
        const held = new HeldGossip(1_000);
        for (const [index, size] of bytes.entries()) held.put(candidateOf(`${index}`, size), index);
        const kept: number[] = [];
        for (let index = bytes.length - 1, sum = 0; index >= 0; index--) {
          sum += bytes[index]!;
          if (sum > 1_000) break;
          kept.unshift(index);
        }
        expect(namesOf(held.takeDue(bytes.length, 100))).toEqual(kept.map(String));
      }),
    );
  });

  test("give their bytes back when they are forgotten, also when they come twice", () => {
    const held = new HeldGossip(250);
    for (let turn = 0; turn < 10; turn++) {
      held.put(candidateOf("a"), turn);
      held.put(candidateOf("a"), turn);
      held.put(candidateOf("b"), turn);
      held.forget("b");
      held.forget("nobody");
    }
    held.put(candidateOf("c"), 10);
    expect(namesOf(held.takeDue(10, 10))).toEqual(["a", "c"]);
  });

  test("are held anew, once for every author whose batch contains them", () => {
    const held = new HeldGossip();
    held.put(candidateOf("a"), 5);
    held.put(candidateOf("b"), 5);
    held.renew("a", "x", 7);
    held.renew("a", "x", 9);
    held.renew("a", "y", 6);
    held.renew("nobody", "x", 9);
    expect(namesOf(held.takeDue(6, 10))).toEqual(["b"]);
    expect(namesOf(held.takeDue(7, 10))).toEqual(["a"]);
    expect(held.size).toBe(0);
  });

  test("of seven validators whose cuts lag behind are batched by few, and by all in the end", () => {
    const seats = seatsOf(7);
    const patience = computeHoldRounds(PRESETS.mainnet);
    /** Copies of one message until a cut has it, so many rounds after the first batch. */
    const countCopies = (lagRounds: number, lost: number): number => {
      const held = seats.map(() => new HeldGossip());
      let authors = 0;
      const batch = (seat: number, round: number) => {
        // Of those who are lost the batch reaches nobody.
        if (authors++ < lost) return;
        for (const other of held) other.renew("message", `${seat}`, round + 1 + patience);
      };
      for (const seat of seats.slice(2)) held[seat]!.put(candidateOf("message"), patience + seat - 2);
      for (const seat of [0, 1]) batch(seat, 0);
      for (let round = 1; round <= lagRounds; round++)
        for (const seat of seats) if (held[seat]!.takeDue(round, 1).length > 0) batch(seat, round);
      return authors;
    };
    expect(countCopies(patience - 1, 0)).toBe(2);
    expect(countCopies(10, 0)).toBeLessThanOrEqual(4);
    // The nearest are lost: the third is in time, and the rest wait for its batch.
    expect(countCopies(patience, 2)).toBe(3);
    expect(countCopies(10, 2)).toBeLessThanOrEqual(5);
    expect(countCopies(200, 6)).toBe(7);
  });
});
