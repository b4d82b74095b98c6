import { describe, expect, test } from "vitest";
import { asciiBytes } from "../../../protocol/src/bytes/bytes.ts";
import { sha256 } from "../../../protocol/src/crypto/sha256.ts";
import { RecentDigests } from "../../../validator/src/verify/recentDigests.ts";

const digestOf = (number: number) => sha256(asciiBytes(`digest ${number}`));
/** Digests that share a set: a hostile sender's, or those of a memory with one set only. */
const inOneSet = (number: number) => {
  const digest = digestOf(number);
  digest.fill(0, 0, 4);
  return digest;
};

describe("recent digests", () => {
  test("are remembered exactly: no bit may differ", () => {
    const digests = new RecentDigests(64);
    digests.add(digestOf(1));
    expect(digests.has(digestOf(1))).toBe(true);
    for (let bit = 0; bit < 256; bit++) {
      const other = digestOf(1);
      other[bit >> 3]! ^= 1 << (bit & 7);
      expect(digests.has(other)).toBe(false);
    }
  });

  test("push out the oldest of their set, and one that is there is not added twice", () => {
    const digests = new RecentDigests(64);
    for (let number = 0; number < 8; number++) digests.add(inOneSet(number));
    digests.add(inOneSet(3));
    const isThere = (number: number) => digests.has(inOneSet(number));
    expect([0, 1, 2, 3, 4, 5, 6, 7].every(isThere)).toBe(true);
    digests.add(inOneSet(8));
    digests.add(inOneSet(9));
    expect([0, 1].some(isThere)).toBe(false);
    expect([2, 3, 4, 5, 6, 7, 8, 9].every(isThere)).toBe(true);
  });

  test("are nearly all there while half as many as there are places came after them", () => {
    const capacity = 8_192;
    const digests = new RecentDigests(capacity);
    for (let number = 0; number < 4 * capacity; number++) digests.add(digestOf(number));
    const newest = Array.from({ length: capacity / 2 }, (_, back) => digestOf(4 * capacity - 1 - back));
    const remembered = newest.filter((digest) => digests.has(digest)).length;
    expect(remembered / newest.length).toBeGreaterThan(0.97);
  });

  test("take no more room, and no more time, when there are many more of them than places", () => {
    // A full Set took 60 microseconds an entry for it: 18 s, which is beyond what a test may take.
    const digests = new RecentDigests(65_536);
    const digest = new Uint8Array(32);
    const words = new Uint32Array(digest.buffer);
    for (let number = 0; number < 300_000; number++) {
      words[0] = Math.imul(number, 2_654_435_761);
      words[1] = number;
      digests.add(digest);
    }
    expect(digests.has(digest)).toBe(true);
  });

  test("ask for a capacity that has whole sets, as many as a power of two", () => {
    for (const capacity of [0, 7, 12, 100]) expect(() => new RecentDigests(capacity)).toThrow(RangeError);
  });
});
