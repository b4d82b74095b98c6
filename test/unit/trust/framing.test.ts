/** What others can say against a hotspot, or for it: invented ones nothing, and one owner's a single word. */
import { describe, expect, test } from "vitest";
import { PPM } from "../../../protocol/src/network/parameters.ts";
import { createMoments } from "../../../protocol/src/trust/moments.ts";
import { computeNetworkTrust, type TrustNetwork } from "../../../protocol/src/trust/networkTrust.ts";
import {
  createNetwork,
  type Heard,
  LINZ,
  MELK,
  mesh,
  type Site,
  sitesAround,
  TERMS,
  VIENNA,
} from "./madeUpNetwork.ts";

const CITY = 60;
const SEEDS = Uint32Array.of(0, 10, 20, 30, 40, 50);
/** Ten of the city hear it on either side. */
const VICTIM = 3;
const STRANGERS = 40;
const EPOCHS = [12, 14, 16, 18, 22, 26];

const strangers = Array.from({ length: STRANGERS }, (_, i) => CITY + i);
const linkAll = (others: readonly number[], hotspot: number, oneWay: boolean): Heard[] =>
  others.flatMap((other) => EPOCHS.map((epoch) => ({ a: other, b: hotspot, epoch, oneWay })));

/** A city, and strangers somewhere who say these things. */
function openCity(
  place: readonly Site[],
  said: readonly Heard[],
  part: Partial<TrustNetwork> = {},
): TrustNetwork {
  const sites = [...sitesAround(VIENNA, CITY, 2), ...place];
  return createNetwork(sites, [...mesh(0, CITY, 5), ...said], part);
}

const reasonsOf = (network: TrustNetwork, hotspot: number): string[] =>
  (computeNetworkTrust(network, TERMS).findings.get(hotspot) ?? []).map(({ reason }) => reason);

/** Of the city each is its own owner's; all strangers are one's. */
const oneStranger = Uint32Array.from({ length: CITY + STRANGERS }, (_, i) => Math.min(i, CITY));

describe("framing", () => {
  const far = sitesAround(LINZ, STRANGERS, 5);
  const near = sitesAround(MELK, STRANGERS, 5);

  test.each([
    ["of one owner, in Linz,", far, { owner: oneStranger }, []],
    ["of one owner, in Melk,", near, { owner: oneStranger }, []],
    ["of an owner each, in Linz, who hear each other too,", far, {}, mesh(CITY, STRANGERS, 5)],
    ["of an owner each, in Melk, who hear each other too,", near, {}, mesh(CITY, STRANGERS, 5)],
  ])("strangers %s and say that they hear a hotspot put nothing on it", (_, place, part, ring) => {
    const said = [...linkAll(strangers, VICTIM, true), ...ring];
    expect(reasonsOf(openCity(place, said, { seeds: SEEDS, ...part }), VICTIM)).toEqual([]);
  });

  test("strangers at the other end of the world weigh no more than those 100 km away", () => {
    const [lat, lng] = sitesAround(VIENNA, CITY, 2)[VICTIM]!;
    const beliefOf = (degrees: number): number => {
      const place = strangers.map(() => [lat, lng - degrees] as const);
      const network = openCity(place, linkAll(strangers, VICTIM, true));
      return computeNetworkTrust(network, TERMS).beliefPpm[VICTIM]!;
    };
    const [nearer, atMost, abroad] = [beliefOf(1.1), beliefOf(1.5), beliefOf(90)];
    expect(nearer).toBeLessThan(PPM);
    expect(atMost).toBeLessThanOrEqual(nearer);
    expect(abroad).toBe(atMost);
  });

  test("strangers who stand all around a hotspot are not the neighbours that it ought to hear", () => {
    // So wide a city that with its neighbourhood silent the place would seem implausible.
    const city = sitesAround(VIENNA, CITY, 2, 0.3);
    const [lat, lng] = city[VICTIM]!;
    const around = sitesAround([lat - 0.005, lng - 0.005], STRANGERS, 5, 0.01);
    const heard = [...mesh(0, CITY, 5), ...mesh(CITY, STRANGERS, 5)];
    const judge = (seeds: Uint32Array) =>
      reasonsOf(createNetwork([...city, ...around], heard, { seeds }), VICTIM);
    expect(judge(SEEDS)).toEqual([]);
    // Where the graph does not decide everyone is trusted.
    expect(judge(new Uint32Array())).toEqual(["edge_implausible"]);
  });

  test("where the graph does not decide one owner's are one word, and as many owners' are heard", () => {
    const said = linkAll(strangers, VICTIM, true);
    expect(reasonsOf(openCity(far, said, { owner: oneStranger }), VICTIM)).toEqual([]);
    expect(reasonsOf(openCity(far, said), VICTIM)).toEqual(["distance_profile", "edge_implausible"]);
  });

  test.each([
    ["one owner's", oneStranger, []],
    ["their own", undefined, ["power_insensitive"]],
  ])(
    "hotspots that send weaker where they were to send stronger bend a slope if they are %s: %#",
    (...row) => {
      const [, owner, found] = row;
      const network = createNetwork(sitesAround(VIENNA, CITY + STRANGERS, 2), [], owner && { owner });
      for (let epoch = 11; epoch < 23; epoch++) {
        const powerStepDb = epoch % 2 === 0 ? 0 : 6;
        for (const beaconer of [1, 2, 4, 5, 6, ...strangers]) {
          const rssiDeciDbm = -1_000 + (beaconer < CITY ? -10 : 10) * powerStepDb;
          network.history.record({
            ...{ witness: VICTIM, beaconer, epoch, verdict: "valid", distanceM: 2_000, marginCentiDb: 1_600 },
            moments: createMoments({
              ...{ rssiDeciDbm, rssiKind: "signal", snrCentiDb: 500, bandwidthHz: 125_000, powerStepDb },
            }),
          });
        }
      }
      expect(reasonsOf(network, VICTIM).filter((reason) => reason === "power_insensitive")).toEqual(found);
    },
  );
});

describe("vouching", () => {
  /** The first stranger stands among the city's own and asserts Linz; the others stand beside it there, by their word. */
  const near = sitesAround(LINZ, STRANGERS, 5, 0.01);
  const liar = CITY;
  const accomplices = strangers.slice(1);
  const links = linkAll([1, 2, 3, 4, 5, 6, 7, 8, 9, 11], liar, false);

  test("by those whom the graph does not trust does not help a liar", () => {
    const said = [...links, ...linkAll(accomplices, liar, true), ...mesh(liar + 1, STRANGERS - 1, 5)];
    expect(reasonsOf(openCity(near, links, { seeds: SEEDS }), liar)).toContain("distance_profile");
    expect(reasonsOf(openCity(near, said, { seeds: SEEDS }), liar)).toEqual(
      expect.arrayContaining(["distance_profile", "edge_implausible"]),
    );
  });

  test("by one owner's, which the liar says it hears as well, leaves its place implausible", () => {
    const said = [...links, ...linkAll(accomplices, liar, false)];
    expect(reasonsOf(openCity(near, said, { seeds: SEEDS, owner: oneStranger }), liar)).toContain(
      "edge_implausible",
    );
  });
});
