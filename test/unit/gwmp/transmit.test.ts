/** Transmissions over the real socket, with every answer that forwarders give. Case numbers as in framing.test.ts. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { PULL_RESP_MAX_BYTES } from "../../../node/src/radio/gwmp/datagram.ts";
import { FORWARDER_ALIVE_MS } from "../../../node/src/radio/gwmp/forwarders.ts";
import type { TransmitRequest, TransmitResult } from "../../../node/src/radio/radio.ts";
import { openRadio, type RadioFixture } from "./radioFixture.ts";
import type { UdpPeer } from "./udpPeer.ts";

const EUI = "7276ff00390300ae";
const REQUEST: TransmitRequest = {
  payload: Uint8Array.from({ length: 24 }, (_, i) => 0xe0 + i),
  freqHz: 867_900_000,
  spreadingFactor: 10,
  bandwidthHz: 125_000,
  powerDbm: 14,
  forwarderEui: EUI,
};
/** At SF10 and 125 kHz, 24 bytes are on air for 370.688 ms. */
const AIRTIME_MS = 371;

let fixture: RadioFixture;
let peer: UdpPeer;

beforeEach(async () => {
  fixture = await openRadio();
  peer = await fixture.openPeer();
  await pull("02");
});
afterEach(() => fixture.close());

async function pull(version: "01" | "02"): Promise<void> {
  peer.send(`${version}000102${EUI}`);
  expect(await peer.nextHex()).toBe(`${version}000104`);
}

/** Transmits, and answers the PULL_RESP with this text behind the TX_ACK's header. */
async function exchange(answer: string, eui = EUI): Promise<TransmitResult> {
  const result = fixture.radio.transmit(REQUEST);
  const pullResp = await peer.nextHex();
  peer.send(`02${pullResp.slice(2, 6)}05${eui}`, answer);
  return result;
}

const success = { status: "queued", forwarderEui: EUI, powerDbm: 14, acknowledged: true, tmstUs: null };

describe("case 31: the request", () => {
  test("is what a real forwarder accepts, and nothing it dislikes", async () => {
    const result = fixture.radio.transmit(REQUEST);
    const bytes = await peer.next();
    expect(bytes[0]).toBe(2);
    expect(bytes[3]).toBe(3);
    expect(bytes.length).toBeLessThanOrEqual(PULL_RESP_MAX_BYTES);
    expect(JSON.parse(bytes.subarray(4).toString())).toEqual({
      txpk: {
        imme: true,
        freq: 867.9,
        rfch: 0,
        powe: 14,
        modu: "LORA",
        datr: "SF10BW125",
        codr: "4/5",
        ipol: false,
        prea: 8,
        size: 24,
        data: Buffer.from(REQUEST.payload).toString("base64"),
      },
    });
    peer.send(`02${bytes.toString("hex", 1, 3)}05${EUI}`);
    expect(await result).toEqual(success);
  });

  test("fits the forwarder's buffer at the longest payload, in the standard alphabet", async () => {
    const payload = new Uint8Array(255).fill(0xff);
    void fixture.radio.transmit({ ...REQUEST, payload });
    const bytes = await peer.next();
    expect(bytes.length).toBeLessThanOrEqual(PULL_RESP_MAX_BYTES);
    expect(bytes.subarray(4).toString()).not.toMatch(/[-_]/);
  });

  test.each([
    ["no payload", { payload: new Uint8Array(0) }],
    ["256 bytes", { payload: new Uint8Array(256) }],
    ["half a dBm", { powerDbm: 13.9 }],
    ["absurd power", { powerDbm: 60 }],
    ["SF13", { spreadingFactor: 13 }],
    ["an odd bandwidth", { bandwidthHz: 200_000 }],
    ["a frequency in MHz", { freqHz: 868.1 }],
    ["no number", { freqHz: Number.NaN }],
  ])("is refused before it is sent: %s", async (_name, change) => {
    const result = await fixture.radio.transmit({ ...REQUEST, ...change });
    expect(result).toEqual({ status: "failed", reason: "invalid_request", onAir: "no" });
  });
});

describe("cases 28 and 30: success in all its forms", () => {
  test.each([
    "",
    "\0",
    "{}",
    '{"txpk_ack":{}}',
    '{"txpk_ack":null}',
    '{"txpk_ack":{"error":""}}',
    '{"txpk_ack":{"error":null}}',
    '{"txpk_ack":{"error":"NONE"}}',
    '{"txpk_ack":{"error":"NONE"}}\0\0',
  ])("%j", async (answer) => {
    expect(await exchange(answer)).toEqual(success);
  });

  test.each([
    ['{"txpk_ack":{"error":"NONE","tmst":1234}}', { tmstUs: 1234 }],
    ['{"txpk_ack":{"warn":"TX_POWER","value":27,"tmst":3975366891}}\0', { powerDbm: 27, tmstUs: 3975366891 }],
    ['{"txpk_ack":{"warn":"TX_POWER","value":27,"tmst":3975366891}}', { powerDbm: 27, tmstUs: 3975366891 }],
    ['{"txpk_ack":{"warn":"TX_POWER","value":"12"}}', { powerDbm: 12 }],
    ['{"txpk_ack":{"error":null,"warn":"TX_POWER","value":12.0}}', { powerDbm: 12 }],
    ['{"txpk_ack":{"value":12}}', { powerDbm: 12 }],
  ])("case 29: %s", async (answer, expected) => {
    expect(await exchange(answer)).toEqual({ ...success, ...expected });
  });
});

describe("case 30: what is not clearly a success is a failure", () => {
  test.each([
    ["TOO_LATE", "too_late", "no"],
    ["TOO_EARLY", "too_early", "no"],
    ["COLLISION_PACKET", "collision_packet", "no"],
    ["COLLISION_BEACON", "collision_beacon", "no"],
    ["TX_FREQ", "tx_freq", "no"],
    ["TX_POWER", "tx_power", "no"],
    ["GPS_UNLOCKED", "gps_unlocked", "no"],
    ["SEND_LBT", "channel_busy", "no"],
    ["SEND_FAIL", "send_failed", "no"],
    ["UNKNOWN", "answer_unknown", "possible"],
    ["DUTY_CYCLE_OVERFLOW", "answer_unknown", "possible"],
    ["toString", "answer_unknown", "possible"],
  ])("error %s", async (error, reason, onAir) => {
    expect(await exchange(JSON.stringify({ txpk_ack: { error } }))).toEqual({
      status: "failed",
      reason,
      onAir,
    });
    expect(fixture.radio.status().transmissions).toMatchObject({ queued: 0, [reason]: 1 });
  });

  test.each([
    ['{"txpk_ack":{"warn":"TX_POWER"}}', "power_unknown"],
    ['{"txpk_ack":{"error":null,"warn":"12"}}', "power_unknown"],
    ['{"txpk_ack":{"warn":"TX_POWER","value":"much"}}', "power_unknown"],
    ['{"txpk_ack":{"warn":"TX_POWER","value":9000}}', "power_unknown"],
    ['{"txpk_ack":{"error":7}}', "answer_unknown"],
    ['{"txpk_ack":[]}', "answer_unknown"],
    ["[]", "answer_unknown"],
    ["{", "answer_unknown"],
  ])("%s", async (answer, reason) => {
    expect(await exchange(answer)).toEqual({ status: "failed", reason, onAir: "possible" });
  });
});

describe("case 33: silence", () => {
  test("ends in no_answer within five seconds, and a late answer counts as unmatched", async () => {
    const result = fixture.radio.transmit(REQUEST);
    const pullResp = await peer.nextHex();
    fixture.clock.advance(5_000);
    expect(await result).toEqual({ status: "failed", reason: "no_answer", onAir: "possible" });
    peer.send(`02${pullResp.slice(2, 6)}05${EUI}`);
    await pull("02");
    expect(fixture.radio.status().datagrams).toMatchObject({ tx_ack: 0, tx_ack_unmatched: 1 });
  });

  test("an answer with another token, or from another forwarder, is not taken for it", async () => {
    peer.send("02000102bb76ff00390300ae");
    await peer.next();
    fixture.clock.advance(1);
    await pull("02");
    const result = fixture.radio.transmit(REQUEST);
    const pullResp = await peer.nextHex();
    const token = pullResp.slice(2, 6);
    const otherToken = token === "0000" ? "0001" : "0000";
    peer.send(`02${otherToken}05${EUI}`, '{"txpk_ack":{"error":"TX_FREQ"}}');
    peer.send(`02${token}05bb76ff00390300ae`, '{"txpk_ack":{"error":"TX_FREQ"}}');
    peer.send(`02${token}05${EUI}`);
    expect(await result).toMatchObject({ status: "queued" });
    expect(fixture.radio.status().datagrams).toMatchObject({ tx_ack: 1, tx_ack_unmatched: 2 });
  });
});

describe("one frame at a time", () => {
  test("a second one is refused until the first has left the air", async () => {
    const first = fixture.radio.transmit(REQUEST);
    expect(await fixture.radio.transmit(REQUEST)).toEqual({ status: "failed", reason: "busy", onAir: "no" });
    const pullResp = await peer.nextHex();
    peer.send(`02${pullResp.slice(2, 6)}05${EUI}`);
    await first;
    // Set back meanwhile, the clock makes no frame longer.
    fixture.clock.set(-2 * 86_400_000);
    fixture.clock.advance(AIRTIME_MS);
    expect(await fixture.radio.transmit(REQUEST)).toMatchObject({ reason: "busy" });
    fixture.clock.advance(AIRTIME_MS);
    expect(await exchange("")).toEqual(success);
  });

  test("after a refusal the next may follow at once", async () => {
    expect(await exchange('{"txpk_ack":{"error":"COLLISION_PACKET"}}')).toMatchObject({ status: "failed" });
    expect(await exchange("")).toEqual(success);
  });
});

describe("several concentrators", () => {
  const OTHER = "0000000000000001";

  test("the first of the allow-list transmits while it is alive, then the next", async () => {
    const listed = await openRadio({ allowedEuis: [EUI, OTHER] });
    const [first, second] = [await listed.openPeer(), await listed.openPeer()];
    const pulls = async (from: UdpPeer, eui: string) => {
      from.send(`02000102${eui}`);
      await from.next();
    };
    await pulls(first, EUI);
    await pulls(second, OTHER);
    const transmitting = () =>
      listed.radio
        .status()
        .forwarders.filter(({ transmits }) => transmits)
        .map(({ eui }) => eui);
    expect(transmitting()).toEqual([EUI]);
    void listed.radio.transmit(REQUEST);
    expect((await first.next())[3]).toBe(3);
    listed.clock.advance(FORWARDER_ALIVE_MS - 1);
    await pulls(second, OTHER);
    listed.clock.advance(1);
    expect(transmitting()).toEqual([OTHER]);
    // What was judged for the first is nothing that the second may send.
    expect(await listed.radio.transmit(REQUEST)).toEqual({
      status: "failed",
      reason: "forwarder_changed",
      onAir: "no",
    });
    void listed.radio.transmit({ ...REQUEST, forwarderEui: OTHER });
    expect((await second.next())[3]).toBe(3);
    await listed.close();
  });

  test("without a list the lowest EUI transmits, whoever spoke last", async () => {
    const second = await fixture.openPeer();
    for (const eui of [OTHER, "ff00000000000001"]) {
      second.send(`02000102${eui}`);
      await second.next();
    }
    expect(fixture.radio.status().forwarders.filter(({ transmits }) => transmits)).toMatchObject([
      { eui: OTHER },
    ]);
    void fixture.radio.transmit({ ...REQUEST, forwarderEui: OTHER });
    expect((await second.next())[3]).toBe(3);
  });

  test("what was judged for no forwarder leaves through none that came meanwhile", async () => {
    expect(await fixture.radio.transmit({ ...REQUEST, forwarderEui: null })).toMatchObject({
      reason: "forwarder_changed",
    });
  });
});

describe("other ends", () => {
  test("case 5: version 1 gets a version 1 request and no answer is awaited", async () => {
    await pull("01");
    const result = fixture.radio.transmit(REQUEST);
    expect((await peer.nextHex()).slice(0, 8)).toBe("01000003");
    expect(await result).toEqual({ ...success, acknowledged: "unknown" });
  });

  test("without a live forwarder there is nobody to ask", async () => {
    fixture.clock.advance(FORWARDER_ALIVE_MS);
    expect(await fixture.radio.transmit(REQUEST)).toEqual({
      status: "failed",
      reason: "no_forwarder",
      onAir: "no",
    });
  });

  test("an abort before sending sends nothing, one after it may be too late", async () => {
    const aborted = await fixture.radio.transmit(REQUEST, AbortSignal.abort());
    expect(aborted).toEqual({ status: "failed", reason: "aborted", onAir: "no" });
    const controller = new AbortController();
    const result = fixture.radio.transmit(REQUEST, controller.signal);
    await peer.next();
    controller.abort();
    expect(await result).toEqual({ status: "failed", reason: "aborted", onAir: "possible" });
  });

  test("stopping ends what is under way", async () => {
    const result = fixture.radio.transmit(REQUEST);
    await peer.next();
    await fixture.radio.stop();
    expect(await result).toEqual({ status: "failed", reason: "radio_stopped", onAir: "possible" });
    expect(await fixture.radio.transmit(REQUEST)).toMatchObject({ reason: "radio_stopped", onAir: "no" });
  });
});
