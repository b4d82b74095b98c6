/**
 * Score version 2: by example, and the properties that docs/truth.md states, each as far as it holds. Where two of them
 * cannot both hold, the test says how far each does. What the draw of paid witnesses adds is in draw.test.ts.
 */
import fc from "fast-check";
import { gridDisk, gridDistance, latLngToCell } from "h3-js";
import { describe, expect, test } from "vitest";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { sha256 } from "../../../protocol/src/crypto/sha256.ts";
import { PPM } from "../../../protocol/src/network/parameters.ts";
import { CROWD_HALF, computeCrowdScalesPpm, computeScalePpm } from "../../../protocol/src/score/crowd.ts";
import { computeScore } from "../../../protocol/src/score/score.ts";
import { computeScoreV2 } from "../../../protocol/src/score/scoreV2.ts";
import { computeQualityPpm } from "../../../protocol/src/trust/quality.ts";
import { START_TRUST_PPM } from "../../../protocol/src/trust/startTrust.ts";
import { createRandom } from "../../bench/population.ts";
import type { Link } from "./evidence.ts";
import { createTrustedInput, placeOf, type TrustedHotspot } from "./trustedNetwork.ts";

/** Hotspots on a circle, all `radiusM` from the middle and far from each other. */
const around = (count: number, radiusM: number, part: Partial<TrustedHotspot> = {}): TrustedHotspot[] =>
  Array.from({ length: count }, (_, i) => ({
    eastM: Math.round(radiusM * Math.cos((2 * Math.PI * i) / count)),
    northM: Math.round(radiusM * Math.sin((2 * Math.PI * i) / count)),
    ...part,
  }));
const middle: TrustedHotspot = { eastM: 0, northM: 0 };
const others = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);
const score = (
  hotspots: readonly TrustedHotspot[],
  links: readonly Link[],
  isPaid?: (w: number) => boolean,
) => computeScoreV2(createTrustedInput(hotspots, links, isPaid === undefined ? {} : { isPaid }));

describe("quality by distance", () => {
  test.each([
    [0, 0],
    [300, 0],
    [650, 500_000],
    [1_000, PPM],
    [15_000, PPM],
    [32_500, 500_000],
    [50_000, 0],
    [99_000, 0],
  ])("%i m are worth %i ppm", (distanceM, qualityPpm) => {
    expect(computeQualityPpm(distanceM)).toBe(qualityPpm);
  });

  test("has no step of more than a seven-hundredth a metre", () => {
    for (let m = 0; m < 60_000; m++)
      expect(Math.abs(computeQualityPpm(m + 1) - computeQualityPpm(m))).toBeLessThanOrEqual(1_429);
  });
});

describe("score, version 2", () => {
  test("a beacon is worth its three best links, a reception a third of its own", () => {
    const hotspots = [middle, ...around(4, 3_000, { trustPpm: 900_000 })];
    const { beaconUnitsPpm, witnessUnitsPpm, detail } = score(hotspots, [[0, [1, 2, 3, 4]]]);
    expect(beaconUnitsPpm[0]).toBe(900_000);
    expect([...witnessUnitsPpm]).toEqual([0, 300_000, 300_000, 300_000, 300_000]);
    expect([...detail!.receptionUnitsPpm]).toEqual([300_000, 300_000, 300_000, 300_000]);
  });

  test("is worth the lesser trust of both ends, of the suspended what the graph gives them", () => {
    const suspended = { ...middle, trustPpm: 60_000, creditPpm: 800_000 };
    const { beaconUnitsPpm, witnessUnitsPpm } = score([suspended, ...around(3, 3_000)], [[0, [1, 2, 3]]]);
    // Its own beacon is reckoned by its credit, and withheld elsewhere; who hears it gets by what it is trusted.
    expect(beaconUnitsPpm[0]).toBe(800_000);
    expect(witnessUnitsPpm[1]).toBe(20_000);
  });

  test("counts one witness in 350 m, the better one, and two of an owner, the beaconer among them", () => {
    const near = { eastM: 3_000, northM: 200, trustPpm: 500_000 };
    const pair = [middle, { eastM: 3_000, northM: 0 }, near, { eastM: -3_000, northM: 0 }];
    expect(score(pair, [[0, [1, 2, 3]]]).beaconUnitsPpm[0]).toBe(666_666);
    const fleet = [middle, ...around(3, 3_000)].map((hotspot) => ({ ...hotspot, owner: 7 }));
    expect(score(fleet, [[0, [1, 2, 3]]]).beaconUnitsPpm[0]).toBe(333_333);
  });

  test("pays drawn witnesses only, and beaconers by all; and nobody who is one-sided", () => {
    const hotspots = [middle, ...around(3, 3_000)];
    const drawn = score(hotspots, [[0, [1, 2, 3]]], (witness) => witness === 2);
    expect(drawn.beaconUnitsPpm[0]).toBe(PPM);
    expect([...drawn.witnessUnitsPpm]).toEqual([0, 0, 333_333, 0]);
    const oneSided = hotspots.map((hotspot, i) => ({ ...hotspot, isTwoSided: i > 1 }));
    const { beaconUnitsPpm, witnessUnitsPpm } = score(oneSided, [[0, [1, 2, 3]]]);
    expect(beaconUnitsPpm[0]).toBe(0);
    expect([...witnessUnitsPpm]).toEqual([0, 0, 333_333, 333_333]);
  });

  test("pays nobody on one counterpart's word, and those who hear it as much as else", () => {
    const hotspots = [{ ...middle, isCorroborated: false }, ...around(3, 3_000)];
    const { beaconUnitsPpm, witnessUnitsPpm } = score(hotspots, [
      [0, [1, 2, 3]],
      [1, [0]],
    ]);
    expect([...beaconUnitsPpm]).toEqual([0, 333_333, 0, 0]);
    expect([...witnessUnitsPpm]).toEqual([0, 333_333, 333_333, 333_333]);
  });

  test("asks for trust", () => {
    const { trusted: _, ...bare } = createTrustedInput([middle], []);
    expect(() => computeScore(2, bare)).toThrow(RangeError);
  });

  test("a made-up network has one digest", () => {
    const random = createRandom(9);
    const below = (most: number): number => Math.floor(random() * most);
    const hotspots = Array.from({ length: 300 }, () => ({
      eastM: below(30_000),
      northM: below(30_000),
      trustPpm: below(PPM + 1),
      standingPpm: below(9 * PPM),
      owner: below(120),
    }));
    const links = Array.from({ length: 200 }, (_unused, i): Link => {
      const witnesses = new Set(Array.from({ length: below(14) }, () => (i + 1 + below(298)) % 300));
      witnesses.delete(i);
      return [i, [...witnesses]];
    });
    const { beaconShares, witnessShares } = score(hotspots, links);
    const bytes = new Uint8Array(4_800);
    const view = new DataView(bytes.buffer);
    for (let i = 0; i < 300; i++) {
      view.setFloat64(i * 16, beaconShares[i]!);
      view.setFloat64(i * 16 + 8, witnessShares[i]!);
    }
    expect(encodeHex(sha256(bytes))).toMatchInlineSnapshot(
      `"4e7c3072e132526ea80941d64b797a5c142e467056ebc9e1871ca2d3c78c6c6e"`,
    );
  });
});

const anyHotspot = fc.record({
  eastM: fc.integer({ min: -20_000, max: 20_000 }),
  northM: fc.integer({ min: -20_000, max: 20_000 }),
  trustPpm: fc.nat(PPM),
});

describe("more honest coverage never lowers one's own reward", () => {
  test("a witness with a place and an owner of its own never lowers a beacon's worth", () => {
    fc.assert(
      fc.property(fc.array(anyHotspot, { maxLength: 20 }), anyHotspot, (list, newcomer) => {
        const apart = list.filter(
          ({ eastM, northM }) => Math.hypot(eastM - newcomer.eastM, northM - newcomer.northM) > 400,
        );
        const hotspots = [middle, ...apart, newcomer];
        const before = score(hotspots, [[0, others(apart.length)]]).beaconUnitsPpm[0]!;
        const after = score(hotspots, [[0, others(apart.length + 1)]]).beaconUnitsPpm[0]!;
        expect(after).toBeGreaterThanOrEqual(before);
      }),
    );
  });

  /** What a witness earns in an interval in which it hears each of so many once. */
  const earnBy = (own: Partial<TrustedHotspot>, trustsPpm: readonly number[]): number => {
    const counterparts = around(trustsPpm.length, 5_000).map((one, i) => ({
      ...one,
      trustPpm: trustsPpm[i]!,
    }));
    const links = trustsPpm.map((_, i): Link => [i + 1, [0]]);
    return score([{ ...middle, ...own }, ...counterparts], links).witnessUnitsPpm[0]!;
  };

  test("a counterpart more never lowers what a witness earns in an interval, but for a millionth each by rounding", () => {
    const trusts = fc.array(fc.nat(PPM), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(fc.nat(PPM), trusts, (trustPpm, list) => {
        const earned = earnBy({ trustPpm }, list);
        expect(earned).toBeGreaterThanOrEqual(earnBy({ trustPpm }, list.slice(0, -1)) - list.length);
        // A third of its links' worth, and no more than its own trust.
        const sum = list.reduce((total, other) => total + Math.min(trustPpm, other), 0);
        const expected = Math.min(sum / 3, trustPpm);
        expect(earned).toBeLessThanOrEqual(expected + 1);
        expect(earned).toBeGreaterThanOrEqual(expected - 2 * list.length - 1);
      }),
    );
  });

  test("ten who begin with a fifth are worth two, by beacons and by receptions, however much they vouch for each other", () => {
    const starters = around(10, 5_000, { trustPpm: START_TRUST_PPM });
    const all = starters.map((_, i) => i);
    const links = all.map((i): Link => [i, all.filter((other) => other !== i)]);
    const { beaconUnitsPpm, witnessUnitsPpm } = score(starters, links);
    const sum = (units: Float64Array): number => units.reduce((total, one) => total + one, 0);
    expect(sum(beaconUnitsPpm)).toBe(2 * PPM);
    expect(sum(witnessUnitsPpm)).toBeLessThanOrEqual(2 * PPM);
  });

  test("one's own trust is not divided away: a quarter of it is a quarter of the pay, and a suspended one accrues one part", () => {
    const dense = Array<number>(25).fill(PPM);
    expect(earnBy({}, dense)).toBe(PPM);
    expect(earnBy({ trustPpm: PPM / 4 }, dense)).toBe(PPM / 4);
    // Beside others that are found against as well it is no better off.
    expect(earnBy({ trustPpm: PPM / 4 }, Array<number>(25).fill(PPM / 4))).toBe(PPM / 4);
    expect(earnBy({ trustPpm: 62_500, creditPpm: PPM }, dense)).toBe(PPM);
  });
});

/** The scale of the first of these hotspots. */
const scaleOf = (hotspots: readonly TrustedHotspot[]): number => {
  const { cellHi, cellLo, trusted } = createTrustedInput(hotspots, []);
  const members = Uint32Array.from(hotspots.keys());
  return computeCrowdScalesPpm({ cellHi, cellLo, trustPpm: trusted!.crowdPpm }, members)[0]!;
};

test("those whose pay is withheld crowd each other and nobody else", () => {
  const places = [0, 1, 2, 3].map((i) => ({ eastM: 10 * i, northM: 0 }));
  const { cellHi, cellLo } = createTrustedInput(places, []);
  const trustPpm = Uint32Array.of(PPM, PPM, 0, 0);
  const withheldPpm = Uint32Array.of(0, 0, PPM, PPM / 2);
  const scales = computeCrowdScalesPpm({ cellHi, cellLo, trustPpm, withheldPpm }, Uint32Array.of(0, 1, 2, 3));
  // One other; one other; two and a half others; three others.
  expect([...scales]).toEqual([1, 1, 2.5, 3].map((others) => Math.floor((4 * PPM) / (4 + others))));
});

describe("hotspots asserted beside a rival", () => {
  const crowd = fc.array(anyHotspot, { maxLength: 12 });

  test("change nothing below the paying threshold, and else lower the scale by at most their trust over four and the crowd", () => {
    const cheap = fc.record({ count: fc.nat(30), trustPpm: fc.nat(PPM) });
    fc.assert(
      fc.property(crowd, cheap, (list, { count, trustPpm }) => {
        const before = scaleOf([middle, ...list]);
        const beside = Array.from({ length: count }, () => ({ ...middle, trustPpm }));
        const after = scaleOf([middle, ...list, ...beside]);
        if (trustPpm < 100_000) expect(after).toBe(before);
        // 1/after - 1/before is at most their trust over four: the bound, free of what else crowds.
        const added = (count * trustPpm) / PPM / CROWD_HALF;
        expect(PPM / (after + 1)).toBeLessThanOrEqual(PPM / before + added);
      }),
    );
  });

  test("of one owner or on one roof count for few: an owner's sixteen for four, a roof's twelve for three", () => {
    // The caps' factors (penalties/caps.ts): cap over the trust that stands there, at least a quarter.
    const halved = scaleOf([middle, ...Array.from({ length: 16 }, () => ({ ...middle, trustPpm: PPM / 4 }))]);
    expect(halved).toBe(PPM / 2);
    // On one roof the rival is one of the twelve that count as three, and so has a quarter of its own trust as well.
    const quarter = { ...middle, trustPpm: PPM / 4 };
    const crowd = Array.from({ length: 11 }, () => quarter);
    expect(scaleOf([quarter, ...crowd])).toBe(Math.floor((16 * PPM) / 27));
    const witnesses = around(3, 3_000);
    const { beaconShares } = score([quarter, ...witnesses, ...crowd], [[0, [1, 2, 3]]]);
    expect(beaconShares[0]! / PPM ** 2).toBeCloseTo(4 / 27, 5);
  });
});

describe("no cliff at a cell's edge", () => {
  test("moving one cell changes the scale by at most a factor of 2, and a quarter for each whole trust at the rim", () => {
    const dense = fc.array(
      fc.record({
        eastM: fc.integer({ min: -3_500, max: 3_500 }),
        northM: fc.integer({ min: -3_500, max: 3_500 }),
        trustPpm: fc.integer({ min: 100_000, max: PPM }),
      }),
      { maxLength: 60 },
    );
    const cellOf = (hotspot: TrustedHotspot): string => latLngToCell(...placeOf(hotspot), 8);
    fc.assert(
      fc.property(dense, fc.nat(300), (list, angle) => {
        const moved = {
          eastM: Math.round(800 * Math.cos(angle)),
          northM: Math.round(800 * Math.sin(angle)),
        };
        fc.pre(gridDisk(cellOf(middle), 1).includes(cellOf(moved)));
        const [here, there] = [scaleOf([middle, ...list]), scaleOf([moved, ...list])];
        const rim = (from: TrustedHotspot, to: TrustedHotspot): number =>
          list
            .filter(
              (one) =>
                gridDistance(cellOf(from), cellOf(one)) <= 2 && gridDistance(cellOf(to), cellOf(one)) > 2,
            )
            .reduce((sum, { trustPpm }) => sum + trustPpm / PPM / 4, 0);
        expect(there / here).toBeLessThanOrEqual((2 + rim(middle, moved) / CROWD_HALF) * 1.000_01);
        expect(here / there).toBeLessThanOrEqual((2 + rim(moved, middle) / CROWD_HALF) * 1.000_01);
      }),
      { numRuns: 60 },
    );
  });

  test("forty on one side of an edge change it less than twofold, where a hard cell would by forty-one", () => {
    const forty = (hotspot: TrustedHotspot) => Array.from({ length: 40 }, () => hotspot);
    const inside = scaleOf([middle, ...forty(middle)]);
    const outside = scaleOf([{ eastM: 900, northM: 0 }, ...forty(middle)]);
    expect(outside / inside).toBeLessThan(2);
  });
});

describe("the scale of the n-th hotspot in a cell", () => {
  test("is less than that of the one before, and it adds less to the cell's than that one", () => {
    const scales = Array.from({ length: 60 }, (_, n) => computeScalePpm(n * PPM));
    for (let n = 1; n < scales.length; n++) {
      expect(scales[n]!).toBeLessThan(scales[n - 1]!);
      const total = (count: number): number => count * (scales[count - 1] ?? 0);
      if (n > 1) expect(total(n + 1) - total(n)).toBeLessThanOrEqual(total(n) - total(n - 1) + n);
      expect(total(n + 1)).toBeGreaterThanOrEqual(total(n));
    }
  });

  test("costs its neighbours at most a fifth of theirs: that is the price of the one against the other", () => {
    // More coverage by others does lower one's reward: the first newcomer by 4/5, each further one by less.
    for (let n = 0; n < 60; n++) {
      const ratio = computeScalePpm((n + 1) * PPM) / computeScalePpm(n * PPM);
      expect(ratio).toBeGreaterThanOrEqual(0.799_999);
    }
  });
});

describe("a lone rural hotspot with three trusted counterparts", () => {
  test("earns the most that any hotspot can, per beacon and per interval", () => {
    const rural = [middle, ...around(3, 8_000)];
    const heard: Link[] = [1, 2, 3].map((beaconer) => [beaconer, [0]]);
    const alone = score(rural, [[0, [1, 2, 3]], ...heard]);
    expect(alone.beaconShares[0]).toBe(PPM * PPM);
    expect(alone.witnessShares[0]).toBe(999_999 * PPM);
    const city = fc.array(anyHotspot, { minLength: 2, maxLength: 30 });
    fc.assert(
      fc.property(city, (list) => {
        // Everyone beacons once and is heard by all; what is on record is what is heard.
        const all = list.map((_, i) => i);
        const links = all.map((i): Link => [i, all.filter((other) => other !== i)]);
        const { beaconShares, witnessShares } = score(list, links);
        for (const i of all) {
          expect(beaconShares[i]).toBeLessThanOrEqual(alone.beaconShares[0]!);
          expect(witnessShares[i]).toBeLessThanOrEqual(PPM * PPM);
        }
      }),
      { numRuns: 40 },
    );
  });
});
