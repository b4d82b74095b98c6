/** Clients that ask for much and read nothing. */
import { EventEmitter, once } from "node:events";
import { connect, type Socket } from "node:net";
import Fastify, { type FastifyInstance } from "fastify";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { PRESETS } from "../../../protocol/src/network/presets.ts";
import type { ApiModules } from "../../../validator/src/api/modules.ts";
import type { Routes } from "../../../validator/src/api/routes/context.ts";
import { MAX_WAITING, takeTurns } from "../../../validator/src/api/turns.ts";
import { limitUnsent } from "../../../validator/src/api/unsentAnswers.ts";
import { createFixture } from "./apiFixture.ts";

/** More than the system's own buffers take of an answer: some megabytes. */
const LONG_BYTES = 20_000_000;

describe("answers that nobody reads", () => {
  let api: FastifyInstance;
  let port: number;
  let clients: Socket[];
  /** Tells of every answer that is made, by its end of the connection. */
  let answers: EventEmitter<{ made: [Socket] }>;
  beforeEach(async () => {
    clients = [];
    // Clients say who they are, as if each came by a proxy.
    api = Fastify({ forceCloseConnections: true, trustProxy: "127.0.0.1" });
    limitUnsent(api as unknown as Routes, 2.5 * LONG_BYTES);
    answers = new EventEmitter();
    api.addHook("onSend", async ({ raw }) => void answers.emit("made", raw.socket));
    const long = "x".repeat(LONG_BYTES);
    api.get("/long", async () => long);
    api.get("/short", async () => "x".repeat(16_000));
    await api.listen({ host: "127.0.0.1", port: 0 });
    ({ port } = api.server.address() as { port: number });
  });
  afterEach(async () => {
    for (const socket of clients) socket.destroy();
    await api.close();
  });

  const ask = async (client: string) => {
    const response = await fetch(`http://127.0.0.1:${port}/long`, { headers: { "x-forwarded-for": client } });
    return (await response.arrayBuffer()).byteLength;
  };
  /** Asks so many times on one connection and reads nothing. @returns both its ends, once its first answer is made. */
  const ignore = async (client: string, times = 1) => {
    const made = once(answers, "made") as Promise<[Socket]>;
    const socket = connect(port, "127.0.0.1").pause();
    // It may be told so when the other end hangs up.
    socket.on("error", () => {});
    clients.push(socket);
    socket.write(`GET /long HTTP/1.1\r\nhost: x\r\nx-forwarded-for: ${client}\r\n\r\n`.repeat(times));
    const [served] = await made;
    return { socket, served };
  };
  const isGone = ({ served }: { readonly served: Socket }) => served.destroyed;

  test("make room for the next one: first that which waited longest, of the address that leaves most", async () => {
    const modest = await ignore("192.0.2.1");
    const [first, second] = [await ignore("192.0.2.2"), await ignore("192.0.2.2")];
    // Of three there is no room, and each has as much: the one that waited longest is gone.
    expect([modest, first, second].map(isGone)).toEqual([true, false, false]);
    expect(await ask("192.0.2.3")).toBe(LONG_BYTES);
    expect([first, second].map(isGone)).toEqual([true, false]);
    const late = await ignore("192.0.2.1");
    const more = await ignore("192.0.2.2");
    // One address has two of three; that it asks itself makes no difference.
    expect([late, second, more].map(isGone)).toEqual([false, true, false]);
  });

  test("are counted also where many short ones wait behind another", async () => {
    const modest = await ignore("192.0.2.1");
    const { socket, served } = await ignore("192.0.2.2");
    const closed = new Promise((resolve) => served.once("close", resolve));
    socket.write("GET /short HTTP/1.1\r\nhost: x\r\n\r\n".repeat(1_500));
    await closed;
    expect(isGone(modest)).toBe(false);
  });

  test("count no more once they are read, or their connection is closed, however many waited on it", async () => {
    for (let n = 0; n < 4; n++) expect(await ask("192.0.2.1")).toBe(LONG_BYTES);
    const { socket, served } = await ignore("192.0.2.1", 2);
    const closed = new Promise((resolve) => served.once("close", resolve));
    socket.destroy();
    await closed;
    const both = [await ignore("192.0.2.1"), await ignore("192.0.2.2")];
    expect(both.map(isGone)).toEqual([false, false]);
  });
});

test("pages that are asked for at once are made one after another", async () => {
  const { store } = await createFixture();
  let made = 0;
  const counting: ApiModules["store"] = {
    ...store,
    listEpochs: (before, limit) => {
      made++;
      return store.listEpochs(before, limit);
    },
  };
  const { api } = await createFixture({}, { store: counting });
  await api.listen({ host: "127.0.0.1", port: 0 });
  const { port } = api.server.address() as { port: number };
  const socket = connect(port, "127.0.0.1");
  const pages = 100;
  socket.write("GET /v1/epochs?limit=1000 HTTP/1.1\r\nhost: x\r\n\r\n".repeat(pages));
  await once(socket, "data");
  expect(made).toBeLessThan(pages / 2);
  await expect.poll(() => made).toBe(pages);
  // Who has left is made nothing for.
  made = 0;
  const served = new Promise((resolve) =>
    api.server.once("request", ({ socket: end }) => end.once("close", resolve)),
  );
  const leaving = connect(port, "127.0.0.1");
  leaving.write("GET /v1/epochs?limit=1000 HTTP/1.1\r\nhost: x\r\n\r\n".repeat(pages));
  await once(leaving, "data");
  leaving.resetAndDestroy();
  await served;
  const madeThen = made;
  expect((await fetch(`http://127.0.0.1:${port}/v1/epochs`)).status).toBe(200);
  expect([madeThen < pages, made]).toEqual([true, madeThen + 1]);
  socket.destroy();
  await api.close();
});

test("pages wait for their turn in no greater number than connections that ask", async () => {
  const api = Fastify();
  takeTurns(api as unknown as Routes);
  api.get("/page", { schema: { querystring: {} } }, async () => "page");
  await api.ready();
  const asked = Array.from({ length: MAX_WAITING + 3 }, () => api.inject("/page"));
  const statuses = (await Promise.all(asked)).map(({ statusCode }) => statusCode);
  expect(statuses.filter((status) => status === 200)).toHaveLength(MAX_WAITING);
  expect((await api.inject("/page")).statusCode).toBe(200);
  await api.close();
});

test("a connection on which nothing moves is closed, and its answer with it", async () => {
  const network = {
    ...{ name: "test network", id: new Uint8Array(32), parameters: PRESETS.test },
    writeGenesis: () => `"${"x".repeat(LONG_BYTES)}"`,
  };
  const { api } = await createFixture({ network, connectionTimeoutMs: 1_000 });
  await api.listen({ host: "127.0.0.1", port: 0 });
  const { port } = api.server.address() as { port: number };
  const connected = once(api.server, "connection") as Promise<[Socket]>;
  const socket = connect(port, "127.0.0.1").pause();
  socket.write("GET /v1/genesis HTTP/1.1\r\nhost: x\r\n\r\n");
  const [served] = await connected;
  await once(served, "close");
  expect(served.bytesWritten).toBeGreaterThan(LONG_BYTES);
  socket.destroy();
  await api.close();
});
