import { chmod, mkdtemp, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { beforeEach, describe, expect, test } from "vitest";
import { encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import { newKey } from "../hotspot/fakeValidator.ts";
import { initHome, run, runWith } from "./runNode.ts";

const owner = encodeDidKey(newKey().publicKey);
let folder: string;
let home: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "hexbeacon-passphrase-"));
  home = join(folder, "home");
});

/** A terminal at which these lines are typed. */
function typing(...lines: string[]): PassThrough {
  const terminal = Object.assign(new PassThrough(), { isTTY: true });
  for (const line of lines) terminal.write(`${line}\n`);
  return terminal;
}

async function fileOf(name: string, line: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, `${line}\n`, { mode: 0o600 });
  return path;
}

const didOf = async (...flags: string[]) => {
  const info = await run("info", "--home", home, ...flags);
  return info.code === 0 ? (JSON.parse(info.stdout) as { did: string }).did : info.stderr;
};

describe("node passphrase", () => {
  test("adds, changes and removes, and the key stays the same", async () => {
    const did = (await initHome(home, owner)).stdout.split("\n")[0]!;
    const plain = await readFile(join(home, "key"), "latin1");
    const [first, second] = [await fileOf("1", "seven blue herons"), await fileOf("2", "eight red herons")];

    const added = await run("passphrase", "add", "--home", home, "--new-passphrase-file", first);
    expect([added.code, added.stderr]).toEqual([0, ""]);
    expect(await readFile(join(home, "key"), "latin1")).toMatch(/^hexbeacon-ed25519-seed-2\n/);
    expect((await stat(join(home, "key"))).mode & 0o777).toBe(0o600);
    expect(await didOf("--passphrase-file", first)).toBe(did);
    expect(await didOf("--passphrase-file", second)).toContain("does not open");

    const both = ["--passphrase-file", first, "--new-passphrase-file", second];
    expect((await run("passphrase", "change", "--home", home, ...both)).code).toBe(0);
    expect(await didOf("--passphrase-file", second)).toBe(did);
    expect(await didOf("--passphrase-file", first)).toContain("does not open");

    const removed = await run("passphrase", "remove", "--home", home, "--passphrase-file", second);
    expect(removed.code).toBe(0);
    expect(await readFile(join(home, "key"), "latin1")).toBe(plain);
    expect((await readdir(home)).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  test("asks at a terminal twice for the new one", async () => {
    await initHome(home, owner);
    const add = await runWith({ stdin: typing("seven blue herons", "seven blue herons") }, ...words("add"));
    expect(add.code).toBe(0);
    const stdin = typing("eight red herons", "eight red herons");
    const present = ["--passphrase-file", await fileOf("1", "seven blue herons")];
    expect((await runWith({ stdin }, ...words("change"), ...present)).code).toBe(0);
    // The environment's opens the key; it is not taken for the new one.
    const env = { HEXBEACON_PASSPHRASE: "eight red herons" };
    expect((await runWith({ env }, ...words("change"))).stderr).toContain("there is no terminal");
    expect((await runWith({ env }, ...words("remove"))).code).toBe(0);
  });

  test("leaves the file alone where anything is wrong", async () => {
    await initHome(home, owner);
    const before = await readFile(join(home, "key"), "latin1");
    const short = await fileOf("short", "short");
    const good = await fileOf("good", "seven blue herons");
    for (const [flags, fault] of [
      [["add", "--home", home, "--new-passphrase-file", short], "at least 8 characters"],
      [["change", "--home", home, "--new-passphrase-file", good], "under no passphrase: say add"],
      [["remove", "--home", home], "under no passphrase"],
      [["add", "--home", join(folder, "none"), "--new-passphrase-file", good], "there is no key file"],
      [["add"], "--home"],
    ] as const) {
      const ran = await run("passphrase", ...flags);
      expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining(fault)]);
    }
    await chmod(good, 0o644);
    const readable = await run("passphrase", "add", "--home", home, "--new-passphrase-file", good);
    expect(readable.stderr).toContain("others may use");
    expect(await readFile(join(home, "key"), "latin1")).toBe(before);
    await chmod(good, 0o600);
    await run("passphrase", "add", "--home", home, "--new-passphrase-file", good);
    const again = await run("passphrase", "add", "--home", home, "--new-passphrase-file", good);
    expect(again.stderr).toContain("say change");
    const env = { HEXBEACON_PASSPHRASE: "not that one" };
    expect((await runWith({ env }, ...words("remove"))).stderr).toContain("does not open");
  });
});

const words = (change: string) => ["passphrase", change, "--home", home];
