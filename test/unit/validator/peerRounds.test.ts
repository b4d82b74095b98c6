/** How far the others are, as they say. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PeerRounds } from "../../../validator/src/rounds/peerRounds.ts";

describe("the rounds of the others", () => {
  test("are what more than f of them claim, however high f of them lie", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(1_000), { minLength: 3, maxLength: 66 }),
        fc.array(fc.nat(Number.MAX_SAFE_INTEGER), { maxLength: 33 }),
        fc.nat(1_000),
        (honest, lies, own) => {
          const peers = new PeerRounds();
          for (const [index, claim] of [...lies, ...honest].entries()) peers.hear(`${index}`, claim);
          const behind = peers.computeBehind(own, lies.length);
          expect(behind).toBeLessThanOrEqual(Math.max(0, Math.max(...honest) - own));
          // Without lies the highest honest word counts.
          if (lies.length === 0) expect(behind).toBe(Math.max(0, Math.max(...honest) - own));
        },
      ),
    );
  });

  test("only ever rise, and go with a link", () => {
    const peers = new PeerRounds();
    peers.hear("a", 9);
    peers.hear("a", 5);
    expect(peers.computeBehind(2, 0)).toBe(7);
    expect(peers.computeBehind(2, 1)).toBe(0);
    peers.forget("a");
    expect(peers.computeBehind(2, 0)).toBe(0);
  });

  test("of more peers than there can be take no memory", () => {
    const peers = new PeerRounds();
    for (let i = 0; i < 10_000; i++) peers.hear(`${i}`, i);
    expect(peers.computeBehind(0, 0)).toBe(199);
  });
});
