/** The lock of a home: one process's, whatever it is called elsewhere, and nobody's once that process is gone. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { lockHome } from "../../../node/src/host/homeLock.ts";

const MODULE = new URL("../../../node/src/host/homeLock.ts", import.meta.url).href;
const OWN_NAMESPACE = ["unshare", "--map-root-user", "--pid", "--fork", "--kill-child"];
const mayUnshare = spawnSync(OWN_NAMESPACE[0]!, [...OWN_NAMESPACE.slice(1), "true"]).status === 0;

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "hexbeacon-lock-"));
});

/** A process that holds the home's lock when this resolves, until it is killed. */
async function holdElsewhere(...around: readonly string[]): Promise<ChildProcess> {
  const program = `const { lockHome } = await import("${MODULE}"); globalThis.unlock = lockHome("${home}"); console.log("held"); setInterval(() => {}, 1e6);`;
  const [command, ...words] = [...around, process.execPath, "--input-type=module", "--eval", program];
  const child = spawn(command!, words, { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout!, "data");
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill("SIGKILL");
  await once(child, "exit");
}

const inUse = expect.objectContaining({ code: "home_in_use" });

test("is one's only, and given back", () => {
  const unlock = lockHome(home);
  expect(() => lockHome(home)).toThrow(inUse);
  unlock();
  lockHome(home)();
});

test("writes nothing, so that a full disk has room for it", async () => {
  const unlock = lockHome(home);
  const names = await readdir(home);
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(home, name))).size));
  expect([names, sizes]).toEqual([["lock.sqlite"], [0]]);
  unlock();
});

test("is another process's until that is killed", async () => {
  const holder = await holdElsewhere();
  expect(() => lockHome(home)).toThrow(inUse);
  await kill(holder);
  lockHome(home)();
});

test.skipIf(!mayUnshare)("is a process's that has a number of its own container's", async () => {
  const holder = await holdElsewhere(...OWN_NAMESPACE);
  expect(() => lockHome(home)).toThrow(inUse);
  await kill(holder);
});

test("says so where the home cannot be written to", () => {
  expect(() => lockHome(join(home, "nowhere"))).toThrow(expect.objectContaining({ code: "file_unwritable" }));
});
