/** The answers of the real forwarder to good and bad requests, row by row as they were observed. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeTxpk } from "../../../node/src/radio/gwmp/txpk.ts";
import { JIT_QUEUE_DEPTH, JitQueue } from "../../ether/jitQueue.ts";
import {
  REFERENCE_LUT_DBM,
  readPullResp,
  type TransmitterConfiguration,
  WIDE_LUT_DBM,
} from "../../ether/pullResp.ts";

const EU868: TransmitterConfiguration = {
  txFreqMinHz: 863_000_000,
  txFreqMaxHz: 870_000_000,
  lutDbm: REFERENCE_LUT_DBM,
  antennaGainDbi: 0,
  powerPolicy: "warn",
  hasGps: false,
};
const TXPK = {
  imme: true,
  freq: 867.9,
  rfch: 0,
  powe: 14,
  modu: "LORA",
  datr: "SF12BW125",
  codr: "4/5",
  ipol: false,
  prea: 8,
  size: 52,
  data: Buffer.alloc(52, 7).toString("base64"),
};

/** The outcome of the standard request with changes; undefined takes a key away. */
function ask(changes: Record<string, unknown>, configuration = EU868) {
  return readPullResp(Buffer.from(JSON.stringify({ txpk: { ...TXPK, ...changes } })), configuration);
}

describe("requests that are queued", () => {
  test("the request that a hotspot makes", () => {
    const payload = Uint8Array.from({ length: 24 }, (_, i) => i);
    const json = encodeTxpk({
      payload,
      freqHz: 868_100_000,
      spreadingFactor: 10,
      bandwidthHz: 125_000,
      powerDbm: 14,
    });
    expect(readPullResp(Buffer.from(json), EU868)).toEqual({
      kind: "transmit",
      emission: {
        payload,
        freqHz: 868_100_000,
        spreadingFactor: 10,
        bandwidthHz: 125_000,
        powerDbm: 14,
        airtimeUs: 370_688,
        invertedPolarity: false,
      },
      moment: { kind: "now" },
      warnPowerDbm: null,
    });
  });

  test.each([
    ["powe below the table", { powe: 11 }, { powerDbm: 12 }, 12],
    ["powe above the table", { powe: 30 }, { powerDbm: 27 }, 27],
    ["no powe", { powe: undefined }, { powerDbm: 12 }, 12],
    ["powe with decimals", { powe: 13.9 }, { powerDbm: 13 }, null],
    ["a frequency off the grid", { freq: 867.9000244140625 }, { freqHz: 867_900_024 }, null],
    ["null preamble", { prea: null }, { airtimeUs: 2_400_256 }, null],
    ["standard preamble", { prea: undefined }, { airtimeUs: 2_465_792 }, null],
    ["size below the data's", { size: 20 }, { payload: new Uint8Array(20).fill(7) }, null],
    ["inverted polarity", { ipol: true }, { invertedPolarity: true }, null],
  ])("%s", (_name, changes, emission, warnPowerDbm) => {
    expect(ask(changes)).toMatchObject({ kind: "transmit", warnPowerDbm, emission });
  });

  test("the antenna's gain is taken off what was asked", () => {
    const outcome = ask({ powe: 16 }, { ...EU868, lutDbm: WIDE_LUT_DBM, antennaGainDbi: 6 });
    expect(outcome).toMatchObject({ emission: { powerDbm: 10 }, warnPowerDbm: null });
  });

  test("unpadded base64, no CRC and no header are accepted", () => {
    const data = TXPK.data.replaceAll("=", "");
    expect(ask({ data, ncrc: true, nhdr: true })).toMatchObject({ kind: "transmit" });
  });

  test("size 256 is sent as far as a frame goes", () => {
    const outcome = ask({ size: 256 });
    expect(outcome.kind === "transmit" && outcome.emission.payload.length).toBe(255);
  });
});

describe("requests that are refused, ignored or fatal", () => {
  type Row = readonly [name: string, changes: Record<string, unknown>, outcome: Record<string, unknown>];
  test.each<Row>([
    ["a frequency of another region", { freq: 915 }, { kind: "error", error: "TX_FREQ" }],
    ["GPS time", { imme: undefined, tmms: 1 }, { kind: "error", error: "GPS_UNLOCKED" }],
    ["imme as text", { imme: "true" }, { kind: "silence" }],
    ["an unknown spreading factor", { datr: "SF13BW125" }, { kind: "silence" }],
    ["an unknown bandwidth", { datr: "SF7BW100" }, { kind: "silence" }],
    ["a radio that does not transmit", { rfch: 1 }, { kind: "silence" }],
    ...["codr", "freq", "rfch", "modu", "size", "data"].map(
      (key): Row => [`no ${key}`, { [key]: undefined }, { kind: "silence" }],
    ),
    ["base64url", { data: "-_-_" }, { kind: "exit" }],
  ])("%s", (_name, changes, outcome) => {
    expect(ask(changes)).toEqual(outcome);
  });

  test.each(["", "{", "[]", "null", '{"txpk":[]}', '{"txpk":null}'])("no request at all: %j", (body) => {
    expect(readPullResp(Buffer.from(body), EU868)).toEqual({ kind: "silence" });
  });

  test("nothing makes it throw", () => {
    const keys = [
      "imme",
      "tmst",
      "freq",
      "rfch",
      "powe",
      "modu",
      "datr",
      "codr",
      "prea",
      "size",
      "data",
      "ncrc",
    ];
    const changes = fc.dictionary(fc.constantFrom(...keys), fc.oneof(fc.jsonValue(), fc.constant(undefined)));
    fc.assert(
      fc.property(changes, (change) => {
        expect(ask(change).kind).toBeTypeOf("string");
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("the queue", () => {
  const AIRTIME_US = 2_465_792;

  test("case 36: of forty immediate frames, with eight waiting, 24 are queued and 16 refused", () => {
    const queue = new JitQueue<number>();
    for (let i = 0; i < 8; i++) expect(queue.offerImmediate(i, AIRTIME_US, 0)).toBeNull();
    const answers = Array.from({ length: 40 }, (_, i) => queue.offerImmediate(8 + i, AIRTIME_US, 0));
    expect(answers.filter((answer) => answer === null)).toHaveLength(24);
    expect(answers.filter((answer) => answer === "COLLISION_PACKET")).toHaveLength(16);
  });

  test("frames leave in order, one after the other, 2.5 s apart at SF12", () => {
    const queue = new JitQueue<number>();
    for (let i = 0; i < JIT_QUEUE_DEPTH; i++) queue.offerImmediate(i, AIRTIME_US, 0);
    let lastUs = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < JIT_QUEUE_DEPTH; i++) {
      const startUs = queue.nextStartUs()!;
      expect(startUs - lastUs).toBeGreaterThan(AIRTIME_US);
      if (i > 0) expect(startUs - lastUs).toBeLessThan(AIRTIME_US + 100_000);
      expect(queue.take(startUs - 1)).toBeNull();
      expect(queue.take(startUs)).toBe(i);
      lastUs = startUs;
    }
    expect(queue.nextStartUs()).toBeNull();
    expect(queue.take(1e15)).toBeNull();
  });

  test.each([
    [-1_000_000, "TOO_EARLY"],
    [20_000, "TOO_LATE"],
    [1_000_000, null],
    [500_000_000, null],
    [513_000_000, "TOO_EARLY"],
  ])("a moment %d us ahead: %s", (aheadUs, answer) => {
    const nowUs = 5_000_000_000;
    const queue = new JitQueue<string>();
    const tmstUs = (nowUs + aheadUs) % 2 ** 32;
    expect(queue.offerTimestamped("x", AIRTIME_US, tmstUs, nowUs)).toBe(answer);
    if (answer === null) {
      expect(queue.nextStartUs()).toBe(nowUs + aheadUs);
      expect(queue.offerTimestamped("y", AIRTIME_US, tmstUs, nowUs)).toBe("COLLISION_PACKET");
    }
  });

  test("an immediate frame takes the gap before one that is due later", () => {
    const queue = new JitQueue<string>();
    queue.offerTimestamped("later", AIRTIME_US, 10_000_000, 0);
    queue.offerImmediate("now", AIRTIME_US, 0);
    expect(queue.take(queue.nextStartUs()!)).toBe("now");
    expect(queue.nextStartUs()).toBe(10_000_000);
  });

  test("a timer that ran late does not make two frames overlap", () => {
    const queue = new JitQueue<string>();
    queue.offerImmediate("first", AIRTIME_US, 0);
    queue.offerImmediate("second", AIRTIME_US, 0);
    expect(queue.take(1_000_000)).toBe("first");
    expect(queue.nextStartUs()).toBe(1_000_000 + AIRTIME_US);
  });
});
