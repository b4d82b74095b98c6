/** How far the others are, as they say. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createValidatorSet } from "../../../protocol/src/agreement/certificates.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { PeerRounds } from "../../../validator/src/rounds/peerRounds.ts";

const keyOf = (index: number) =>
  new Uint8Array(32)
    .with(0, index >> 16)
    .with(1, (index >> 8) & 255)
    .with(2, index & 255);
const nameOf = (index: number) => encodeHex(keyOf(index));
/** Members from this one on. */
const setOf = (first: number, count: number) =>
  createValidatorSet(Array.from({ length: count }, (_, index) => keyOf(first + index)));

describe("the rounds of the others", () => {
  test("are what more than f of a set claim, however high f of it lie", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(1_000), { minLength: 4, maxLength: 100 }),
        fc.nat(Number.MAX_SAFE_INTEGER),
        fc.nat(1_000),
        (claims, lie, own) => {
          const set = setOf(0, claims.length);
          const faulty = claims.length - set.quorum;
          const peers = new PeerRounds();
          for (const [index, claim] of claims.entries()) peers.hear(nameOf(index), claim);
          expect(peers.computeBehind(own, [set])).toBe(
            Math.max(0, claims.toSorted((a, b) => b - a)[faulty]! - own),
          );
          for (let liar = 0; liar < faulty; liar++) peers.hear(nameOf(liar), lie);
          expect(peers.computeBehind(own, [set])).toBeLessThanOrEqual(Math.max(0, Math.max(...claims) - own));
        },
      ),
    );
  });

  test("only ever rise, and count by the seats that there are", () => {
    const peers = new PeerRounds();
    peers.hear(nameOf(0), 9);
    peers.hear(nameOf(0), 5);
    peers.hear(nameOf(1), 4);
    const three = setOf(0, 3);
    expect(peers.computeBehind(2, [three])).toBe(7);
    expect(peers.computeBehind(2, [setOf(0, 4)])).toBe(2);
    expect(peers.computeBehind(2, [setOf(1, 3)])).toBe(2);
    expect(peers.computeBehind(2, [three])).toBe(7);
  });

  test("are not what those lied who have left, a few with each set", () => {
    const peers = new PeerRounds();
    for (let index = 0; index < 40; index++) peers.hear(nameOf(index), 1_000_000);
    for (let index = 40; index < 44; index++) peers.hear(nameOf(index), 7);
    expect(peers.computeBehind(5, [setOf(40, 4)])).toBe(2);
  });

  test("are seen from an epoch ago too, by the seats that are left of it or those of the next", () => {
    const peers = new PeerRounds();
    // One of four has left, and one has come.
    for (const index of [2, 3, 4]) peers.hear(nameOf(index), 90);
    peers.hear(nameOf(0), 40);
    peers.hear(nameOf(1), 40);
    expect(peers.computeBehind(30, [setOf(0, 4), setOf(1, 4)])).toBe(60);
    expect(peers.computeBehind(30, [setOf(0, 3), setOf(2, 4)])).toBe(60);
    expect(peers.computeBehind(30, [setOf(2, 4), setOf(6, 3)])).toBe(60);
    expect(peers.computeBehind(30, [])).toBe(0);
  });

  test("of more peers than there can be take no memory, and those that are here are heard", () => {
    const peers = new PeerRounds();
    for (let index = 0; index < 10_000; index++) peers.hear(nameOf(index), index);
    expect(peers.computeBehind(0, [setOf(0, 3)])).toBe(0);
    expect(peers.computeBehind(0, [setOf(9_998, 2)])).toBe(9_999);
  });
});
