/** The first score by example; no order matters and no unit is lost. */
import fc from "fast-check";
import { cellToChildren, latLngToCell } from "h3-js";
import { describe, expect, test } from "vitest";
import { computeScore } from "../../../protocol/src/score/score.ts";
import { computeScoreV1 } from "../../../protocol/src/score/scoreV1.ts";
import { computeUnits } from "../../../protocol/src/score/units.ts";
import { anyEvidence, createEvidence, type Link } from "./evidence.ts";

const everyone = (count: number) => new Uint8Array(count).fill(1);
const far = [latLngToCell(48.2, 16.3, 12), latLngToCell(52.5, 13.4, 12), latLngToCell(40.4, -80, 12)];

describe("score, version 1", () => {
  test("adds units of every beacon sent and witnessed", () => {
    const evidence = createEvidence(far, [
      [0, [1, 2]],
      [1, [0]],
    ]);
    const score = computeScoreV1({ ...evidence, active: everyone(3) });
    expect([...score.beaconUnitsPpm]).toEqual([500_000, 250_000, 0]);
    expect([...score.witnessUnitsPpm]).toEqual([1_000_000, 1_000_000, 1_000_000]);
    expect([...score.scalePpm]).toEqual([1_000_000, 1_000_000, 1_000_000]);
    expect([...score.witnessShares]).toEqual([1e12, 1e12, 1e12]);
    expect(score.version).toBe(1);
  });

  test("scales by the crowd of active hotspots only", () => {
    const crowd = cellToChildren(latLngToCell(48.2, 16.3, 10), 12).slice(0, 4);
    const evidence = createEvidence([...crowd, far[1]!], [[4, [0, 1]]]);
    const idle = computeScoreV1({ ...evidence, active: Uint8Array.of(1, 1, 0, 0, 1) });
    expect([...idle.scalePpm]).toEqual([500_000, 500_000, 0, 0, 1_000_000]);
    const busy = computeScoreV1({ ...evidence, active: everyone(5) });
    expect([...busy.scalePpm]).toEqual([250_000, 250_000, 250_000, 250_000, 1_000_000]);
    expect([...busy.witnessShares]).toEqual([250e9, 250e9, 0, 0, 0]);
  });

  test("counts a hotspot that the epoch pays as active", () => {
    const score = computeScoreV1({ ...createEvidence(far, [[0, [1]]]), active: new Uint8Array(3) });
    expect([...score.scalePpm]).toEqual([1_000_000, 1_000_000, 0]);
  });

  test("is the same for any order of beacons and witnesses, and loses no unit", () => {
    fc.assert(
      fc.property(anyEvidence, ({ cells, links }) => {
        const active = everyone(cells.length);
        const score = computeScoreV1({ ...createEvidence(cells, links), active });
        const turned = links
          .toReversed()
          .map(([beaconer, witnesses]): Link => [beaconer, witnesses.toReversed()]);
        expect(computeScoreV1({ ...createEvidence(cells, turned), active })).toEqual(score);

        let expected = 0;
        for (const [, witnesses] of links) {
          const units = computeUnits(witnesses.length);
          expected += units.beaconerPpm + witnesses.length * units.perWitnessPpm;
        }
        const sum = (values: Float64Array) => values.reduce((total, value) => total + value, 0);
        expect(sum(score.beaconUnitsPpm) + sum(score.witnessUnitsPpm)).toBe(expected);
        for (let i = 0; i < cells.length; i++) {
          expect(score.beaconShares[i]).toBe(score.beaconUnitsPpm[i]! * score.scalePpm[i]!);
          expect(score.witnessShares[i]).toBe(score.witnessUnitsPpm[i]! * score.scalePpm[i]!);
        }
      }),
      { numRuns: 50 },
    );
  });

  test("is found by its number, and no other is", () => {
    const input = { ...createEvidence(far, [[0, [1]]]), active: everyone(3) };
    expect(computeScore(1, input)).toEqual(computeScoreV1(input));
    expect(() => computeScore(3, input)).toThrow(RangeError);
  });
});
