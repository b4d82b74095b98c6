import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { createHttpServer, type HttpServer } from "../../../node/src/host/http.ts";

let server: HttpServer | null = null;
const errors: unknown[] = [];

async function start(): Promise<string> {
  server = createHttpServer({
    host: "127.0.0.1",
    port: 0,
    routes: {
      "/json": (query) => ({ status: 200, json: { said: query.get("say") } }),
      "/text": () => ({ status: 200, text: "plain", type: "text/plain" }),
      "/broken": () => {
        throw new Error("a bug with a secret in it");
      },
    },
    onError: (error) => errors.push(error),
  });
  return await server.start();
}

afterEach(async () => {
  await server?.stop();
  server = null;
});

describe("the small server", () => {
  test("answers its table, and everything else with a problem", async () => {
    const base = await start();
    const said = await fetch(`${base}/json?say=hello`);
    expect(said.headers.get("content-type")).toContain("application/json");
    expect(await said.json()).toEqual({ said: "hello" });
    expect(await (await fetch(`${base}/text`)).text()).toBe("plain");
    const head = await fetch(`${base}/text`, { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
    for (const [path, init, status] of [
      ["/nowhere", {}, 404],
      ["/../etc/passwd", {}, 404],
      ["/__proto__", {}, 404],
      ["/json", { method: "POST", body: "x".repeat(1_000_000) }, 405],
      ["/broken", {}, 500],
    ] as const) {
      const response = await fetch(base + path, init).catch(() => null);
      // A client that is still sending a refused body may see the connection close before the answer.
      if (response === null && status === 405) continue;
      expect(response!.status).toBe(status);
      expect(response!.headers.get("content-type")).toContain("application/problem+json");
      const body = (await response!.json()) as Record<string, unknown>;
      expect(body).toMatchObject({ status, type: "about:blank" });
      expect(JSON.stringify(body)).not.toContain("secret");
    }
    expect(errors).toHaveLength(1);
  });

  test("refuses headers beyond its limit, and bytes that are no HTTP", async () => {
    const base = await start();
    const { port, hostname } = new URL(base);
    const request = httpRequest({ port, host: hostname, path: "/json", headers: { big: "x".repeat(9_000) } });
    request.end();
    const [response] = (await once(request, "response")) as [{ statusCode: number; resume: () => void }];
    response.resume();
    expect(response.statusCode).toBe(431);
    const socket = connect(Number(port), hostname);
    socket.on("error", () => undefined).resume();
    socket.write("\u0000\u0001 nonsense\r\n\r\n");
    await once(socket, "close");
    expect((await fetch(`${base}/text`)).status).toBe(200);
  });

  test("says when its port is taken", async () => {
    const base = await start();
    const second = createHttpServer({
      host: "127.0.0.1",
      port: Number(new URL(base).port),
      routes: {},
      onError: () => undefined,
    });
    await expect(second.start()).rejects.toMatchObject({ code: "listen_failed" });
    await second.stop();
  });
});
