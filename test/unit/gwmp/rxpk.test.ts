/** Elements of PUSH_DATA over the real socket: what is kept, what is refused and why. Case numbers as in framing.test.ts. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { GhostFilter } from "../../../node/src/radio/gwmp/ghosts.ts";
import { RXPK_PER_DATAGRAM_MAX } from "../../../node/src/radio/gwmp/pushBody.ts";
import { openRadio, PRINTED_RXPK, type RadioFixture } from "./radioFixture.ts";
import type { UdpPeer } from "./udpPeer.ts";

const HEADER = "0251ff00aa555a0000000000";
const ACK = "0251ff01";
const GOOD = PRINTED_RXPK;
const GOOD_TEXT = JSON.stringify(GOOD);

let fixture: RadioFixture;
let peer: UdpPeer;

beforeEach(async () => {
  fixture = await openRadio();
  peer = await fixture.openPeer();
});
afterEach(() => fixture.close());

async function push(text: string): Promise<void> {
  peer.send(HEADER, text);
  expect(await peer.nextHex()).toBe(ACK);
}

/** The good element with changes; an undefined value takes the key away. */
function odd(changes: Record<string, unknown>): string {
  return JSON.stringify({ ...GOOD, tmst: 7, ...changes });
}

describe("case 8: JSON version 2 with one entry an antenna", () => {
  test.each([
    [
      '{"aesk":0,"brd":0,"codr":"4/5","data":"QAAAAEgAEtcDvK7ndmBFBg==","datr":"SF10BW125","freq":903.9,"jver":2,"modu":"LORA","rsig":[{"ant":0,"chan":0,"lsnr":10.0,"rssic":-46}],"size":16,"stat":1,"time":"2020-10-29T15:57:40.170301Z","tmst":313998876}',
      { rssiDeciDbm: -460, snrCentiDb: 1_000, freqHz: 903_900_000, spreadingFactor: 10, bytes: 16 },
    ],
    [
      '{"brd":263,"codr":"4/5","data":"QC65rwEA4w8CaH7LyGf/3+dxzrXkkfEsRCcXbFM=","datr":"SF12BW125","freq":868.5,"jver":2,"modu":"LORA","rsig":[{"ant":0,"chan":2,"lsnr":7.8,"rssic":-103}],"size":29,"stat":1,"tmst":1}',
      { rssiDeciDbm: -1_030, snrCentiDb: 780, freqHz: 868_500_000, spreadingFactor: 12, bytes: 29 },
    ],
    [
      '{"brd":261,"codr":"4/5","data":"QC65rwEA4w8CaH7LyGf/3+dxzrXkkfEsRCcXbFM=","datr":"SF11BW125","freq":868.1,"jver":2,"modu":"LORA","rsig":[{"ant":0,"chan":0,"lsnr":-3.5,"rssic":-120}],"size":29,"stat":1,"tmst":1}',
      { rssiDeciDbm: -1_200, snrCentiDb: -350, freqHz: 868_100_000, spreadingFactor: 11, bytes: 29 },
    ],
  ])("%s", async (element, expected) => {
    peer.send("027814007276ff0044010010", `{"rxpk":[${element}]}`);
    expect(await peer.nextHex()).toBe("02781401");
    const { bytes, ...fields } = expected;
    expect(fixture.packets[0]).toMatchObject({ ...fields, rssiKind: "channel" });
    expect(fixture.packets[0]!.payload).toHaveLength(bytes);
  });

  test("two antennas: strength and SNR are one antenna's own pair", async () => {
    const rsig = [
      { ant: 0, rssic: -101, lsnr: -12.0 },
      { ant: 1, rssic: -110, lsnr: -9.1 },
    ];
    await push(`{"rxpk":[${odd({ rssi: undefined, rssis: undefined, lsnr: undefined, rsig })}]}`);
    expect(fixture.packets[0]).toMatchObject({ rssiDeciDbm: -1_100, snrCentiDb: -910 });
  });

  test("an antenna without its own pair is passed over", async () => {
    const rsig = [null, { ant: 0, rssic: -50 }, { ant: 1, rssic: -110, rssis: -112, lsnr: -9.1 }];
    await push(`{"rxpk":[${odd({ rsig })}]}`);
    expect(fixture.packets[0]).toMatchObject({ rssiDeciDbm: -1_120, rssiKind: "signal", snrCentiDb: -910 });
  });
});

describe("case 14: the mixed array of a real forwarder", () => {
  const beacon = "4ByZEkFg6DuShn1jDK9MntIc/ZI7u8t6kjHxnJRK9kQRCNQwBpg63Z66ZSU7h34SSPRBrg==";
  const text = `{"rxpk":[${[
    { ...GOOD, tmst: 1484070, freq: 867.5, rssis: -105, lsnr: -6.8, rssi: -95, size: 52, data: beacon },
    { ...GOOD, tmst: 1484077, freq: 868.5, rssis: -103, lsnr: -5.4, rssi: -106, size: 52, data: beacon },
    { ...GOOD, tmst: 1484082, freq: 868.1, datr: "SF5BW125", stat: -1 },
    {
      tmst: 1484085,
      freq: 868.8,
      stat: 1,
      modu: "FSK",
      datr: 50_000,
      rssi: -75,
      size: 16,
      data: "VEVTVF9QQUNLRVRfMTIzNA==",
    },
    { ...GOOD, tmst: 1484089, freq: 868.3, datr: "SF9BW125", codr: "OFF", stat: 0 },
  ]
    .map((element) => JSON.stringify(element))
    .join(",")}]}`;

  test("is acknowledged, gives two copies of the beacon and three reasons", async () => {
    await push(text);
    expect(fixture.packets.map((packet) => packet.tmstUs)).toEqual([1484070, 1484077]);
    expect(fixture.refused.map((refused) => refused.reason)).toEqual(["crc_bad", "not_lora", "crc_none"]);
    expect(fixture.refused[1]).toMatchObject({
      modulation: "fsk",
      freqHz: 868_800_000,
      spreadingFactor: null,
      payloadBytes: 16,
    });
  });

  test("the two copies collapse to one reception", async () => {
    await push(text);
    const filter = new GhostFilter();
    for (const packet of fixture.packets) filter.offer(packet, 0);
    const groups = filter.due(300);
    expect(groups).toHaveLength(1);
    expect(groups[0]).toMatchObject({
      ghostCount: 1,
      strongest: { freqHz: 868_500_000, rssiDeciDbm: -1_030, rssiKind: "signal", snrCentiDb: -540 },
    });
    expect(groups[0]!.strongest.payload).toHaveLength(52);
  });
});

describe("case 16: an odd element beside a good one", () => {
  test.each([
    ["float rssi", odd({ rssis: undefined, rssi: -97.5 }), { rssiDeciDbm: -975, rssiKind: "channel" }],
    ["rssi as text", odd({ rssis: undefined, rssi: "-97" }), { rssiDeciDbm: -970 }],
    ["float tmst", odd({}).replace('"tmst":7', '"tmst":1484070.0'), { tmstUs: 1484070 }],
    ["signed tmst", odd({ tmst: -1 }), { tmstUs: 4_294_967_295 }],
    ["no rfch", odd({ rfch: undefined }), {}],
    ["stat as text", odd({ stat: "1" }), {}],
    ["long interleaving", odd({ codr: "4/5LI" }), {}],
    ["no codr", odd({ codr: undefined }), {}],
    ["unknown keys", odd({ tm32: 1, meta: { a: [1] }, aesk: 0, __proto__: null }), {}],
    ["no modu", odd({ modu: undefined }), {}],
    ["a frequency off the grid", odd({ freq: 902.299987 }), { freqHz: 902_299_987 }],
    [
      "escaped slashes",
      odd({ data: "/+//" }).replace('"/+//"', '"\\/+\\/\\/"'),
      { payload: Buffer.from("ffefff", "hex") },
    ],
    ["no padding", odd({ data: "ALQ" }), { payload: Buffer.from("00b4", "hex") }],
    ["mixed alphabets", odd({ data: "-_+/" }), { payload: Buffer.from("fbffbf", "hex") }],
    ["a size that is not the data's", odd({ size: 99 }), {}],
  ])("%s: both are kept", async (_name, element, expected) => {
    await push(`{"rxpk":[${element},${GOOD_TEXT}]}`);
    expect(fixture.packets).toHaveLength(2);
    expect(fixture.packets[0]).toMatchObject({
      ...expected,
      ...("payload" in expected ? { payload: new Uint8Array(expected.payload as Buffer) } : {}),
    });
    expect(fixture.packets[1]).toMatchObject({ tmstUs: GOOD.tmst });
  });

  test.each([
    ["no lsnr", odd({ lsnr: undefined }), "snr_missing"],
    ["lsnr that is no number", odd({ lsnr: "nan" }), "snr_missing"],
    ["absurd lsnr", odd({ lsnr: 1e300 }), "snr_missing"],
    ["no rssi", odd({ rssi: undefined, rssis: undefined }), "rssi_missing"],
    ["no tmst", odd({ tmst: undefined }), "tmst_missing"],
    ["a tmst beyond 32 bits", odd({ tmst: 4_294_967_296 }), "tmst_missing"],
    ["LR-FHSS", odd({ modu: "LR-FHSS", datr: "M0CW137", codr: "2/3" }), "not_lora"],
    ["an unknown modulation", odd({ modu: "MORSE" }), "malformed"],
    ["stat 0", odd({ stat: 0 }), "crc_none"],
    ["no stat", odd({ stat: undefined }), "crc_none"],
    ["stat -1", odd({ stat: -1 }), "crc_bad"],
    ["an unknown data rate", odd({ datr: "SF13BW125" }), "data_rate_unknown"],
    ["an unknown bandwidth", odd({ datr: "SF7BW999" }), "data_rate_unknown"],
    ["no freq", odd({ freq: undefined }), "frequency_missing"],
    ["freq in Hz", odd({ freq: 867_500_000 }), "frequency_missing"],
    ["data that is no base64", odd({ data: "A*==" }), "payload_malformed"],
    ["data that ends in the middle", odd({ data: "AAAAA" }), "payload_malformed"],
    ["no data", odd({ data: undefined }), "payload_malformed"],
    ["empty data", odd({ data: "" }), "payload_malformed"],
    ["256 bytes", odd({ data: Buffer.alloc(256).toString("base64") }), "payload_too_long"],
    ["null", "null", "malformed"],
    ["an array", "[]", "malformed"],
    ["a number", "7", "malformed"],
    ["an empty object", "{}", "malformed"],
  ])("%s: the odd one is refused, the good one kept", async (_name, element, reason) => {
    await push(`{"rxpk":[${element},${GOOD_TEXT}]}`);
    expect(fixture.refused.map((refused) => refused.reason)).toEqual([reason]);
    expect(fixture.packets.map((packet) => packet.tmstUs)).toEqual([GOOD.tmst]);
    expect(fixture.radio.status().packets).toMatchObject({ accepted: 1, [reason]: 1 });
  });

  test("nan without quotes breaks the JSON, and still costs only its own element", async () => {
    const broken = odd({ lsnr: 5 }).replace('"lsnr":5', '"lsnr":nan');
    await push(`{"rxpk":[${GOOD_TEXT},${broken},${odd({ tmst: 9, data: "fQ==" })}],"stat":{"time":"]}"}}`);
    expect(fixture.packets.map((packet) => packet.tmstUs)).toEqual([GOOD.tmst, 9]);
    expect(fixture.refused.map((refused) => refused.reason)).toEqual(["malformed"]);
    expect(fixture.radio.status().datagrams.body_malformed).toBe(1);
  });

  test("in a broken body, quotes and braces inside texts do not cut an element in two", async () => {
    const tricky = odd({ desc: 'one quote " then } and \\' });
    await push(`{"rxpk":[${odd({ lsnr: 5 }).replace(":5,", ":nan,")},${tricky},${GOOD_TEXT}]}`);
    expect(fixture.packets.map((packet) => packet.tmstUs)).toEqual([7, GOOD.tmst]);
  });

  test.each(["\0", "\0\0"])("trailing NULs", async (tail) => {
    await push(`{"rxpk":[${GOOD_TEXT}]}${tail}`);
    expect(fixture.packets).toHaveLength(1);
  });

  test.each(['{"rxpk":null}', '{"rxpk":[]}', "{}"])("nothing heard: %s", async (text) => {
    await push(text);
    expect(fixture.refused).toHaveLength(0);
    expect(fixture.radio.status().datagrams.push_data).toBe(1);
  });

  test.each(['{"rxpk":{}}', '{"rxpk":7}', '{"rxpk":"x"}'])("rxpk that is no array: %s", async (text) => {
    await push(text);
    expect(fixture.refused.map((refused) => refused.reason)).toEqual(["malformed"]);
  });
});

describe("limits", () => {
  test("elements beyond the limit of a datagram are counted, not read", async () => {
    const elements = Array.from({ length: RXPK_PER_DATAGRAM_MAX + 3 }, () => "{}");
    await push(`{"rxpk":[${elements.join(",")}]}`);
    expect(fixture.radio.status().packets).toMatchObject({
      malformed: RXPK_PER_DATAGRAM_MAX,
      over_limit: 3,
    });
  });

  test("absurd nesting neither crashes nor counts as a reception", async () => {
    await push(`{"rxpk":${"[".repeat(40_000)}`);
    await push(`{"rxpk":${'[{"a":'.repeat(5_000)}`);
    await push(`{"rxpk":[${'{"a":['.repeat(4_000)}${"]}".repeat(4_000)}]}`);
    expect(fixture.packets).toHaveLength(0);
  });
});

describe("case 23: the ghost that came first", () => {
  test("the second, stronger copy is kept", async () => {
    const data = "QPk1ASYAAQDLeGWe3Vtlz/jFaY8ZpnA=";
    const ghost = { ...GOOD, freq: 867.3, tmst: 1087514388, rssis: -110, lsnr: -11.0, data };
    const real = { ...GOOD, freq: 868.3, tmst: 1087514390, rssis: -35, lsnr: 11.0, data };
    await push(JSON.stringify({ rxpk: [ghost, real] }));
    const filter = new GhostFilter();
    for (const packet of fixture.packets) filter.offer(packet, 0);
    expect(filter.due(300).map((group) => group.strongest.freqHz)).toEqual([868_300_000]);
  });
});
