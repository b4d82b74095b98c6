import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { beforeAll, describe, expect, test } from "vitest";
import { findArchitecture } from "../../../node/packaging/architectures.ts";
import { BUNDLE_FILE, type Bundle, writeBundle } from "../../../node/packaging/bundle.ts";
import { encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import { encodeGenesisJson } from "../../../protocol/src/network/genesis.ts";
import { createTestGenesis, newKey } from "../hotspot/fakeValidator.ts";

let folder: string;
let bundle: Bundle;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "hexbeacon-bundle-"));
  bundle = await writeBundle(join(folder, "lib"), "1.2.3");
});

const file = () => join(folder, "lib", BUNDLE_FILE);
/** Runs the bundle where no repository and no package is near. */
function run(...args: string[]) {
  const options = { cwd: folder, encoding: "utf8", env: { PATH: process.env.PATH } } as const;
  return spawnSync(process.execPath, [file(), ...args], options);
}

describe("the bundle", () => {
  test("is one file that needs no package, has no validator in it, and knows its version", async () => {
    expect(run("--version").stdout).toBe("1.2.3\n");
    const help = run("--help").stdout;
    for (const part of ["node", "account", "verify", "tool"]) expect(help).toContain(`  ${part} `);
    expect(help).not.toContain("validator  ");
    const text = await readFile(file(), "latin1");
    expect(text).not.toContain("fastify");
    expect(text).not.toContain("WebAssembly");
    // Half of it is h3-js and libp2p; whatever makes it grow by a third should be known.
    expect(bundle.bytes).toBeLessThan(1_900_000);
    expect(JSON.parse(run("tool", "units", "--witnesses", "9").stdout)).toMatchObject({ perWitness: 0.3697 });
  });

  test("runs a hotspot, with its page", async () => {
    const home = join(folder, "home");
    const genesis = join(folder, "genesis.json");
    await writeFile(genesis, encodeGenesisJson(createTestGenesis([newKey()], [])));
    const place = ["--location", "46.95,7.45", "--gain", "2.15", "--genesis", genesis];
    const owner = encodeDidKey(newKey().publicKey);
    const made = run("node", "init", "--home", home, "--region", "EU868", "--owner", owner, ...place);
    expect([made.status, made.stderr]).toEqual([0, ""]);
    const ports = ["--gwmp", "127.0.0.1:0", "--http", "127.0.0.1:0"];
    const child = spawn(
      process.execPath,
      [file(), "node", "run", "--home", home, ...ports, "--ready-json", "--log-level", "error"],
      { cwd: folder, stdio: ["ignore", "pipe", "inherit"] },
    );
    const [line] = (await once(createInterface(child.stdout), "line")) as [string];
    const { http, did } = JSON.parse(line) as { http: string; did: string };
    expect(made.stdout).toContain(did);
    expect(await (await fetch(`${http}/`)).text()).toContain("<!doctype html>");
    expect(((await (await fetch(`${http}/v1/status`)).json()) as { did: string }).did).toBe(did);
    const doctor = run("node", "doctor", "--home", home, "--json", "--listen", "0", "--http", http.slice(7));
    expect(doctor.stdout).toContain("Hexbeacon 1.2.3");
    child.kill();
    expect((await once(child, "exit"))[0]).toBe(0);
  });

  test("brings the licence of every package in it", () => {
    for (const name of ["libp2p", "h3-js", "@noble/curves", "commander", "pino"]) {
      expect(bundle.licenses).toMatch(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+, `, "m"));
    }
    const heads = bundle.licenses.match(/^\S+ \d+\.\d+\.\d+\S*, .+$/gm)!;
    expect(heads.filter((head) => head.endsWith("see its text"))).toEqual([]);
  });

  test("is made for 64-bit systems, and says why not for others", () => {
    expect(["amd64", "arm64"].map(findArchitecture)).toEqual(["amd64", "arm64"]);
    expect(findArchitecture("armhf")).toEqual({
      refused: expect.stringMatching(/^no package for armhf: Node 24 has no official build for 32-bit ARM/),
    });
    expect(findArchitecture("vax")).toEqual({ refused: expect.stringContaining("amd64 and arm64") });
  });
});
