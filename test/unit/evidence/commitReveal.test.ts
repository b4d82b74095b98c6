/**
 * Golden vectors of commit, proof and seed. They were computed apart from this code, with Python 3's hashlib and struct,
 * from the formulas in docs/protocol.md: SHA-256 over "hexbeacon/", the label, a zero byte and the parts.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import {
  computeCommit,
  computeNextSeed,
  computeProof,
  computeTag,
} from "../../../protocol/src/evidence/commitReveal.ts";

const run = (first: number, count: number) => Uint8Array.from({ length: count }, (_, i) => first + i);
const HOTSPOT = run(0, 32);
const WITNESS = run(32, 32);
const SECRET = run(100, 16);
const MEASUREMENT = run(200, 22);
const SEED = new Uint8Array(32).fill(9);
const secretOf = (value: number) => new Uint8Array(16).fill(value);

describe("commit and proof", () => {
  test("match the golden vectors", () => {
    expect(encodeHex(computeCommit(HOTSPOT, 7, SECRET))).toBe(
      "07ea50880b19a95f7826c58126e8d5c0a2b61874a5f3319d1d1d6c02407baf37",
    );
    // An epoch beyond 32 bits still counts whole.
    expect(encodeHex(computeCommit(HOTSPOT, 2 ** 40 + 1, SECRET))).toBe(
      "193f20186440cdb52d7399a39e141e9dcf2d83e6a87431d000bb46189eeb5690",
    );
    expect(encodeHex(computeProof(SECRET, WITNESS, MEASUREMENT))).toBe(
      "0ebd25d26cdd460c343fb78434baa319cf221fbf5c8e02d48f678baa6acf1e41",
    );
  });

  test("the tag is the commit's first six bytes, in a copy", () => {
    const commit = computeCommit(HOTSPOT, 7, SECRET);
    const tag = computeTag(commit);
    commit.fill(0);
    expect(encodeHex(tag)).toBe("07ea50880b19");
  });

  test("a proof is for one witness and one measurement", () => {
    fc.assert(
      fc.property(fc.nat(31), fc.nat(21), (keyByte, measurementByte) => {
        const proof = encodeHex(computeProof(SECRET, WITNESS, MEASUREMENT));
        const witness = WITNESS.slice();
        witness[keyByte]! ^= 1;
        const measurement = MEASUREMENT.slice();
        measurement[measurementByte]! ^= 1;
        expect(encodeHex(computeProof(SECRET, witness, MEASUREMENT))).not.toBe(proof);
        expect(encodeHex(computeProof(SECRET, WITNESS, measurement))).not.toBe(proof);
      }),
    );
  });
});

describe("the next seed", () => {
  const revealed = [
    { challengeEpoch: 3, hotspot: 9, secret: secretOf(1) },
    { challengeEpoch: 3, hotspot: 10, secret: secretOf(2) },
    { challengeEpoch: 4, hotspot: 9, secret: secretOf(3) },
  ];

  test("matches the golden vectors", () => {
    expect(encodeHex(computeNextSeed(SEED, []))).toBe(
      "50a0040466c279461c568a6ab1bff08d8c9443837ea1b382052b4daa080c7cf4",
    );
    expect(encodeHex(computeNextSeed(SEED, revealed))).toBe(
      "138c9073ce45df92c907150e6e486e243ca84d62a19fdff1be7283c9b082ba36",
    );
  });

  test("does not depend on the order of closing", () => {
    const golden = encodeHex(computeNextSeed(SEED, revealed));
    fc.assert(
      fc.property(fc.shuffledSubarray(revealed, { minLength: 3 }), (shuffled) => {
        expect(encodeHex(computeNextSeed(SEED, shuffled))).toBe(golden);
      }),
    );
  });
});
