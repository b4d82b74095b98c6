/** Framing over the real socket. Case numbers are those of the forwarder cases the project was built against. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { CodedError } from "../../../node/src/host/codedError.ts";
import { FORWARDER_ALIVE_MS, FORWARDERS_MAX } from "../../../node/src/radio/gwmp/forwarders.ts";
import { openRadio, type RadioFixture } from "./radioFixture.ts";
import type { UdpPeer } from "./udpPeer.ts";

const PULL_DATA = "029f9202aa555a0102030405";
const PULL_ACK = "029f9204";

let fixture: RadioFixture;
let peer: UdpPeer;

beforeEach(async () => {
  fixture = await openRadio();
  peer = await fixture.openPeer();
});
afterEach(() => fixture.close());

/** Nothing was answered before this PULL_DATA, if its acknowledgement is the first thing that comes. */
async function expectSilenceBefore(sender: UdpPeer): Promise<void> {
  sender.send(PULL_DATA);
  expect(await sender.nextHex()).toBe(PULL_ACK);
  expect(sender.unread).toHaveLength(0);
}

describe("acknowledgement", () => {
  test("case 1: PULL_DATA is acknowledged with its token", async () => {
    peer.send(PULL_DATA);
    expect(await peer.nextHex()).toBe(PULL_ACK);
    expect(fixture.radio.status().forwarders[0]).toMatchObject({
      eui: "aa555a0102030405",
      downlinkAddress: `127.0.0.1:${peer.port}`,
      alive: true,
      version: 2,
    });
  });

  test("case 2: PUSH_DATA is acknowledged and its frame handed on", async () => {
    peer.send(
      "025e5200aa555a0000000000",
      '{"rxpk":[{"tmst":1472242252,"chan":8,"rfch":0,"freq":912.600000,"stat":1,"modu":"LORA","datr":"SF8BW500","codr":"4/5","lsnr":10.8,"rssi":-58,"size":23,"data":"ALQAAAABAAAASGVsaXVtICA0LDYCNrA="}]}',
    );
    expect(await peer.nextHex()).toBe("025e5201");
    expect(fixture.packets).toHaveLength(1);
    expect(fixture.packets[0]).toMatchObject({
      forwarderEui: "aa555a0000000000",
      receivedAtMs: fixture.clock.nowMs(),
      tmstUs: 1472242252,
      freqHz: 912_600_000,
      spreadingFactor: 8,
      bandwidthHz: 500_000,
      rssiDeciDbm: -580,
      rssiKind: "channel",
      snrCentiDb: 1_080,
      crc: "ok",
    });
    expect(fixture.packets[0]!.payload).toHaveLength(23);
  });

  test("case 19: a lone stat is acknowledged and kept, its unknown fields are not", async () => {
    peer.send(
      "0286be00aa555a0000000000",
      '{"stat":{"time":"2020-03-04 07:01:02 GMT","rxnb":3,"rxok":3,"rxfw":3,"ackr":0.0,"dwnb":0,"txnb":0,"pubk":"x"}}',
    );
    expect(await peer.nextHex()).toBe("0286be01");
    expect(fixture.radio.status().forwarders[0]!.stat).toEqual({
      receivedAtMs: fixture.clock.nowMs(),
      values: { rxnb: 3, rxok: 3, rxfw: 3, ackr: 0, dwnb: 0, txnb: 0 },
    });
  });

  test.each(['{"stat":null}', '{"stat":{"ackr":null,"time":7}}', '{"stat":[]}', '{"stat":"x"}', "{}", ""])(
    "an odd stat or an empty body is acknowledged: %s",
    async (body) => {
      peer.send("0286be00aa555a0000000000", body);
      expect(await peer.nextHex()).toBe("0286be01");
    },
  );

  test("a body that is no JSON is acknowledged and counted", async () => {
    peer.send("0286be00aa555a0000000000", '{"rxpk":[');
    expect(await peer.nextHex()).toBe("0286be01");
    expect(fixture.radio.status().datagrams).toMatchObject({ body_malformed: 1, push_data: 0 });
  });
});

describe("case 3: what is no datagram of the protocol gets no answer and a counted reason", () => {
  test.each([
    ["an 11-byte PULL_DATA", "029f9202aa555a01020304", "too_short"],
    ["three bytes", "029f92", "too_short"],
    ["an unknown kind", "029f9206aa555a0102030405", "kind_unknown"],
    ["nothing", "", "too_short"],
    ["a PULL_DATA with a tail", "029f9202aa555a010203040501", "length_wrong"],
    ["version 0", "009f9202aa555a0102030405", "version_unknown"],
    ["version 3", "039f9202aa555a0102030405", "version_unknown"],
    ["what only servers send: PUSH_ACK", "029f9201", "kind_unexpected"],
    ["what only servers send: PULL_ACK", "029f9204", "kind_unexpected"],
    ["what only servers send: PULL_RESP", "029f92037b7d", "kind_unexpected"],
    ["a TX_ACK of a stranger", "029f9205aa555a0102030405", "tx_ack_unmatched"],
  ] as const)("%s", async (_name, hex, reason) => {
    peer.send(hex);
    await expectSilenceBefore(peer);
    expect(fixture.radio.status().datagrams[reason]).toBe(1);
  });

  test("1,400 bytes of noise", async () => {
    // The multiplier of a linear congruential generator makes the noise the same every time.
    let state = 7;
    const noise = Uint8Array.from({ length: 1_400 }, () => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return state >>> 24;
    });
    peer.send(noise);
    await expectSilenceBefore(peer);
  });

  test("the largest datagram that UDP carries, behind a good header", async () => {
    peer.send("025e5200aa555a0000000000", "x".repeat(65_507 - 12));
    await expectSilenceBefore(peer);
    expect(fixture.radio.status().datagrams.too_long).toBe(1);
  });

  test("a PULL_DATA padded with one NUL is taken", async () => {
    peer.send(`${PULL_DATA}00`);
    expect(await peer.nextHex()).toBe(PULL_ACK);
  });
});

describe("case 5: version 1", () => {
  test("acknowledgements carry the version of what they acknowledge", async () => {
    peer.send("019f9202aa555a0102030405");
    expect(await peer.nextHex()).toBe("019f9204");
    peer.send("015e5200aa555a0102030405", "{}");
    expect(await peer.nextHex()).toBe("015e5201");
    expect(fixture.radio.status().forwarders[0]!.version).toBe(1);
  });
});

describe("case 7: the downlink address", () => {
  test("is that of PULL_DATA only, whatever port pushes before or after", async () => {
    const pushBefore = await fixture.openPeer();
    const pushAfter = await fixture.openPeer();
    pushBefore.send("025e5200aa555a0102030405", "{}");
    expect(await pushBefore.nextHex()).toBe("025e5201");
    expect(fixture.radio.status().forwarders[0]!.downlinkAddress).toBeNull();
    peer.send(PULL_DATA);
    expect(await peer.nextHex()).toBe(PULL_ACK);
    pushAfter.send("025e5300aa555a0102030405", "{}");
    expect(await pushAfter.nextHex()).toBe("025e5301");
    expect(fixture.radio.status().forwarders[0]!.downlinkAddress).toBe(`127.0.0.1:${peer.port}`);
  });

  test("a malformed PULL_DATA leaves it alone", async () => {
    peer.send(PULL_DATA);
    expect(await peer.nextHex()).toBe(PULL_ACK);
    const other = await fixture.openPeer();
    other.send("029f9202aa555a010203040501");
    peer.send(PULL_DATA);
    expect(await peer.nextHex()).toBe(PULL_ACK);
    expect(fixture.radio.status().forwarders[0]!.downlinkAddress).toBe(`127.0.0.1:${peer.port}`);
  });

  test("another IP address cannot take over a live forwarder, and the attempt shows", async () => {
    peer.send(PULL_DATA);
    expect(await peer.nextHex()).toBe(PULL_ACK);
    const intruder = await fixture.openPeer("127.0.0.2");
    intruder.send(PULL_DATA);
    intruder.send("025e5200aa555a0102030405", "{}");
    intruder.send("02000002bb555a0102030405");
    expect(await intruder.nextHex()).toBe("02000004");
    const status = fixture.radio.status();
    expect(status.datagrams.foreign_address).toBe(2);
    expect(status.forwarders[0]).toMatchObject({
      downlinkAddress: `127.0.0.1:${peer.port}`,
      takeoversRefused: 2,
    });
    expect(fixture.warnings).toHaveLength(1);
  });

  test("two forwarders with one EUI on one machine are noticed by their turns, one that restarts is not", async () => {
    const returns = () => fixture.radio.status().forwarders[0]!.downlinkReturns;
    const pull = async (from: UdpPeer) => {
      from.send(PULL_DATA);
      await from.next();
    };
    await pull(peer);
    const again = await fixture.openPeer("127.0.0.1");
    for (let i = 0; i < 3; i++) {
      fixture.clock.advance(10_000);
      await pull(again);
    }
    expect([returns(), fixture.warnings]).toEqual([0, []]);
    for (let i = 0; i < 3; i++) {
      await pull(peer);
      await pull(again);
    }
    expect(returns()).toBe(6);
    expect(fixture.warnings).toEqual(["Two forwarders with one EUI take turns"]);
    // One of them is stopped: it is shown for a while, and then forgotten.
    for (let quietMs = 0; quietMs < 600_000; quietMs += 10_000) {
      expect(returns()).toBe(6);
      fixture.clock.advance(10_000);
      await pull(again);
    }
    expect(returns()).toBe(0);
  });

  test("what came from another address is counted until it has been quiet for ten minutes", async () => {
    peer.send(PULL_DATA);
    await peer.next();
    const intruder = await fixture.openPeer("127.0.0.2");
    intruder.send(PULL_DATA);
    intruder.send("02000002bb555a0102030405");
    await intruder.next();
    const refused = () => fixture.radio.status().forwarders[0]!.takeoversRefused;
    expect(refused()).toBe(1);
    fixture.clock.advance(600_000);
    expect(refused()).toBe(0);
  });

  test("a forwarder that went silent may come back from another address", async () => {
    peer.send(PULL_DATA);
    expect(await peer.nextHex()).toBe(PULL_ACK);
    fixture.clock.advance(FORWARDER_ALIVE_MS);
    const moved = await fixture.openPeer("127.0.0.2");
    moved.send(PULL_DATA);
    expect(await moved.nextHex()).toBe(PULL_ACK);
    expect(fixture.radio.status().forwarders[0]!.downlinkAddress).toBe(`127.0.0.2:${moved.port}`);
  });
});

describe("what a forwarder has reported", () => {
  const shown = () => fixture.radio.status().forwarders[0]!;

  test("is told apart from that it asks for frames, and begins anew after a silence", async () => {
    const startMs = fixture.clock.nowMs();
    peer.send(PULL_DATA);
    await peer.next();
    expect(shown()).toMatchObject({ firstSeenMs: startMs, lastPullMs: startMs, lastPushMs: null });
    fixture.clock.advance(5_000);
    peer.send("025e5200aa555a0102030405", '{"stat":{"rxnb":0}}');
    await peer.next();
    expect(shown()).toMatchObject({ firstSeenMs: startMs, lastPushMs: startMs + 5_000 });
    fixture.clock.advance(FORWARDER_ALIVE_MS);
    peer.send(PULL_DATA);
    await peer.next();
    const backMs = startMs + 5_000 + FORWARDER_ALIVE_MS;
    expect(shown()).toMatchObject({ firstSeenMs: backMs, lastPullMs: backMs, lastPushMs: null });
  });

  test("and that it has gone is told by the time that passed, not by a clock that was set", async () => {
    const startMs = fixture.clock.nowMs();
    peer.send(PULL_DATA);
    await peer.next();
    fixture.clock.set(-2 * 86_400_000);
    fixture.clock.advance(FORWARDER_ALIVE_MS - 1);
    expect(shown()).toMatchObject({ alive: true, lastPullMs: startMs - 2 * 86_400_000 });
    fixture.clock.advance(1);
    expect(shown().alive).toBe(false);
    // And back it is not gone by being set forwards.
    peer.send(PULL_DATA);
    await peer.next();
    fixture.clock.set(86_400_000);
    expect(shown().alive).toBe(true);
  });

  test("has the counter's time where a datagram came late, and says how late", async () => {
    const element = (tmst: number) =>
      `{"rxpk":[{"tmst":${tmst},"freq":868.1,"stat":1,"modu":"LORA","datr":"SF9BW125","lsnr":1,"rssi":-80,"size":3,"data":"AQID"}]}`;
    const startMs = fixture.clock.nowMs();
    for (const [tmst, lateMs] of [
      [0, 0],
      [1_000_000, 0],
      [2_000_000, 80],
    ] as const) {
      fixture.clock.advance(startMs + tmst / 1_000 + lateMs - fixture.clock.nowMs());
      peer.send("025e5200aa555a0102030405", element(tmst));
      await peer.next();
    }
    expect(fixture.packets.map(({ receivedAtMs }) => receivedAtMs - startMs)).toEqual([0, 1_000, 2_000]);
    expect(fixture.packets.map(({ timeSource }) => timeSource)).toEqual(["arrival", "counter", "counter"]);
    expect(shown().timing).toMatchObject({ source: "counter", latencyMs: 80 });
  });
});

describe("who may speak", () => {
  test("with an allow-list, only the listed forwarders", async () => {
    const listed = await openRadio({ allowedEuis: ["AA555A0102030405"] });
    const sender = await listed.openPeer();
    sender.send("02000102bb555a0102030405");
    sender.send(PULL_DATA);
    expect(await sender.nextHex()).toBe(PULL_ACK);
    expect(listed.radio.status().datagrams.eui_not_allowed).toBe(1);
    expect(listed.radio.status().forwarders).toHaveLength(1);
    await listed.close();
  });

  test("no more forwarders than the limit, until one has been silent for long", async () => {
    const byte = (index: number) => index.toString(16).padStart(2, "0");
    const pull = (index: number) => `0200${byte(index)}02aa555a01020304${byte(index)}`;
    for (let index = 0; index < FORWARDERS_MAX; index++) {
      peer.send(pull(index));
      await peer.next();
    }
    peer.send(pull(FORWARDERS_MAX));
    peer.send(pull(0));
    expect(await peer.nextHex()).toBe("02000004");
    expect(fixture.radio.status().datagrams.forwarders_full).toBe(1);
    fixture.clock.advance(FORWARDER_ALIVE_MS);
    peer.send(pull(FORWARDERS_MAX));
    expect(await peer.nextHex()).toBe("02001004");
    expect(fixture.radio.status().forwarders).toHaveLength(FORWARDERS_MAX);
  });
});

describe("a forwarder that comes alive", () => {
  test("is announced when it is new and when it is back, and not in between", async () => {
    const announced: string[] = [];
    const unsubscribe = fixture.radio.onForwarderAlive((eui) => announced.push(eui));
    const pull = async () => {
      peer.send(PULL_DATA);
      await peer.next();
    };
    await pull();
    await pull();
    expect(announced).toEqual(["aa555a0102030405"]);
    fixture.clock.advance(FORWARDER_ALIVE_MS);
    await pull();
    expect(announced).toHaveLength(2);
    unsubscribe();
    fixture.clock.advance(FORWARDER_ALIVE_MS);
    await pull();
    expect(announced).toHaveLength(2);
  });
});

describe("opening and closing", () => {
  test("a port that is taken is a coded error", async () => {
    const second = openRadio({ port: fixture.port });
    await expect(second).rejects.toBeInstanceOf(CodedError);
    await expect(second).rejects.toMatchObject({ code: "listen_failed" });
  });

  test("an open address without an allow-list is worth a warning", async () => {
    const open = await openRadio({ host: "0.0.0.0" });
    expect(open.warnings).toHaveLength(1);
    const listed = await openRadio({ host: "0.0.0.0", allowedEuis: [] });
    expect(listed.warnings).toHaveLength(0);
    expect(fixture.warnings).toHaveLength(0);
    await open.close();
    await listed.close();
  });

  test("stop may be called twice, and the port is free afterwards", async () => {
    await fixture.radio.stop();
    await fixture.radio.stop();
    expect(fixture.radio.status().listeningOn).toBeNull();
    const second = await openRadio({ port: fixture.port });
    await second.close();
  });
});
