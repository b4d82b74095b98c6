import { once } from "node:events";
import { connect } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { createHttpServer, type HttpServer, isOwnHost } from "../../../node/src/host/http.ts";

let server: HttpServer | null = null;
const errors: unknown[] = [];

async function start(): Promise<string> {
  server = createHttpServer({
    host: "127.0.0.1",
    port: 0,
    routes: {
      "/json": (query) => ({ status: 200, json: { said: query.get("say") } }),
      "/text": () => ({ status: 200, text: "plain", type: "text/plain" }),
      "/open": () => ({ status: 200, text: "ok", type: "text/plain" }),
      "/broken": () => {
        throw new Error("a bug with a secret in it");
      },
    },
    openPaths: ["/open"],
    onError: (error) => errors.push(error),
  });
  return await server.start();
}

/** The status and body of a request whose bytes are given, as no client of its own accord sends them. */
async function sendRaw(base: string, text: string): Promise<{ status: number; head: string; body: string }> {
  const { port, hostname } = new URL(base);
  const socket = connect(Number(port), hostname);
  socket.on("error", () => undefined);
  socket.write(text);
  let answer = "";
  socket.setEncoding("utf8").on("data", (part: string) => {
    answer += part;
  });
  await once(socket, "close");
  const [head = "", body = ""] = answer.split("\r\n\r\n", 2);
  return { status: Number(head.split(" ")[1]), head: head.toLowerCase(), body };
}

const askAs = (base: string, host: string, path = "/text") =>
  sendRaw(base, `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);

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

  test("refuses headers beyond its limit, and bytes that are no HTTP, with a problem", async () => {
    const base = await start();
    const long = `GET /json HTTP/1.1\r\nHost: localhost\r\nbig: ${"x".repeat(9_000)}\r\n\r\n`;
    for (const [bytes, status] of [
      [long, 431],
      ["\u0000\u0001 nonsense\r\n\r\n", 400],
    ] as const) {
      const answer = await sendRaw(base, bytes);
      expect(answer.status).toBe(status);
      expect(answer.head).toContain("content-type: application/problem+json");
      expect(JSON.parse(answer.body)).toMatchObject({ status, type: "about:blank" });
    }
    expect((await fetch(`${base}/text`)).status).toBe(200);
  });

  test("answers to addresses and localhost, and not to a name that anybody could point here", async () => {
    const base = await start();
    for (const host of [
      "127.0.0.1",
      "192.168.1.7:4468",
      "[::1]:4468",
      "[fe80::1]",
      "localhost:80",
      "LOCALHOST",
    ]) {
      expect((await askAs(base, host)).status, host).toBe(200);
    }
    for (const host of [
      "rebound.example",
      "rebound.example:4468",
      "127.0.0.1.rebound.example",
      "localhost.rebound.example",
      "127.1",
      "2130706433",
      "[127.0.0.1]",
      "::1",
      "user@127.0.0.1",
      "",
    ]) {
      const { status, body } = await askAs(base, host);
      expect(status, host).toBe(421);
      expect(JSON.parse(body), host).toMatchObject({ status: 421, title: "Misdirected Request" });
      // Who asks by a name learns neither what there is nor what there is not.
      expect((await askAs(base, host, "/nowhere")).status, host).toBe(421);
      expect((await askAs(base, host, "/open")).status, host).toBe(200);
    }
    const nameless = await sendRaw(base, "GET /text HTTP/1.1\r\nConnection: close\r\n\r\n");
    expect([nameless.status, JSON.parse(nameless.body).status]).toEqual([421, 421]);
  });

  test("answers to the name that it listens under", () => {
    expect(isOwnHost("hotspot.home:4468", "Hotspot.home")).toBe(true);
    expect(isOwnHost("hotspot.home.example:4468", "hotspot.home")).toBe(false);
    expect(isOwnHost("hotspot.home", "0.0.0.0")).toBe(false);
  });

  test("says when its port is taken", async () => {
    const base = await start();
    const second = createHttpServer({
      host: "127.0.0.1",
      port: Number(new URL(base).port),
      routes: {},
      openPaths: [],
      onError: () => undefined,
    });
    await expect(second.start()).rejects.toMatchObject({ code: "listen_failed" });
    await second.stop();
  });
});
