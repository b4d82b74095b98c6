/** The simulated forwarder over real UDP: with a bare socket as its server, and with the GWMP radio at both ends. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createSystemClock } from "../../../node/src/host/clock.ts";
import { encodeAck, encodePullResp } from "../../../node/src/radio/gwmp/datagram.ts";
import { GhostFilter } from "../../../node/src/radio/gwmp/ghosts.ts";
import { createGwmpRadio } from "../../../node/src/radio/gwmp/gwmpRadio.ts";
import { encodeTxpk } from "../../../node/src/radio/gwmp/txpk.ts";
import type { Radio, RadioClock } from "../../../node/src/radio/radio.ts";
import { computeAirtimeUs } from "../../../protocol/src/radio/airtime.ts";
import { checkLink } from "../../../protocol/src/radio/gates.ts";
import { REGION_PLANS } from "../../../protocol/src/radio/regions.ts";
import type { Station } from "../../ether/channel.ts";
import { createEther, type EtherPort } from "../../ether/ether.ts";
import { createForwarder, type Forwarder, type ForwarderOptions } from "../../ether/forwarder.ts";
import { REFERENCE_LUT_DBM, WIDE_LUT_DBM } from "../../ether/pullResp.ts";
import { ManualClock } from "../validator/support/manualClock.ts";
import { type BareServer, openBareServer } from "./bareServer.ts";
import { describeRadioCompliance, EUI, nextPacket, type RadioPair, REQUEST } from "./radioCompliance.ts";
import { createStation } from "./stations.ts";

/** A seed that gives the first frame between these two ghosts on channels of the plan. */
const GHOSTLY_SEED = 2;
const systemClock = createSystemClock();
const log = { info: () => {}, warn: () => {} };

/** A hotspot's radio with its forwarder on the ether, ready to send. */
async function openHotspot(
  port: EtherPort,
  eui: string,
  lutDbm = WIDE_LUT_DBM,
): Promise<{ radio: Radio; forwarder: Forwarder }> {
  const radio = createGwmpRadio(
    { host: "127.0.0.1", port: 0, allowedEuis: [eui] },
    { clock: systemClock, log },
  );
  await radio.start();
  const alive = new Promise((resolve) => radio.onForwarderAlive(resolve));
  const server = { host: "127.0.0.1", port: Number(radio.status().listeningOn!.split(":")[1]) };
  const forwarder = createForwarder(
    { eui, server, plan: REGION_PLANS.EU868, lutDbm },
    { port, clock: systemClock },
  );
  await forwarder.start();
  await alive;
  return { radio, forwarder };
}

async function openPair(a: Station, b: Station, lutDbm = WIDE_LUT_DBM, seed = 1): Promise<RadioPair> {
  const ether = createEther({ seed }, { clock: systemClock });
  const first = await openHotspot(ether.attach(a), EUI, lutDbm);
  const second = await openHotspot(ether.attach(b), "aa555a0000000002", lutDbm);
  return {
    a: first.radio,
    b: second.radio,
    async close() {
      for (const { radio, forwarder } of [first, second]) {
        await forwarder.stop();
        await radio.stop();
      }
    },
  };
}

describeRadioCompliance("gwmp over the simulated forwarder", () =>
  openPair(createStation("a", 0), createStation("b", 800)),
);

describe("two hotspots over real UDP", () => {
  test("a beacon is heard with a strength that passes the gates", async () => {
    const pair = await openPair(createStation("a", 0), createStation("b", 2_000));
    const heard = nextPacket(pair.b);
    await pair.a.transmit(REQUEST);
    const { rssiDeciDbm, snrCentiDb, receivedAtMs } = await heard;
    const link = { rssiDeciDbm, snrCentiDb, eirpCentiDbm: 1_600, rxGainCentiDbi: 300, distanceM: 2_000 };
    const { freqHz, spreadingFactor, bandwidthHz } = REQUEST;
    const region = REGION_PLANS.EU868;
    expect(checkLink({ ...link, freqHz, spreadingFactor, bandwidthHz, region })).toBeNull();
    expect(receivedAtMs).toBeLessThanOrEqual(Date.now());
    await pair.close();
  });

  test("ghosts arrive with it and collapse to the strongest", async () => {
    const pair = await openPair(createStation("a", 0), createStation("b", 40), WIDE_LUT_DBM, GHOSTLY_SEED);
    const filter = new GhostFilter();
    pair.b.onPacket((packet) => filter.offer(packet, 0));
    const request = { ...REQUEST, spreadingFactor: 9, powerDbm: 27 };
    const heard = nextPacket(pair.b);
    await pair.a.transmit(request);
    await heard;
    // All copies travel in one datagram, whose elements are handed on within one turn of the event loop.
    const groups = filter.due(300);
    expect(groups).toHaveLength(1);
    expect(groups[0]!.ghostCount).toBe(pair.b.status().packets.accepted - 1);
    expect(groups[0]!.ghostCount).toBeGreaterThan(0);
    expect(groups[0]!.strongest.freqHz).toBe(REQUEST.freqHz);
    for (const ghost of groups[0]!.ghosts) {
      expect(ghost.rssiDeciDbm).toBeLessThan(groups[0]!.strongest.rssiDeciDbm - 300);
    }
    await pair.close();
  });

  test("a power below the forwarder's table is raised, and the result says so", async () => {
    const pair = await openPair(createStation("a", 0), createStation("b", 800), REFERENCE_LUT_DBM);
    expect(await pair.a.transmit({ ...REQUEST, powerDbm: 8 })).toMatchObject({
      status: "queued",
      powerDbm: 12,
    });
    await pair.close();
  });
});

describe("the forwarder by itself", () => {
  let server: BareServer;
  let forwarder: Forwarder;
  let neighbour: EtherPort;

  beforeEach(async () => {
    server = await openBareServer();
  });
  afterEach(async () => {
    await forwarder.stop();
    await server.close();
  });

  async function start(
    options: Partial<ForwarderOptions> = {},
    clock: RadioClock = systemClock,
  ): Promise<void> {
    const ether = createEther({ seed: 1 }, { clock });
    neighbour = ether.attach(createStation("neighbour", 800));
    forwarder = createForwarder(
      {
        eui: EUI,
        server: { host: "127.0.0.1", port: server.port },
        plan: REGION_PLANS.EU868,
        lutDbm: REFERENCE_LUT_DBM,
        ...options,
      },
      { port: ether.attach(createStation("own", 0)), clock },
    );
    await forwarder.start();
  }

  /** Puts a frame on air at the neighbour's. */
  function emit(payload: Uint8Array, freqHz = 867_500_000): void {
    const radio = { freqHz, spreadingFactor: 7, bandwidthHz: 125_000, powerDbm: 14, invertedPolarity: false };
    neighbour.transmit({
      ...radio,
      payload,
      airtimeUs: computeAirtimeUs({ ...radio, payloadBytes: payload.length }),
    });
  }

  async function ask(json: string, version: 1 | 2 = 2): Promise<void> {
    const pull = await server.next("pull_data");
    server.send(encodePullResp(version, 0xbeef, json), pull.from);
  }

  async function readAnswer(): Promise<string> {
    const ack = await server.next("tx_ack");
    expect(ack.token).toBe(0xbeef);
    return new TextDecoder().decode(ack.body);
  }

  test("pulls from one socket and pushes from another, as the real one prints it", async () => {
    await start();
    const pull = await server.next("pull_data");
    expect(pull).toMatchObject({ version: 2, eui: EUI });
    emit(Uint8Array.of(1, 2, 3));
    const push = await server.next("push_data");
    expect(push.from).not.toBe(pull.from);
    const text = new TextDecoder().decode(push.body);
    expect(text).toMatch(
      /^\{"rxpk":\[\{("jver":1,)?"tmst":\d+,"chan":2,"rfch":0,"freq":867\.500000,("mid": 2,)?"stat":1,"modu":"LORA","datr":"SF7BW125","codr":"4\/5",/,
    );
    expect(text).toMatch(/"lsnr":-?\d+\.[0258],.*"size":3,"data":"AQID"\}\]\}$/);
  });

  test("frames heard while a push waits for its acknowledgement go out together", async () => {
    await start();
    emit(Uint8Array.of(1));
    const first = await server.next("push_data");
    // Both end while the first push is still blocked; the answer then frees it.
    emit(Uint8Array.of(2), 867_100_000);
    emit(Uint8Array.of(3), 867_300_000);
    const second = await server.next("push_data");
    expect(second.token).not.toBe(first.token);
    const { rxpk } = JSON.parse(new TextDecoder().decode(second.body)) as { rxpk: { data: string }[] };
    expect(rxpk.map(({ data }) => data)).toEqual(["Ag==", "Aw=="]);
    server.send(encodeAck("push_ack", 2, second.token), second.from);
    expect(forwarder.counters()).toMatchObject({ pushSent: 2, heard: 3, forwarded: 3 });
  });

  test("a frame on no channel of the plan is not heard", async () => {
    await start();
    emit(Uint8Array.of(1), 869_525_000);
    emit(Uint8Array.of(2), 868_500_000);
    const push = await server.next("push_data");
    expect(new TextDecoder().decode(push.body)).toContain('"chan":7');
    expect(forwarder.counters().heard).toBe(1);
  });

  test("the counter wraps at 32 bits", async () => {
    await start({ tmstAtStartUs: 2 ** 32 - 10_000 });
    emit(Uint8Array.of(1));
    const push = await server.next("push_data");
    const { rxpk } = JSON.parse(new TextDecoder().decode(push.body)) as { rxpk: { tmst: number }[] };
    expect(rxpk[0]!.tmst).toBeLessThan(60_000_000);
  });

  test("keeps pulling, and sends statistics of its own accord", async () => {
    await start({ keepaliveMs: 20, statIntervalMs: 40 });
    const first = await server.next("pull_data");
    server.send(encodeAck("pull_ack", 2, first.token), first.from);
    await server.next("pull_data");
    const push = await server.next("push_data");
    expect(new TextDecoder().decode(push.body)).toMatch(
      /^\{"stat":\{"time":"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d GMT","rxnb":0,"rxok":0,"rxfw":0,"ackr":0\.0,"dwnb":0,"txnb":0,"temp":25\.0\}\}$/,
    );
    expect(forwarder.counters().pullAcked).toBe(1);
  });

  test("acknowledges with nothing behind the header, and then sends", async () => {
    await start();
    const heard = new Promise((resolve) => neighbour.onReceive(resolve));
    await ask(encodeTxpk(REQUEST));
    expect(await readAnswer()).toBe("");
    expect(await heard).toMatchObject({ payload: REQUEST.payload, isCrcGood: true });
    expect(forwarder.counters().emitted).toBe(1);
  });

  test.each([
    ["power below its table", { powerDbm: 8 }, '{"txpk_ack":{"warn":"TX_POWER","value":12}}'],
    ["another region's frequency", { freqHz: 915_000_000 }, '{"txpk_ack":{"error":"TX_FREQ"}}'],
  ])("says what it thinks of %s", async (_name, change, answer) => {
    await start();
    await ask(encodeTxpk({ ...REQUEST, ...change }));
    expect(await readAnswer()).toBe(answer);
  });

  test("case 36: forty at once are more than its queue holds", async () => {
    // Time stands still: none of them leaves the queue and makes room for another.
    await start({}, new ManualClock(Date.now()));
    const pull = await server.next("pull_data");
    for (let i = 0; i < 40; i++)
      server.send(encodePullResp(2, 0xbeef, encodeTxpk({ ...REQUEST, spreadingFactor: 12 })), pull.from);
    const counts = new Map<string, number>();
    for (let i = 0; i < 40; i++) {
      const answer = await readAnswer();
      counts.set(answer, (counts.get(answer) ?? 0) + 1);
    }
    expect([...counts]).toEqual([
      ["", 32],
      ['{"txpk_ack":{"error":"COLLISION_PACKET"}}', 8],
    ]);
    // An acknowledgement says "queued", and no more.
    expect(forwarder.counters().emitted).toBe(0);
  });

  test.each([
    ["bad JSON", "{", 2],
    ["version 1", encodeTxpk(REQUEST), 1],
    ["a thousand bytes", encodeTxpk(REQUEST).padEnd(996), 2],
  ] as const)("keeps silent about %s", async (_name, json, version) => {
    await start();
    const pull = await server.next("pull_data");
    server.send(encodePullResp(version, 0xdead, json), pull.from);
    server.send(encodePullResp(2, 0xbeef, encodeTxpk(REQUEST)), pull.from);
    expect(await readAnswer()).toBe("");
  });

  test("exits on one character of base64url, as the real one does", async () => {
    await start();
    await ask(encodeTxpk(REQUEST).replace(/"data":"./, '"data":"-'));
    // The next datagram finds nobody: that is what the hotspot will notice, too.
    const stopped = new Promise<void>((resolve) => {
      const check = () => (forwarder.counters().exits === 1 ? resolve() : setImmediate(check));
      check();
    });
    await stopped;
    expect(forwarder.counters()).toMatchObject({ exits: 1, emitted: 0 });
  });

  test("a server that is not there costs nothing but errors", async () => {
    const gone = await openBareServer();
    await gone.close();
    await start({ server: { host: "127.0.0.1", port: gone.port }, keepaliveMs: 5 });
    const refused = new Promise<void>((resolve) => {
      const check = () => (forwarder.counters().socketErrors > 0 ? resolve() : setImmediate(check));
      check();
    });
    await refused;
    expect(forwarder.counters().pullAcked).toBe(0);
  });
});
