import { mkdtempSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Ban, openBans } from "../../../validator/src/admin/bans.ts";
import { keyNamed } from "../validator/support/network.ts";

const folder = mkdtempSync(join(tmpdir(), "hexbeacon-bans-"));
const file = join(folder, "bans.json");

const peer = (name: string) => keyNamed(name).publicKey;
const ban = (name: string, untilMs: number | null): Ban => ({
  ...{ peer: peer(name), reason: `because of ${name}`, sinceMs: 1_000, untilMs, operator: peer("operator") },
});

test("bans survive a restart, end by themselves, and can be lifted", async () => {
  let nowMs = 1_000;
  const open = () => openBans(file, () => nowMs);
  const book = await open();
  expect(book.list()).toEqual([]);
  await Promise.all([book.put(ban("a", 2_000)), book.put(ban("b", null)), book.put(ban("c", 3_000))]);
  await book.put({ ...ban("c", 5_000), reason: "once more" });
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const again = await open();
  expect(again.list()).toEqual([
    ban("a", 2_000),
    ban("b", null),
    { ...ban("c", 5_000), reason: "once more" },
  ]);
  nowMs = 1_999;
  expect(again.isBanned(peer("a"))).toBe(true);
  nowMs = 2_000;
  expect([again.isBanned(peer("a")), again.isBanned(peer("b"))]).toEqual([false, true]);
  await again.remove(peer("b"));
  await again.remove(peer("nobody"));
  expect(again.list().map(({ reason }) => reason)).toEqual(["once more"]);
  // What is over is not kept.
  expect(JSON.parse(readFileSync(file, "utf8")).bans).toHaveLength(1);
});

test("a damaged list is said to be one", async () => {
  for (const text of ["", "{", '{"bans":[{}]}', '{"bans":[{"peer":"did:key:z6Mk"}]}', "null"]) {
    writeFileSync(file, text);
    await expect(openBans(file, () => 0)).rejects.toMatchObject({ code: "file_corrupt" });
  }
});
