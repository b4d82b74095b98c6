import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { ADMIN_WINDOW_MS, Gatekeeper } from "../../../validator/src/admin/gatekeeper.ts";
import {
  type AdminRequest,
  encodeSignedRequest,
  signRequest,
} from "../../../validator/src/admin/signedRequest.ts";
import { keyNamed } from "../validator/support/network.ts";
import { nextNonce, OPERATOR, TARGET } from "./adminFixture.ts";

const REQUEST: AdminRequest = { method: "PUT", path: "/admin/v1/bans/x?y=1", body: Buffer.from('{"a":1}') };

function openGate(startMs = 1_700_000_000_000) {
  let nowMs = startMs;
  const gate = new Gatekeeper(TARGET, [OPERATOR.publicKey], () => nowMs);
  const header = (request = REQUEST, timeMs = nowMs, by = OPERATOR, target = TARGET) =>
    signRequest(target, request, by, { timeMs, nonce: nextNonce() });
  const advance = (milliseconds: number) => {
    nowMs += milliseconds;
  };
  return { gate, header, advance };
}

describe("an operator's request", () => {
  test("is admitted once", () => {
    const { gate, header } = openGate();
    const signed = header();
    expect(gate.check(REQUEST, signed)).toMatchObject({ ok: true, operator: OPERATOR.publicKey });
    expect(gate.check(REQUEST, signed)).toMatchObject({ ok: false, reason: "replayed" });
    expect(gate.check(REQUEST, header())).toMatchObject({ ok: true });
  });

  test("is refused for each part that is another's", () => {
    const { gate, header } = openGate();
    const other = keyNamed("somebody else");
    const signed = header();
    const changed: [string, AdminRequest][] = [
      ["method", { ...REQUEST, method: "DELETE" }],
      ["path", { ...REQUEST, path: "/admin/v1/bans/z?y=1" }],
      ["query", { ...REQUEST, path: "/admin/v1/bans/x?y=2" }],
      ["body", { ...REQUEST, body: Buffer.from('{"a":2}') }],
    ];
    for (const [part, request] of changed)
      expect([part, gate.check(request, signed)]).toMatchObject([part, { reason: "bad_signature" }]);
    const foreign = { ...TARGET, validator: other.publicKey };
    expect(gate.check(REQUEST, header(REQUEST, undefined, OPERATOR, foreign))).toMatchObject({
      reason: "bad_signature",
    });
    const elsewhere = { ...TARGET, networkId: new Uint8Array(32) };
    expect(gate.check(REQUEST, header(REQUEST, undefined, OPERATOR, elsewhere))).toMatchObject({
      reason: "bad_signature",
    });
    expect(gate.check(REQUEST, header(REQUEST, undefined, other))).toMatchObject({
      reason: "unknown_operator",
    });
    // None of that has used the good one up.
    expect(gate.check(REQUEST, signed)).toMatchObject({ ok: true });
  });

  test("counts within half a minute of the validator's clock, and nowhere else", () => {
    const { gate, header, advance } = openGate();
    const now = 1_700_000_000_000;
    for (const [offMs, ok] of [
      [-ADMIN_WINDOW_MS - 1, false],
      [-ADMIN_WINDOW_MS, true],
      [ADMIN_WINDOW_MS, true],
      [ADMIN_WINDOW_MS + 1, false],
    ] as const)
      expect([offMs, gate.check(REQUEST, header(REQUEST, now + offMs)).ok]).toEqual([offMs, ok]);
    // A request that was dated ahead stays known for as long as it could pass.
    const ahead = header(REQUEST, now + ADMIN_WINDOW_MS);
    expect(gate.check(REQUEST, ahead).ok).toBe(true);
    advance(2 * ADMIN_WINDOW_MS);
    expect(gate.check(REQUEST, ahead)).toMatchObject({ reason: "replayed" });
    advance(1);
    expect(gate.check(REQUEST, ahead)).toMatchObject({ reason: "clock_skew" });
  });

  test("is told from its repetition across a restart", () => {
    const { gate, header } = openGate();
    const signed = header();
    const verdict = gate.check(REQUEST, signed);
    if (!verdict.ok) throw new Error("it was refused");
    const { gate: restarted } = openGate();
    restarted.remember(verdict);
    expect(restarted.check(REQUEST, signed)).toMatchObject({ reason: "replayed" });
  });

  test("is turned away when there are more than anybody asks, until some are past", () => {
    const { gate, advance } = openGate();
    for (let i = 0; i < 5_000; i++) gate.remember({ nonce: nextNonce(), timeMs: 1_700_000_000_000 });
    const late = openGate(1_700_000_000_000);
    expect(gate.check(REQUEST, late.header())).toMatchObject({ reason: "too_many" });
    advance(ADMIN_WINDOW_MS + 1);
    late.advance(ADMIN_WINDOW_MS + 1);
    expect(gate.check(REQUEST, late.header())).toMatchObject({ ok: true });
  });

  test("with any header is judged without a throw", () => {
    const { gate, header } = openGate();
    const good = header();
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ maxLength: 400 }),
          fc
            .nat(good.length - 1)
            .chain((at) =>
              fc
                .string({ minLength: 1, maxLength: 1 })
                .map((c) => good.slice(0, at) + c + good.slice(at + 1)),
            ),
        ),
        (text) => text === good || !gate.check(REQUEST, text).ok,
      ),
      { numRuns: 300 },
    );
  });

  test("has these bytes to sign", () => {
    const bytes = encodeSignedRequest(
      { networkId: new Uint8Array(32).fill(1), validator: new Uint8Array(32).fill(2) },
      { method: "GET", path: "/admin/v1/bans", body: new Uint8Array(0) },
      { timeMs: 1_700_000_000_000, nonce: new Uint8Array(16).fill(3) },
    );
    // printf 'GET /admin/v1/bans' | sha256sum; sha256sum < /dev/null
    expect(encodeHex(bytes)).toBe(
      [
        Buffer.from("hexbeacon-admin/1/").toString("hex"),
        "01".repeat(32),
        "02".repeat(32),
        "a08378182155541524f8362910e072c680b1f6ff7f279520cfb52ae4808c13a2",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "0000018bcfe56800",
        "03".repeat(16),
      ].join(""),
    );
  });
});
