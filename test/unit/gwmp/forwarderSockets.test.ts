/** A queue of its own for each known forwarder, against the kernel's: a flood of strangers takes nothing from it. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { CodedError } from "../../../node/src/host/codedError.ts";
import {
  FORWARDER_SOCKETS_MAX,
  ForwarderSockets,
  HAS_FORWARDER_SOCKETS,
  SOCKET_AFTER,
} from "../../../node/src/radio/gwmp/forwarderSockets.ts";
import { FORWARDER_ALIVE_MS, FORWARDERS_MAX } from "../../../node/src/radio/gwmp/forwarders.ts";
import { openRadio, type RadioFixture } from "./radioFixture.ts";
import type { UdpPeer } from "./udpPeer.ts";

const EUI = "aa555a0102030405";
let fixture: RadioFixture;
let peer: UdpPeer;
beforeEach(async () => {
  fixture = await openRadio({ allowedEuis: [EUI] });
  peer = await fixture.openPeer();
});
afterEach(() => fixture.close());

async function pull(token: number): Promise<void> {
  const round = token.toString(16).padStart(4, "0");
  peer.send(`02${round}02${EUI}`);
  expect(await peer.nextHex()).toBe(`02${round}04`);
}

describe.skipIf(!HAS_FORWARDER_SOCKETS)("a socket for each forwarder (on Linux)", () => {
  test("a known forwarder is acknowledged once each time, before and after it has its own queue", async () => {
    for (let token = 1; token <= 4 * SOCKET_AFTER; token++) await pull(token);
    expect(peer.unread).toHaveLength(0);
    expect(fixture.radio.status().datagrams.pull_data).toBe(4 * SOCKET_AFTER);
  });

  test("nothing of it is lost behind more strangers' datagrams than a queue holds", async () => {
    for (let token = 1; token <= 2 * SOCKET_AFTER; token++) await pull(token);
    // The socket is bound and connected by now, or its next datagrams would not be waited for.
    await new Promise((resolve) => setImmediate(resolve));
    await pull(99);
    const stranger = await fixture.openPeer();
    const noise = Buffer.from(`02000002${"bb".repeat(8)}`, "hex");
    for (let i = 0; i < 20_000; i++) stranger.send(noise);
    for (let token = 100; token < 110; token++) await pull(token);
    const { datagrams } = fixture.radio.status();
    expect(datagrams.pull_data).toBe(2 * SOCKET_AFTER + 11);
    expect(datagrams.eui_not_allowed).toBeGreaterThan(0);
  });

  test("the port is still this radio's alone", async () => {
    for (let token = 1; token <= 2 * SOCKET_AFTER; token++) await pull(token);
    const second = openRadio({ port: fixture.port });
    await expect(second).rejects.toBeInstanceOf(CodedError);
    await expect(second).rejects.toMatchObject({ code: "listen_failed" });
  });

  test("a forwarder that comes back from another port is served there", async () => {
    for (let token = 1; token <= 2 * SOCKET_AFTER; token++) await pull(token);
    peer = await fixture.openPeer();
    for (let token = 1; token <= 2 * SOCKET_AFTER; token++) await pull(token);
    expect(fixture.radio.status().forwarders[0]!.downlinkAddress).toBe(`127.0.0.1:${peer.port}`);
  });

  test("are bounded, given slowly, to who stays, and taken from who is silent", async () => {
    const sockets = new ForwarderSockets({ address: "127.0.0.1", port: fixture.port }, () => undefined);
    const source = (port: number) => ({ address: "127.0.0.1", port });
    // Who changes his port with every datagram gets none.
    for (let port = 1_000; port < 3_000; port++) sockets.note(source(port), 0);
    expect(sockets.size).toBe(0);
    const speak = (port: number, nowMs: number) => {
      for (let i = 0; i < SOCKET_AFTER; i++) sockets.note(source(port), nowMs);
    };
    speak(4_000, 0);
    speak(4_001, 0);
    expect(sockets.size).toBe(1);
    for (let i = 0; i < 4 * FORWARDERS_MAX; i++) speak(4_001 + i, 100 + i * 100);
    expect(sockets.size).toBe(FORWARDER_SOCKETS_MAX);
    speak(5_000, FORWARDER_ALIVE_MS + 10_000);
    expect(sockets.size).toBeLessThan(FORWARDER_SOCKETS_MAX);
    expect(sockets.size).toBeGreaterThan(0);
    await sockets.close();
    expect(sockets.size).toBe(0);
  });
});
