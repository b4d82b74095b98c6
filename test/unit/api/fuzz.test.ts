/**
 * Every endpoint, asked whatever its own description allows and much that it does not: nothing may fail inside, and
 * every answer must be one that the description promises.
 */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { named } from "../store/history.ts";
import { type Operation, requestTo } from "../support/requests.ts";
import { createFixture, createResponseCheck, did, type Fixture } from "./apiFixture.ts";

let fixture: Fixture;
beforeAll(async () => {
  fixture = await createFixture();
});
afterAll(async () => {
  await fixture.api.close();
});

/** Values that mean something here: known keys, cells, ids and cursors, and the edges of numbers. */
const MEANINGFUL = [
  ...["hotspot 0", "hotspot 8", "owner 0", "nobody"].map(did),
  encodeHex(named("hotspot 1")),
  `0x${encodeHex(named("owner 1"))}`,
  `${encodeHex(named("beacon 3"))}-0`,
  `${encodeHex(named("beacon 3"))}-15`,
  `${encodeHex(named("witness 3/1"))}-2`,
  "latest",
  "841f90dffffffff",
  "881f90d24bfffff",
  "8c1f90d24a1a5ff",
  "8001fffffffffff",
  "ffffffffffffff0",
  "8c1f90d24a1a5ff.3",
  ...["0", "1", "3", "17", "99", "-1", "999999999999999", "9007199254740993", "1e3", "0x10", "1.5", "NaN"],
  ...["active", "silent", "day", "month", "csv", "json"],
  "../../etc/passwd",
  "%2e%2e%2f%00",
  "__proto__",
  "' OR 1=1 --",
];

/** What the description has, by path and method. */
function operations(): [path: string, method: string, operation: Operation][] {
  const { paths } = fixture.api.swagger() as unknown as { paths: Record<string, Record<string, Operation>> };
  // The stream of events has no end to wait for; it has tests of its own.
  return Object.entries(paths)
    .filter(([path]) => path !== "/v1/events")
    .flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]): [string, string, Operation] => [
        path,
        method,
        operation,
      ]),
    );
}

const headers = fc.record(
  {
    accept: fc.constantFrom(
      "text/csv",
      "application/json",
      "*/*",
      "text/csv;q=0.1, application/json",
      "nonsense",
    ),
    "if-none-match": fc.constantFrom("*", "*", '""', 'W/"x"', ","),
    origin: fc.constantFrom("null", "https://example.org"),
  },
  { requiredKeys: [] },
);

describe("any request", () => {
  test("to any route is answered as the description says, and never fails inside", async () => {
    const check = createResponseCheck(fixture.api);
    const counts = new Map<number, number>();
    for (const [path, method, operation] of operations()) {
      await fc.assert(
        fc.asyncProperty(requestTo(path, operation, MEANINGFUL), headers, async ({ url, body }, given) => {
          const payload = body === undefined ? {} : { payload: JSON.stringify(body) };
          const type = body === undefined ? {} : { "content-type": "application/json" };
          const response = await fixture.api.inject({
            ...{ method: method.toUpperCase() as "GET", url, headers: { ...given, ...type } },
            ...payload,
          });
          check(method, response);
          expect(response.statusCode).toBeLessThan(500);
          counts.set(response.statusCode, (counts.get(response.statusCode) ?? 0) + 1);
        }),
        { numRuns: 100 },
      );
    }
    expect(fixture.errors).toEqual([]);
    expect(fixture.submitted).not.toHaveLength(0);
    // A fuzzer that never gets through tests nothing.
    for (const status of [200, 304, 400, 404]) expect([...counts.keys()]).toContain(status);
    expect(counts.get(200)).toBeGreaterThan(150);
  });

  test("of any path and method gets a problem at worst", async () => {
    const method = fc.constantFrom("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS" as const);
    const path = fc.oneof(
      fc.webUrl({ withQueryParameters: true }).map((url) => new URL(url).pathname),
      fc
        .string({ unit: "grapheme-ascii", maxLength: 300 })
        .map((text) => `/${text.replaceAll(/[\s#\\]/g, "").replace(/^\/+/, "")}`),
      fc
        .array(fc.constantFrom("..", ".", "%2e%2e", "v1", "docs", "static", "etc", "passwd", "%00"))
        .map((p) => `/${p.join("/")}`),
    );
    await fc.assert(
      fc.asyncProperty(method, path, async (verb, url) => {
        const response = await fixture.api.inject({
          method: verb as "GET",
          url,
          headers: { host: "localhost" },
        });
        expect(response.statusCode).toBeLessThan(500);
        if (response.statusCode >= 400 && verb !== "HEAD") {
          expect(response.headers["content-type"]).toBe("application/problem+json; charset=utf-8");
        }
      }),
      { numRuns: 500 },
    );
    expect(fixture.errors).toEqual([]);
  });

  test("with any body is refused before it is looked at, or handed on as bytes", async () => {
    const body = fc.oneof(
      fc.json().map(String),
      fc.string({ unit: "binary", maxLength: 500 }),
      fc
        .record({
          envelope: fc.oneof(fc.string(), fc.integer(), fc.constant(null), fc.string({ maxLength: 20_000 })),
        })
        .map((v) => JSON.stringify(v)),
      fc
        .uint8Array({ minLength: 1, maxLength: 300 })
        .map((bytes) => JSON.stringify({ envelope: encodeHex(bytes) })),
      fc.integer({ min: 1, max: 3_000 }).map((depth) => `${"[".repeat(depth)}${"]".repeat(depth)}`),
      fc.constant('{"envelope":"00","envelope":"01"}'),
    );
    const type = fc.constantFrom(
      "application/json",
      "text/plain",
      "application/xml",
      "application/json; charset=utf-16",
    );
    const check = createResponseCheck(fixture.api);
    await fc.assert(
      fc.asyncProperty(body, type, async (payload, contentType) => {
        const response = await fixture.api.inject({
          method: "POST",
          url: "/v1/transactions",
          payload,
          headers: { "content-type": contentType },
        });
        expect(response.statusCode).toBeLessThan(500);
        if (response.statusCode !== 415) check("post", response);
      }),
      { numRuns: 500 },
    );
    expect(fixture.errors).toEqual([]);
  });
});
