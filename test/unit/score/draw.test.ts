/**
 * What score version 2 promises, with the draw of paid witnesses in it: of those within 350 m of each other one is paid for
 * a beacon, and four fifths of hotspots' pay are receptions'. docs/truth.md has these figures.
 */
import { describe, expect, test } from "vitest";
import { asciiBytes } from "../../../protocol/src/bytes/bytes.ts";
import { sha256 } from "../../../protocol/src/crypto/sha256.ts";
import type { UnpaidReason } from "../../../protocol/src/evidence/reasons.ts";
import { selectPaid } from "../../../protocol/src/ledger/selection.ts";
import type { EvidencedBeacon, Ledger } from "../../../protocol/src/ledger/state.ts";
import { PPM } from "../../../protocol/src/network/parameters.ts";
import { PRESETS } from "../../../protocol/src/network/presets.ts";
import { CROWD_HALF } from "../../../protocol/src/score/crowd.ts";
import { computeScoreV2, DIVERSITY_M } from "../../../protocol/src/score/scoreV2.ts";
import type { Link } from "./evidence.ts";
import { createTrustedInput, type TrustedHotspot } from "./trustedNetwork.ts";

/** Their ids are fixed, and so is every draw. */
const BEACONS = 1_000;
/** Of a twelfth of so many beacons, three standard deviations. */
const TOLERANCE = 0.3;
/** Hotspots' pools stand 20 : 80 (protocol 15.5). */
const [BEACONS_PART, RECEPTIONS_PART] = [0.2, 0.8];

const middle: TrustedHotspot = { eastM: 0, northM: 0 };
const at = (eastM: number, northM = 0): TrustedHotspot => ({ eastM, northM });
/** Hotspots within 300 m of each other and 150 m of a place. */
const cluster = (count: number, { eastM, northM }: TrustedHotspot): TrustedHotspot[] =>
  Array.from({ length: count }, (_, i) =>
    at(
      eastM + Math.round(150 * Math.cos((2 * Math.PI * i) / count)),
      northM + Math.round(150 * Math.sin((2 * Math.PI * i) / count)),
    ),
  );

/** Of all witnesses of these links in their order, whether the ledger's draw pays them. */
function drawPaid(
  hotspots: readonly TrustedHotspot[],
  links: readonly Link[],
  reasonOf: (witness: number) => UnpaidReason | null = () => null,
): boolean[] {
  const { trusted, active: isAsserted, ...evidence } = createTrustedInput(hotspots, []);
  const { latE7, lngE7 } = trusted!;
  const beacons = links.map(([hotspot, witnesses], i) => ({
    hotspot,
    commit: sha256(asciiBytes(`beacon ${i}`)),
    witnesses: witnesses.map((witness) => ({ witness, reason: reasonOf(witness) })),
  })) as unknown as EvidencedBeacon[];
  // All of the ledger that the draw asks for.
  const list = hotspots.map((_, index) => ({ key: new Uint8Array(32), owner: index }));
  const ledger = { parameters: PRESETS.mainnet, registry: { list }, tally: { beacons } } as unknown as Ledger;
  const selected = selectPaid(ledger, sha256(asciiBytes("seed")), { ...evidence, isAsserted, latE7, lngE7 });
  return selected.beacons.flatMap(({ paid }, i) => links[i]![1].map((witness) => paid.includes(witness)));
}

/** What each hotspot is paid for `BEACONS` beacons that the first one sends and all others hear, as a part of what one alone would be. */
function earnReceptions(witnesses: readonly TrustedHotspot[]): number[] {
  const hotspots = [middle, ...witnesses];
  const links = Array.from({ length: BEACONS }, (): Link => [0, witnesses.map((_, i) => i + 1)]);
  const paid = drawPaid(hotspots, links);
  const input = createTrustedInput(hotspots, links, { isPaid: (_, position) => paid[position]! });
  const { witnessShares } = computeScoreV2(input);
  // A single counterpart on record: a third of a link each.
  const alone = BEACONS * Math.floor(PPM / 3) * PPM;
  return witnesses.map((_, i) => witnessShares[i + 1]! / alone);
}

const sum = (parts: readonly number[]): number => parts.reduce((total, part) => total + part, 0);
const scaleBeside = (others: number): number => CROWD_HALF / (CROWD_HALF + others);

describe("hotspots within 350 m of each other", () => {
  const place = at(4_000);

  test.each([1, 3, 11])(
    "%i beside one cut its receptions to one in so many and one, besides its scale",
    (count) => {
      const [own] = earnReceptions([place, ...cluster(count, place)]);
      const expected = scaleBeside(count) / (count + 1);
      expect(own! / expected).toBeGreaterThan(1 - TOLERANCE);
      expect(own! / expected).toBeLessThan(1 + TOLERANCE);
      // A beacon is lowered by the scale alone: what is left of all its pay.
      const left = BEACONS_PART * scaleBeside(count) + RECEPTIONS_PART * expected;
      expect(left).toBeCloseTo({ 1: 0.48, 3: 0.229, 11: 0.071 }[count]!, 3);
    },
  );

  test("earn by receptions less together the more they are, and apart in the same cell more", () => {
    let [before, beforeApart] = [Number.POSITIVE_INFINITY, 0];
    for (let count = 1; count <= 12; count++) {
      const together = sum(earnReceptions(cluster(count, place)));
      expect(together).toBeCloseTo(scaleBeside(count - 1), 3);
      expect(together).toBeLessThan(before);
      before = together;
      if (count > 3) continue;
      // 400 m apart, in one cell and the two next to it.
      const apart = sum(earnReceptions(Array.from({ length: count }, (_, i) => at(4_000, 400 * i))));
      expect(apart).toBeGreaterThan(beforeApart);
      beforeApart = apart;
    }
    // With their beacons: one alone is worth 1, two 0.96, and never less than 0.8 together.
    const worth = (count: number): number =>
      scaleBeside(count - 1) * (BEACONS_PART * count + RECEPTIONS_PART);
    expect(worth(2)).toBeCloseTo(0.96, 10);
    for (let count = 1; count < 1_000; count++) {
      expect(worth(count + 1)).toBeLessThan(worth(count));
      expect(worth(count)).toBeGreaterThan(0.8);
    }
  });

  test("take no place in the draw when the graph gives them too little, however many they are", () => {
    const hotspots = [middle, place, ...cluster(20, place)];
    const links: Link[] = [[0, hotspots.slice(1).map((_, i) => i + 1)]];
    const paid = drawPaid(hotspots, links, (witness) => (witness === 1 ? null : "below_trust"));
    expect(paid.map((isPaid, i) => (isPaid ? i : -1)).filter((i) => i >= 0)).toEqual([0]);
  });
});

describe("the step at 350 m", () => {
  test("one cell of resolution 12 out of it multiplies receptions by one more than stand there, and all pay by less than five", () => {
    const others = 11;
    const place = at(4_000);
    const crowd = Array.from({ length: others }, () => place);
    // Two cells' centres are 19 m apart.
    const [inside] = earnReceptions([at(4_000, DIVERSITY_M - 9), ...crowd]);
    const [outside] = earnReceptions([at(4_000, DIVERSITY_M + 10), ...crowd]);
    expect(outside! / inside!).toBeGreaterThan((others + 1) * (1 - TOLERANCE));
    expect(outside! / inside!).toBeLessThan((others + 1) * (1 + TOLERANCE));
    const factor = (count: number): number => 1 / (BEACONS_PART + RECEPTIONS_PART / (count + 1));
    expect(factor(others)).toBeCloseTo(3.75, 2);
    expect(factor(1_000_000)).toBeLessThan(5);
  });

  test("an older hotspot between two others, who stand apart, takes both their places: a beacon falls from 1 to 2/3", () => {
    const witnesses = [at(4_000, 0), at(4_000, 200), at(4_000, -200), at(-4_000)];
    const worth = (list: readonly number[]): number =>
      computeScoreV2(createTrustedInput([middle, ...witnesses], [[0, list]])).beaconUnitsPpm[0]!;
    expect(worth([2, 3, 4])).toBe(PPM);
    // All links are worth the same; the lower index is taken first.
    expect(worth([1, 2, 3, 4])).toBe(666_666);
  });
});
