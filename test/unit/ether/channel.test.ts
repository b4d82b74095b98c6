/** The channel against the protocol's gates, and against what it promises of itself. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkLink, GATE_REASONS, type GateReason } from "../../../protocol/src/radio/gates.ts";
import { computeFreeSpaceLossCentiDb } from "../../../protocol/src/radio/pathLoss.ts";
import { REGION_PLANS } from "../../../protocol/src/radio/regions.ts";
import {
  type Clutter,
  computePathLossDb,
  DEMODULATION_LIMIT_DB,
  drawFadingDb,
  drawReceiver,
  drawShadowingDb,
  measureSignal,
} from "../../ether/channel.ts";
import { createRandom, createXoshiro128, drawGaussian, mixSeed } from "../../ether/prng.ts";
import { printSnr } from "../../ether/pushText.ts";
import { createStation } from "./stations.ts";

const FREQ_HZ = 867_500_000;

describe("random numbers", () => {
  test("xoshiro128** gives the first numbers of the reference implementation", () => {
    // From state 1, 2, 3, 4: the vector that the Rust crate rand_xoshiro took from Vigna's C program.
    const next = createXoshiro128([1, 2, 3, 4]);
    expect([next(), next(), next(), next()]).toEqual([11_520, 0, 5_927_040, 70_819_200]);
  });

  test("a seed's stream never changes", () => {
    const random = createRandom(20_260_101);
    expect([random(), random()]).toMatchInlineSnapshot(`
      [
        0.27565213887624507,
        0.7212845628844,
      ]
    `);
  });

  test("seeds and names give different streams, large and negative seeds too", () => {
    const seeds = [0, 1, -1, 2 ** 32, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER];
    expect(new Set(seeds.map((seed) => createRandom(seed)())).size).toBe(seeds.length);
    expect(mixSeed(1, "a", "bc")).not.toBe(mixSeed(1, "ab", "c"));
    expect(mixSeed(1, "a", 1)).not.toBe(mixSeed(1, "a", 2));
  });

  test("numbers are even over their range, and the normal ones have mean 0 and variance 1", () => {
    const random = createRandom(7);
    const count = 50_000;
    let sum = 0;
    let squares = 0;
    const tenths = new Array<number>(10).fill(0);
    for (let i = 0; i < count; i++) {
      const gaussian = drawGaussian(random);
      sum += gaussian;
      squares += gaussian ** 2;
      tenths[Math.floor(random() * 10)]!++;
    }
    expect(sum / count).toBeCloseTo(0, 1);
    expect(squares / count).toBeCloseTo(1, 1);
    for (const tenth of tenths) expect(tenth / count).toBeCloseTo(0.1, 1.9);
  });
});

describe("links", () => {
  const clutter = fc.constantFrom<Clutter>("urban", "suburban", "open");

  test("loss is the same both ways and hardly ever less than free space", () => {
    fc.assert(
      fc.property(
        fc.nat(2 ** 31),
        fc.integer({ min: 1, max: 150_000 }),
        clutter,
        clutter,
        fc.nat(2_000),
        (seed, eastM, near, far, elevationM) => {
          const a = createStation("a", 0, { clutter: near });
          const b = createStation("b", eastM, { clutter: far, elevationM });
          const lossDb = computePathLossDb(seed, a, b, FREQ_HZ);
          expect(computePathLossDb(seed, b, a, FREQ_HZ)).toBe(lossDb);
          const freeSpaceDb = computeFreeSpaceLossCentiDb(Math.max(30, eastM), FREQ_HZ) / 100;
          expect(lossDb).toBeGreaterThan(freeSpaceDb - 2.5);
        },
      ),
    );
  });

  test("built-up places lose more, hills see farther", () => {
    const mean = (fields: { clutter: Clutter; elevationM?: number }) => {
      let sumDb = 0;
      for (let seed = 0; seed < 200; seed++) {
        sumDb += computePathLossDb(
          seed,
          createStation("a", 0, { clutter: fields.clutter }),
          createStation("b", 5_000, fields),
          FREQ_HZ,
        );
      }
      return sumDb / 200;
    };
    const urban = mean({ clutter: "urban" });
    const suburban = mean({ clutter: "suburban" });
    const open = mean({ clutter: "open" });
    const hill = mean({ clutter: "urban", elevationM: 400 });
    expect(urban).toBeGreaterThan(suburban + 3);
    expect(suburban).toBeGreaterThan(open + 3);
    expect(hill).toBeLessThan(urban - 15);
  });

  test("nobody hears over the horizon, and a mountain's lies far out", () => {
    const loss = (distanceM: number, elevationM: number) =>
      computePathLossDb(1, createStation("a", 0, { elevationM }), createStation("b", distanceM, {}), FREQ_HZ);
    // From 10 m to 10 m the smooth Earth ends sight at 26 km; from 1,500 m at 173 km.
    expect(loss(300_000, 0)).toBeGreaterThan(350);
    expect(loss(150_000, 1_490) - loss(100_000, 1_490)).toBeLessThan(10);
    expect(loss(400_000, 1_490)).toBeGreaterThan(300);
  });

  test("shadowing has the spread of the surroundings", () => {
    const squares = Array.from({ length: 2_000 }, (_, seed) => {
      const a = createStation("a", 0, { clutter: "urban" });
      return drawShadowingDb(seed, a, createStation("b", 900, { clutter: "urban" })) ** 2;
    });
    const sigmaDb = Math.sqrt(squares.reduce((sum, square) => sum + square) / squares.length);
    expect(sigmaDb).toBeGreaterThan(6.5);
    expect(sigmaDb).toBeLessThan(7.5);
  });
});

describe("what receivers print", () => {
  test("C rounds quarters to the even digit", () => {
    const printed = [0, 0.25, 0.5, 0.75, 1, -0.25, -0.5, -0.75, -12.25, 9.75].map(printSnr);
    expect(printed).toEqual(["0.0", "0.2", "0.5", "0.8", "1.0", "-0.2", "-0.5", "-0.8", "-12.2", "9.8"]);
  });

  test("honest receptions pass the gates, but for one in a thousand", () => {
    const random = createRandom(11);
    const refusals = new Map<GateReason, number>();
    const perSf = new Map<number, number>();
    let heard = 0;
    for (let i = 0; i < 60_000; i++) {
      const plan = random() < 0.7 ? REGION_PLANS.EU868 : REGION_PLANS.US915;
      const clutters = ["urban", "suburban", "open"] as const;
      const [near, far] = [clutters[Math.floor(random() * 3)]!, clutters[Math.floor(random() * 3)]!];
      const gainCentiDbi = [120, 300, 580][Math.floor(random() * 3)]!;
      const distanceM = Math.round(300 * 10 ** (random() * 2.4));
      const a = createStation(`a${i}`, 0, { clutter: near });
      const b = createStation(`b${i}`, distanceM, {
        clutter: far,
        gainCentiDbi,
        elevationM: 20 + 500 * random() ** 4,
      });
      const freqHz = plan.beaconFreqsHz[Math.floor(random() * plan.beaconFreqsHz.length)]!;
      const spreadingFactor = plan.dataRates[Math.floor(random() * plan.dataRates.length)]!;
      const powerDbm = plan.maxEirpCentiDbm / 100 - 3 - 6 * Math.floor(random() * 2);
      const receiver = drawReceiver(5, b.id);
      const signalDbm =
        powerDbm + (300 + gainCentiDbi) / 100 - computePathLossDb(5, a, b, freqHz) + drawFadingDb(random);
      const noiseDbm = -174 + 10 * Math.log10(125_000) + receiver.noiseFigureDb;
      if (signalDbm - noiseDbm < DEMODULATION_LIMIT_DB[spreadingFactor]!) continue;
      heard++;
      if (plan.name === "EU868") perSf.set(spreadingFactor, (perSf.get(spreadingFactor) ?? 0) + 1);
      const measured = measureSignal(receiver, signalDbm, 125_000, random);
      expect(Number.isInteger(measured.snrDb * 4)).toBe(true);
      const reason = checkLink({
        rssiDeciDbm: 10 * (measured.rssiSignalDbm ?? measured.rssiChannelDbm),
        snrCentiDb: Math.round(100 * Number(printSnr(measured.snrDb))),
        spreadingFactor,
        bandwidthHz: 125_000,
        eirpCentiDbm: powerDbm * 100 + 300,
        rxGainCentiDbi: gainCentiDbi,
        distanceM,
        freqHz,
        region: plan,
        challenge: { freqHz, spreadingFactor, bandwidthHz: 125_000 },
      });
      if (reason !== null && reason !== "too_close") refusals.set(reason, (refusals.get(reason) ?? 0) + 1);
    }
    const refused = [...refusals.values()].reduce((sum, count) => sum + count, 0);
    expect(heard).toBeGreaterThan(20_000);
    expect([...refusals.keys()].every((reason) => GATE_REASONS.includes(reason))).toBe(true);
    expect(refused / heard, JSON.stringify([...refusals])).toBeLessThan(0.001);
    // Slower spreading factors reach farther.
    expect(perSf.get(12)! / perSf.get(7)!).toBeGreaterThan(1);
  });
});
