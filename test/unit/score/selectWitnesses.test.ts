/** The draw of paid witnesses against node:crypto, in any order of arrival. */
import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { selectWitnesses } from "../../../protocol/src/score/selectWitnesses.ts";

const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 });
const witnessKeys = fc.uniqueArray(bytes32, { maxLength: 40, size: "max", selector: encodeHex });

describe("selection of paid witnesses", () => {
  test("takes the smallest draws, whatever the order of arrival", () => {
    fc.assert(
      fc.property(
        bytes32,
        bytes32,
        witnessKeys,
        fc.integer({ min: 1, max: 20 }),
        (seed, beacon, keys, cap) => {
          const draw = (key: Uint8Array) =>
            createHash("sha256").update(seed).update(beacon).update(key).digest("hex");
          const expected = keys.toSorted((a, b) => (draw(a) < draw(b) ? -1 : 1)).slice(0, cap);
          const pick = (list: Uint8Array[]) =>
            selectWitnesses(seed, beacon, list, cap).map((i) => encodeHex(list[i]!));
          expect(pick(keys).toSorted()).toEqual(expected.map(encodeHex).toSorted());
          expect(pick(keys.toReversed()).toSorted()).toEqual(pick(keys).toSorted());
        },
      ),
    );
  });

  test("changes with the seed and with the beacon", () => {
    const keys = Array.from({ length: 40 }, (_, i) => new Uint8Array(32).fill(i));
    const [zero, one] = [new Uint8Array(32), new Uint8Array(32).fill(1)];
    const picks = [selectWitnesses(zero, zero, keys, 14), selectWitnesses(one, zero, keys, 14)];
    picks.push(selectWitnesses(zero, one, keys, 14));
    expect(new Set(picks.map(String)).size).toBe(3);
    for (const pick of picks) {
      expect(pick).toHaveLength(14);
      expect(pick).toEqual(pick.toSorted((a, b) => a - b));
    }
  });

  test("takes all where the cap does not bind", () => {
    const keys = Array.from({ length: 14 }, (_, i) => new Uint8Array(32).fill(i));
    expect(selectWitnesses(new Uint8Array(32), new Uint8Array(32), keys, 14)).toHaveLength(14);
    expect(selectWitnesses(new Uint8Array(32), new Uint8Array(32), [], 14)).toEqual([]);
  });
});
