/** What an interrupted write leaves, and that nothing else is taken for it. */
import { chmod, mkdir, mkdtemp, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, test, vi } from "vitest";
import { createFile, removeTemporaries, replaceFile } from "../../../node/src/host/durableFile.ts";

vi.mock("node:fs/promises", async (original) => {
  const real = await original<typeof import("node:fs/promises")>();
  // Where the process ends: before its file has its name, and before it could take anything away.
  const end = async () => {
    throw new Error("killed");
  };
  return {
    ...real,
    rename: (...args: Parameters<typeof real.rename>) => (isKilled ? end() : real.rename(...args)),
    link: (...args: Parameters<typeof real.link>) => (isKilled ? end() : real.link(...args)),
    unlink: (...args: Parameters<typeof real.unlink>) => (isKilled ? end() : real.unlink(...args)),
  };
});
let isKilled = false;
let folder: string;

beforeEach(async () => {
  isKilled = false;
  folder = await mkdtemp(join(tmpdir(), "hexbeacon-durable-"));
});

test("what interrupted writes leave is removed, and nothing else", async () => {
  const key = join(folder, "key");
  await replaceFile(key, "whole");
  isKilled = true;
  await expect(replaceFile(key, "sealed")).rejects.toThrow();
  await expect(createFile(join(folder, "config.toml"), "new")).rejects.toThrow();
  isKilled = false;
  expect((await readdir(folder)).filter((name) => name.endsWith(".tmp"))).toHaveLength(2);
  const others = [".key.swp", "notes.tmp", ".notes.tmp", ".key.0123456789ab.tmp.old"];
  for (const name of others) await writeFile(join(folder, name), "somebody's");
  await mkdir(join(folder, ".folder.0123456789ab.tmp"));
  await symlink(key, join(folder, ".link.0123456789ab.tmp"));
  expect(await removeTemporaries(folder)).toBe(2);
  const left = ["key", ".folder.0123456789ab.tmp", ".link.0123456789ab.tmp", ...others];
  expect((await readdir(folder)).sort()).toEqual(left.sort());
  expect(await readFile(key, "utf8")).toBe("whole");
});

test("a folder that cannot be read, or is not there, is no failure", async () => {
  expect(await removeTemporaries(join(folder, "none"))).toBe(0);
  await chmod(folder, 0o300);
  expect(await removeTemporaries(folder)).toBe(0);
  await chmod(folder, 0o700);
});
