import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { beforeEach, describe, expect, test } from "vitest";
import { saveFirstChallenge } from "../../../node/src/hotspot/firstChallenge.ts";
import { encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import { newKey } from "../hotspot/fakeValidator.ts";
import { initHome, run, runWith } from "./runNode.ts";

const PASSPHRASE = "seven blue herons";
const env = { HEXBEACON_PASSPHRASE: PASSPHRASE };
const owner = encodeDidKey(newKey().publicKey);
let folder: string;
let home: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "hexbeacon-backup-"));
  home = join(folder, "home");
  file = join(folder, "backup");
});

const contentOf = async (path: string) => {
  const names = (await readdir(path)).sort();
  return await Promise.all(names.map(async (name) => [name, await readFile(join(path, name), "latin1")]));
};

/** A terminal at which these lines are typed. */
function typing(...lines: string[]): PassThrough {
  const terminal = Object.assign(new PassThrough(), { isTTY: true });
  for (const line of lines) terminal.write(`${line}\n`);
  return terminal;
}

describe("a backup", () => {
  test("brings key, configuration and beacon state into a new home, and reads as noise", async () => {
    const made = await initHome(home, owner);
    await writeFile(join(home, "beacons.json"), '{"version":1,"beacons":[],"transmissions":[]}\n');
    await saveFirstChallenge(home, new Uint8Array(32), 7);
    const backup = await runWith({ env }, "backup", "--home", home, "--out", file);
    expect(backup.code).toBe(0);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const text = await readFile(file, "latin1");
    for (const plain of ["did:key", "EU868", "beacons", PASSPHRASE]) expect(text).not.toContain(plain);

    const restored = join(folder, "restored");
    const restore = await runWith({ env }, "restore", "--home", restored, "--in", file);
    expect(restore.code).toBe(0);
    expect(restore.stdout.split("\n").slice(0, 2)).toEqual(made.stdout.split("\n").slice(0, 2));
    expect(await contentOf(restored)).toEqual(await contentOf(home));
    expect((await stat(join(restored, "key"))).mode & 0o777).toBe(0o600);
  });

  test("overwrites nothing, on either way", async () => {
    await initHome(home, owner);
    await writeFile(file, "precious");
    const backup = await runWith({ env }, "backup", "--home", home, "--out", file);
    expect([backup.code, backup.stderr]).toEqual([2, `error: ${file} exists: a backup overwrites nothing\n`]);
    expect(await readFile(file, "utf8")).toBe("precious");
    await rm(file);
    await runWith({ env }, "backup", "--home", home, "--out", file);
    const before = await contentOf(home);
    const onto = await runWith({ env }, "restore", "--home", home, "--in", file);
    expect(onto.code).toBe(2);
    expect(onto.stderr).toContain("a key is never overwritten");
    expect(await contentOf(home)).toEqual(before);
    // Another hotspot's configuration, without a key, is not overwritten either.
    await rm(join(home, "key"));
    await writeFile(join(home, "config.toml"), "other");
    const other = await runWith({ env }, "restore", "--home", home, "--in", file);
    expect([other.code, other.stderr]).toEqual([2, expect.stringContaining("exists and differs")]);
    expect(await readdir(home)).toEqual(["config.toml"]);
  });

  test("is finished where a restore was interrupted", async () => {
    await initHome(home, owner);
    await runWith({ env }, "backup", "--home", home, "--out", file);
    const before = await contentOf(home);
    await rm(join(home, "key"));
    expect((await runWith({ env }, "restore", "--home", home, "--in", file)).code).toBe(0);
    expect(await contentOf(home)).toEqual(before);
  });

  test("says plainly that a passphrase is wrong, missing, short, or that a file is no backup", async () => {
    await initHome(home, owner);
    const backUp = (given: NodeJS.ProcessEnv) =>
      runWith({ env: given }, "backup", "--home", home, "--out", file);
    expect((await backUp({ HEXBEACON_PASSPHRASE: "short" })).stderr).toContain("at least 8 characters");
    expect((await backUp({})).stderr).toContain("there is no terminal");
    await backUp(env);
    const restored = join(folder, "restored");
    const wrong = { HEXBEACON_PASSPHRASE: "seven blue heron" };
    const refused = await runWith({ env: wrong }, "restore", "--home", restored, "--in", file);
    expect([refused.code, refused.stderr]).toEqual([
      2,
      `error: the passphrase does not open ${file}, or the file is damaged\n`,
    ]);
    await expect(readdir(restored)).rejects.toThrow("ENOENT");
    const none = await runWith({ env }, "restore", "--home", restored, "--in", join(home, "config.toml"));
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining("is no backup")]);
    expect((await run("backup")).stderr.split("\n")).toHaveLength(3);
  });
});

describe("a key under a passphrase", () => {
  test("asks for it at every use, lends it to the backup, and keeps it when restored", async () => {
    const passphraseFile = join(folder, "passphrase");
    await writeFile(passphraseFile, `${PASSPHRASE}\n`, { mode: 0o600 });
    expect((await initHome(home, owner, "--passphrase-file", passphraseFile)).code).toBe(0);
    expect(await readFile(join(home, "key"), "utf8")).toContain("scrypt 15 8 3");
    const locked = await run("info", "--home", home);
    expect([locked.code, locked.stderr]).toEqual([2, expect.stringContaining("a passphrase is needed")]);
    expect((await run("info", "--home", home, "--passphrase-file", passphraseFile)).code).toBe(0);
    const typed = await runWith({ stdin: typing(PASSPHRASE) }, "backup", "--home", home, "--out", file);
    expect(typed).toMatchObject({ code: 0, stderr: "Passphrase: \n" });
    const restored = join(folder, "restored");
    await runWith({ env }, "restore", "--home", restored, "--in", file);
    expect((await run("info", "--home", restored)).code).toBe(2);
    const info = await runWith({ env }, "info", "--home", restored);
    expect(info).toEqual(await runWith({ env }, "info", "--home", home));
  });

  test("is chosen by typing it twice, and is not echoed", async () => {
    const prompted = (...lines: string[]) =>
      runWith({ stdin: typing(...lines) }, "backup", "--home", home, "--out", file);
    await initHome(home, owner);
    const differs = await prompted(PASSPHRASE, "seven blue parrots");
    expect([differs.code, differs.stderr]).toEqual([2, expect.stringContaining("differ")]);
    const made = await prompted(PASSPHRASE, PASSPHRASE);
    expect(made.code).toBe(0);
    expect(made.stdout + made.stderr).not.toContain(PASSPHRASE);
  });

  test("is refused from a file that anybody can read", async () => {
    const passphraseFile = join(folder, "passphrase");
    await writeFile(passphraseFile, PASSPHRASE, { mode: 0o644 });
    const refused = await initHome(home, owner, "--passphrase-file", passphraseFile);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining("chmod 600")]);
  });
});
