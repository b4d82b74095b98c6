/** The reward tree against SSZ's own root and the native hasher; proofs, and what must not prove; their JSON. */
import { hashInto } from "@chainsafe/hashtree";
import { ByteVectorType, ContainerType, ListCompositeType, UintBigintType } from "@chainsafe/ssz";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareBytes } from "../../../protocol/src/bytes/bytes.ts";
import { encodeHex, encodeHex0x } from "../../../protocol/src/bytes/hex.ts";
import { hashPairs } from "../../../protocol/src/reward/hashPairs.ts";
import { decodeProofJson, encodeProofJson, verifyProofJson } from "../../../protocol/src/reward/proofJson.ts";
import { verifyRewardProof } from "../../../protocol/src/reward/rewardProof.ts";
import { createRewardTree } from "../../../protocol/src/reward/rewardTree.ts";

const AccountTotals = new ListCompositeType(
  new ContainerType({ account: new ByteVectorType(32), total: new UintBigintType(8) }),
  2 ** 32,
);

const anyAccounts = fc
  .uniqueArray(fc.tuple(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.bigInt(0n, (1n << 64n) - 1n)), {
    selector: ([account]) => encodeHex(account),
    maxLength: 40,
  })
  .map((list) => list.toSorted(([a], [b]) => compareBytes(a, b)));

function flatten(list: readonly (readonly [Uint8Array, bigint])[]): [Uint8Array, BigUint64Array] {
  const accounts = new Uint8Array(list.length * 32);
  for (const [place, [account]] of list.entries()) accounts.set(account, place * 32);
  return [accounts, BigUint64Array.from(list, ([, total]) => total)];
}

const numbered = (count: number): [Uint8Array, BigUint64Array] =>
  flatten(
    Array.from({ length: count }, (_, place) => {
      const account = new Uint8Array(32);
      new DataView(account.buffer).setUint32(0, place);
      return [account, BigInt(place) * 1_000_003n] as const;
    }),
  );

describe("reward tree", () => {
  test("has the root that SSZ defines", () => {
    fc.assert(
      fc.property(anyAccounts, (list) => {
        const expected = AccountTotals.hashTreeRoot(list.map(([account, total]) => ({ account, total })));
        expect(createRewardTree(...flatten(list)).root).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });

  test.each([0, 1, 2, 3, 16_384, 16_385])("of %i accounts is the same with the native hasher", (count) => {
    const [accounts, totals] = numbered(count);
    expect(createRewardTree(accounts, totals, hashInto).root).toEqual(
      createRewardTree(accounts, totals).root,
    );
  });

  test("proves every account, and no other total, account or place", () => {
    fc.assert(
      fc.property(anyAccounts, fc.nat(), fc.nat(33 * 32 * 8 - 1), (list, draw, bit) => {
        fc.pre(list.length > 0);
        const index = draw % list.length;
        const proof = createRewardTree(...flatten(list)).prove(index);
        expect(verifyRewardProof(proof)).toBeNull();
        expect(proof.account).toEqual(list[index]![0]);
        expect(verifyRewardProof({ ...proof, total: BigInt.asUintN(64, proof.total + 1n) })).toBe(
          "root_mismatch",
        );
        expect(verifyRewardProof({ ...proof, account: new Uint8Array(32) })).toBe("root_mismatch");
        expect(verifyRewardProof({ ...proof, index: list.length })).toBe("index_out_of_range");
        expect(verifyRewardProof({ ...proof, leafCount: list.length + 1 })).toBe("leaf_count_mismatch");
        if (list.length > 1) {
          expect(verifyRewardProof({ ...proof, index: (index + 1) % list.length })).toBe("root_mismatch");
        }
        const branch = proof.branch.map((node) => node.slice());
        branch[bit >> 8]![(bit >> 3) & 31]! ^= 1 << (bit & 7);
        expect(verifyRewardProof({ ...proof, branch })).not.toBeNull();
        expect(verifyRewardProof({ ...proof, branch: branch.slice(1) })).toBe("branch_length");
      }),
      { numRuns: 60 },
    );
  });

  test("refuses accounts that do not ascend, and places outside the list", () => {
    const [accounts, totals] = numbered(2);
    const turned = new Uint8Array(64);
    turned.set(accounts.subarray(32), 0);
    expect(() => createRewardTree(turned, totals)).toThrow("ascend");
    expect(() => createRewardTree(new Uint8Array(64), totals)).toThrow("ascend");
    expect(() => createRewardTree(accounts, totals.subarray(1))).toThrow(RangeError);
    expect(() => createRewardTree(accounts, totals).prove(2)).toThrow(RangeError);
  });

  test("hashes pairs as SHA-256 does", () => {
    const input = Uint8Array.from({ length: 128 }, (_, i) => i);
    const [plain, native] = [new Uint8Array(64), new Uint8Array(64)];
    hashPairs(input, plain);
    hashInto(input, native);
    expect(plain).toEqual(native);
  });
});

describe("reward proof as JSON", () => {
  const [accounts, totals] = numbered(5);
  const proof = createRewardTree(accounts, totals).prove(3);
  const json = encodeProofJson(proof, 7);

  test("comes back as it was given out", () => {
    const parsed: unknown = JSON.parse(JSON.stringify(json));
    expect(decodeProofJson(parsed)).toEqual({ proof, epoch: 7 });
    expect(verifyProofJson(parsed)).toEqual({
      valid: true,
      account: json.account,
      total: "3000009",
      epoch: 7,
      root: json.root,
    });
  });

  test("takes the account in hexadecimal too", () => {
    expect(verifyProofJson({ ...json, account: encodeHex0x(proof.account) })).toMatchObject({ valid: true });
  });

  test("is refused with the reason when it does not hold", () => {
    expect(verifyProofJson({ ...json, total: "3000010" })).toEqual({ valid: false, reason: "root_mismatch" });
    expect(verifyProofJson({ ...json, index: 5 })).toEqual({ valid: false, reason: "index_out_of_range" });
  });

  test.each([
    null,
    [],
    "proof",
    {},
    { ...json, account: "did:key:z6Mk" },
    { ...json, account: json.account.slice(2) },
    { ...json, total: 3_000_009 },
    { ...json, total: "-1" },
    { ...json, total: (1n << 64n).toString() },
    { ...json, epoch: -1 },
    { ...json, index: "3" },
    { ...json, leafCount: 2 ** 33 },
    { ...json, branch: json.branch.slice(1) },
    { ...json, branch: json.branch.with(4, "0x00") },
    { ...json, root: json.root.slice(2) },
  ])("is malformed: case %#", (bad) => {
    expect(verifyProofJson(bad)).toMatchObject({ valid: false, reason: "malformed" });
  });

  test("survives any JSON", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(...Object.keys(json)), (value, field) => {
        expect(verifyProofJson(value)).toMatchObject({ valid: false });
        expect(typeof verifyProofJson({ ...json, [field]: value }).valid).toBe("boolean");
      }),
    );
  });
});
