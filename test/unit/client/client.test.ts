/** The client: what it sends, what it makes of answers, how long it waits, and that it runs in a browser. */
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ApiError, createClient } from "../../../validator/client/client.ts";
import { createFixture, did, EPOCHS, type Fixture } from "../api/apiFixture.ts";

let fixture: Fixture;
let base: string;
beforeAll(async () => {
  fixture = await createFixture();
  base = await fixture.api.listen({ host: "127.0.0.1", port: 0 });
});
afterAll(() => fixture.api.close());

type Canned = { readonly status?: number; readonly headers?: Record<string, string>; readonly body?: string };

/** A client that is answered from a list, and what it asked and waited for. */
function createCanned(answers: readonly Canned[], options: { readonly retries?: number } = {}) {
  const sent: [string, RequestInit | undefined][] = [];
  const waits: number[] = [];
  const client = createClient({
    base: "https://api.example/",
    ...options,
    fetch: async (url, init) => {
      const { status = 200, headers = {}, body = "{}" } = answers[sent.length]!;
      sent.push([String(url), init]);
      return new Response(body, { status, headers });
    },
    wait: async (ms) => void waits.push(ms),
  });
  return { client, sent, waits };
}

const PROBLEM = { type: "about:blank", title: "Not Found", status: 404, detail: "There is no such hotspot." };
const busy = (retryAfter: string, status = 429): Canned => ({
  status,
  headers: { "retry-after": retryAfter },
});

describe("the client", () => {
  test("asks a real API, and its answers have the types that they say", async () => {
    const client = createClient({ base });
    const status = await client.get("/v1/status");
    expect(status.closedEpoch).toBe(EPOCHS - 1);
    const hotspot = await client.get("/v1/hotspots/{id}", { path: { id: did("hotspot 0") } });
    expect(hotspot.owner).toBe(did("owner 0"));
    const rewards = await client.get("/v1/accounts/{id}/rewards", {
      path: { id: hotspot.owner },
      query: { bucket: "month", zone: "Asia/Tokyo" },
    });
    expect(rewards.items.map(({ period }) => period)).toEqual(["2026-11"]);
    const map = await client.get("/v1/coverage", { query: { resolution: 3 } });
    expect(map.features).toHaveLength(2);
    const csv = await client.csv("/v1/hotspots/{id}/rewards", { path: { id: hotspot.id } });
    expect(csv.startsWith("period,startTimeMs,")).toBe(true);
  });

  test("goes through all pages", async () => {
    const client = createClient({ base });
    const ids: string[] = [];
    for await (const { id } of client.items("/v1/hotspots", { query: { limit: 2 } })) ids.push(id);
    expect(new Set(ids).size).toBe(9);
    const ranks: number[] = [];
    const request = { path: { epoch: "latest" }, query: { limit: 1 } };
    for await (const { rank } of client.items("/v1/epochs/{epoch}/rewards", request)) ranks.push(rank);
    expect(ranks).toEqual(ranks.map((_, index) => index + 1));
    expect(ranks.length).toBeGreaterThan(2);
  });

  test("reads a stream of lines, and sums what the epochs say", async () => {
    const client = createClient({ base });
    const counts = new Map<number, number>();
    for await (const line of client.lines("/v1/export/rewards", { query: { fromEpoch: 1 } })) {
      if (line.type === "reward") counts.set(line.epoch, (counts.get(line.epoch) ?? 0) + 1);
      else expect(counts.get(line.epoch)).toBe(line.lines);
    }
    expect([...counts.keys()]).toEqual([1, 2, 3]);
  });

  test("fills paths and queries in so that nobody's text becomes another path", () => {
    const client = createClient({ base: "https://api.example/" });
    expect(client.url("/v1/hotspots/{id}", { path: { id: "../a?b#c" } })).toBe(
      "https://api.example/v1/hotspots/..%2Fa%3Fb%23c",
    );
    expect(client.url("/v1/search", { query: { q: "a&b=ü" } })).toBe(
      "https://api.example/v1/search?q=a%26b%3D%C3%BC",
    );
    expect(client.url("/v1/hotspots", { query: { owner: undefined, limit: 3 } })).toBe(
      "https://api.example/v1/hotspots?limit=3",
    );
    expect(createClient().url("/v1/status")).toBe("/v1/status");
  });

  test("says what went wrong as the API says it", async () => {
    const error: ApiError = await createClient({ base })
      .get("/v1/hotspots/{id}", { path: { id: did("nobody") } })
      .catch((reason) => reason);
    expect([error.name, error.status, error.problem]).toEqual(["ApiError", 404, PROBLEM]);
    expect(error.message).toBe("There is no such hotspot.");
    const { client } = createCanned([{ status: 502, body: "<html>" }]);
    await expect(client.get("/v1/status")).rejects.toMatchObject({ status: 502, problem: null });
  });

  test("waits as long as it is asked to, a few times, and not for ever", async () => {
    const patient = createCanned([busy("2"), busy("0", 503), { body: '{"a":1}' }]);
    expect(await patient.client.get("/v1/status")).toEqual({ a: 1 });
    expect(patient.waits).toEqual([2_000, 0]);
    const date = createCanned([busy(new Date(Date.now() + 20_000).toUTCString()), {}]);
    await date.client.get("/v1/status");
    // A date is of whole seconds, and some may have passed.
    expect(date.waits[0]).toBeGreaterThan(10_000);
    expect(date.waits[0]).toBeLessThanOrEqual(20_000);
    for (const [answers, waited] of [
      [[busy("1"), busy("1"), busy("1"), busy("1")], 3],
      [[busy("31")], 0],
      [[busy("soon")], 0],
      [[{ status: 503 }], 0],
      [[{ status: 500, headers: { "retry-after": "1" } }], 0],
    ] as const) {
      const { client, waits } = createCanned(answers);
      await expect(client.get("/v1/status")).rejects.toMatchObject({ name: "ApiError" });
      expect(waits).toHaveLength(waited);
    }
  });

  test("stops when it is told to, while it waits as well", async () => {
    const stopping = new AbortController();
    const client = createClient({
      fetch: async () => {
        queueMicrotask(() => stopping.abort(new Error("enough")));
        return new Response(null, { status: 429, headers: { "retry-after": "20" } });
      },
    });
    await expect(client.get("/v1/status", { signal: stopping.signal })).rejects.toThrow("enough");
  });

  test("sends a transaction as it is", async () => {
    const answer = await createClient({ base }).post("/v1/transactions", { body: { envelope: "0x0102" } });
    expect(answer.id).toMatch(/^0x[0-9a-f]{64}$/);
    expect(fixture.submitted.at(-1)).toEqual(Uint8Array.of(1, 2));
  });

  test("reads lines however they are cut, and no half of one", async () => {
    const text = '{"a":"é"}\n{"a":2}\n{"a":3}';
    const bytes = new TextEncoder().encode(text);
    for (let size = 1; size <= bytes.length; size++) {
      const body = new ReadableStream<Uint8Array>({
        start(controller) {
          for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.slice(at, at + size));
          controller.close();
        },
      });
      const client = createClient({ fetch: async () => new Response(body) });
      const seen: unknown[] = [];
      for await (const line of client.lines("/v1/export/rewards", { query: { fromEpoch: 0 } }))
        seen.push(line);
      expect(seen).toEqual([{ a: "é" }, { a: 2 }, { a: 3 }]);
    }
    const broken = createClient({ fetch: async () => new Response('{"a":1}\n{"a"') });
    const read = async () => {
      for await (const _ of broken.lines("/v1/export/rewards", { query: { fromEpoch: 0 } }));
    };
    await expect(read()).rejects.toThrow(SyntaxError);
  });

  test("stops the stream when its reader stops", async () => {
    let cancelled = false;
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new TextEncoder().encode('{"a":1}\n')),
      cancel: () => {
        cancelled = true;
      },
    });
    const client = createClient({ fetch: async () => new Response(body) });
    for await (const _ of client.lines("/v1/export/rewards", { query: { fromEpoch: 0 } })) break;
    expect(cancelled).toBe(true);
  });

  test("is small, and needs nothing but what a browser has", async () => {
    const { outputFiles, metafile } = await build({
      entryPoints: ["validator/client/client.ts"],
      ...{ bundle: true, write: false, minify: true, metafile: true, format: "esm", platform: "browser" },
    });
    expect(Object.keys(metafile.inputs).every((file) => file.startsWith("validator/client/"))).toBe(true);
    expect(outputFiles[0]!.contents.length).toBeLessThan(6_000);
  });
});
