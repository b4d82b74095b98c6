/**
 * The cases that real forwarders and the servers before this one have taught, one by one, against the real UDP socket
 * with a witness behind it. Their numbers are those of the collection that the project was built against; where a case
 * speaks of Helium's beacons of 52 bytes, this network's of 24 stand in their place, and Helium's are nobody's.
 */
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createSilentLog } from "../../../node/src/host/log.ts";
import { Bundler } from "../../../node/src/hotspot/bundler.ts";
import { createHotspotEmitter } from "../../../node/src/hotspot/events.ts";
import { Outbox } from "../../../node/src/hotspot/outbox.ts";
import { PacketLog } from "../../../node/src/hotspot/packetLog.ts";
import { openSpool } from "../../../node/src/hotspot/spool.ts";
import { Witness } from "../../../node/src/hotspot/witness.ts";
import { PULL_RESP_MAX_BYTES } from "../../../node/src/radio/gwmp/datagram.ts";
import { GHOST_HOLD_OFF_MS } from "../../../node/src/radio/gwmp/ghosts.ts";
import type { TransmitRequest } from "../../../node/src/radio/radio.ts";
import { createSigningDomains } from "../../../protocol/src/crypto/domain.ts";
import { createKeyPair } from "../../../protocol/src/crypto/ed25519.ts";
import { PRESETS } from "../../../protocol/src/network/presets.ts";
import { computeAirtimeUs } from "../../../protocol/src/radio/airtime.ts";
import {
  checkTransmission,
  recordTransmission,
  type Transmission,
} from "../../../protocol/src/radio/dutyCycle.ts";
import { encodeFrame } from "../../../protocol/src/radio/frame.ts";
import { REGION_PLANS } from "../../../protocol/src/radio/regions.ts";
import { decodeEnvelope } from "../../../protocol/src/wire/envelope.ts";
import { decodeReportBundle, type WitnessReport } from "../../../protocol/src/wire/reports.ts";
import { JIT_QUEUE_DEPTH, JitQueue } from "../../ether/jitQueue.ts";
import { openRadio, PRINTED_RXPK, type RadioFixture } from "./radioFixture.ts";
import type { UdpPeer } from "./udpPeer.ts";

const EUI = "aa555a0000000000";
const OWN_TAG = Uint8Array.of(9, 9, 9, 9, 9, 9);
const hotspot = createKeyPair(new Uint8Array(32).fill(3));
const base64 = (bytes: Uint8Array | readonly number[]) => Buffer.from(bytes).toString("base64");
const frame = (tag: number) =>
  encodeFrame({ tag: new Uint8Array(6).fill(tag), secret: new Uint8Array(16).fill(tag) });
const ELEMENT = { ...PRINTED_RXPK, size: 24, data: base64(frame(1)) };
const HELIUM = "4ByZEkFg6DuShn1jDK9MntIc/ZI7u8t6kjHxnJRK9kQRCNQwBpg63Z66ZSU7h34SSPRBrg==";
const REQUEST: TransmitRequest = {
  payload: frame(7),
  freqHz: 867_900_000,
  spreadingFactor: 10,
  bandwidthHz: 125_000,
  powerDbm: 14,
  forwarderEui: EUI,
};

let fixture: RadioFixture;
let witness: Witness;
let reports: WitnessReport[];
let peer: UdpPeer;

beforeEach(async () => {
  fixture = await openRadio();
  reports = [];
  witness = new Witness(
    { hotspot: hotspot.publicKey, parameters: PRESETS.mainnet },
    {
      radio: fixture.radio,
      clock: fixture.clock,
      packets: new PacketLog(),
      events: createHotspotEmitter(),
      bundler: {
        add: (report: WitnessReport) => {
          reports.push(report);
          return null;
        },
      } as unknown as Bundler,
      onJudged: () => undefined,
    },
  );
  witness.addOwnTag(OWN_TAG);
  witness.start();
  peer = await fixture.openPeer();
});
afterEach(() => fixture.close());

/** Sends a datagram: exactly one answer, in time, from the socket that it was sent to. */
async function expectAck(head: string, text: string, ack: string, from = peer): Promise<void> {
  from.send(head, text);
  expect(await from.nextHex()).toBe(ack);
  expect(from.unread).toHaveLength(0);
}

/** Pushes elements and lets the hold-off pass. */
async function push(...elements: unknown[]): Promise<void> {
  const texts = elements.map((element) => (typeof element === "string" ? element : JSON.stringify(element)));
  await expectAck(`0251ff00${EUI}`, `{"rxpk":[${texts.join(",")}]}`, "0251ff01");
  fixture.clock.advance(GHOST_HOLD_OFF_MS);
}

async function pull(version = "02", from = peer): Promise<void> {
  await expectAck(`${version}000102${EUI}`, "", `${version}000104`, from);
}

/** Transmits, and answers with this behind the TX_ACK's header. */
async function exchange(answer: string, head?: string) {
  const result = fixture.radio.transmit(REQUEST);
  const pullResp = await peer.nextHex();
  peer.send(head ?? `02${pullResp.slice(2, 6)}05${EUI}`, answer);
  return await result;
}

const isQueued = { status: "queued", powerDbm: 14, acknowledged: true };

type Case = readonly [number: number, title: string, run: () => Promise<void>];
const CASES: readonly Case[] = [
  [1, "PULL_DATA", () => expectAck("029f9202aa555a0102030405", "", "029f9204")],
  [
    2,
    "PUSH_DATA of a device's join request is no witness",
    async () => {
      const rxpk =
        '{"rxpk":[{"tmst":1472242252,"chan":8,"rfch":0,"freq":912.600000,"stat":1,"modu":"LORA","datr":"SF8BW500","codr":"4/5","lsnr":10.8,"rssi":-58,"size":23,"data":"ALQAAAABAAAASGVsaXVtICA0LDYCNrA="}]}';
      await expectAck(`025e5200${EUI}`, rxpk, "025e5201");
      fixture.clock.advance(GHOST_HOLD_OFF_MS);
      expect(fixture.packets).toHaveLength(1);
      expect(reports).toEqual([]);
    },
  ],
  [
    3,
    "malformed datagrams are counted, and nothing more",
    async () => {
      await expectAck("029f9202aa555a0102030405", "", "029f9204");
      const downlink = () => fixture.radio.status().forwarders.map(({ downlinkAddress }) => downlinkAddress);
      const before = downlink();
      const other = await fixture.openPeer();
      for (const hex of ["029f9202aa555a01020304", "029f92", "029f9206aa555a0102030405", ""]) other.send(hex);
      other.send(Uint8Array.from({ length: 1_400 }, (_, i) => (i * 197 + 31) & 0xff));
      other.send("025e5200aa555a0000000000", "x".repeat(65_507 - 12));
      other.send("029f9202aa555a010203040507");
      await expectAck("029f9202bb555a0102030405", "", "029f9204", other);
      const { datagrams } = fixture.radio.status();
      const malformed = ["too_short", "too_long", "version_unknown", "kind_unknown", "length_wrong"] as const;
      expect(malformed.reduce((sum, reason) => sum + datagrams[reason], 0)).toBe(7);
      expect(downlink()[0]).toBe(before[0]);
    },
  ],
  [
    5,
    "version 1 is answered in version 1, and its downlink is no failure",
    async () => {
      await pull("01");
      await expectAck(`015e5200${EUI}`, '{"rxpk":[]}', "015e5201");
      const result = fixture.radio.transmit(REQUEST);
      expect((await peer.nextHex()).slice(0, 8)).toBe("01000003");
      expect(await result).toMatchObject({ status: "queued", acknowledged: "unknown" });
    },
  ],
  [
    7,
    "PULL_RESP goes where PULL_DATA came from; a take-over is refused and shown",
    async () => {
      const [a, c] = [await fixture.openPeer(), await fixture.openPeer()];
      await expectAck(`025e5200${EUI}`, "{}", "025e5201", a);
      await pull();
      await expectAck(`025e5300${EUI}`, "{}", "025e5301", c);
      const intruder = await fixture.openPeer("127.0.0.2");
      intruder.send(`02000102${EUI}`);
      expect(await exchange("")).toMatchObject(isQueued);
      expect([a.unread, c.unread, intruder.unread].flat()).toEqual([]);
      expect(fixture.radio.status().datagrams.foreign_address).toBe(1);
      expect(fixture.radio.status().forwarders[0]!.takeoversRefused).toBe(1);
      expect(fixture.warnings).toHaveLength(1);
    },
  ],
  [
    8,
    "rsig: the pair of one antenna, the best",
    async () => {
      const rsig = (...antennas: object[]) => {
        const { rssis: _s, rssi: _r, lsnr: _l, ...rest } = ELEMENT;
        return { ...rest, jver: 2, rsig: antennas };
      };
      const head = "027814007276ff0044010010";
      const single =
        '{"rxpk":[{"aesk":0,"brd":0,"codr":"4/5","data":"QAAAAEgAEtcDvK7ndmBFBg==","datr":"SF10BW125","freq":903.9,"jver":2,"modu":"LORA","rsig":[{"ant":0,"chan":0,"lsnr":10.0,"rssic":-46}],"size":16,"stat":1,"time":"2020-10-29T15:57:40.170301Z","tmst":313998876}]}';
      await expectAck(head, single, "02781401");
      expect(fixture.packets[0]).toMatchObject({ rssiDeciDbm: -460, snrCentiDb: 1_000, rssiKind: "channel" });
      await push(
        rsig({ ant: 0, chan: 0, rssic: -101, lsnr: -12 }, { ant: 1, chan: 0, rssic: -110, lsnr: -9.1 }),
      );
      expect(reports[0]!.measurement).toMatchObject({ rssiDeciDbm: -1_100, snrCentiDb: -910 });
    },
  ],
  [
    14,
    "five different elements, one of them a ghost: one witness",
    async () => {
      await push(
        ELEMENT,
        { ...ELEMENT, tmst: 1484077, freq: 868.5, rssis: -103, lsnr: -5.4, rssi: -106 },
        { ...ELEMENT, tmst: 1484082, freq: 868.1, datr: "SF5BW125", stat: -1 },
        '{"tmst":1484085,"freq":868.8,"stat":1,"modu":"FSK","datr":50000,"rssi":-75,"size":16,"data":"VEVTVF9QQUNLRVRfMTIzNA=="}',
        { ...ELEMENT, tmst: 1484089, freq: 868.3, datr: "SF9BW125", codr: "OFF", stat: 0 },
      );
      expect(reports.map(({ measurement }) => measurement)).toMatchObject([
        { freqHz: 868_500_000, rssiDeciDbm: -1_030, rssiKind: "signal", snrCentiDb: -540 },
      ]);
    },
  ],
  [
    16,
    "an odd element beside a good one: acknowledged, the good one kept, the odd one where its meaning is clear",
    async () => {
      type Element = Readonly<Record<string, unknown>>;
      const changed = (change: object) => (element: Element) => JSON.stringify({ ...element, ...change });
      const printed = (from: string, to: string) => (element: Element) =>
        JSON.stringify(element).replaceAll(from, to);
      const odd: readonly (readonly [print: (element: Element) => string, isKept: boolean])[] = [
        [changed({ rssis: undefined, rssi: -97.5 }), true],
        [printed('"tmst":1484070', '"tmst":1484070.0'), true],
        [changed({ rfch: undefined }), true],
        [changed({ lsnr: undefined }), false],
        [changed({ stat: "1" }), true],
        [changed({ codr: "4/5LI" }), true],
        [changed({ modu: "LR-FHSS", datr: "M0CW137", codr: "2/3" }), false],
        [printed("/", "\\/"), true],
        [changed({ lsnr: "nan" }), false],
        [printed('"lsnr":-6.8', '"lsnr":nan'), false],
        [changed({ tm32: 1, meta: {}, brd: 3 }), true],
      ];
      for (const [index, [print, isKept]] of odd.entries()) {
        const before = reports.length;
        // Bytes of these are slashes in base64.
        const text = print({ ...ELEMENT, data: base64(frame(240 + index)) });
        const good = { ...ELEMENT, tmst: 9_000_000 + index * 1_000_000, data: base64(frame(100 + index)) };
        await push(text, good);
        expect([text, reports.length - before]).toEqual([text, isKept ? 2 : 1]);
      }
      for (const body of [
        `{"rxpk":[${JSON.stringify(ELEMENT)}]}\0`,
        `{"rxpk":[${JSON.stringify(ELEMENT)}]}\0\0`,
        '{"rxpk":null}',
        '{"rxpk":[]}',
      ]) {
        await expectAck(`0251ff00${EUI}`, body, "0251ff01");
      }
    },
  ],
  [
    19,
    "statistics alone",
    async () => {
      const stat =
        '{"stat":{"time":"2020-03-04 07:01:02 GMT","rxnb":3,"rxok":3,"rxfw":3,"ackr":0.0,"dwnb":0,"txnb":0}}';
      await expectAck(`0286be00${EUI}`, stat, "0286be01");
      expect(fixture.radio.status().forwarders[0]!.stat!.values).toMatchObject({ rxnb: 3, rxok: 3, ackr: 0 });
    },
  ],
  [
    23,
    "the ghost that comes first loses to the frame itself",
    async () => {
      await push(
        { ...ELEMENT, freq: 867.3, tmst: 1087514388, rssis: -110, lsnr: -11 },
        { ...ELEMENT, freq: 868.3, tmst: 1087514390, rssis: -35, lsnr: 11 },
      );
      expect(reports.map(({ measurement }) => measurement)).toMatchObject([
        { freqHz: 868_300_000, rssiDeciDbm: -350, snrCentiDb: 1_100 },
      ]);
    },
  ],
  [
    28,
    "TX_ACK of 13 bytes, a lone NUL",
    async () => {
      await pull();
      expect(await exchange("\0")).toMatchObject(isQueued);
    },
  ],
  [
    29,
    "TX_ACK that warns: the power that it tells is the one that was sent",
    async () => {
      await pull();
      const body = '{"txpk_ack":{"warn":"TX_POWER","value":27,"tmst":3975366891}}';
      for (const tail of ["\0", ""]) {
        const result = await exchange(body + tail);
        expect(result).toMatchObject({ ...isQueued, powerDbm: 27, tmstUs: 3975366891 });
        fixture.clock.advance(2_000);
      }
    },
  ],
  [
    30,
    "TX_ACK: success in all its forms, and nothing else taken for it",
    async () => {
      await pull();
      const good = [
        "{}",
        '{"txpk_ack":{}}',
        '{"txpk_ack":{"error":""}}',
        '{"txpk_ack":{"error":"NONE","tmst":1234}}',
      ];
      for (const body of ["", ...good]) {
        expect(await exchange(body)).toMatchObject(isQueued);
        fixture.clock.advance(2_000);
      }
      const names = [
        "TX_POWER",
        "COLLISION_BEACON",
        "TOO_LATE",
        "TX_FREQ",
        "SEND_LBT",
        "SEND_FAIL",
        "UNKNOWN",
      ];
      for (const error of [...names, "DUTY_CYCLE_OVERFLOW", "SOMETHING_NEW"]) {
        expect(await exchange(JSON.stringify({ txpk_ack: { error } }))).toMatchObject({ status: "failed" });
        fixture.clock.advance(2_000);
      }
      const odd = await exchange('{"txpk_ack":{"error":null,"warn":"12"}}');
      expect(odd).toMatchObject({ status: "failed", reason: "power_unknown", onAir: "possible" });
    },
  ],
  [
    31,
    "the PULL_RESP of a beacon, key by key",
    async () => {
      await pull();
      const tokens = new Set<string>();
      for (let i = 0; i < 3; i++) {
        const result = fixture.radio.transmit(REQUEST);
        const bytes = await peer.next();
        tokens.add(bytes.toString("hex", 1, 3));
        expect(bytes.length).toBeLessThanOrEqual(PULL_RESP_MAX_BYTES);
        const { txpk } = JSON.parse(bytes.subarray(4).toString());
        expect(txpk).toMatchObject({ imme: true, codr: "4/5", prea: 8, ipol: false, modu: "LORA" });
        for (const key of ["freq", "powe", "rfch", "size"]) expect(txpk[key]).toBeTypeOf("number");
        expect(txpk.data).toMatch(/^[A-Za-z0-9+/]+=*$/);
        expect(txpk.data.length % 4).toBe(0);
        expect(Buffer.from(txpk.data, "base64")).toHaveLength(txpk.size);
        peer.send(`02${bytes.toString("hex", 1, 3)}05${EUI}`);
        await result;
        fixture.clock.advance(2_000);
      }
      expect(tokens.size).toBe(3);
    },
  ],
  [
    33,
    "no TX_ACK ever: given up within 5 s, and tried again",
    async () => {
      await pull();
      const result = fixture.radio.transmit(REQUEST);
      await peer.next();
      fixture.clock.advance(5_000);
      expect(await result).toEqual({ status: "failed", reason: "no_answer", onAir: "possible" });
      expect(fixture.radio.status().transmissions.no_answer).toBe(1);
      // It may be on air all the same: as long as that takes, the transmitter is taken.
      expect(await fixture.radio.transmit(REQUEST)).toMatchObject({ reason: "busy" });
      fixture.clock.advance(1_000);
      expect(await exchange("")).toMatchObject(isQueued);
    },
  ],
  [
    36,
    "forty at once: this node asks for one, and a real queue takes 32",
    async () => {
      await pull();
      const results = Array.from({ length: 40 }, () => fixture.radio.transmit(REQUEST));
      const pullResp = await peer.nextHex();
      peer.send(`02${pullResp.slice(2, 6)}05${EUI}`);
      const outcomes = (await Promise.all(results)).map((r) => (r.status === "failed" ? r.reason : r.status));
      expect(outcomes).toEqual(["queued", ...Array(39).fill("busy")]);
      await pull();
      const queue = new JitQueue<number>();
      const answers = Array.from({ length: 48 }, (_, i) => queue.offerImmediate(i, 2_465_792, 0));
      expect(answers.filter((answer) => answer === null)).toHaveLength(JIT_QUEUE_DEPTH);
      expect(answers.slice(8).filter((answer) => answer === null)).toHaveLength(24);
      expect(answers.slice(8).filter((answer) => answer === "COLLISION_PACKET")).toHaveLength(16);
    },
  ],
  [
    38,
    "a beacon makes one witness, however often it comes; everything like it none",
    async () => {
      const bytes = frame(1);
      const like = (change: (copy: Uint8Array) => Uint8Array) => base64(change(Uint8Array.from(bytes)));
      const first = (value: number) => like((copy) => copy.fill(value, 0, 1));
      const others = [HELIUM, first(0xe1), first(0x40), first(0xc0), like((c) => c.subarray(1))];
      const longer = base64([...bytes, 0]);
      for (const data of [...others, longer]) await push({ ...ELEMENT, data, size: 0 });
      for (const stat of [-1, 0]) await push({ ...ELEMENT, stat });
      await push({ ...ELEMENT, data: base64(encodeFrame({ tag: OWN_TAG, secret: new Uint8Array(16) })) });
      expect(reports).toEqual([]);
      for (const tmst of [1, 2_000_000_000]) await push({ ...ELEMENT, tmst });
      expect(reports).toHaveLength(1);
    },
  ],
  [
    41,
    "duty and dwell, by band and channel",
    async () => {
      const { EU868, US915 } = REGION_PLANS;
      const airtime = (spreadingFactor: number) =>
        computeAirtimeUs({ spreadingFactor, bandwidthHz: 125_000, payloadBytes: 52 });
      const at = (freqHz: number, airtimeUs: number, startMs = 0, eirpCentiDbm = 1_400): Transmission => ({
        freqHz,
        airtimeUs,
        startMs,
        eirpCentiDbm,
      });
      let ledger: Transmission[] = [];
      for (let i = 0; i < 14; i++) {
        const one = at(867_100_000, airtime(12), i * 60_000);
        expect(checkTransmission(EU868, ledger, one).ok).toBe(true);
        ledger = recordTransmission(EU868, ledger, one);
      }
      const judge = (plan: typeof EU868, one: Transmission, sent: readonly Transmission[] = []) => {
        const verdict = checkTransmission(plan, sent, one);
        return verdict.ok ? null : verdict.reason;
      };
      expect(judge(EU868, at(867_100_000, airtime(12), 900_000), ledger)).toBe("over_duty_cycle");
      expect(judge(EU868, at(868_300_000, airtime(12), 900_000), ledger)).toBeNull();
      expect(judge(US915, at(904_300_000, airtime(10)))).toBe("over_dwell");
      const once = [at(904_300_000, airtime(9))];
      expect(judge(US915, at(904_300_000, airtime(9), 19_000), once)).toBe("over_dwell");
      expect(judge(US915, at(904_500_000, airtime(9), 19_000), once)).toBeNull();
      expect(judge(US915, at(904_300_000, airtime(9), 20_000), once)).toBeNull();
      expect(judge(EU868, at(864_000_000, 3_600_000))).toBeNull();
      expect(judge(EU868, at(864_000_000, 3_601_000))).toBe("over_duty_cycle");
      expect(judge(EU868, at(920_000_000, 1))).toBe("out_of_band");
      expect(judge(EU868, at(863_000_000, 1, 0, 1_700))).toBe("over_eirp");
    },
  ],
  [
    45,
    "heard while nobody can be reached, and killed: on the disk once each, in order, each with its own time",
    async () => {
      const home = await mkdtemp(join(tmpdir(), "hexbeacon-case45-"));
      const domains = createSigningDomains(new Uint8Array(32));
      const { clock } = fixture;
      const options = { home, domains, maxBytes: 1_048_576, onDrop: () => undefined };
      const spool = await openSpool(options, { clock });
      const modules = { clock, log: createSilentLog() };
      const taken: Promise<void>[] = [];
      const { promise: all, resolve } = Promise.withResolvers<void>();
      const submitter = { take: () => taken.push(Promise.resolve()) === 50 && resolve() };
      const outbox = new Outbox(
        { domains, keyPair: hotspot },
        { ...modules, spool, submitter: submitter as never },
      );
      const follower = { estimateEpoch: () => 4 };
      const bundler = new Bundler(PRESETS.mainnet, {
        ...modules,
        outbox,
        follower,
        onReported: () => undefined,
      });
      const second = new Witness(
        { hotspot: hotspot.publicKey, parameters: PRESETS.mainnet },
        {
          radio: fixture.radio,
          clock,
          packets: new PacketLog(),
          events: createHotspotEmitter(),
          bundler,
          onJudged: () => undefined,
        },
      );
      second.start();
      const heardMs: number[] = [];
      for (let i = 0; i < 50; i++) {
        heardMs.push(clock.nowMs());
        await push({ ...ELEMENT, tmst: i * 36_000_000, data: base64(frame(i + 10)) });
        clock.advance(36_000 - GHOST_HOLD_OFF_MS);
      }
      await all;
      // The process is gone without a word; another one reads what it has left.
      const again = await openSpool(options, { clock });
      const times = again.entries().flatMap(({ envelope }) => {
        const decoded = decodeEnvelope(envelope);
        const bundle = decoded.ok ? decodeReportBundle(decoded.envelope.body) : null;
        return bundle!.witnesses.map(({ measurement }) => measurement.timeMs);
      });
      expect(times).toEqual(heardMs);
      await again.close();
      await spool.close();
    },
  ],
];

describe("case by case", () => {
  test.each(CASES)("case %d: %s", (_, __, run) => run());

  const facts = join(process.env.HEXBEACON_SHARED ?? "../shared", "forwarder-facts.md");
  test.skipIf(!existsSync(facts))("every case of the collection is here (needs the collection)", () => {
    const text = readFileSync(facts, "utf8").split("\n# 3. Cases\n")[1]!.split("\n# 4")[0]!;
    const numbers = [...text.matchAll(/^(\d+)\. /gm)].map((match) => Number(match[1]));
    expect(CASES.map(([number]) => number)).toEqual(numbers);
  });
});
