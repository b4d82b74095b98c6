import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { SignedTips } from "../../../protocol/src/agreement/rounds.ts";
import { RoundTips } from "../../../validator/src/rounds/roundTips.ts";

const signed = {} as SignedTips;

describe("a round's tips", () => {
  test("say how long the own ones waited for a quorum's, and 0 for one who came last or saw none", () => {
    let nowMs = 1_000;
    const tips = new RoundTips(3, () => nowMs);
    tips.put(1, signed);
    tips.start();
    tips.put(0, signed);
    expect(tips.leadMs).toBe(0);
    nowMs += 80;
    tips.put(2, signed);
    nowMs += 500;
    tips.put(3, signed);
    expect(tips.leadMs).toBe(80);
    expect(tips.list()).toHaveLength(4);

    const late = new RoundTips(3, () => nowMs);
    for (const position of [1, 2, 3]) late.put(position, signed);
    nowMs += 40;
    late.start();
    late.put(0, signed);
    expect(late.leadMs).toBe(0);
  });

  test("bring a quorum together within some rounds, however far apart they began", () => {
    const offsets = fc.array(fc.integer({ min: 0, max: 500 }), { minLength: 4, maxLength: 10 });
    fc.assert(
      fc.property(offsets, (begun) => {
        const quorum = begun.length - Math.floor((begun.length - 1) / 3);
        let sentMs = begun;
        for (let round = 0; round < 14; round++) {
          const quorumAtMs = sentMs.toSorted((a, b) => a - b)[quorum - 1]!;
          sentMs = sentMs.map((own, position) => {
            let nowMs = own;
            const tips = new RoundTips(quorum, () => nowMs);
            tips.start();
            nowMs = Math.max(own, quorumAtMs);
            for (let other = 0; other < quorum; other++) tips.put(position + other, signed);
            return own + tips.leadMs / 2;
          });
        }
        const sorted = sentMs.toSorted((a, b) => a - b);
        expect(sorted[quorum - 1]! - sorted[0]!).toBeLessThan(1);
      }),
    );
  });
});
