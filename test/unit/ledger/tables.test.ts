/** The ledger's own tables against the plainest model of each. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareBytes } from "../../../protocol/src/bytes/bytes.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { byteKey } from "../../../protocol/src/ledger/byteKey.ts";
import { ByteReader } from "../../../protocol/src/ledger/byteReader.ts";
import { ByteWriter } from "../../../protocol/src/ledger/byteWriter.ts";
import { Links } from "../../../protocol/src/ledger/links.ts";
import { SeenIds } from "../../../protocol/src/ledger/seenIds.ts";
import { SortedKeys } from "../../../protocol/src/ledger/sortedKeys.ts";
import { keyOf } from "../../sim/ledgerWorld.ts";

const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 });

describe("seen ids", () => {
  test("know what was added, by epoch, and forget whole epochs", () => {
    // Ids that share their first word, or are all zeros, are ids like any other.
    const id = fc.oneof(
      bytes32,
      fc.nat(255).map((last) => Uint8Array.from({ length: 32 }, (_, i) => (i === 15 ? last : 0))),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(2), id), { maxLength: 300 }), fc.nat(3), (added, least) => {
        const seen = new SeenIds();
        const model = new Set<string>();
        for (const [epoch, bytes] of added) {
          const kept = bytes.slice(0, 16);
          kept[0]! |= 1;
          const key = `${epoch} ${encodeHex(kept)}`;
          expect(seen.has(epoch, bytes)).toBe(model.has(key));
          if (!model.has(key)) seen.add(epoch, bytes);
          model.add(key);
        }
        seen.forgetBefore(least);
        for (const [epoch, bytes] of added) expect(seen.has(epoch, bytes)).toBe(epoch >= least);
      }),
    );
  });

  test("list the same bytes whatever the order they came in", () => {
    fc.assert(
      fc.property(fc.uniqueArray(bytes32, { selector: encodeHex, maxLength: 100 }), (ids) => {
        const there = new SeenIds();
        const back = new SeenIds();
        for (const id of ids) if (!there.has(1, id)) there.add(1, id);
        for (const id of [...ids].reverse()) if (!back.has(1, id)) back.add(1, id);
        expect(back.listSorted()).toEqual(there.listSorted());
      }),
    );
  });
});

describe("links", () => {
  test("count for so many epochs, through every rebuild", () => {
    const step = fc.record({ witness: fc.nat(30), beaconer: fc.nat(30), later: fc.nat(1) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 600 }), (steps) => {
        const links = new Links(3);
        const model = new Map<string, number>();
        let epoch = 0;
        for (const { witness, beaconer, later } of steps) {
          epoch += later * (witness % 2);
          links.link(witness, beaconer, epoch);
          model.set(`${witness} ${beaconer}`, epoch);
        }
        const live = [...model.values()].filter((linked) => linked >= epoch - 3);
        const visited: number[][] = [];
        links.visitSorted(epoch, (...link) => visited.push(link));
        expect(visited).toHaveLength(live.length);
        expect(visited).toEqual([...visited].sort(([a, b], [c, d]) => a! - c! || b! - d!));
        for (const [witness, beaconer, linked] of visited)
          expect(model.get(`${witness} ${beaconer}`)).toBe(linked);
        for (let witness = 0; witness <= 30; witness++) {
          for (let beaconer = 0; beaconer <= 30; beaconer++) {
            const linked = model.get(`${witness} ${beaconer}`) ?? Number.NEGATIVE_INFINITY;
            expect(links.isLinked(witness, beaconer, epoch)).toBe(linked >= epoch - 3);
          }
        }
      }),
      { numRuns: 30 },
    );
  });
});

describe("sorted keys", () => {
  test("stand in order however they were added, and are found at their places", () => {
    const count = fc.array(fc.nat(5), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(count, fc.nat(1_000), (batches, salt) => {
        const sorted = new SortedKeys();
        const keys: Uint8Array[] = [];
        for (const batch of batches) {
          for (let i = 0; i < batch; i++) {
            const key = keyOf(`key ${salt} ${keys.length}`);
            sorted.add(key, keys.length);
            keys.push(key);
          }
          const expected = keys.map((_, index) => index).sort((a, b) => compareBytes(keys[a]!, keys[b]!));
          expect(sorted.list()).toEqual(expected);
        }
        const ranks = sorted.ranks();
        for (const [index, key] of keys.entries()) expect(sorted.placeOf(key)).toBe(ranks[index]);
      }),
    );
  });
});

describe("bytes", () => {
  test("are read as they were written", () => {
    const integer = fc.integer({ min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER });
    const amount = fc.bigInt(0n, 2n ** 64n - 1n);
    fc.assert(
      fc.property(fc.array(fc.tuple(integer, amount, bytes32), { maxLength: 60 }), (rows) => {
        const out = new ByteWriter();
        out.list(rows, ([int64, money, bytes]) => {
          out.int64(int64);
          out.amount(money);
          out.bytes(bytes);
          out.int32(int64 | 0);
        });
        const input = new ByteReader(out.finish());
        const read = input.list(() => {
          const row = [input.int64(), input.amount(), input.bytes(32)] as const;
          expect(input.int32()).toBe(row[0] | 0);
          return [...row];
        });
        expect(read).toEqual(rows);
        expect(input.left).toBe(0);
      }),
    );
  });

  test("that end too soon throw, and so does a list longer than what is left", () => {
    expect(() => new ByteReader(new Uint8Array(3)).int32()).toThrow(RangeError);
    const claim = new Uint8Array(8).fill(0xff);
    expect(() => new ByteReader(claim).list(() => 0)).toThrow(RangeError);
  });

  test("keys are equal exactly for equal bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 8 }), fc.uint8Array({ maxLength: 8 }), (a, b) => {
        expect(byteKey(a) === byteKey(b)).toBe(compareBytes(a, b) === 0);
      }),
    );
  });
});
