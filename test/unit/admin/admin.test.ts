import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { CodedError } from "../../../node/src/host/codedError.ts";
import { encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import { type AuditLine, checkAuditLog } from "../../../validator/src/admin/auditLog.ts";
import { createResponseCheck } from "../api/apiFixture.ts";
import { keyNamed } from "../validator/support/network.ts";
import { type AdminFixture, createAdminFixture, HOTSPOT, OPERATOR, SEATED, TARGET } from "./adminFixture.ts";

let fixture: AdminFixture;
beforeEach(async () => {
  fixture = await createAdminFixture();
});
afterEach(async () => {
  expect(fixture.errors).toEqual([]);
  await fixture.close();
});

const did = ({ publicKey }: { publicKey: Uint8Array }) => encodeDidKey(publicKey);
async function auditLines(): Promise<AuditLine[]> {
  const lines: AuditLine[] = [];
  const { state } = await checkAuditLog(fixture.options.auditFile, (line) => lines.push(line));
  expect(state.brokenAt).toBeNull();
  return lines;
}

/** Asks, and holds the answer against the interface's own description. */
async function ask(method: string, path: string, order?: unknown) {
  const response = await fixture.ask(method, path, order);
  createResponseCheck(fixture.api)(method.toLowerCase(), response);
  return { status: response.statusCode, json: response.json() as Record<string, unknown> };
}

describe("operators", () => {
  test("see who is connected", async () => {
    const { json } = await ask("GET", "/admin/v1/peers");
    expect(json.items).toEqual([
      expect.objectContaining({ peer: did(HOTSPOT), score: -10.5, connectedMs: 100_000, seated: false }),
      expect.objectContaining({ peer: null, name: null }),
    ]);
  });

  test("ban a peer, whose links end, and lift the ban", async () => {
    const path = `/admin/v1/bans/${did(HOTSPOT)}`;
    const { status, json } = await ask("PUT", path, { reason: "floods", seconds: 60 });
    expect([status, json]).toMatchObject([
      200,
      { peer: did(HOTSPOT), operator: did(OPERATOR), reason: "floods" },
    ]);
    expect(json.untilMs).toBe(fixture.nowMs + 60_000);
    expect(fixture.disconnected).toEqual(["peer of the hotspot"]);
    expect(fixture.bans.isBanned(HOTSPOT.publicKey)).toBe(true);
    expect((await ask("GET", "/admin/v1/bans")).json.items).toEqual([json]);
    expect((await ask("DELETE", path)).json).toEqual({ wasBanned: true });
    expect((await ask("DELETE", path)).json).toEqual({ wasBanned: false });
  });

  test("ban a validator with a seat only by force, and never this one", async () => {
    const path = `/admin/v1/bans/${did(SEATED)}`;
    expect((await ask("PUT", path, { reason: "x" })).status).toBe(409);
    expect((await ask("PUT", path, { reason: "x", force: true })).status).toBe(200);
    const own = `/admin/v1/bans/${encodeDidKey(TARGET.validator)}`;
    expect((await ask("PUT", own, { reason: "x", force: true })).status).toBe(400);
    expect((await ask("PUT", `/admin/v1/bans/${did(HOTSPOT)}`, { reason: "" })).status).toBe(400);
  });

  test("change what is logged, ask for a checkpoint, make a backup", async () => {
    expect((await ask("PUT", "/admin/v1/log-level", { level: "debug" })).json).toEqual({ level: "debug" });
    expect((await ask("GET", "/admin/v1/log-level")).json).toEqual({ level: "debug" });
    expect((await ask("PUT", "/admin/v1/log-level", { level: "loud" })).status).toBe(400);
    expect((await ask("GET", "/admin/v1/checkpoint")).status).toBe(404);
    const stateRoot = new Uint8Array(32).fill(7);
    fixture.checkpoint = { epoch: 12, stateRoot, signers: 3, validators: 4, multiaddrs: ["/dns4/x/tcp/1"] };
    expect((await ask("GET", "/admin/v1/checkpoint")).json).toMatchObject({
      checkpoint: `12:0x${"07".repeat(32)}`,
      from: ["/dns4/x/tcp/1"],
    });
    expect((await ask("POST", "/admin/v1/backup", { folder: "/srv/copy" })).status).toBe(200);
    expect((await ask("POST", "/admin/v1/backup", { folder: "copy" })).status).toBe(400);
    expect(fixture.backups).toEqual(["/srv/copy"]);
  });

  test("learn in words and by a code why something could not be done", async () => {
    const refusals = [
      ["file_exists", 409],
      ["backup_busy", 409],
      ["config_invalid", 409],
      ["file_unwritable", 500],
    ] as const;
    for (const [code, status] of refusals) {
      fixture.failure = new CodedError(code, `words of ${code}`);
      expect(await ask("POST", "/admin/v1/backup", { folder: "/srv/copy" })).toMatchObject({
        ...{ status, json: { status, detail: `words of ${code}`, reason: code } },
      });
    }
    // What is the validator's own failure is in its log too.
    expect(fixture.errors.splice(0)).toEqual([expect.stringContaining("words of file_unwritable")]);
    fixture.failure = new Error("a secret of the inside");
    const bug = await ask("POST", "/admin/v1/backup", { folder: "/srv/copy" });
    expect(bug).toMatchObject({ status: 500, json: { detail: expect.not.stringContaining("secret") } });
    expect(fixture.errors.splice(0)).toHaveLength(1);
  });

  test("send JSON and nothing else", async () => {
    const [url, payload] = ["/admin/v1/drain", "{}"];
    const headers = {
      "content-type": "text/plain",
      authorization: fixture.sign({ method: "POST", path: url, body: Buffer.from("") }),
    };
    const answer = await fixture.api.inject({ method: "POST", url, payload, headers });
    expect([answer.statusCode, await auditLines()]).toEqual([415, []]);
  });

  test("begin a drain, and may give it longer", async () => {
    fixture.waiting = 3;
    expect((await ask("POST", "/admin/v1/drain", {})).json).toEqual({
      ...{ draining: true, untilMs: fixture.nowMs + 1_000, batchesWaiting: 3 },
    });
    expect((await ask("POST", "/admin/v1/drain", { seconds: 9 })).json.untilMs).toBe(fixture.nowMs + 9_000);
  });

  test("leave a line for what they asked before it is done, and one for what came of it", async () => {
    await ask("PUT", "/admin/v1/log-level", { level: "debug" });
    await ask("PUT", "/admin/v1/log-level", { level: "loud" });
    const lines = await auditLines();
    expect(lines).toMatchObject([
      {
        event: "asked",
        operator: did(OPERATOR),
        request: "PUT /admin/v1/log-level",
        body: { level: "debug" },
      },
      { event: "answered", of: 1, status: 200 },
      { event: "asked", body: { level: "loud" } },
      { event: "answered", of: 3, status: 400 },
    ]);
    const { json } = await ask("GET", "/admin/v1/audit?limit=3");
    expect(json).toMatchObject({
      lines: 5,
      brokenAt: null,
      items: [{ seq: 3 }, { of: 3, status: 400 }, { seq: 5 }],
    });
  });
});

describe("everybody else", () => {
  const unsigned = (headers: Record<string, string> = {}) =>
    fixture.api.inject({ method: "PUT", url: "/admin/v1/log-level", payload: { level: "debug" }, headers });

  test("gets nothing done, and some lines in the log", async () => {
    expect((await unsigned()).json()).toMatchObject({ status: 401, reason: "unsigned" });
    const request = { method: "PUT", path: "/admin/v1/log-level", body: Buffer.from('{"level":"debug"}') };
    const authorization = fixture.sign(request, keyNamed("stranger"));
    expect((await unsigned({ authorization })).json()).toMatchObject({ reason: "unknown_operator" });
    expect(fixture.level).toBe("info");
    for (let i = 0; i < 100; i++) await unsigned();
    const lines = await auditLines();
    expect(lines).toHaveLength(60);
    expect(lines[1]).toMatchObject({
      event: "refused",
      operator: did(keyNamed("stranger")),
      reason: "unknown_operator",
    });
    fixture.nowMs += 3_600_000;
    await unsigned();
    expect((await auditLines()).at(-1)).toMatchObject({ event: "refused", more: 42 });
  });

  test("cannot repeat what an operator sent, nor after a restart", async () => {
    const body = Buffer.from('{"level":"debug"}');
    const authorization = fixture.sign({ method: "PUT", path: "/admin/v1/log-level", body });
    expect((await unsigned({ authorization })).statusCode).toBe(200);
    fixture.level = "info";
    expect((await unsigned({ authorization })).json()).toMatchObject({ reason: "replayed" });
    await fixture.audit.close();
    const folder = fixture.options.auditFile.replace(/\/[^/]*$/, "");
    const restarted = await createAdminFixture(folder);
    const { api } = restarted;
    const again = await api.inject({
      ...{
        method: "PUT",
        url: "/admin/v1/log-level",
        payload: { level: "debug" },
        headers: { authorization },
      },
    });
    expect([again.json(), restarted.level]).toMatchObject([{ reason: "replayed" }, "info"]);
    await restarted.close();
    fixture = await createAdminFixture();
  });
});
