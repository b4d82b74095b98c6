/** Trust of whole networks: from histories to graph, findings and standing; how it begins, and who its seeds are. */
import fc from "fast-check";
import { cellToLatLng, latLngToCell } from "h3-js";
import { describe, expect, test } from "vitest";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { sha256 } from "../../../protocol/src/crypto/sha256.ts";
import { PPM } from "../../../protocol/src/network/parameters.ts";
import type { Findings } from "../../../protocol/src/trust/findingTable.ts";
import { FindingTable } from "../../../protocol/src/trust/findingTable.ts";
import { createMoments } from "../../../protocol/src/trust/moments.ts";
import { computeNetworkTrust } from "../../../protocol/src/trust/networkTrust.ts";
import { checkDistanceProfile } from "../../../protocol/src/trust/penalties/distanceProfile.ts";
import { checkPowerSlope } from "../../../protocol/src/trust/penalties/powerSlope.ts";
import { computeLinkValuePpm } from "../../../protocol/src/trust/quality.ts";
import { rotateSeeds, type SeedRotation } from "../../../protocol/src/trust/seeds.ts";
import { addStartTrust, START_TRUST_PPM, STARTERS_MAX } from "../../../protocol/src/trust/startTrust.ts";
import { COUNTERPARTS_MIN } from "../../../protocol/src/trust/thresholds.ts";
import type { WitnessGraph } from "../../../protocol/src/trust/witnessGraph.ts";
import { createRandom } from "../../bench/population.ts";
import {
  createNetwork,
  LINZ,
  mesh,
  type Site,
  sitesAround,
  TERMS,
  VIENNA,
  WINDOW_EPOCHS,
} from "./madeUpNetwork.ts";

/** Of each owner's links the shortest, of equal ones the first; those that are left in their order. */
function keepNearest<Link extends { readonly owner: number; readonly distanceM: number }>(
  links: readonly Link[],
): Link[] {
  return links.filter((link, i) =>
    links.every(
      ({ owner, distanceM }, j) =>
        owner !== link.owner || distanceM > link.distanceM || (distanceM === link.distanceM && j >= i),
    ),
  );
}

describe("trust of a network", () => {
  test("without seeds the graph gives everyone all of it", () => {
    const network = createNetwork(sitesAround(VIENNA, 12, 1), mesh(0, 12, 3));
    const { graphPpm, standingPpm } = computeNetworkTrust(network, TERMS);
    expect([...graphPpm]).toEqual(Array<number>(12).fill(PPM));
    expect(standingPpm.every((sum) => sum > 0)).toBe(true);
  });

  test("standing leaves a hotspot's own trust out, and is by the graph's while it is suspended from pay", () => {
    const factors = fc.array(fc.integer({ min: 250_000, max: PPM }), { minLength: 25, maxLength: 25 });
    fc.assert(
      fc.property(factors, factors, fc.integer({ min: 3, max: 24 }), (ones, others, count) => {
        // Hotspot 0 has heard so many; each, itself too, has two findings from before.
        const heard = Array.from({ length: count }, (_, i) => ({ a: 0, b: i + 1, epoch: 20, oneWay: true }));
        const network = createNetwork(sitesAround(VIENNA, 25, 11), heard);
        const finding = { madeEpoch: 20, endsEpoch: 40, evidence: [] };
        const findings = new Map(
          ones.map((factorPpm, hotspot) => [
            hotspot,
            [
              { reason: "snr_grid", factorPpm, ...finding } as const,
              { reason: "floor_window", factorPpm: others[hotspot]!, ...finding } as const,
            ],
          ]),
        );
        const { trustPpm, standingPpm, ...computed } = computeNetworkTrust(network, TERMS, {
          ...{ findings, appealed: new Set() },
        });
        const creditPpm = computed.creditPpm[0]!;
        const values = heard.map(({ b }) => {
          const lesser = Math.min(creditPpm, trustPpm[b]!);
          return computeLinkValuePpm(lesser, network.history.find(0, b, 30)!.distanceM);
        });
        const sum = values.reduce((total, value) => total + value, 0);
        // All of them heard in an interval are worth a third of their sum, and no more than the hotspot's own credit.
        const divisor = Math.max(3 * PPM, standingPpm[0]!);
        const units = values.reduce((total, value) => total + Math.floor((value * PPM) / divisor), 0);
        expect(units).toBeLessThanOrEqual(Math.min(sum / 3, creditPpm) + 1);
        expect(units).toBeGreaterThanOrEqual(Math.min(sum / 3, creditPpm) - 2 * count);
      }),
      { numRuns: 50 },
    );
  });

  test("of nobody, of one, and of one without a place", () => {
    expect(computeNetworkTrust(createNetwork([], []), TERMS).trustPpm).toHaveLength(0);
    const lone = createNetwork([VIENNA], [], { seeds: Uint32Array.of(0) });
    expect([...computeNetworkTrust(lone, TERMS).trustPpm]).toEqual([PPM]);
    const placeless = createNetwork([VIENNA, null], [], { seeds: Uint32Array.of(0) });
    expect([...computeNetworkTrust(placeless, TERMS).trustPpm]).toEqual([PPM, 0]);
  });

  test("walks from seeds, and to a ring only by the edges that lead there", () => {
    const sites = [...sitesAround(VIENNA, 60, 2), ...sitesAround(VIENNA, 40, 3)];
    const honest = mesh(0, 60, 5);
    const ring = mesh(60, 40, 5);
    const seeds = Uint32Array.of(0, 10, 20, 30, 40, 50);
    const apart = computeNetworkTrust(createNetwork(sites, [...honest, ...ring], { seeds }), TERMS).graphPpm;
    expect(apart.subarray(60).every((ppm) => ppm === 0)).toBe(true);
    // Each hears five neighbours on one side, so six steps do not mix: not everyone has half of full trust.
    expect(apart.subarray(0, 60).filter((ppm) => ppm > 500_000).length).toBeGreaterThan(45);
    const bridge = { a: 5, b: 65, epoch: 25 };
    const tied = computeNetworkTrust(
      createNetwork(sites, [...honest, ...ring, bridge], { seeds }),
      TERMS,
    ).graphPpm;
    const sum = (trust: Uint32Array): number => trust.reduce((total, ppm) => total + ppm, 0);
    expect(sum(tied.subarray(60)) / sum(tied)).toBeLessThan(0.02);
  });

  test("does not depend on the order of reports within an epoch, nor on what was read before", () => {
    const sites = sitesAround(VIENNA, 14, 4);
    const seeds = Uint32Array.of(0, 5, 9);
    const pair = fc.record({
      ...{ a: fc.nat(13), b: fc.nat(13), epoch: fc.constantFrom(11, 12, 22, 26), oneWay: fc.boolean() },
    });
    fc.assert(
      fc.property(fc.array(pair, { maxLength: 60 }), fc.nat(), (list, seed) => {
        const heard = list.filter(({ a, b }) => a !== b);
        const random = createRandom(seed);
        const mixed = heard.map((one) => ({ one, at: random() })).toSorted((x, y) => x.at - y.at);
        const one = createNetwork(sites, heard, { seeds });
        const other = createNetwork(
          sites,
          mixed.map(({ one: report }) => report),
          { seeds },
        );
        other.history.links.encode(26);
        expect(computeNetworkTrust(other, TERMS)).toEqual(computeNetworkTrust(one, TERMS));
      }),
      { numRuns: 40 },
    );
  });

  test("a finding stands until it ends, and goes at once where it was appealed and is not found again", () => {
    const network = createNetwork(sitesAround(VIENNA, 12, 5), mesh(0, 12, 3));
    const finding = { reason: "snr_grid", factorPpm: 500_000, madeEpoch: 20, evidence: [] } as const;
    const standing = (endsEpoch: number, appealed: number[] = []) => ({
      findings: new Map([[3, [{ ...finding, endsEpoch }]]]),
      appealed: new Set(appealed),
    });
    expect(computeNetworkTrust(network, TERMS, standing(31)).trustPpm[3]).toBe(PPM / 2);
    expect(computeNetworkTrust(network, TERMS, standing(30)).trustPpm[3]).toBe(PPM);
    expect(computeNetworkTrust(network, TERMS, standing(31, [3])).trustPpm[3]).toBe(PPM);
  });

  test("a harsher finding stands beside a milder one of its reason until it ends, and not where it was appealed", () => {
    const network = createNetwork(sitesAround(VIENNA, 4, 3), []);
    for (let epoch = 11; epoch < 30; epoch++) {
      for (const beaconer of [1, 2, 3]) {
        network.history.record({
          ...{ witness: 0, beaconer, epoch, verdict: "valid", distanceM: 4_000, marginCentiDb: 1_600 },
          moments: createMoments({
            ...{ rssiDeciDbm: -1_000, rssiKind: "signal", snrCentiDb: 500 + (epoch % 2), powerStepDb: 0 },
            bandwidthHz: 125_000,
          }),
        });
      }
    }
    const found = computeNetworkTrust(network, TERMS).findings.get(0)!;
    const milder = found.find(({ reason }) => reason === "snr_grid")!;
    const other = { ...milder, madeEpoch: 20, endsEpoch: 31, evidence: [] };
    const judge = (factorPpm: number, appealed: number[] = []) =>
      computeNetworkTrust(network, TERMS, {
        findings: new Map([[0, [{ ...other, factorPpm }]]]),
        appealed: new Set(appealed),
      }).findings.get(0)!;
    const harsher = { ...other, factorPpm: milder.factorPpm - 1 };
    const both = found.flatMap((one) => (one === milder ? [harsher, milder] : [one]));
    expect(judge(harsher.factorPpm)).toEqual(both);
    // Whoever reads them back, from the oldest on, has them in the same order.
    const read = new FindingTable();
    for (const finding of both) read.add(0, finding);
    expect(read.get(0)).toEqual(both);
    // Nothing is on record any more: the harsher one ends, and the milder has its own time.
    const silent = createNetwork(sitesAround(VIENNA, 4, 3), []);
    const later = { ...TERMS, epoch: harsher.endsEpoch };
    const standing = { findings: new Map([[0, both]]), appealed: new Set<number>() };
    expect(computeNetworkTrust(silent, later, standing).findings.get(0)).toEqual(found);
    expect(judge(harsher.factorPpm, [0])).toEqual(found);
    expect(judge(milder.factorPpm)).toEqual(found);
  });

  test("what one epoch gave is found again while it is on record, and has ended a penalty's time after two windows", () => {
    const network = createNetwork(sitesAround(VIENNA, 4, 3), []);
    for (let i = 0; i < 12; i++) {
      network.history.record({
        ...{ witness: 0, beaconer: 1 + (i % 3), epoch: 1, verdict: "valid", distanceM: 4_000 },
        moments: createMoments({
          ...{ rssiDeciDbm: -1_000, rssiKind: "signal", snrCentiDb: 500, powerStepDb: 0 },
          bandwidthHz: 125_000,
        }),
        marginCentiDb: 0,
      });
    }
    const ends: number[] = [];
    let findings: Findings = new Map();
    for (let epoch = TERMS.intervalEpochs; epoch < 80; epoch += TERMS.intervalEpochs) {
      findings = computeNetworkTrust(
        network,
        { ...TERMS, epoch },
        { findings, appealed: new Set() },
      ).findings;
      ends.push(findings.get(0)?.[0]?.endsEpoch ?? -1);
    }
    const kept = 2 * WINDOW_EPOCHS;
    expect(Math.max(...ends)).toBe(kept - TERMS.intervalEpochs + TERMS.penaltyEpochs);
    expect(ends.at(-1)).toBe(-1);
  });

  test("a cap goes with the crowd, for who stays and for who moves", () => {
    const roof = Array.from({ length: 8 }, (_, i): Site => [48.2 + i * 1e-6, 16.37]);
    const apart = sitesAround(VIENNA, 8, 12);
    const far = sitesAround(VIENNA, 8, 6);
    const heard = mesh(0, 16, 6);
    const { findings } = computeNetworkTrust(createNetwork([...roof, ...far], heard), TERMS);
    const cap = findings.get(0)!.find(({ reason }) => reason === "place_cap")!;
    expect(cap.endsEpoch).toBe(TERMS.epoch + TERMS.intervalEpochs);
    const dispersed = createNetwork([roof[0]!, ...apart.slice(1), ...far], heard);
    const next = { ...TERMS, epoch: cap.endsEpoch };
    const left = computeNetworkTrust(dispersed, next, { findings, appealed: new Set() }).findings;
    const capped = [...left].filter(([, found]) => found.some(({ reason }) => reason === "place_cap"));
    expect(capped).toEqual([]);
  });

  test("an owner's hotspots in a cell and hotspots on a roof are worth so many together", () => {
    const sites = Array.from({ length: 8 }, (_, i): Site => [48.2 + i * 1e-5, 16.37]);
    const far = sitesAround(VIENNA, 8, 6);
    const heard = mesh(0, 16, 6);
    const owner = Uint32Array.from({ length: 16 }, (_, i) => (i < 8 ? 99 : i));
    const { findings, trustPpm } = computeNetworkTrust(
      createNetwork([...sites, ...far], heard, { owner }),
      TERMS,
    );
    const reasons = findings.get(0)!.map(({ reason }) => reason);
    expect(reasons).toContain("owner_cap");
    expect(findings.get(0)!.find(({ reason }) => reason === "owner_cap")!.factorPpm).toBe(PPM / 2);
    expect(findings.get(0)![0]!.evidence.every(({ counterpart }) => counterpart !== 0)).toBe(true);
    expect(trustPpm[0]).toBeLessThanOrEqual(PPM / 2);
  });

  test("strangers on a rival's roof leave it alone, and trusted ones lower it to no less than three over all of their trust", () => {
    // The rival is hotspot 3; the others stand in its resolution-11 cell, hear each other, and know so many of the city.
    const city = sitesAround(VIENNA, 60, 2);
    const roof = fc.record({ count: fc.integer({ min: 1, max: 15 }), friends: fc.nat(6) });
    const factorsSeen = new Set<boolean>();
    fc.assert(
      fc.property(roof, ({ count, friends }) => {
        const squatters = Array.from({ length: count }, (_, i) => 60 + i);
        const known = squatters.flatMap((squatter) =>
          Array.from({ length: friends }, (_, i) =>
            [12, 14, 16, 18, 22, 26].map((epoch) => ({
              a: squatter,
              b: (squatter * 7 + i * 11) % 60,
              epoch,
            })),
          ).flat(),
        );
        const heard = [...mesh(0, 60, 5), ...(count > 2 ? mesh(60, count, 2) : []), ...known];
        const sites = [...city, ...squatters.map(() => city[3]!)];
        const seeds = Uint32Array.of(0, 10, 20, 30, 40, 50);
        const { graphPpm, findings } = computeNetworkTrust(createNetwork(sites, heard, { seeds }), TERMS);
        const found = findings.get(3)?.find(({ reason }) => reason === "place_cap");
        const trusts = [3, ...squatters].map((hotspot) => graphPpm[hotspot]!);
        const sumPpm = trusts.reduce((sum, ppm) => sum + (ppm < TERMS.paidMinPpm ? 0 : ppm), 0);
        if (friends === 0) expect(sumPpm).toBe(graphPpm[3]);
        const boundPpm = Math.max(250_000, Math.floor((3 * PPM * PPM) / Math.max(sumPpm, 3 * PPM)));
        expect(found?.factorPpm ?? PPM).toBe(boundPpm);
        factorsSeen.add(found !== undefined);
      }),
      { numRuns: 30, seed: 1 },
    );
    expect(factorsSeen.size).toBe(2);
  });

  test("finds what detectors find who are shown every pair: counts rule out no more", () => {
    const pair = fc.record({ a: fc.nat(29), b: fc.nat(29), epochs: fc.integer({ min: 1, max: 18 }) });
    const owners = fc.constantFrom(30, 12);
    const term = { epoch: TERMS.epoch, penaltyEpochs: TERMS.penaltyEpochs };
    const reasonsSeen = new Set<string>();
    fc.assert(
      fc.property(
        fc.array(pair, { minLength: 60, maxLength: 200 }),
        fc.nat(99),
        owners,
        (list, seed, own) => {
          const heard = list
            .filter(({ a, b }) => a !== b)
            .flatMap(({ a, b, epochs }) =>
              Array.from({ length: epochs }, (_, i) => ({ a, b, epoch: 12 + i, oneWay: (a + b) % 5 === 0 })),
            );
          // As wide as a country, so that some have only far counterparts.
          const owner = Uint32Array.from({ length: 30 }, (_, hotspot) => hotspot % own);
          const network = createNetwork(sitesAround(VIENNA, 30, seed, 0.5), heard, { owner });
          for (let hotspot = 0; hotspot < 30; hotspot++) network.history.countBeacon(hotspot, 29);
          for (let beacons = 0; beacons < 10; beacons++) network.history.countBeacon(0, 29);
          const { findings } = computeNetworkTrust(network, TERMS);
          for (let hotspot = 0; hotspot < 30; hotspot++) {
            const known = Array.from({ length: 30 }, (_, other) => network.history.find(hotspot, other, 30));
            const back = Array.from({ length: 30 }, (_, other) => network.history.find(other, hotspot, 30));
            const valid = known.flatMap((one, other) =>
              one !== null && one.epochs + back[other]!.epochs > 0 ? [{ ...one, owner: owner[other]! }] : [],
            );
            const judges = keepNearest(valid);
            const heardOf = keepNearest(valid.filter(({ epochs }) => epochs > 0));
            const isEnough = (list: readonly { readonly owner: number }[]): boolean =>
              list.filter((one) => one.owner !== owner[hotspot]).length >= COUNTERPARTS_MIN;
            const distances = Int32Array.from(judges, ({ distanceM }) => distanceM);
            const expected = [
              isEnough(judges) ? checkDistanceProfile(distances, term) : null,
              isEnough(heardOf) ? checkPowerSlope(heardOf, term) : null,
            ];
            for (const [i, reason] of (["distance_profile", "power_insensitive"] as const).entries()) {
              const found = findings.get(hotspot)?.find((finding) => finding.reason === reason);
              expect(found?.factorPpm).toBe(expected[i]?.factorPpm);
              if (found !== undefined) reasonsSeen.add(reason);
            }
          }
        },
      ),
      { numRuns: 30, seed: 1 },
    );
    expect([...reasonsSeen].sort()).toEqual(["distance_profile", "power_insensitive"]);
  });

  test.each([
    ["three other owners' hotspots", [10, 11, 12, 13], true],
    ["two others'", [10, 11, 12, 12], false],
    ["two others' and its own", [10, 11, 12, 10], false],
    ["one other's three", [10, 11, 11, 11], false],
  ])("what a hotspot shows is held against it by %s: %s", (_, owners, isFound) => {
    // The first prints one value for all that it hears, far away, whatever power was asked for, and is not heard itself.
    const network = createNetwork(sitesAround(VIENNA, 4, 3), [], { owner: Uint32Array.from(owners) });
    for (let epoch = 11; epoch < 30; epoch++) {
      network.history.countBeacon(0, epoch);
      for (const beaconer of [1, 2, 3]) {
        network.history.record({
          ...{ witness: 0, beaconer, epoch, verdict: "valid", distanceM: 40_000, marginCentiDb: 1_600 },
          moments: createMoments({
            ...{ rssiDeciDbm: -1_000, rssiKind: "signal", snrCentiDb: 500, bandwidthHz: 125_000 },
            powerStepDb: epoch % 2 === 0 ? 0 : 6,
          }),
        });
      }
    }
    const found = computeNetworkTrust(network, TERMS).findings.get(0) ?? [];
    const reasons = found.map(({ reason }) => reason);
    const judged = ["distance_profile", "constant_window", "missing_reverse", "power_insensitive"] as const;
    for (const reason of judged) expect(reasons.includes(reason)).toBe(isFound);
  });

  test.each([
    ["four", [10, 11, 12, 13, 14, 14], true],
    ["three", [10, 11, 12, 13, 13, 13], false],
    ["three and its own", [10, 11, 12, 13, 10, 10], false],
  ])("a place is held against a hotspot by counterparts of %s other owners: %s", (_, owners, isFound) => {
    // The first asserts Vienna and is linked with all others, who stand in Linz.
    const sites = [VIENNA, ...sitesAround(LINZ, 5, 3)];
    const heard = sites.slice(1).map((_site, i) => ({ a: 0, b: i + 1, epoch: 20 }));
    const network = createNetwork(sites, heard, { owner: Uint32Array.from(owners) });
    const found = computeNetworkTrust(network, TERMS).findings.get(0) ?? [];
    const reasons = found.map(({ reason }) => reason);
    expect(reasons).toContain("distance_profile");
    expect(reasons.includes("edge_implausible")).toBe(isFound);
  });

  test("a made-up network has one digest", () => {
    const sites = [...sitesAround(VIENNA, 50, 7, 0.4), ...sitesAround(LINZ, 14, 8)];
    const network = createNetwork(sites, [...mesh(0, 50, 4), ...mesh(50, 14, 4)], {
      seeds: Uint32Array.of(0, 9, 18, 27, 36, 45),
    });
    const { graphPpm, trustPpm, standingPpm, findings } = computeNetworkTrust(network, TERMS);
    const text = JSON.stringify([[...graphPpm], [...trustPpm], [...standingPpm], [...findings]]);
    expect(encodeHex(sha256(new TextEncoder().encode(text)))).toMatchInlineSnapshot(
      `"ea6fc000bf782fd980868f37fefad0daa10b16750fcdd607a483599eb6886156"`,
    );
  });
});

describe("a new city", () => {
  const city = sitesAround(VIENNA, 60, 2);
  const seeds = Uint32Array.of(0, 10, 20, 30, 40, 50);

  test("begins with its ten best evidenced, at a fifth each", () => {
    const sites = [...city, ...sitesAround(LINZ, 30, 9)];
    const network = createNetwork(sites, [...mesh(0, 60, 5), ...mesh(60, 30, 4)], { seeds });
    const island = computeNetworkTrust(network, TERMS).graphPpm.subarray(60);
    expect(island.filter((ppm) => ppm > 0)).toEqual(new Uint32Array(STARTERS_MAX).fill(START_TRUST_PPM));
  });

  test("is drawn by lot among all that would begin: one for each two hundred trusted hotspots, one at least", () => {
    // Five islands, each in the middle of a region of its own.
    const islands = [4, 7, 10, 13, 16].map((lng) => cellToLatLng(latLngToCell(55.5, lng, 4)));
    const sites = [...city, ...islands.flatMap((place, i) => sitesAround(place, 12, 20 + i, 0.1))];
    const meshes = islands.flatMap((_, i) => mesh(60 + 12 * i, 12, 4));
    const network = createNetwork(sites, [...mesh(0, 60, 5), ...meshes], { seeds });
    const begun = Array.from({ length: 40 }, (_, draw) => {
      const { graphPpm } = computeNetworkTrust(network, { ...TERMS, epochSeed: sha256(Uint8Array.of(draw)) });
      const given = islands.map((__, i) => graphPpm.subarray(60 + 12 * i, 72 + 12 * i));
      const sums = given.map((trusts) => trusts.reduce((sum, ppm) => sum + ppm, 0));
      expect(sums.filter((sum) => sum > 0)).toEqual([STARTERS_MAX * START_TRUST_PPM]);
      return sums.findIndex((sum) => sum > 0);
    });
    expect(new Set(begun).size).toBe(islands.length);
  });

  /** Three edges each, wherever to. */
  const graphOf = (count: number): WitnessGraph => ({
    count,
    start: Uint32Array.from({ length: count + 1 }, (_, i) => 3 * i),
    neighbour: new Uint32Array(3 * count),
    weight: new Uint8Array(3 * count).fill(1),
  });

  test("takes no more than a hundredth of all trust, however many regions are claimed", () => {
    for (const [trusted, regions] of [
      [0, 1],
      [399, 1],
      [400, 2],
      [950, 4],
    ] as const) {
      // Trusted ones in region 0, twelve strangers in each of twenty others.
      const region = Uint32Array.from({ length: trusted + 240 }, (_, i) =>
        i < trusted ? 0 : 1 + Math.floor((i - trusted) / 12),
      );
      const trustPpm = Uint32Array.from(region, (number) => (number === 0 ? PPM : 0));
      const cells = { cellHi: region.map((number) => 0x0840_0000 + number), cellLo: new Uint32Array(region) };
      addStartTrust(
        graphOf(region.length),
        { ...cells, region },
        TERMS.epochSeed,
        trustPpm,
        TERMS.paidMinPpm,
      );
      const given = trustPpm.subarray(trusted).reduce((sum, ppm) => sum + ppm, 0);
      expect(given).toBe(regions * STARTERS_MAX * START_TRUST_PPM);
    }
  });

  test.each([
    [1, true],
    [TERMS.paidMinPpm - 1, true],
    [TERMS.paidMinPpm, false],
  ])("in which the graph gives one hotspot %i ppm begins: %s", (leakedPpm, isBegun) => {
    const trustPpm = new Uint32Array(12);
    trustPpm[0] = leakedPpm;
    const cells = { cellHi: new Uint32Array(12).fill(0x0840_0000), cellLo: new Uint32Array(12) };
    const places = { ...cells, region: new Uint32Array(12) };
    addStartTrust(graphOf(12), places, TERMS.epochSeed, trustPpm, TERMS.paidMinPpm);
    const begun = trustPpm.filter((ppm) => ppm === START_TRUST_PPM).length;
    expect(begun).toBe(isBegun ? STARTERS_MAX : 0);
  });

  test("takes nothing from hotspots to which the graph gave more, though not what is paid", () => {
    const trustPpm = new Uint32Array(12).fill(START_TRUST_PPM + 50_000);
    const cells = { cellHi: new Uint32Array(12).fill(0x0840_0000), cellLo: new Uint32Array(12) };
    const places = { ...cells, region: new Uint32Array(12) };
    addStartTrust(graphOf(12), places, TERMS.epochSeed, trustPpm, START_TRUST_PPM + 100_000);
    expect(trustPpm).toEqual(new Uint32Array(12).fill(START_TRUST_PPM + 50_000));
  });

  test("of two hotspots does not, as two say nothing about each other", () => {
    const sites = [...city, ...sitesAround(LINZ, 2, 9)];
    const network = createNetwork(sites, [...mesh(0, 60, 5), { a: 60, b: 61, epoch: 20 }], { seeds });
    expect([...computeNetworkTrust(network, TERMS).graphPpm.subarray(60)]).toEqual([0, 0]);
  });

  test("loses no lot to hotspots that are gone, whatever links they left", () => {
    const gone = Array<null>(12).fill(null);
    const network = createNetwork(
      [...city, ...sitesAround(LINZ, 12, 9), ...gone],
      [...mesh(0, 60, 5), ...mesh(60, 12, 4), ...mesh(72, 12, 4)],
      { seeds },
    );
    for (let draw = 0; draw < 20; draw++) {
      const { graphPpm } = computeNetworkTrust(network, { ...TERMS, epochSeed: sha256(Uint8Array.of(draw)) });
      expect(graphPpm.subarray(60, 72).filter((ppm) => ppm > 0)).toHaveLength(STARTERS_MAX);
      expect(graphPpm.subarray(72)).toEqual(new Uint32Array(12));
    }
  });

  test("is none where a trusted hotspot stands in the region: a ring beside a city begins with nothing", () => {
    const sites = [...city, ...sitesAround(VIENNA, 30, 9)];
    const network = createNetwork(sites, [...mesh(0, 60, 5), ...mesh(60, 30, 4)], { seeds });
    expect(
      computeNetworkTrust(network, TERMS)
        .graphPpm.subarray(60)
        .every((ppm) => ppm === 0),
    ).toBe(true);
  });
});

describe("seeds after genesis", () => {
  const rotation: SeedRotation = {
    seeds: [0, 1, 2],
    places: 3,
    candidates: [10, 11, 12, 13],
    ownerOf: (hotspot) => hotspot,
    mayServe: () => true,
    epochSeed: new Uint8Array(32).fill(1),
  };

  test("the longest serving gives way to one of those that stakers own, and nobody without a successor", () => {
    const next = rotateSeeds(rotation);
    expect(next.slice(0, 2)).toEqual([1, 2]);
    expect(rotation.candidates).toContain(next[2]);
    expect(rotateSeeds({ ...rotation, candidates: [] })).toEqual([0, 1, 2]);
    const other = new Set(
      Array.from(
        { length: 30 },
        (_, i) => rotateSeeds({ ...rotation, epochSeed: sha256(Uint8Array.of(i)) })[2],
      ),
    );
    expect(other.size).toBe(4);
  });

  test("who may not serve leaves at once", () => {
    expect(rotateSeeds({ ...rotation, candidates: [], mayServe: (hotspot) => hotspot !== 1 })).toEqual([
      0, 2,
    ]);
    expect(rotateSeeds({ ...rotation, mayServe: (hotspot) => hotspot > 2 })).toHaveLength(3);
  });

  test("no owner ever holds more than a third, or one", () => {
    const owners = fc.array(fc.nat(3), { minLength: 20, maxLength: 20 });
    fc.assert(
      fc.property(
        owners,
        fc.integer({ min: 1, max: 12 }),
        fc.array(fc.nat(255), { maxLength: 30 }),
        (own, places, draws) => {
          const ownerOf = (hotspot: number): number => own[hotspot]!;
          let seeds: number[] = [];
          for (const draw of draws) {
            seeds = rotateSeeds({
              ...{ ...rotation, seeds, places, ownerOf, candidates: Array.from({ length: 20 }, (_, i) => i) },
              epochSeed: sha256(Uint8Array.of(draw)),
            });
            expect(seeds.length).toBeLessThanOrEqual(places);
            expect(new Set(seeds).size).toBe(seeds.length);
            for (const owner of [0, 1, 2, 3]) {
              const held = seeds.filter((seed) => ownerOf(seed) === owner).length;
              expect(held).toBeLessThanOrEqual(Math.max(1, Math.floor(places / 3)));
            }
          }
        },
      ),
    );
  });
});
