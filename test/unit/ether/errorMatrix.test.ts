/**
 * What a forwarder says to what it is asked, over real UDP: every error that it knows, powers that its table lacks, GPS
 * time, traffic that is not LoRa, and the end of its process. And that it says nothing but "queued" to whatever a hotspot
 * of any region may ask.
 */
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { createSystemClock } from "../../../node/src/host/clock.ts";
import { encodePullResp } from "../../../node/src/radio/gwmp/datagram.ts";
import { createGwmpRadio } from "../../../node/src/radio/gwmp/gwmpRadio.ts";
import { encodeTxpk } from "../../../node/src/radio/gwmp/txpk.ts";
import type { Radio } from "../../../node/src/radio/radio.ts";
import { asciiBytes } from "../../../protocol/src/bytes/bytes.ts";
import { computeChallengePowerCentiDbm } from "../../../protocol/src/evidence/challenge.ts";
import { computeAirtimeUs } from "../../../protocol/src/radio/airtime.ts";
import { FRAME_BYTES } from "../../../protocol/src/radio/frame.ts";
import { beaconSpreadingFactors, REGION_NAMES, REGION_PLANS } from "../../../protocol/src/radio/regions.ts";
import { createEther, type EtherPort } from "../../ether/ether.ts";
import { createForwarder, type Forwarder, type ForwarderOptions } from "../../ether/forwarder.ts";
import { JitQueue } from "../../ether/jitQueue.ts";
import {
  REFERENCE_LUT_DBM,
  readPullResp,
  type TransmitterConfiguration,
  WIDE_LUT_DBM,
} from "../../ether/pullResp.ts";
import { openBareServer } from "./bareServer.ts";
import { EUI, nextPacket, REQUEST } from "./radioCompliance.ts";
import { createStation } from "./stations.ts";

const clock = createSystemClock();
const log = { info: () => {}, warn: () => {} };
const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

type Setup = { readonly forwarder: Forwarder; readonly neighbour: EtherPort };

async function startForwarder(port: number, options: Partial<ForwarderOptions>): Promise<Setup> {
  const ether = createEther({ seed: 1 }, { clock });
  const neighbour = ether.attach(createStation("neighbour", 800));
  const forwarder = createForwarder(
    {
      ...{ eui: EUI, server: { host: "127.0.0.1", port }, plan: REGION_PLANS.EU868 },
      ...{ lutDbm: REFERENCE_LUT_DBM, ...options },
    },
    { port: ether.attach(createStation("own", 0)), clock },
  );
  await forwarder.start();
  cleanups.push(() => forwarder.stop());
  return { forwarder, neighbour };
}

/** A hotspot's radio with this forwarder. */
async function openRadio(options: Partial<ForwarderOptions>): Promise<Setup & { readonly radio: Radio }> {
  const radio = createGwmpRadio({ host: "127.0.0.1", port: 0 }, { clock, log });
  await radio.start();
  cleanups.push(() => radio.stop());
  const alive = new Promise((resolve) => radio.onForwarderAlive(resolve));
  const setup = await startForwarder(Number(radio.status().listeningOn!.split(":")[1]), options);
  await alive;
  return { ...setup, radio };
}

/** Asks a forwarder for one frame, as JSON. @returns its answer's body; null where a later request overtook it. */
async function ask(
  options: Partial<ForwarderOptions>,
  ...changes: Record<string, unknown>[]
): Promise<string[]> {
  const server = await openBareServer();
  cleanups.push(() => server.close());
  await startForwarder(server.port, options);
  const pull = await server.next("pull_data");
  const { txpk } = JSON.parse(encodeTxpk(REQUEST)) as { txpk: Record<string, unknown> };
  const answers: string[] = [];
  for (const [index, change] of changes.entries()) {
    server.send(encodePullResp(2, index, JSON.stringify({ txpk: { ...txpk, ...change } })), pull.from);
    const ack = await server.next("tx_ack");
    expect(ack.token).toBe(index);
    answers.push(new TextDecoder().decode(ack.body));
  }
  return answers;
}

const error = (name: string) => `{"txpk_ack":{"error":"${name}"}}`;
const GPS_EPOCH_MS = Date.UTC(1980, 0, 6) - 18_000;
const later = { imme: undefined, tmst: undefined };

describe("the error matrix", () => {
  // TOO_LATE is the queue's alone (pullResp.test.ts): it holds for 46 ms, which a busy machine may need to ask.
  test.each([
    ["TOO_EARLY", {}, { ...later, tmst: 2 ** 32 - 10_000_000 }],
    ["TOO_EARLY", {}, { ...later, tmst: 700_000_000 }],
    ["TX_FREQ", {}, { freq: 915 }],
    ["TX_POWER", { powerPolicy: "refuse" }, { powe: 11 }],
    ["TX_POWER", { powerPolicy: "refuse" }, { powe: 30 }],
    ["GPS_UNLOCKED", {}, { ...later, tmms: 1 }],
    ["COLLISION_BEACON", { gatewayBeaconMs: 10_000 }, { ...later, tmst: 9_000_000 }],
    ["COLLISION_BEACON", { gatewayBeaconMs: 10_000 }, { ...later, tmst: 22_000_000 }],
  ] as const)("%s", async (name, options, change) => {
    expect(await ask(options, change)).toEqual([error(name)]);
  });

  test("COLLISION_PACKET: a moment that another frame has", async () => {
    const at = { ...later, tmst: 5_000_000 };
    expect(await ask({}, at, at, { ...later, tmst: 5_030_000 }, { ...later, tmst: 6_000_000 })).toEqual([
      "",
      error("COLLISION_PACKET"),
      error("COLLISION_PACKET"),
      "",
    ]);
  });

  test("between two beacons of the gateway's own there is room", async () => {
    expect(await ask({ gatewayBeaconMs: 10_000 }, { ...later, tmst: 14_000_000 })).toEqual([""]);
  });

  test("with GPS a time of it is kept, and one that is past or far is not", async () => {
    const now = Date.now() - GPS_EPOCH_MS;
    const answers = await ask(
      { hasGps: true },
      ...[20_000, -2_000, 600_000].map((ms) => ({ ...later, tmms: now + ms })),
    );
    expect(answers).toEqual(["", error("TOO_EARLY"), error("TOO_EARLY")]);
  });

  test("FSK is sent at its data rate, heard by no LoRa receiver, and needs data rate and deviation", () => {
    const radio: TransmitterConfiguration = {
      ...{ txFreqMinHz: 863_000_000, txFreqMaxHz: 870_000_000, lutDbm: WIDE_LUT_DBM, antennaGainDbi: 0 },
      ...{ powerPolicy: "warn", hasGps: false },
    };
    const lora = JSON.parse(encodeTxpk(REQUEST)).txpk as Record<string, unknown>;
    const fsk = { ...lora, modu: "FSK", datr: 50_000, fdev: 25_000, codr: undefined, prea: undefined };
    const judge = (change: Record<string, unknown>) =>
      readPullResp(asciiBytes(JSON.stringify({ txpk: { ...fsk, ...change } })), radio);
    const sent = judge({});
    // 5 of preamble, 3 of sync word, 1 of length, 24, 2 of CRC: 35 bytes at 160 us.
    expect(sent).toMatchObject({ kind: "transmit", emission: { spreadingFactor: null, airtimeUs: 5_600 } });
    expect(judge({ ncrc: true, prea: 1 })).toMatchObject({ emission: { airtimeUs: 4_960 } });
    for (const change of [{ fdev: undefined }, { datr: undefined }, { datr: "SF7BW125" }, { datr: 499 }]) {
      expect(judge(change)).toEqual({ kind: "silence" });
    }
    expect(judge({ modu: "LR-FHSS" })).toEqual({ kind: "silence" });
  });

  test("an immediate frame goes behind a beacon, not into it", () => {
    const queue = new JitQueue<string>({ firstUs: 4_000_000, periodUs: 10_000_000 });
    expect(queue.offerImmediate("frame", 500_000, 1_500_000)).toBeNull();
    expect(queue.nextStartUs()).toBe(6_120_000);
    expect(queue.offerImmediate("next", 500_000, 1_500_000)).toBeNull();
    queue.take(6_120_000);
    expect(queue.nextStartUs()).toBeGreaterThan(6_620_000);
  });

  test("a hotspot hears each of them as what it is", async () => {
    const { radio } = await openRadio({ powerPolicy: "refuse" });
    expect(await radio.transmit({ ...REQUEST, powerDbm: 11 })).toEqual({
      ...{ status: "failed", reason: "tx_power", onAir: "no" },
    });
    expect(await radio.transmit({ ...REQUEST, freqHz: 902_300_000 })).toMatchObject({ reason: "tx_freq" });
    expect(await radio.transmit(REQUEST)).toMatchObject({ status: "queued", powerDbm: 13 });
  });
});

describe("whatever a hotspot asks", () => {
  const region = fc.constantFrom(...REGION_NAMES);
  const lut = fc.constantFrom(REFERENCE_LUT_DBM, WIDE_LUT_DBM);

  test("is queued as it was asked, and the power that is told is the one that leaves", () => {
    fc.assert(
      fc.property(
        region,
        lut,
        fc.integer({ min: -1_000, max: 1_500 }),
        fc.nat(),
        fc.constantFrom(0, 6),
        fc.uint8Array({ minLength: FRAME_BYTES, maxLength: FRAME_BYTES }),
        (name, lutDbm, gainCentiDbi, draw, powerStepDb, payload) => {
          const plan = REGION_PLANS[name];
          const rates = beaconSpreadingFactors(plan, 1_500);
          const request = {
            payload,
            freqHz: plan.beaconFreqsHz[draw % plan.beaconFreqsHz.length]!,
            spreadingFactor: rates[draw % rates.length]!,
            bandwidthHz: plan.bwHz,
            powerDbm: computeChallengePowerCentiDbm(plan, gainCentiDbi, powerStepDb) / 100,
          };
          const outcome = readPullResp(Buffer.from(encodeTxpk(request)), {
            ...{ txFreqMinHz: Math.min(...plan.beaconFreqsHz), txFreqMaxHz: Math.max(...plan.beaconFreqsHz) },
            ...{ lutDbm, antennaGainDbi: 0, powerPolicy: "warn", hasGps: false },
          });
          expect(outcome.kind).toBe("transmit");
          if (outcome.kind !== "transmit") return;
          const { emission, warnPowerDbm } = outcome;
          expect(emission.payload).toEqual(payload);
          expect(emission.freqHz).toBe(request.freqHz);
          expect(emission.spreadingFactor).toBe(request.spreadingFactor);
          expect(emission.invertedPolarity).toBe(false);
          const airtimeUs = computeAirtimeUs({ ...request, payloadBytes: FRAME_BYTES });
          expect(emission.airtimeUs).toBe(airtimeUs);
          expect(emission.powerDbm).toBe(warnPowerDbm ?? request.powerDbm);
          expect(lutDbm).toContain(emission.powerDbm);
          // Louder than asked only where the table has nothing lower.
          if (emission.powerDbm > request.powerDbm) expect(emission.powerDbm).toBe(lutDbm[0]);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe("what is heard beside LoRa", () => {
  test("FSK and LR-FHSS cost the LoRa frame nothing, and are counted as what they are", async () => {
    const { radio, forwarder, neighbour } = await openRadio({});
    const reasons: string[] = [];
    radio.onRefused(({ reason, modulation }) => reasons.push(`${modulation} ${reason}`));
    const heard = nextPacket(radio);
    const { payload, freqHz, spreadingFactor, bandwidthHz } = REQUEST;
    const airtimeUs = computeAirtimeUs({ ...REQUEST, payloadBytes: payload.length });
    neighbour.transmit({
      payload,
      freqHz,
      spreadingFactor,
      bandwidthHz,
      powerDbm: 14,
      airtimeUs,
      invertedPolarity: false,
    });
    const other = { freqHz: 868_800_000, rssiDbm: -75, payload: Uint8Array.of(1, 2, 3) };
    await new Promise(
      (resolve) => neighbour.onReceive(resolve) && setTimeout(resolve, airtimeUs / 1_000 - 5),
    );
    forwarder.hearOther({ ...other, modulation: "fsk" });
    forwarder.hearOther({ ...other, modulation: "lr_fhss" });
    expect((await heard).payload).toEqual(payload);
    await expect.poll(() => reasons.toSorted()).toEqual(["fsk not_lora", "lr_fhss not_lora"]);
    expect(forwarder.counters()).toMatchObject({ heard: 3, forwarded: 3 });
  });
});

describe("a forwarder with GPS", () => {
  test("says when a frame was received, and how far this machine's clock is off", async () => {
    const { radio, neighbour } = await openRadio({ hasGps: true, statIntervalMs: 50, keepaliveMs: 20 });
    const heard = nextPacket(radio);
    const airtimeUs = computeAirtimeUs({ ...REQUEST, payloadBytes: REQUEST.payload.length });
    const beforeMs = Date.now();
    neighbour.transmit({ ...REQUEST, airtimeUs, invertedPolarity: false });
    const afterMs = Date.now();
    const { receivedAtMs, timeSource } = await heard;
    expect(timeSource).toBe("gps");
    // The clock counts whole milliseconds, as GPS time in a packet does.
    expect(receivedAtMs).toBeGreaterThanOrEqual(beforeMs + airtimeUs / 1_000 - 2);
    expect(receivedAtMs).toBeLessThanOrEqual(afterMs + airtimeUs / 1_000 + 2);
    const { timing } = radio.status().forwarders[0]!;
    expect(timing).toMatchObject({ source: "gps" });
    expect(timing!.gpsSkewMs).toBeGreaterThanOrEqual(0);
    expect(timing!.gpsSkewMs).toBeLessThan(10_000);
    await expect.poll(() => radio.status().forwarders[0]!.stat?.values.lati).toBeTypeOf("number");
  });
});

describe("autoquit", () => {
  test("ends a forwarder that nobody acknowledges, and none that somebody does", async () => {
    const server = await openBareServer();
    cleanups.push(() => server.close());
    const { forwarder } = await startForwarder(server.port, { keepaliveMs: 5, autoquitThreshold: 3 });
    await expect.poll(() => forwarder.counters()).toMatchObject({ exits: 1, pullSent: 3, pullAcked: 0 });
    const { forwarder: served } = await openRadio({ keepaliveMs: 5, autoquitThreshold: 3 });
    await expect.poll(() => served.counters().pullAcked).toBeGreaterThan(6);
    expect(served.counters().exits).toBe(0);
  });
});
