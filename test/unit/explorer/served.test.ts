import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliDecompressSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildExplorer, type ExplorerManifest } from "../../../validator/explorer/build/bundle.ts";
import { EXPLORER_PAGES } from "../../../validator/src/api/explorer/pages.ts";
import { createFixture, type Fixture } from "../api/apiFixture.ts";

/** What the issue allows, after brotli. */
const MAP_LIMIT_BYTES = 1_000_000;
const OTHER_LIMIT_BYTES = 200_000;

/** Brotli at its best takes seconds, and on a busy machine many. */
const BUILD_MS = 60_000;

let folder: string;
let manifest: ExplorerManifest;
let served: Fixture;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "hexbeacon-explorer-"));
  // As it is published: the limits are about what readers are sent, and a quick build compresses a tenth less.
  manifest = await buildExplorer({ folder, site: null, effort: "published" });
  served = await createFixture({ explorerFolder: folder });
}, BUILD_MS);
afterAll(() => served?.api.close());

const ask = (url: string, headers: Record<string, string> = {}) =>
  served.api.inject({ method: "GET", url, headers });

describe("the explorer's bundle", () => {
  const compressed = (names: readonly string[]): number =>
    manifest.assets
      .filter(({ name }) => names.includes(name))
      .reduce((sum, { compressedBytes }) => sum + compressedBytes, 0);

  test("is at most 200 kB for a page, and 1 MB for the map with its worker and its land", () => {
    const sizes = Object.entries(manifest.pages).map(([page, names]) => ({
      page,
      bytes: compressed([...manifest.entry, ...names]),
    }));
    expect(sizes.length).toBeGreaterThan(2);
    expect(sizes.filter(({ page, bytes }) => !page.includes("/map") && bytes > OTHER_LIMIT_BYTES)).toEqual(
      [],
    );
    // What other pages load and the map does not; the rest is the map with its worker and its land.
    const isMap = (page: string) => ["src/pages/mapPage.tsx", "src/map/openMap.ts"].includes(page);
    const pages = Object.entries(manifest.pages);
    const ofMap = new Set([
      ...manifest.entry,
      ...pages.flatMap(([page, names]) => (isMap(page) ? names : [])),
    ]);
    const others = pages.flatMap(([page, names]) => (isMap(page) ? [] : names));
    const map = manifest.assets
      .map(({ name }) => name)
      .filter((name) => ofMap.has(name) || !others.includes(name));
    expect(compressed(map)).toBeLessThanOrEqual(MAP_LIMIT_BYTES);
    expect(compressed(map)).toBeGreaterThan(OTHER_LIMIT_BYTES);
  });

  test("has nothing inline and names every asset by its content", async () => {
    const { body } = await ask("/");
    expect(body).not.toMatch(/<script(?![^>]* src=)|<style| style=| on[a-z]+=/);
    expect(manifest.assets.filter(({ name }) => !/^assets\/[\w-]+-[0-9A-Z]{8}\.\w+$/.test(name))).toEqual([]);
  });
});

describe("the explorer as it is served", () => {
  test("is one document for every page, under a strict policy", async () => {
    for (const page of EXPLORER_PAGES) {
      const response = await ask(page.replace(/:\w+/, "x"), { accept: "text/html" });
      expect([page, response.statusCode]).toEqual([page, 200]);
      expect(response.headers["content-type"]).toContain("text/html");
      expect(response.headers["cache-control"]).toBe("public, max-age=0");
      const policy = String(response.headers["content-security-policy"]);
      expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self';");
      expect(policy).not.toMatch(/unsafe|\*/);
    }
  });

  test("sends assets for ever and compressed", async () => {
    const { name, bytes } = manifest.assets[0]!;
    const response = await ask(`/${name}`, { "accept-encoding": "gzip, br" });
    expect(response.headers).toMatchObject({
      "content-encoding": "br",
      "cache-control": "public, max-age=31536000, immutable",
      "x-content-type-options": "nosniff",
    });
    expect(brotliDecompressSync(response.rawPayload)).toHaveLength(bytes);
  });

  test("answers for what is not there: a browser with the document, a program with a problem", async () => {
    const page = await ask("/nowhere/at/all", { accept: "text/html" });
    expect([page.statusCode, page.headers["content-type"]]).toEqual([404, "text/html; charset=utf-8"]);
    for (const url of ["/nowhere", "/assets/none.js", "/v1/none", "/assets/..%2f..%2fpackage.json"]) {
      const response = await ask(url, url.startsWith("/v1") ? { accept: "text/html" } : {});
      expect([url, response.statusCode]).toEqual([url, 404]);
      expect(response.headers["content-type"]).toContain("problem+json");
    }
  });

  test("is left out where none was built", async () => {
    const bare = await createFixture({ explorerFolder: join(folder, "none") });
    expect((await bare.api.inject({ url: "/", headers: { accept: "text/html" } })).statusCode).toBe(404);
    await bare.api.close();
  });
});
