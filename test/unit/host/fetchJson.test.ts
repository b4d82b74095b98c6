/** Questions to strangers' HTTP servers: bounded in time and size, and followed where they are sent elsewhere. */
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { fetchJson } from "../../../node/src/host/fetchJson.ts";

const LIMITS = { timeoutMs: 5_000, maxBytes: 1_000 };
const cleanups: (() => unknown)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

async function serve(listener: RequestListener): Promise<URL> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanups.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/asked?x=1`);
}

describe("a question", () => {
  test("gives status and JSON, whatever the status", async () => {
    const url = await serve((request, response) => {
      response.writeHead(404).end(JSON.stringify({ asked: request.url, method: request.method }));
    });
    expect(await fetchJson(url, LIMITS)).toEqual({
      status: 404,
      json: { asked: "/asked?x=1", method: "GET" },
    });
  });

  test("posts a body as JSON, and follows nobody with it", async () => {
    let elsewhere = 0;
    const other = await serve((_, response) => {
      elsewhere++;
      response.end("{}");
    });
    const url = await serve(async (request, response) => {
      let body = "";
      for await (const chunk of request) body += String(chunk);
      const { "content-type": type } = request.headers;
      response.writeHead(307, { location: other.href }).end(JSON.stringify([request.method, type, body]));
    });
    const { status, json } = await fetchJson(url, LIMITS, { envelope: "é" });
    expect([status, json, elsewhere]).toEqual([
      ...[307, ["POST", "application/json", '{"envelope":"é"}'], 0],
    ]);
  });

  test("goes where it is sent, three times and no more, and to no other scheme", async () => {
    const chain = await serve((request, response) => {
      const left = Number(new URL(request.url!, "http://x").searchParams.get("left") ?? 0);
      if (left === 0) return void response.end('"there"');
      response.writeHead(302, { location: `/?left=${left - 1}` }).end('"on the way"');
    });
    expect((await fetchJson(new URL("/?left=3", chain), LIMITS)).json).toBe("there");
    expect((await fetchJson(new URL("/?left=4", chain), LIMITS)).json).toBe("on the way");
    const away = await serve((_, response) => {
      response.writeHead(302, { location: "file:///etc/passwd" }).end('"here"');
    });
    expect(await fetchJson(away, LIMITS)).toEqual({ status: 302, json: "here" });
  });

  test("is refused an answer that is too long, or none that is JSON", async () => {
    const long = await serve((_, response) => response.end(`"${"x".repeat(LIMITS.maxBytes)}"`));
    await expect(fetchJson(long, LIMITS)).rejects.toMatchObject({ code: "answer_oversized" });
    const page = await serve((_, response) => response.end("<html>"));
    await expect(fetchJson(page, LIMITS)).rejects.toMatchObject({ code: "request_refused" });
  });

  test("ends in time where nobody answers, answers slowly, or breaks off", async () => {
    const limits = { ...LIMITS, timeoutMs: 200 };
    const silent = await serve(() => undefined);
    await expect(fetchJson(silent, limits)).rejects.toMatchObject({ code: "peer_unreachable" });
    const slow = await serve((_, response) => response.write("{"));
    await expect(fetchJson(slow, limits)).rejects.toMatchObject({ code: "peer_unreachable" });
    const broken = await serve((_, response) => {
      response.writeHead(200, { "content-length": "100" });
      response.write("{");
      setImmediate(() => response.destroy());
    });
    await expect(fetchJson(broken, LIMITS)).rejects.toMatchObject({ code: "peer_unreachable" });
    const nobody = new URL("http://127.0.0.1:9/");
    await expect(fetchJson(nobody, LIMITS)).rejects.toMatchObject({ code: "peer_unreachable" });
  });
});
