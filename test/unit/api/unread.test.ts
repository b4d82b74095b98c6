/** Clients that ask for much and read nothing. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import Fastify, { type FastifyInstance } from "fastify";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { PRESETS } from "../../../protocol/src/network/presets.ts";
import { createErrorHandler } from "../../../validator/src/api/problem.ts";
import type { Routes } from "../../../validator/src/api/routes/context.ts";
import { limitUnsent } from "../../../validator/src/api/unsentAnswers.ts";
import { createFixture } from "./apiFixture.ts";

/** More than the system's own buffers take of an answer: some megabytes. */
const LONG_BYTES = 20_000_000;

describe("answers that nobody reads", () => {
  let api: FastifyInstance;
  let port: number;
  let deaf: Socket[];
  /** Is called with each answer that is made. */
  let onMade: () => void;
  beforeEach(async () => {
    deaf = [];
    api = Fastify({ forceCloseConnections: true });
    api.setErrorHandler(createErrorHandler({} as never));
    limitUnsent(api as unknown as Routes, 2.5 * LONG_BYTES);
    onMade = () => {};
    api.addHook("onSend", async () => onMade());
    const long = "x".repeat(LONG_BYTES);
    api.get("/long", async () => long);
    api.get("/short", async () => "short");
    await api.listen({ host: "127.0.0.1", port: 0 });
    ({ port } = api.server.address() as { port: number });
  });
  afterEach(async () => {
    for (const socket of deaf) socket.destroy();
    await api.close();
  });

  const ask = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    await response.arrayBuffer();
    return response;
  };
  /** Asks so many times on one connection; resolves once the last answer is made. */
  const askAndIgnore = async (times: number): Promise<Socket> => {
    const made = Promise.withResolvers<void>();
    let left = times;
    onMade = () => {
      left--;
      if (left === 0) made.resolve();
    };
    const socket = connect(port, "127.0.0.1").pause();
    deaf.push(socket);
    socket.write("GET /long HTTP/1.1\r\nhost: x\r\n\r\n".repeat(times));
    await made.promise;
    return socket;
  };

  test("take no more memory than there is for all, and others' short ones pass", async () => {
    await askAndIgnore(1);
    await askAndIgnore(1);
    const refused = await ask("/long");
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "5"]);
    expect(refused.headers.get("content-type")).toBe("application/problem+json; charset=utf-8");
    expect((await ask("/short")).status).toBe(200);
  });

  test("are free again when they are read, or their connection is closed, however many waited on it", async () => {
    expect([(await ask("/long")).status, (await ask("/long")).status]).toEqual([200, 200]);
    expect((await ask("/long")).status).toBe(200);
    const socket = await askAndIgnore(2);
    expect((await ask("/long")).status).toBe(503);
    socket.destroy();
    await expect.poll(async () => (await ask("/long")).status, { timeout: 10_000 }).toBe(200);
    // Both: with one still counted there would be no room for two more.
    await askAndIgnore(1);
    expect((await ask("/long")).status).toBe(200);
  });
});

test("a connection on which nothing moves is closed, and its answer with it", async () => {
  const network = {
    ...{ name: "test network", id: new Uint8Array(32), parameters: PRESETS.test },
    writeGenesis: () => `"${"x".repeat(LONG_BYTES)}"`,
  };
  const { api } = await createFixture({ network, connectionTimeoutMs: 200 });
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
