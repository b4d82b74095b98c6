/** The pure parts: framing and base64 round trips, fuzzed bodies, and the grouping of copies in any order. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeTolerantBase64, encodeStandardBase64 } from "../../../node/src/radio/gwmp/base64.ts";
import {
  DATAGRAM_MAX_BYTES,
  decodeDatagram,
  encodeAck,
  encodeFromForwarder,
  encodePullResp,
} from "../../../node/src/radio/gwmp/datagram.ts";
import {
  COPY_TIME_TOLERANCE_MS,
  compareStrength,
  GHOST_COPIES_KEPT_MAX,
  GHOST_GROUPS_MAX,
  GhostFilter,
} from "../../../node/src/radio/gwmp/ghosts.ts";
import { parsePacket } from "../../../node/src/radio/gwmp/parse.ts";
import { readPushBody } from "../../../node/src/radio/gwmp/pushBody.ts";
import { ReceptionClock } from "../../../node/src/radio/gwmp/receptionClock.ts";
import { readTxAck } from "../../../node/src/radio/gwmp/txpk.ts";
import { PACKET_REFUSALS, type ReceivedPacket, TRANSMIT_FAILURES } from "../../../node/src/radio/radio.ts";
import { openRadio } from "./radioFixture.ts";

const version = fc.constantFrom(1 as const, 2 as const);
const token = fc.nat(0xffff);
const eui = fc.uint8Array({ minLength: 8, maxLength: 8 }).map((bytes) => Buffer.from(bytes).toString("hex"));
const source = { receivedAtMs: 1, forwarderEui: "aa555a0000000000" };

describe("datagrams", () => {
  test("what is encoded decodes to the same", () => {
    fc.assert(
      fc.property(version, token, eui, fc.json(), (v, t, e, json) => {
        const ascii = json.replace(/[^\x20-\x7e]/g, "?");
        const body = Uint8Array.from(Buffer.from(ascii));
        for (const kind of ["push_data", "tx_ack"] as const) {
          const decoded = decodeDatagram(encodeFromForwarder(kind, v, t, e, ascii));
          expect(decoded).toEqual({ kind, version: v, token: t, eui: e, body });
        }
        const pull = { kind: "pull_data", version: v, token: t, eui: e };
        expect(decodeDatagram(encodeFromForwarder("pull_data", v, t, e))).toEqual(pull);
        expect(decodeDatagram(encodeAck("push_ack", v, t))).toEqual({
          kind: "push_ack",
          version: v,
          token: t,
        });
        const resp = { kind: "pull_resp", version: v, token: t, body };
        expect(decodeDatagram(encodePullResp(v, t, ascii))).toEqual(resp);
      }),
    );
  });

  test("any bytes decode or are refused for a reason", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        expect(decodeDatagram(bytes).kind).toBeTypeOf("string");
      }),
      { numRuns: 2_000 },
    );
  });

  test("the size limit holds to the byte", () => {
    const fill = (length: number) =>
      encodeFromForwarder("push_data", 2, 1, "00".repeat(8), "x".repeat(length - 12));
    expect(decodeDatagram(fill(DATAGRAM_MAX_BYTES))).toMatchObject({ kind: "push_data" });
    expect(decodeDatagram(fill(DATAGRAM_MAX_BYTES + 1))).toEqual({ kind: "refused", reason: "too_long" });
  });
});

describe("base64", () => {
  test("RFC 4648, section 10", () => {
    const vectors = {
      "": "",
      f: "Zg==",
      fo: "Zm8=",
      foo: "Zm9v",
      foob: "Zm9vYg==",
      fooba: "Zm9vYmE=",
      foobar: "Zm9vYmFy",
    };
    for (const [text, encoded] of Object.entries(vectors)) {
      expect(encodeStandardBase64(Buffer.from(text))).toBe(encoded);
      expect(Buffer.from(decodeTolerantBase64(encoded)!).toString()).toBe(text);
    }
  });

  test("reads its own output in every dress", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 255 }), (bytes) => {
        const standard = encodeStandardBase64(bytes);
        expect(standard).toBe(Buffer.from(bytes).toString("base64"));
        for (const text of [
          standard,
          standard.replaceAll("=", ""),
          standard.replaceAll("+", "-").replaceAll("/", "_"),
          standard.replaceAll("/", "\\/"),
          standard.replace(/(.{4})/g, "$1\r\n"),
        ]) {
          expect(decodeTolerantBase64(text)).toEqual(bytes);
        }
      }),
    );
  });

  test.each(["A", "AAAAA", "A===", "AA=A", "A*AA", "AA\u00e9A", "AA\u{1f600}"])("refuses %j", (text) => {
    expect(decodeTolerantBase64(text)).toBeNull();
  });
});

/** Elements that look like the real thing, with any JSON in any field. */
const element = fc.record(
  Object.fromEntries(
    ["tmst", "freq", "stat", "modu", "datr", "codr", "lsnr", "rssi", "rssis", "size", "data", "rsig"].map(
      (key) => [
        key,
        fc.oneof(
          fc.jsonValue(),
          fc.constantFrom(1, "LORA", "SF7BW125", 867.1, -80, "AAAA", [{ rssic: -80, lsnr: 1 }], "__proto__"),
        ),
      ],
    ),
  ),
  { requiredKeys: [] },
);

describe("fuzz", () => {
  test("every element is a packet within its ranges, or has a reason from the list", () => {
    fc.assert(
      fc.property(element, (value) => {
        const { packet, refused } = parsePacket(JSON.parse(JSON.stringify(value)), source);
        if (packet === null) {
          expect(PACKET_REFUSALS).toContain(refused.reason);
        } else {
          expect(packet.payload.length).toBeGreaterThan(0);
          for (const field of ["tmstUs", "freqHz", "rssiDeciDbm", "snrCentiDb", "spreadingFactor"] as const) {
            expect(Number.isInteger(packet[field])).toBe(true);
          }
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test("any body is read without a throw, cut texts included", () => {
    const text = fc.oneof(
      fc.string(),
      fc.json(),
      fc
        .tuple(fc.array(element, { maxLength: 5 }), fc.nat(400))
        .map(([rxpk, cut]) => JSON.stringify({ rxpk }).slice(0, cut)),
    );
    fc.assert(
      fc.property(text, (body) => {
        const push = readPushBody(Buffer.from(body));
        expect(Array.isArray(push.elements)).toBe(true);
        const outcome = readTxAck(Buffer.from(body));
        if (outcome.status === "failed") expect(TRANSMIT_FAILURES).toContain(outcome.reason);
      }),
      { numRuns: 2_000 },
    );
  });

  test("a storm of datagrams leaves the radio answering", async () => {
    const fixture = await openRadio();
    const peer = await fixture.openPeer();
    const noise = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc
        .tuple(version, token, fc.nat(6), fc.uint8Array({ maxLength: 300 }))
        .map(([v, t, kind, rest]) => Uint8Array.from([v, t >> 8, t & 255, kind, ...rest])),
      fc
        .tuple(token, eui, fc.array(element, { maxLength: 4 }))
        .map(([t, e, rxpk]) =>
          encodeFromForwarder("push_data", 2, t, e, JSON.stringify({ rxpk }).replace(/[^\x20-\x7e]/g, "?")),
        ),
    );
    for (const [index, datagram] of fc.sample(noise, { seed: 20_260, numRuns: 600 }).entries()) {
      peer.send(datagram);
      // In step with the radio, so that no socket buffer overflows: this one forwarder is always answered.
      const round = index.toString(16).padStart(4, "0");
      peer.send(`02${round}02ffffffffffffffff`);
      while ((await peer.nextHex()) !== `02${round}04`);
    }
    const { datagrams } = fixture.radio.status();
    expect(Object.values(datagrams).reduce((sum, count) => sum + count, 0)).toBe(1_200);
    await fixture.close();
  });
});

function createPacket(fields: Partial<ReceivedPacket>): ReceivedPacket {
  return {
    ...source,
    timeSource: "arrival",
    hostTimeMs: fields.receivedAtMs ?? source.receivedAtMs,
    tmstUs: 1_000,
    freqHz: 867_100_000,
    modulation: "lora",
    spreadingFactor: 9,
    bandwidthHz: 125_000,
    rssiDeciDbm: -1_000,
    rssiKind: "channel",
    snrCentiDb: 0,
    crc: "ok",
    payload: Uint8Array.of(1, 2, 3),
    ...fields,
  };
}

describe("ghosts", () => {
  test("the strongest copy wins in any order of arrival, and nothing is lost", () => {
    const copies = fc.uniqueArray(
      fc.record({
        rssiDeciDbm: fc.integer({ min: -1_300, max: -300 }),
        offsetUs: fc.integer({ min: 0, max: 50 }),
      }),
      { minLength: 1, maxLength: 8, selector: (copy) => copy.rssiDeciDbm },
    );
    fc.assert(
      fc.property(copies, fc.nat(2 ** 32 - 1), (list, startUs) => {
        const filter = new GhostFilter();
        const packets = list.map(({ rssiDeciDbm, offsetUs }) =>
          createPacket({ rssiDeciDbm, tmstUs: (startUs + offsetUs) % 2 ** 32 }),
        );
        for (const packet of packets) expect(filter.offer(packet, 0)).toEqual([]);
        const groups = filter.due(300);
        expect(groups).toHaveLength(1);
        expect(groups[0]!.ghostCount).toBe(list.length - 1);
        expect(groups[0]!.strongest.rssiDeciDbm).toBe(Math.max(...list.map((copy) => copy.rssiDeciDbm)));
      }),
    );
  });

  test("the counter's wrap does not part two copies", () => {
    const filter = new GhostFilter();
    filter.offer(createPacket({ tmstUs: 2 ** 32 - 10 }), 0);
    filter.offer(createPacket({ tmstUs: 30 }), 0);
    expect(filter.due(300)).toHaveLength(1);
  });

  test("another payload or another time is another frame", () => {
    const filter = new GhostFilter();
    const other = { forwarderEui: "bb555a0000000000", receivedAtMs: 1 + COPY_TIME_TOLERANCE_MS + 1 };
    filter.offer(createPacket({}), 0);
    filter.offer(createPacket({ payload: Uint8Array.of(1, 2, 4) }), 0);
    filter.offer(createPacket({ tmstUs: 1_051 }), 0);
    filter.offer(createPacket(other), 0);
    expect(filter.due(300)).toHaveLength(4);
  });

  test("of several concentrators on one mast the one that heard best reports, in any order of arrival", () => {
    const masts = fc.uniqueArray(fc.integer({ min: -1_300, max: -300 }), { minLength: 2, maxLength: 5 });
    fc.assert(
      fc.property(masts, fc.array(fc.nat(2 ** 32 - 1), { minLength: 5, maxLength: 5 }), (list, counters) => {
        const filter = new GhostFilter();
        for (const [index, rssiDeciDbm] of list.entries()) {
          const forwarderEui = `aa555a000000000${index}`;
          // Each counts from its own start, and their times differ by what is not known of their delays.
          const packet = {
            forwarderEui,
            rssiDeciDbm,
            tmstUs: counters[index]!,
            receivedAtMs: 1 + 30 * index,
          };
          expect(filter.offer(createPacket(packet), index)).toEqual([]);
        }
        const groups = filter.due(305);
        expect(groups).toHaveLength(1);
        expect(groups[0]!.strongest.rssiDeciDbm).toBe(Math.max(...list));
        expect(groups[0]!.ghostCount).toBe(list.length - 1);
      }),
    );
  });

  test("a concentrator with GPS and one without hear the same frame, however wrong this machine's clock is", () => {
    const payload = Uint8Array.of(1, 2, 3);
    const endedMs = 1_763_000_000_000;
    const gpsStartMs = Date.UTC(1980, 0, 6) - 18_000;
    fc.assert(
      fc.property(fc.integer({ min: -60_000, max: 60_000 }), fc.boolean(), (aheadMs, hasFraction) => {
        const filter = new GhostFilter();
        const stamps = [
          hasFraction
            ? { tmstUs: 7, tmms: null, ftimeNs: 0 }
            : { tmstUs: 7, tmms: endedMs - gpsStartMs, ftimeNs: null },
          { tmstUs: 3_000_000_000, tmms: null, ftimeNs: null },
        ];
        for (const [index, element] of stamps.entries()) {
          const time = new ReceptionClock().stamp(element, endedMs + aheadMs + 20 * index);
          const forwarderEui = `aa555a000000000${index}`;
          const packet = createPacket({ payload, forwarderEui, tmstUs: element.tmstUs, ...time });
          filter.offer(packet, 20 * index);
        }
        expect(filter.due(400)).toMatchObject([{ ghostCount: 1 }]);
      }),
    );
  });

  test("a group falls due after the hold-off of its first copy", () => {
    const filter = new GhostFilter();
    expect(filter.nextDueMs()).toBeNull();
    filter.offer(createPacket({}), 1_000);
    filter.offer(createPacket({ tmstUs: 1_001 }), 1_200);
    expect(filter.nextDueMs()).toBe(1_300);
    expect(filter.due(1_299)).toEqual([]);
    expect(filter.due(1_300)).toHaveLength(1);
    expect(filter.nextDueMs()).toBeNull();
  });

  test("strengths of different kinds compare by SNR", () => {
    const channel = createPacket({ rssiKind: "channel", rssiDeciDbm: -900, snrCentiDb: -500 });
    const signal = createPacket({ rssiKind: "signal", rssiDeciDbm: -1_000, snrCentiDb: 300 });
    expect(compareStrength(signal, channel)).toBeGreaterThan(0);
    expect(compareStrength(channel, channel)).toBe(0);
  });

  test("groups and copies are bounded", () => {
    const filter = new GhostFilter();
    const early = Array.from({ length: GHOST_GROUPS_MAX + 1 }, (_, i) =>
      filter.offer(createPacket({ payload: Uint8Array.of(i >> 8, i & 255) }), 0),
    ).flat();
    expect(early.map((group) => group.strongest.payload)).toEqual([Uint8Array.of(0, 0)]);
    const many = new GhostFilter();
    for (let i = 0; i < 40; i++) many.offer(createPacket({ rssiDeciDbm: -1_000 + i }), 0);
    const [group] = many.due(300);
    expect(group!.ghosts).toHaveLength(GHOST_COPIES_KEPT_MAX);
    expect(group!.ghostCount).toBe(39);
    expect(group!.strongest.rssiDeciDbm).toBe(-961);
  });
});
