import { describe, expect, test } from "vitest";
import { PeerClocks } from "../../../validator/src/peerClocks.ts";

describe("the other validators' clocks", () => {
  test("say nothing before one of them was heard, and nothing when all have been silent for long", () => {
    const clocks = new PeerClocks();
    expect(clocks.computeOffsetMs(0)).toBeNull();
    clocks.hear("a", 1, 900, 1_000);
    expect(clocks.computeOffsetMs(61_000)).toBe(100);
    expect(clocks.computeOffsetMs(61_001)).toBeNull();
  });

  test("tell how far the own one is from their middle, which a liar cannot move", () => {
    const clocks = new PeerClocks();
    clocks.hear("a", 1, 5_000, 1_000);
    clocks.hear("b", 1, 5_020, 1_000);
    expect(clocks.computeOffsetMs(1_000)).toBe(-4_010);
    clocks.hear("c", 1, Number.MAX_SAFE_INTEGER, 1_000);
    expect(clocks.computeOffsetMs(1_000)).toBe(-4_020);
  });

  test("are not asked by tips that are sent again at a standstill", () => {
    const clocks = new PeerClocks();
    clocks.hear("a", 7, 1_000, 1_010);
    clocks.hear("a", 7, 1_000, 9_000);
    clocks.hear("a", 6, 1_000, 9_000);
    expect(clocks.computeOffsetMs(9_000)).toBe(10);
    clocks.hear("a", 8, 9_000, 9_020);
    expect(clocks.computeOffsetMs(9_020)).toBe(20);
  });

  test("are kept of so many validators and no more", () => {
    const clocks = new PeerClocks();
    for (let peer = 0; peer < 10_000; peer++) clocks.hear(`${peer}`, 1, 0, peer);
    // 10,000 are fifty times the limit; what is kept are the newest.
    expect(clocks.computeOffsetMs(9_999)).toBeGreaterThanOrEqual(9_800);
  });
});
