/** The draw of paid witnesses against node:crypto, in any order of arrival. */
import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { uint64Bytes } from "../../../protocol/src/bytes/bytes.ts";
import { selectWitnesses } from "../../../protocol/src/score/selectWitnesses.ts";

const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 });
const witnesses = fc.uniqueArray(fc.nat(2 ** 31 - 1), { maxLength: 40, size: "max" });

describe("selection of paid witnesses", () => {
  test("takes the smallest draws, whatever the order of arrival", () => {
    fc.assert(
      fc.property(
        bytes32,
        bytes32,
        witnesses,
        fc.integer({ min: 1, max: 20 }),
        (seed, beacon, indexes, cap) => {
          const draw = (index: number) =>
            createHash("sha256").update(seed).update(beacon).update(uint64Bytes(index)).digest("hex");
          const expected = indexes.toSorted((a, b) => (draw(a) < draw(b) ? -1 : 1)).slice(0, cap);
          const pick = (list: number[]) => selectWitnesses(seed, beacon, list, cap).map((i) => list[i]!);
          expect(pick(indexes).toSorted()).toEqual(expected.toSorted());
          expect(pick(indexes.toReversed()).toSorted()).toEqual(pick(indexes).toSorted());
        },
      ),
    );
  });

  test("changes with the seed and with the beacon", () => {
    const indexes = Array.from({ length: 40 }, (_, i) => i);
    const [zero, one] = [new Uint8Array(32), new Uint8Array(32).fill(1)];
    const picks = [selectWitnesses(zero, zero, indexes, 14), selectWitnesses(one, zero, indexes, 14)];
    picks.push(selectWitnesses(zero, one, indexes, 14));
    expect(new Set(picks.map(String)).size).toBe(3);
    for (const pick of picks) {
      expect(pick).toHaveLength(14);
      expect(pick).toEqual(pick.toSorted((a, b) => a - b));
    }
  });

  test("takes all where the cap does not bind", () => {
    const indexes = Array.from({ length: 14 }, (_, i) => i);
    expect(selectWitnesses(new Uint8Array(32), new Uint8Array(32), indexes, 14)).toHaveLength(14);
    expect(selectWitnesses(new Uint8Array(32), new Uint8Array(32), [], 14)).toEqual([]);
  });
});
