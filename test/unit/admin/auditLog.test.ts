import { appendFileSync, mkdtempSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  type AuditFields,
  type AuditLine,
  checkAuditLog,
  openAuditLog,
} from "../../../validator/src/admin/auditLog.ts";

const folder = mkdtempSync(join(tmpdir(), "hexbeacon-audit-"));

let file = "";
let files = 0;
beforeEach(() => {
  file = join(folder, `${++files}.ndjson`);
});

afterEach(() => {
  vi.restoreAllMocks();
});

const nowMs = () => 1_700_000_000_000;
const asked = (request: string): AuditFields => ({ event: "asked", operator: "did:key:z6Mk", request });

async function write(...requests: string[]): Promise<void> {
  const log = await openAuditLog(file, { nowMs });
  await Promise.all(requests.map((request) => log.append(asked(request))));
  await log.close();
}
const linesOf = (): string[] => readFileSync(file, "utf8").split("\n").slice(0, -1);

describe("the audit log", () => {
  test("goes on where it was left, for its owner only", async () => {
    await write("one", "two");
    const before = linesOf();
    await write("three");
    expect(linesOf().slice(0, 2)).toEqual(before);
    const lines: AuditLine[] = [];
    const { state } = await checkAuditLog(file, (line) => lines.push(line));
    expect(lines.map(({ seq, request }) => [seq, request])).toEqual([
      [1, "one"],
      [2, "two"],
      [3, "three"],
    ]);
    expect(state).toMatchObject({ lines: 3, brokenAt: null });
    expect(lines[0]).toMatchObject({ time: "2023-11-14T22:13:20.000Z", previous: "0".repeat(64) });
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test("shows at which line one was taken out, changed, added or put elsewhere", async () => {
    await write("one", "two", "three", "four");
    const whole = linesOf();
    const forged = (lines: readonly string[]) =>
      writeFileSync(file, lines.map((line) => `${line}\n`).join(""));
    const cases: [string[], number | null][] = [
      [whole, null],
      [whole.toSpliced(1, 1), 2],
      [whole.toSpliced(0, 1), 1],
      [whole.with(2, whole[2]!.replace("three", "tree")), 4],
      [[...whole, whole[3]!], 5],
      [[whole[0]!, whole[2]!, whole[1]!, whole[3]!], 2],
      [whole.with(1, "no JSON"), 2],
      // The end alone tells nothing: its hash is in the validator's own log.
      [whole.slice(0, 3), null],
    ];
    for (const [lines, brokenAt] of cases) {
      forged(lines);
      expect((await checkAuditLog(file)).state.brokenAt).toBe(brokenAt);
    }
    forged(whole.toSpliced(1, 1));
    const log = await openAuditLog(file, { nowMs });
    expect(log.state()).toMatchObject({ lines: 3, brokenAt: 2 });
    await log.close();
  });

  test("notices any character that is changed", async () => {
    await write("one", "two", "three");
    const text = readFileSync(file, "utf8");
    const last = text.lastIndexOf("\n", text.length - 2);
    await fc.assert(
      fc.asyncProperty(fc.nat(last - 1), fc.integer({ min: 1, max: 94 }), async (at, by) => {
        const code = 32 + ((text.charCodeAt(at) - 32 + by) % 95);
        writeFileSync(file, text.slice(0, at) + String.fromCharCode(code) + text.slice(at + 1));
        const { state } = await checkAuditLog(file);
        expect(state.brokenAt).not.toBeNull();
      }),
      { numRuns: 200 },
    );
  });

  test("cuts off what a crash left of a line, since nothing was done on it", async () => {
    await write("one");
    appendFileSync(file, '{"seq":2,"time":"20');
    await write("two");
    expect((await checkAuditLog(file)).state).toMatchObject({ lines: 2, brokenAt: null });
  });

  test("goes on with a whole chain after a line that the disk refused", async () => {
    const log = await openAuditLog(file, { nowMs });
    await log.append(asked("one"));
    const handle = await open(file);
    const methods = Object.getPrototypeOf(handle) as FileHandle;
    await handle.close();
    const failure = new Error("EIO");
    vi.spyOn(methods, "datasync").mockRejectedValueOnce(failure);
    await expect(log.append(asked("lost"))).rejects.toMatchObject({
      code: "file_unwritable",
      cause: failure,
    });
    expect(linesOf()).toHaveLength(1);
    // The disk may also take half a line and then not let go of it.
    vi.spyOn(methods, "appendFile").mockImplementationOnce(async () => {
      appendFileSync(file, '{"seq":2,');
      throw failure;
    });
    vi.spyOn(methods, "truncate").mockRejectedValueOnce(failure);
    await expect(log.append(asked("lost as well"))).rejects.toMatchObject({ code: "file_unwritable" });
    expect(await log.append(asked("two"))).toBe(2);
    await log.close();
    expect((await checkAuditLog(file)).state).toMatchObject({ lines: 2, brokenAt: null });
  });

  test("is refused in words where it is something else", async () => {
    writeFileSync(file, "x".repeat(200_000));
    await expect(openAuditLog(file, { nowMs })).rejects.toMatchObject({ code: "file_corrupt" });
  });
});
