/** Every route of the operators' interface, signed and unsigned, with what its description allows and with what it does not. */
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import { checkAuditLog } from "../../../validator/src/admin/auditLog.ts";
import { createResponseCheck } from "../api/apiFixture.ts";
import { type AdminFixture, createAdminFixture, HOTSPOT, SEATED } from "./adminFixture.ts";

const TIMEOUT_MS = 120_000;

let fixture: AdminFixture;
beforeAll(async () => {
  fixture = await createAdminFixture();
});
afterAll(() => fixture.close());

type Schema = Record<string, unknown>;
type Operation = {
  parameters?: { name: string; in: "path" | "query"; schema: Schema }[];
  requestBody?: { content: Record<string, { schema: Schema & { properties?: Record<string, Schema> } }> };
};

const MEANINGFUL = [
  encodeDidKey(HOTSPOT.publicKey),
  encodeDidKey(SEATED.publicKey),
  "did:key:z6Mk",
  "..",
  "%00",
  "",
];

function valueFor(schema: Schema): fc.Arbitrary<unknown> {
  const own: fc.Arbitrary<unknown>[] = [fc.constantFrom(...MEANINGFUL)];
  if (Array.isArray(schema.enum)) own.push(fc.constantFrom(...schema.enum));
  if (typeof schema.pattern === "string") own.push(fc.stringMatching(new RegExp(schema.pattern)));
  if (schema.type === "integer") own.push(fc.integer({ min: -1, max: Number(schema.maximum ?? 100) + 1 }));
  if (schema.type === "boolean") own.push(fc.boolean());
  if (schema.type === "string")
    own.push(fc.string({ minLength: 1, maxLength: 100 }), fc.string({ unit: "binary" }));
  return fc.oneof(...own, { weight: 1, arbitrary: fc.jsonValue() as fc.Arbitrary<unknown> });
}

/** A value as a part of a path: an object of JSON may have a `toString` that is none. */
const asText = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));

function requestTo(method: string, path: string, { parameters = [], requestBody }: Operation) {
  const inPath = parameters.filter((p) => p.in === "path");
  const inQuery = parameters.filter((p) => p.in === "query");
  const properties = requestBody?.content["application/json"]?.schema.properties ?? {};
  const shaped = fc.record(
    Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, valueFor(schema)])),
    { requiredKeys: [] },
  );
  const body =
    requestBody === undefined
      ? fc.constant(undefined)
      : fc.oneof({ weight: 5, arbitrary: shaped }, fc.jsonValue());
  return fc
    .record({
      values: fc.tuple(...inPath.map((p) => valueFor(p.schema).map(asText))),
      query: fc.array(
        fc.tuple(
          fc.constantFrom("x", ...inQuery.map((p) => p.name)),
          fc.oneof(fc.nat(2_000).map(String), fc.string()),
        ),
        { maxLength: 2 },
      ),
      body,
      isSigned: fc.integer({ min: 0, max: 9 }).map((n) => n > 0),
    })
    .map(({ values, query, ...rest }) => {
      let url = path;
      for (const [index, { name }] of inPath.entries())
        url = url.replace(`{${name}}`, encodeURIComponent(values[index]!.toWellFormed()));
      const text = new URLSearchParams(query).toString();
      return { method, url: text === "" ? url : `${url}?${text}`, ...rest };
    });
}

test(
  "any request is answered as the description says, and never fails inside",
  async () => {
    const check = createResponseCheck(fixture.api);
    const { paths } = fixture.api.swagger() as unknown as {
      paths: Record<string, Record<string, Operation>>;
    };
    const counts = new Map<number, number>();
    for (const [path, methods] of Object.entries(paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        await fc.assert(
          fc.asyncProperty(requestTo(method.toUpperCase(), path, operation), async (request) => {
            const payload = request.body === undefined ? undefined : JSON.stringify(request.body);
            const signed = { method: request.method, path: request.url, body: Buffer.from(payload ?? "") };
            fixture.nowMs += 100;
            const response = await fixture.api.inject({
              method: request.method as "GET",
              url: request.url,
              headers: {
                ...(request.isSigned ? { authorization: fixture.sign(signed) } : {}),
                ...(payload === undefined ? {} : { "content-type": "application/json" }),
              },
              ...(payload === undefined ? {} : { payload }),
            });
            expect(response.statusCode, `${request.method} ${request.url} ${response.body}`).toBeLessThan(
              500,
            );
            check(method, response);
            counts.set(response.statusCode, (counts.get(response.statusCode) ?? 0) + 1);
          }),
          { numRuns: 60 },
        );
      }
    }
    expect(fixture.errors).toEqual([]);
    for (const status of [200, 202, 400, 401, 404]) expect([...counts.keys()]).toContain(status);
    expect(counts.get(200)).toBeGreaterThan(60);
    expect((await checkAuditLog(fixture.options.auditFile)).state.brokenAt).toBeNull();
  },
  TIMEOUT_MS,
);

test(
  "any body is refused before it is looked at, or judged",
  async () => {
    const body = fc.oneof(
      fc.string({ unit: "binary", maxLength: 300 }),
      fc.integer({ min: 1, max: 3_000 }).map((depth) => "[".repeat(depth) + "]".repeat(depth)),
      fc.constant('{"level":"debug","level":"info"}'),
      fc.constant('{"__proto__":{"level":"debug"}}'),
      fc.string({ minLength: 16_000, maxLength: 20_000 }),
    );
    const type = fc.constantFrom("application/json", "text/plain", "application/json; charset=utf-16");
    await fc.assert(
      fc.asyncProperty(body, type, async (payload, contentType) => {
        fixture.nowMs += 100;
        const path = "/admin/v1/log-level";
        const authorization = fixture.sign({ method: "PUT", path, body: Buffer.from(payload) });
        const headers = { authorization, "content-type": contentType };
        const response = await fixture.api.inject({ method: "PUT", url: path, payload, headers });
        expect(response.statusCode).toBeLessThan(500);
      }),
      { numRuns: 200 },
    );
    expect(fixture.errors).toEqual([]);
  },
  TIMEOUT_MS,
);
