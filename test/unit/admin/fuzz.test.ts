/** Every route of the operators' interface, signed and unsigned, with what its description allows and with what it does not. */
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import { checkAuditLog } from "../../../validator/src/admin/auditLog.ts";
import { createResponseCheck } from "../api/apiFixture.ts";
import { type Operation, requestTo } from "../support/requests.ts";
import { type AdminFixture, createAdminFixture, HOTSPOT, SEATED } from "./adminFixture.ts";

let fixture: AdminFixture;
beforeAll(async () => {
  fixture = await createAdminFixture();
});
afterAll(() => fixture.close());

const MEANINGFUL = [
  encodeDidKey(HOTSPOT.publicKey),
  encodeDidKey(SEATED.publicKey),
  "did:key:z6Mk",
  "..",
  "%00",
  "",
];

const isSigned = fc.integer({ min: 0, max: 9 }).map((n) => n > 0);

test("any request is answered as the description says, and never fails inside", async () => {
  const check = createResponseCheck(fixture.api);
  const { paths } = fixture.api.swagger() as unknown as {
    paths: Record<string, Record<string, Operation>>;
  };
  const counts = new Map<number, number>();
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      await fc.assert(
        fc.asyncProperty(requestTo(path, operation, MEANINGFUL), isSigned, async ({ url, body }, signs) => {
          const payload = body === undefined ? undefined : JSON.stringify(body);
          const signed = { method: method.toUpperCase(), path: url, body: Buffer.from(payload ?? "") };
          fixture.nowMs += 100;
          const response = await fixture.api.inject({
            method: signed.method as "GET",
            url,
            headers: {
              ...(signs ? { authorization: fixture.sign(signed) } : {}),
              ...(payload === undefined ? {} : { "content-type": "application/json" }),
            },
            ...(payload === undefined ? {} : { payload }),
          });
          expect(response.statusCode, `${signed.method} ${url} ${response.body}`).toBeLessThan(500);
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
});

test("any body is refused before it is looked at, or judged", async () => {
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
});
