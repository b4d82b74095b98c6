/** The witness graph, SybilRank over it, and places against it. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Neighbourhood } from "../../../protocol/src/trust/neighbourhood.ts";
import { createPlaceEvidence, measureNetworkPlaces } from "../../../protocol/src/trust/networkPlaces.ts";
import {
  checkEdgePlausibility,
  computePlaceScoreOctaves,
} from "../../../protocol/src/trust/penalties/edgePlausibility.ts";
import { computeGraphTrustPpm } from "../../../protocol/src/trust/sybilRank.ts";
import { RAMPS } from "../../../protocol/src/trust/thresholds.ts";
import {
  computeEdgeWeight,
  createWitnessGraph,
  EDGE_WEIGHT_MAX,
  reorderBreadthFirst,
  type WitnessGraph,
  YOUNG_EDGE_WEIGHT_MAX,
} from "../../../protocol/src/trust/witnessGraph.ts";
import { createRandom } from "../../bench/population.ts";

type Edge = readonly [a: number, b: number];

const createGraph = (count: number, edges: readonly Edge[], weight = EDGE_WEIGHT_MAX): WitnessGraph =>
  createWitnessGraph(count, {
    a: Uint32Array.from(edges, ([a]) => a),
    b: Uint32Array.from(edges, ([, b]) => b),
    weight: new Uint8Array(edges.length).fill(weight),
  });

/** `count` hotspots from `first` on, each linked with each other one with a probability. */
function createCluster(first: number, count: number, share: number, seed: number): Edge[] {
  const random = createRandom(seed);
  const edges: Edge[] = [];
  for (let a = 0; a < count; a++) {
    for (let b = a + 1; b < count; b++) if (random() < share) edges.push([first + a, first + b]);
  }
  return edges;
}

const edgeLists = fc.array(fc.tuple(fc.nat(19), fc.nat(19), fc.integer({ min: 0, max: 8 })), {
  maxLength: 60,
});

describe("the witness graph", () => {
  test("weighs edges by verified epochs, to a cap, and young ones little", () => {
    expect(computeEdgeWeight(3, 100, 84)).toBe(3);
    expect(computeEdgeWeight(300, 100, 84)).toBe(EDGE_WEIGHT_MAX);
    expect(computeEdgeWeight(300, 83, 84)).toBe(YOUNG_EDGE_WEIGHT_MAX);
    expect(computeEdgeWeight(0, 100, 84)).toBe(0);
  });

  test("has every edge in both rows, rows ascending, and no loops", () => {
    fc.assert(
      fc.property(edgeLists, (edges) => {
        const graph = createWitnessGraph(20, {
          a: Uint32Array.from(edges, ([a]) => a),
          b: Uint32Array.from(edges, ([, b]) => b),
          weight: Uint8Array.from(edges, ([, , weight]) => weight),
        });
        const rows = Array.from({ length: 20 }, (_, h) => [
          ...graph.neighbour.subarray(graph.start[h], graph.start[h + 1]),
        ]);
        const expected = Array.from({ length: 20 }, (): number[] => []);
        for (const [a, b, weight] of edges) {
          if (a === b || weight === 0) continue;
          expected[a]!.push(b);
          expected[b]!.push(a);
        }
        expect(rows).toEqual(expected.map((row) => row.sort((x, y) => x - y)));
      }),
    );
  });

  test("keeps every edge and its weight when renumbered", () => {
    const graph = createGraph(30, createCluster(0, 30, 0.2, 1), 3);
    const renumbered = reorderBreadthFirst(graph);
    const list = ({ start, neighbour, weight }: WitnessGraph, nameOf: (h: number) => number) =>
      Array.from({ length: 30 }, (_, h) => h)
        .flatMap((h) =>
          Array.from({ length: start[h + 1]! - start[h]! }, (_, i) => start[h]! + i).map(
            (i) => `${nameOf(h)} ${nameOf(neighbour[i]!)} ${weight[i]}`,
          ),
        )
        .sort();
    expect(list(renumbered.graph, (h) => renumbered.order[h]!)).toEqual(list(graph, (h) => h));
  });
});

describe("SybilRank", () => {
  const HONEST = 200;
  const SYBILS = 100;
  const honest = createCluster(0, HONEST, 0.12, 2);
  const ring = createCluster(HONEST, SYBILS, 0.7, 3);
  const attack = (count: number): Edge[] =>
    Array.from({ length: count }, (_, i) => [(i * 37) % HONEST, HONEST + ((i * 13) % SYBILS)]);
  const seeds = Uint32Array.from({ length: 10 }, (_, i) => i * 17);
  const trustOf = (edges: readonly Edge[], from: Uint32Array = seeds) =>
    computeGraphTrustPpm(createGraph(HONEST + SYBILS, edges), from);
  const mean = (trust: Uint32Array): number => trust.reduce((sum, ppm) => sum + ppm, 0) / trust.length;

  test("trusts the honest and not the ring, with 0, 5 and 20 attack edges", () => {
    for (const count of [0, 5, 20]) {
      const trust = trustOf([...honest, ...ring, ...attack(count)]);
      expect(mean(trust.subarray(0, HONEST))).toBeGreaterThan(850_000);
      expect(mean(trust.subarray(HONEST))).toBeLessThan(20_000);
    }
  });

  test("one corrupted seed in the ring decides nothing", () => {
    const corrupted = Uint32Array.from([...seeds.subarray(0, 9), HONEST + 5]);
    const trust = trustOf([...honest, ...ring, ...attack(5)], corrupted);
    expect(mean(trust.subarray(HONEST))).toBeLessThan(20_000);
  });

  test("three corrupted seeds of ten decide nothing: in breadth-first order they stand together", () => {
    const { graph, order } = reorderBreadthFirst(
      createGraph(HONEST + SYBILS, [...honest, ...ring, ...attack(5)]),
    );
    const numberOf = new Map(Array.from(order, (hotspot, number) => [hotspot, number]));
    const corrupted = [...seeds.subarray(0, 7), HONEST + 5, HONEST + 40, HONEST + 90];
    const trust = computeGraphTrustPpm(
      graph,
      Uint32Array.from(corrupted, (seed) => numberOf.get(seed)!),
    );
    const trustIn = (isRing: boolean) =>
      mean(trust.filter((_, number) => order[number]! >= HONEST === isRing));
    expect(trustIn(true)).toBeLessThan(20_000);
    expect(trustIn(false)).toBeGreaterThan(850_000);
  });

  test("who decides depends on how many seeds a region has: of five no two, of four two, of two or one each", () => {
    // Corrupted seeds are numbered last, so that they are neighbours, or first, where the deal gives one two groups.
    const ringTrust = (count: number, corrupted: number, ringFirst: boolean): number => {
      const move = (hotspot: number) => (ringFirst ? (hotspot + SYBILS) % (HONEST + SYBILS) : hotspot);
      const graph = createGraph(
        HONEST + SYBILS,
        [...honest, ...ring].map(([a, b]): Edge => [move(a), move(b)]),
      );
      const all = Array.from({ length: count }, (_, i) => (i < corrupted ? HONEST + 7 * i : 17 * i));
      const trust = computeGraphTrustPpm(graph, Uint32Array.from(all, move));
      return mean(trust.filter((_, number) => (ringFirst ? number < SYBILS : number >= HONEST)));
    };
    const trustOfEither = (count: number, corrupted: number) =>
      Math.max(ringTrust(count, corrupted, true), ringTrust(count, corrupted, false));
    for (const count of [5, 6, 7, 8, 9, 10]) expect([count, trustOfEither(count, 2)]).toEqual([count, 0]);
    for (const count of [3, 4]) {
      expect([count, trustOfEither(count, 1)]).toEqual([count, 0]);
      expect(trustOfEither(count, 2)).toBeGreaterThan(500_000);
    }
    for (const count of [1, 2]) expect(trustOfEither(count, 1)).toBeGreaterThan(500_000);
  });

  test("one seed of a region is outvoted there, two that agree are not", () => {
    const city = createCluster(HONEST, SYBILS, 0.2, 5);
    const graph = createGraph(HONEST + SYBILS, [...honest, ...city]);
    const region = Uint32Array.from({ length: HONEST + SYBILS }, (_, h) => (h < HONEST ? 0 : 1));
    const cityTrust = (more: readonly number[]): number =>
      mean(computeGraphTrustPpm(graph, Uint32Array.from([...seeds, ...more]), region).subarray(HONEST));
    expect(cityTrust([HONEST])).toBe(0);
    expect(cityTrust([HONEST, HONEST + 1])).toBeGreaterThan(800_000);
  });

  test("where trust mixes slowly the middle has its own reference, and too slowly it leaves some out", () => {
    // A street of 120 hotspots with ten seeds, each linked with its next few on both sides: seven steps of the walk.
    const trustedOnStreet = (reach: number): number => {
      const edges = Array.from({ length: 120 }, (_, a) =>
        Array.from({ length: Math.min(reach, 119 - a) }, (__, step): Edge => [a, a + step + 1]),
      ).flat();
      const along = Uint32Array.from({ length: 10 }, (_, i) => i * 12 + 6);
      return computeGraphTrustPpm(createGraph(120, edges), along).filter((ppm) => ppm >= 100_000).length;
    };
    expect(trustedOnStreet(15)).toBe(120);
    // As docs/truth.md says.
    expect(trustedOnStreet(10)).toBe(87);
  });

  test("does not depend on how hotspots are numbered", () => {
    const graph = createGraph(HONEST + SYBILS, [...honest, ...ring, ...attack(20)]);
    const trust = computeGraphTrustPpm(graph, seeds);
    const renumbered = reorderBreadthFirst(graph);
    const numberOf = new Map(Array.from(renumbered.order, (hotspot, number) => [hotspot, number]));
    // Groups are dealt by number within a region, so each seed gets a region in which it stays where it was.
    const region = new Uint32Array(HONEST + SYBILS);
    for (const [place, seed] of seeds.entries()) region[seed] = place + 1;
    const expected = computeGraphTrustPpm(graph, seeds, region);
    const other = computeGraphTrustPpm(
      renumbered.graph,
      seeds.map((seed) => numberOf.get(seed)!),
      renumbered.order.map((hotspot) => region[hotspot]!),
    );
    for (const [number, hotspot] of renumbered.order.entries()) expect(other[number]).toBe(expected[hotspot]);
    expect(trust.length).toBe(expected.length);
  });

  test("an island without seeds, a hotspot alone, no seeds and no hotspots have no trust and do no harm", () => {
    const island = createCluster(HONEST, 20, 0.5, 4);
    const trust = trustOf([...honest, ...island]);
    expect(Math.max(...trust.subarray(HONEST))).toBe(0);
    expect(mean(trust.subarray(0, HONEST))).toBeGreaterThan(850_000);
    expect(trustOf(honest, new Uint32Array(0)).every((ppm) => ppm === 0)).toBe(true);
    expect(computeGraphTrustPpm(createGraph(1, []), Uint32Array.of(0))).toEqual(Uint32Array.of(0));
    expect(computeGraphTrustPpm(createGraph(0, []), new Uint32Array(0))).toEqual(new Uint32Array(0));
  });

  test("with one or two seeds each is in every group, so that the smallest network starts", () => {
    const pair = computeGraphTrustPpm(
      createGraph(3, [
        [0, 1],
        [1, 2],
        [0, 2],
      ]),
      Uint32Array.of(0),
    );
    expect(Math.min(...pair)).toBeGreaterThan(0);
  });

  test("a city is measured by its own seeds: many seeds elsewhere do not lower it", () => {
    const city = createCluster(HONEST, SYBILS, 0.2, 5);
    const graph = createGraph(HONEST + SYBILS, [...honest, ...city, ...attack(2)]);
    const region = Uint32Array.from({ length: HONEST + SYBILS }, (_, h) => (h < HONEST ? 0 : 1));
    const few = Uint32Array.from([...seeds, HONEST, HONEST + 1, HONEST + 2]);
    expect(mean(computeGraphTrustPpm(graph, few, region).subarray(HONEST))).toBeGreaterThan(800_000);
  });
});

describe("places", () => {
  // A city of 12 x 12 hotspots, 800 m apart, each linked with those within 2.5 km.
  const SIDE = 12;
  const STEP_E7 = 72_000;
  const LNG_STEP_E7 = 101_800;
  const places = () => ({
    latE7: Int32Array.from({ length: SIDE * SIDE }, (_, h) => 450_000_000 + Math.floor(h / SIDE) * STEP_E7),
    lngE7: Int32Array.from({ length: SIDE * SIDE }, (_, h) => 57_000_000 + (h % SIDE) * LNG_STEP_E7),
  });
  const edges: Edge[] = [];
  for (let a = 0; a < SIDE * SIDE; a++) {
    for (let b = a + 1; b < SIDE * SIDE; b++) {
      const rows = Math.floor(a / SIDE) - Math.floor(b / SIDE);
      const columns = (a % SIDE) - (b % SIDE);
      if (rows * rows + columns * columns <= 9) edges.push([a, b]);
    }
  }
  const graph = createGraph(SIDE * SIDE, edges);
  const TERM = { epoch: 0, penaltyEpochs: 7 };

  test("the nearest are found, nearest first", () => {
    const nearest = new Neighbourhood(places()).findNearest(5 * SIDE + 5, 4);
    expect([...nearest].sort((a, b) => a - b)).toEqual([
      4 * SIDE + 5,
      5 * SIDE + 4,
      5 * SIDE + 6,
      6 * SIDE + 5,
    ]);
    expect(
      new Neighbourhood({ latE7: Int32Array.of(0), lngE7: Int32Array.of(0) }).findNearest(0, 4).length,
    ).toBe(0);
  });

  test("who stands where it says is left alone, who has moved 20 km is found", () => {
    const honest = measureNetworkPlaces(graph, places());
    for (let h = 0; h < SIDE * SIDE; h++)
      expect(checkEdgePlausibility(createPlaceEvidence(honest, h), TERM)).toBeNull();
    const moved = places();
    moved.latE7[70]! += 1_800_000;
    const finding = checkEdgePlausibility(createPlaceEvidence(measureNetworkPlaces(graph, moved), 70), TERM);
    expect(finding).toMatchObject({ reason: "edge_implausible", endsEpoch: 7 });
    expect(finding!.factorPpm).toBeLessThan(600_000);
  });

  test("stopping early says the same on which side of the threshold a place is", () => {
    const { from } = RAMPS.edgePlausibilityOctaves;
    const shifted = places();
    const random = createRandom(6);
    for (let h = 0; h < SIDE * SIDE; h += 7) shifted.lngE7[h]! += Math.floor(random() * 3_000_000);
    const network = measureNetworkPlaces(graph, shifted);
    for (let h = 0; h < SIDE * SIDE; h++) {
      const evidence = createPlaceEvidence(network, h);
      const whole = computePlaceScoreOctaves(evidence)!;
      const early = computePlaceScoreOctaves(evidence, from)!;
      if (whole > from) expect(early).toBe(whole);
      else expect(early).toBeLessThanOrEqual(from);
    }
  });

  test.each([
    [3, false, false],
    [4, false, true],
    [2, true, false],
    [3, true, true],
  ])(
    "%i counterparts 100 km away, without a graph: %s, say something: %s",
    (count, isLinksAlone, isJudged) => {
      const star = createGraph(
        count + 1,
        Array.from({ length: count }, (_, i) => [0, i + 1] as const),
      );
      const starPlaces = {
        latE7: Int32Array.from({ length: count + 1 }, (_, h) => (h === 0 ? 0 : 9_000_000 + 50_000 * h)),
        lngE7: new Int32Array(count + 1),
      };
      const evidence = createPlaceEvidence(measureNetworkPlaces(star, starPlaces), 0);
      const finding = checkEdgePlausibility(
        isLinksAlone ? { ...evidence, findNearby: null } : evidence,
        TERM,
      );
      expect(finding !== null).toBe(isJudged);
    },
  );
});
