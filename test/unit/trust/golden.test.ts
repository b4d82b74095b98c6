/**
 * One digest of everything that trust computes over a made-up network: another machine, engine or version that gives
 * another digest would fork the ledger.
 */
import { describe, expect, test } from "vitest";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { sha256 } from "../../../protocol/src/crypto/sha256.ts";
import { createPlaceEvidence, measureNetworkPlaces } from "../../../protocol/src/trust/networkPlaces.ts";
import { computePlaceScoreOctaves } from "../../../protocol/src/trust/penalties/edgePlausibility.ts";
import { computeGraphTrustPpm } from "../../../protocol/src/trust/sybilRank.ts";
import { createWitnessGraph } from "../../../protocol/src/trust/witnessGraph.ts";
import { createRandom } from "../../bench/population.ts";
import { computeAuc, computeTpr, estimateShare } from "../../eval/statistics.ts";

const HOTSPOTS = 500;
const EDGES = 4_000;

/** Places and edges by integers alone: the generator's 32 bits and products that are exact. */
function createNetwork() {
  const random = createRandom(42);
  const below = (most: number): number => Math.floor(random() * most);
  const places = {
    latE7: Int32Array.from({ length: HOTSPOTS }, () => 450_000_000 + below(2_000_000)),
    lngE7: Int32Array.from({ length: HOTSPOTS }, () => 57_000_000 + below(3_000_000)),
  };
  const a = Uint32Array.from({ length: EDGES }, () => below(HOTSPOTS));
  const b = a.map((hotspot) => (hotspot + 1 + below(40)) % HOTSPOTS);
  const weight = Uint8Array.from({ length: EDGES }, () => below(9));
  return { places, graph: createWitnessGraph(HOTSPOTS, { a, b, weight }) };
}

test("trust and place scores of a made-up network have one digest", () => {
  const { places, graph } = createNetwork();
  const trust = computeGraphTrustPpm(
    graph,
    Uint32Array.from({ length: 12 }, (_, i) => i * 41),
  );
  const network = measureNetworkPlaces(graph, places);
  const scores = Array.from(
    { length: HOTSPOTS },
    (_, hotspot) => computePlaceScoreOctaves(createPlaceEvidence(network, hotspot)) ?? -1,
  );
  const view = new DataView(new ArrayBuffer(HOTSPOTS * 8));
  for (let hotspot = 0; hotspot < HOTSPOTS; hotspot++) {
    view.setUint32(hotspot * 8, trust[hotspot]!);
    view.setInt32(hotspot * 8 + 4, scores[hotspot]!);
  }
  expect(encodeHex(sha256(new Uint8Array(view.buffer)))).toBe(
    "29d2ad8edf90eb732006488a6843cfb57c2c46dbaff4c0ebab10289a89e5bdb2",
  );
});

describe("the evaluation's statistics", () => {
  test("Wilson's interval of 10 in 100", () => {
    // Brown, Cai and DasGupta (2001) give the form; 0.0552 and 0.1744 by hand.
    const { value, low, high } = estimateShare(10, 100);
    expect([value, low, high].map((share) => share.toFixed(4))).toEqual(["0.1000", "0.0552", "0.1744"]);
    expect(estimateShare(0, 0).value).toBeNaN();
  });

  test("AUC counts pairs, ties half; TPR takes the threshold that the honest may exceed so often", () => {
    expect(computeAuc([1, 2, 3], [2, 4])).toBe((1.5 + 3) / 6);
    const honest = Array.from({ length: 100 }, (_, i) => i);
    expect(computeTpr(honest, [98, 98.5, 99, 100], 0.01)).toBe(0.75);
    expect(computeTpr(honest, [98, 98.5, 99, 100], 0)).toBe(0.25);
  });
});
