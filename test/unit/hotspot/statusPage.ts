/** A hotspot's server with a prepared status behind it, as the page's tests show it. */
import { createSilentLog } from "../../../node/src/host/log.ts";
import type { Earnings } from "../../../node/src/hotspot/earnings.ts";
import type { HotspotMetrics } from "../../../node/src/hotspot/metrics.ts";
import { PacketLog } from "../../../node/src/hotspot/packetLog.ts";
import { createHotspotServer, type Examination } from "../../../node/src/hotspot/server.ts";
import type { HotspotStatus } from "../../../node/src/hotspot/status.ts";
import { FakeRadio } from "./fakeRadio.ts";

const ago = (seconds: number): string => new Date(Date.now() - seconds * 1_000).toISOString();

/** A status with something in every part; `<img>` stands where strangers could write. */
export function createSampleStatus(): HotspotStatus {
  const nowMs = Date.now();
  return {
    did: "did:key:z6MkSample",
    name: "calm-blue-heron",
    peerId: "12D3KooSample",
    network: { name: "devnet", id: "0x00" },
    region: "EU868",
    cell: "8c1f8342cc609ff",
    antennaGainDbi: 2.15,
    standing: "known",
    ready: false,
    problems: ["No validator is in reach."],
    next: ["Beacon in round 120 of epoch 4, in about 40 s, on 868.1 MHz at SF9."],
    rounds: { round: 100, epoch: 4, time: ago(1), ageMs: 1_000, delayMs: 400 },
    validators: [
      { address: "/ip4/127.0.0.1/tcp/4467", connected: true, lastError: null },
      { address: "/dns4/<img src=x>/tcp/4467", connected: false, lastError: "unreachable" },
    ],
    radio: {
      ...new FakeRadio().status(),
      forwarders: [
        {
          eui: "aa555a0000000000",
          transmits: true,
          lastPushMs: nowMs - 1_000,
          timing: { source: "counter", latencyMs: 12, driftPpm: 3.5, gpsSkewMs: null, restarts: 0 },
          downlinkAddress: "127.0.0.1:40000",
          version: 2,
          firstSeenMs: nowMs - 100_000,
          lastSeenMs: nowMs - 3_000,
          lastPullMs: nowMs - 3_000,
          alive: true,
          stat: { receivedAtMs: nowMs, values: { rxnb: 7 } },
          takeoversRefused: 0,
          downlinkReturns: 0,
        },
      ],
    },
    dutyCycle: [
      { band: "L", usedMs: 370.7, limitMs: 36_000, windowMs: 3_600_000 },
      { band: "M", usedMs: 35_000, limitMs: 36_000, windowMs: 3_600_000 },
    ],
    beacons: [
      {
        epoch: 3,
        slotRound: 95,
        frequencyHz: 868_300_000,
        spreadingFactor: 10,
        powerDbm: 13,
        time: ago(90),
        state: "complete",
        words: "Sent, reported and revealed.",
        includedRound: 96,
      },
    ],
    lastBeaconFailure: null,
    lastBeaconFailureWords: null,
    spool: { entries: 3, bytes: 5_120, oldestMs: 20_000, damagedBytes: 0, fault: null },
    delivery: {
      waiting: 1,
      admitted: 1,
      admittedTwice: 1,
      included: 1,
      submissions: { receipted: 4, no_answer: 0, bad_receipt: 0 },
      refusal: null,
    },
    verdicts: { beacon: { accepted: 1 }, witness: {}, reveal: {} },
    reports: [
      {
        id: `${"1".repeat(64)}-0`,
        kind: "witness",
        time: ago(20),
        state: "admitted",
        verdict: null,
        isQuestion: false,
        includedRound: null,
        words: "A validator has it.",
      },
      {
        id: `${"2".repeat(64)}-0`,
        kind: "witness",
        time: ago(60),
        state: "judged",
        verdict: "too_close",
        includedRound: 97,
        isQuestion: false,
        words: "Valid but not paid: the two are closer than 300 m.",
      },
      {
        id: `${"3".repeat(64)}-0`,
        kind: "witness",
        time: ago(70),
        state: "judged",
        verdict: "proof_mismatch",
        includedRound: 97,
        isQuestion: false,
        words: "Refused: the proof does not fit the beacon's secret.",
      },
      {
        id: `${"4".repeat(64)}-0`,
        kind: "beacon",
        time: ago(88),
        state: "judged",
        verdict: "accepted",
        isQuestion: false,
        includedRound: 96,
        words: "Accepted.",
      },
    ],
  };
}

/** Earnings as a validator tells them, the total proven. */
export function createSampleEarnings(): Earnings {
  return {
    api: "http://validator.example.net:8080",
    account: "did:key:z6MkOwner",
    fault: null,
    epochs: [
      {
        epoch: 3,
        beaconPaid: "4075471698",
        witnessPaid: "6865116279",
        paid: "10940587977",
        withheld: "0",
        released: "0",
      },
    ],
    withheld: null,
    proven: { total: "38519640098", epoch: 3 },
    words: "Proof checked by the validators of epoch 2: signed by 3 of 4.",
  };
}

/** One finding of each result. */
export function createSampleExamination(): Examination {
  const finding = (check: string, result: "ok" | "not_checked" | "warn" | "fail", found: string) => {
    return { check, result, found, advice: result === "ok" ? null : "Do something." };
  };
  return {
    time: ago(600),
    findings: [
      finding("device", "ok", "None is bound, and none is set."),
      finding("clock", "not_checked", "No server answers."),
      finding("listen_first", "warn", "Somebody <img src=x> must listen."),
      finding("disk", "fail", "The home cannot be written to."),
    ],
  };
}

/** Starts the server. @returns its address, and what stops it. */
export async function startSamplePage(): Promise<{ address: string; stop: () => Promise<void> }> {
  const packets = new PacketLog();
  const radio = new FakeRadio();
  const nowMs = Date.now();
  for (let i = 0; i < 60; i++) {
    const receivedAtMs = nowMs - 3_500_000 + i * 58_000;
    const stop = radio.onPacket((packet) =>
      packets.addReceived(packet, i % 4 === 0 ? "beacon" : "other", i % 4 === 0 ? null : "wrong_length"),
    );
    radio.hear(new Uint8Array(24), { receivedAtMs });
    stop();
  }
  const metrics: HotspotMetrics = { contentType: "text/plain", render: async () => "" } as HotspotMetrics;
  const server = createHotspotServer(
    { host: "127.0.0.1", port: 0 },
    {
      messages: { find: () => null },
      readStatus: createSampleStatus,
      packets,
      metrics,
      log: createSilentLog(),
      readEarnings: async () => createSampleEarnings(),
      readExamination: async () => createSampleExamination(),
    },
  );
  return { address: await server.start(), stop: server.stop };
}
