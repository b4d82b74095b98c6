/** What happens on the shared air: reach, collisions, deafness while sending, ghosts, and the same again from the same seed. */
import { describe, expect, test } from "vitest";
import { computeAirtimeUs } from "../../../protocol/src/radio/airtime.ts";
import type { Station } from "../../ether/channel.ts";
import { createEther, type Emission, type EtherReception } from "../../ether/ether.ts";
import { ManualClock } from "../validator/support/manualClock.ts";
import { createStation } from "./stations.ts";

function createEmission(fields: Partial<Emission & { spreadingFactor: number }> = {}): Emission {
  const emission = {
    payload: Uint8Array.from({ length: 24 }, (_, i) => i),
    freqHz: 867_500_000,
    spreadingFactor: 9,
    bandwidthHz: 125_000,
    powerDbm: 13,
    invertedPolarity: false,
    ...fields,
  };
  return { airtimeUs: computeAirtimeUs({ ...emission, payloadBytes: emission.payload.length }), ...emission };
}

function createWorld(stations: readonly Station[], seed = 3) {
  const clock = new ManualClock(1_760_000_000_000);
  const ether = createEther({ seed }, { clock });
  const ports = stations.map((station) => ether.attach(station));
  const heard = stations.map((): EtherReception[] => []);
  for (const [index, port] of ports.entries()) port.onReceive((reception) => heard[index]!.push(reception));
  return { clock, ether, ports, heard };
}

describe("reach", () => {
  test("a frame arrives when it ends, at everyone near and at nobody far, and never at its sender", () => {
    const { clock, ether, ports, heard } = createWorld([
      createStation("a", 0),
      createStation("b", 2_000),
      createStation("c", 2_500),
      createStation("far", 2_000_000),
    ]);
    const emission = createEmission();
    ports[0]!.transmit(emission);
    clock.advance(Math.floor(emission.airtimeUs / 1_000) - 1);
    expect(heard.flat()).toEqual([]);
    const startMs = clock.nowMs();
    clock.advance(3);
    expect(heard.map((receptions) => receptions.length)).toEqual([0, 1, 1, 0]);
    expect(heard[1]![0]).toMatchObject({
      payload: emission.payload,
      freqHz: emission.freqHz,
      spreadingFactor: 9,
      bandwidthHz: 125_000,
      isCrcGood: true,
    });
    expect(heard[1]![0]!.endedAtMs - startMs).toBeLessThan(3);
    expect(ether.counters()).toMatchObject({ emitted: 1, received: 2, tooWeak: 1, collided: 0, deaf: 0 });
  });

  test("near the limit frames come with a bad checksum and another payload", () => {
    const { clock, ports, heard, ether } = createWorld([createStation("a", 0), createStation("b", 9_000)]);
    for (let powerDbm = -30; powerDbm <= 27; powerDbm += 0.25) {
      ports[0]!.transmit(createEmission({ powerDbm }));
      clock.advance(1_000);
    }
    const bad = heard[1]!.filter((reception) => !reception.isCrcGood);
    expect(bad.length).toBeGreaterThan(0);
    for (const { payload } of bad) expect(payload).not.toEqual(createEmission().payload);
    expect(ether.counters().tooWeak).toBeGreaterThan(0);
    expect(heard[1]!.some((reception) => reception.isCrcGood)).toBe(true);
  });

  test("inverted frames are not for concentrators", () => {
    const { clock, ports, heard } = createWorld([createStation("a", 0), createStation("b", 500)]);
    ports[0]!.transmit(createEmission({ invertedPolarity: true }));
    ports[0]!.transmit({ ...createEmission(), spreadingFactor: null });
    clock.advance(1_000);
    expect(heard[1]).toEqual([]);
  });
});

describe("collisions", () => {
  const stations = [
    createStation("a", 0),
    createStation("b", 100),
    createStation("middle", 50),
    createStation("far", 8_000),
  ];

  test("two frames of one channel and spreading factor destroy each other at equal strength", () => {
    const { clock, ether, ports, heard } = createWorld(stations);
    ports[0]!.transmit(createEmission());
    clock.advance(20);
    ports[1]!.transmit(createEmission());
    clock.advance(1_000);
    expect(heard[2]).toEqual([]);
    expect(ether.counters().collided).toBeGreaterThanOrEqual(2);
  });

  test.each([
    ["another channel", { freqHz: 867_700_000 }],
    ["another spreading factor", { spreadingFactor: 10 }],
  ])("%s does not disturb", (_name, fields) => {
    const { clock, ports, heard, ether } = createWorld(stations);
    ports[0]!.transmit(createEmission());
    ports[1]!.transmit(createEmission(fields));
    clock.advance(2_000);
    expect(heard[2]!.length).toBeGreaterThanOrEqual(2);
    expect(ether.counters().collided).toBe(0);
  });

  test("much more power survives", () => {
    const { clock, ports, heard } = createWorld(stations);
    ports[0]!.transmit(createEmission({ payload: Uint8Array.of(1) }));
    ports[3]!.transmit(createEmission({ payload: Uint8Array.of(2) }));
    clock.advance(1_000);
    const payloads = new Set(heard[2]!.map((reception) => reception.payload[0]));
    expect([...payloads]).toEqual([1]);
  });

  test("a frame that begins when the other has ended is heard", () => {
    const { clock, ports, heard } = createWorld([
      createStation("a", 0),
      createStation("b", 400),
      createStation("c", 200),
    ]);
    ports[0]!.transmit(createEmission());
    clock.advance(Math.ceil(createEmission().airtimeUs / 1_000));
    ports[1]!.transmit(createEmission());
    clock.advance(1_000);
    expect(heard[2]!.filter((reception) => reception.freqHz === 867_500_000)).toHaveLength(2);
  });

  test("a frame that is over disturbs nobody, even while a third is still on air", () => {
    const { clock, ports, heard, ether } = createWorld([
      createStation("a", 0),
      createStation("b", 600),
      createStation("c", 300),
      createStation("d", 310),
    ]);
    const short = createEmission();
    ports[0]!.transmit(short);
    ports[1]!.transmit(createEmission({ spreadingFactor: 12 }));
    clock.advance(Math.ceil(short.airtimeUs / 1_000));
    ports[3]!.transmit(short);
    clock.advance(5_000);
    expect(ether.counters().collided).toBe(0);
    expect(heard[2]!.filter(({ freqHz }) => freqHz === short.freqHz)).toHaveLength(3);
    // Who has stopped sending hears again.
    expect(heard[0]).not.toHaveLength(0);
  });

  test("who sends is deaf", () => {
    const { clock, ether, ports, heard } = createWorld([createStation("a", 0), createStation("b", 500)]);
    ports[0]!.transmit(createEmission());
    ports[1]!.transmit(createEmission({ freqHz: 868_500_000 }));
    clock.advance(1_000);
    expect(heard).toEqual([[], []]);
    expect(ether.counters().deaf).toBe(2);
  });
});

describe("ghosts", () => {
  test("a strong frame comes with weak copies on neighbouring channels, within microseconds", () => {
    const { clock, ports, heard } = createWorld([createStation("a", 0), createStation("b", 40)]);
    for (let i = 0; i < 20; i++) {
      ports[0]!.transmit(createEmission({ spreadingFactor: 12, powerDbm: 20 }));
      clock.advance(3_000);
    }
    const real = heard[1]!.filter((reception) => reception.freqHz === 867_500_000);
    const ghosts = heard[1]!.filter((reception) => reception.freqHz !== 867_500_000);
    expect(real).toHaveLength(20);
    expect(ghosts.length).toBeGreaterThan(5);
    const weakest = Math.min(...real.map((reception) => reception.rssiChannelDbm));
    for (const ghost of ghosts) {
      expect(ghost.rssiChannelDbm).toBeLessThan(weakest - 30);
      const nearest = real.map(({ endedAtMs }) => Math.abs(endedAtMs - ghost.endedAtMs));
      expect(Math.min(...nearest)).toBeLessThanOrEqual(0.02);
    }
  });
});

describe("the seed", () => {
  /** Forty frames of four stations, folded into one text. */
  function run(seed: number): string {
    const stations = [0, 900, 3_000, 7_000].map((eastM, i) =>
      createStation(`s${i}`, eastM, { clutter: "urban" }),
    );
    const { clock, ports, heard } = createWorld(stations, seed);
    for (let i = 0; i < 40; i++) {
      ports[i % 4]!.transmit(createEmission({ payload: Uint8Array.of(i), spreadingFactor: 7 + (i % 6) }));
      clock.advance(i % 3 === 0 ? 30 : 5_000);
    }
    clock.advance(10_000);
    return JSON.stringify(heard);
  }

  test("gives the same history twice, and another seed another", () => {
    expect(run(42)).toBe(run(42));
    expect(run(43)).not.toBe(run(42));
  });
});
