/** The validator's commands, called as the program calls them but without a process. */
import assert from "node:assert";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Writable } from "node:stream";
import { beforeEach, describe, expect, test } from "vitest";
import { createLedger } from "../../../protocol/src/ledger/state.ts";
import { computeNetworkId, decodeGenesisJson } from "../../../protocol/src/network/genesis.ts";
import { writeChunks } from "../../../validator/src/cli/output.ts";
import { createValidatorCommand } from "../../../validator/src/cli/validatorCommand.ts";
import { viewGenesis } from "../../../validator/src/store/genesisViews.ts";
import { openSqliteStore } from "../../../validator/src/store/sqliteStore/sqliteStore.ts";

class Exited extends Error {
  readonly status: number;
  constructor(status: number) {
    super(`exited with ${status}`);
    this.status = status;
  }
}

/** Runs one command; status 0 where it returned without ending the program. */
async function run(...words: readonly string[]) {
  const said = { stdout: "", stderr: "" };
  const sink = (name: keyof typeof said) =>
    new Writable({
      write: (chunk, _encoding, done) => {
        said[name] += chunk.toString();
        done();
      },
    });
  const io = {
    stdout: sink("stdout"),
    stderr: sink("stderr"),
    exit: (status: number): never => {
      throw new Exited(status);
    },
  };
  try {
    await createValidatorCommand(io).parseAsync(words, { from: "user" });
    return { status: 0, ...said };
  } catch (error) {
    if (error instanceof Exited) return { status: error.status, ...said };
    throw error;
  }
}

describe("validator", () => {
  let home: string;
  beforeEach(() => {
    home = join(mkdtempSync(join(tmpdir(), "hexbeacon-commands-")), "home");
  });

  test("init makes a home with a key, and never touches one that is there", async () => {
    const first = await run("init", "--home", home);
    expect(first.status).toBe(0);
    expect(first.stdout).toMatch(/^Made the validator \S.*\ndid:key:z6Mk\w+\n$/);
    const key = readFileSync(join(home, "key"));
    const second = await run("init", "--home", home);
    expect(second.status).toBe(2);
    expect(second.stderr).toContain("never overwritten");
    expect(readFileSync(join(home, "key"))).toEqual(key);
  });

  test("genesis writes a network in which the home has the seat", async () => {
    const did = (await run("init", "--home", home)).stdout.split("\n")[1]!;
    const written = await run("genesis", "--home", home, "--name", "my net", "--account", `${did}=500`);
    expect(written.status).toBe(0);
    const decoded = decodeGenesisJson(written.stdout);
    expect(decoded).toMatchObject({
      ok: true,
      genesis: { name: "my net", accounts: [{ balance: 50_000_000_000n }], hotspots: [] },
    });
    const file = join(home, "..", "genesis.json");
    writeFileSync(file, written.stdout);
    const other = await run("init", "--home", `${home}2`, "--genesis", file);
    expect(other.stdout).toContain("It has no seat in my net");
    rmSync(`${home}2`, { recursive: true });
  });

  test("migrate says that there is no store yet, and makes none", async () => {
    const did = (await run("init", "--home", home)).stdout.split("\n")[1]!;
    const genesis = await run("genesis", "--home", home, "--name", "my net", "--account", `${did}=500`);
    writeFileSync(join(home, "genesis.json"), genesis.stdout);
    const before = readdirSync(home);
    for (const flags of [["--check"], []]) {
      const { status, stdout } = await run("migrate", "--home", home, ...flags);
      expect([status, stdout]).toEqual([0, expect.stringContaining("There is no store in")]);
    }
    expect(readdirSync(home)).toEqual(before);
  });

  test("migrate says before and at once that no migration helps a snapshot of another layout", async () => {
    const did = (await run("init", "--home", home)).stdout.split("\n")[1]!;
    const { stdout } = await run("genesis", "--home", home, "--name", "my net", "--account", `${did}=500`);
    writeFileSync(join(home, "genesis.json"), stdout);
    const decoded = decodeGenesisJson(stdout);
    assert(decoded.ok);
    const { genesis } = decoded;
    const path = join(home, "store.sqlite");
    const networkId = computeNetworkId(genesis);
    const store = { path, networkId, genesis: viewGenesis(createLedger(genesis)) };
    await (await openSqliteStore(store)).close();
    const db = new DatabaseSync(path);
    db.exec("INSERT INTO snapshots VALUES (3, zeroblob(32), x'0700'); PRAGMA user_version = 5");
    for (const flags of [["--check"], []]) {
      const { status, stderr } = await run("migrate", "--home", home, ...flags);
      expect([status, stderr]).toEqual([2, expect.stringMatching(/epoch 3, has layout 7.*join anew/)]);
    }
    expect(db.prepare("PRAGMA user_version").get()).toEqual({ user_version: 5 });
    db.close();
    expect(readdirSync(home).filter((name) => name.includes("schema"))).toEqual([]);
  });

  test("genesis names hotspots and whose trust walks, and says where nobody's does", async () => {
    const did = (await run("init", "--home", home)).stdout.split("\n")[1]!;
    const place = { cell: "8c1fb46625551ff", latE7: 488_566_000, lngE7: 23_522_000, region: "EU868" };
    const hotspot = { key: did, owner: did, ...place, gainCdbi: 280, elevationM: 12 };
    const file = join(home, "..", "hotspots.json");
    const make = async (named: unknown) => {
      writeFileSync(file, JSON.stringify(named));
      return await run("genesis", "--home", home, "--name", "my net", "--hotspots", file);
    };
    const seeded = await make({ hotspots: [hotspot], trustSeeds: [did] });
    expect(decodeGenesisJson(seeded.stdout)).toMatchObject({
      ok: true,
      genesis: { hotspots: [{ gainCentiDbi: 280 }], trustSeeds: [expect.any(Uint8Array)] },
    });
    expect(seeded.stderr).toBe("");
    expect((await make({ hotspots: [hotspot] })).stderr).toMatch(/^note: nobody is named in trustSeeds/);
    expect(await make({ hotspots: [], trustSeeds: [did] })).toMatchObject({
      status: 2,
      stdout: "",
      stderr: expect.stringContaining("trustSeeds[0]: must be the did:key of one of the hotspots"),
    });
    expect(await make([])).toMatchObject({ status: 2, stderr: expect.stringContaining("--hotspots: ") });
  });

  test("says all faults at once, with status 2", async () => {
    const genesis = await run("genesis", "--preset", "huge", "--account", "me=1");
    expect(genesis.status).toBe(2);
    expect(genesis.stderr.match(/^error: --(home|preset|name|account): /gm)).toHaveLength(4);
    const replay = await run("replay", "--home", home);
    expect(replay.status).toBe(2);
    expect(replay.stderr).toMatch(
      /^error: give either --epoch N or --all\nerror: there is no genesis file at /,
    );
    const exported = await run("export", "--epoch", "last", "--format", "xml");
    expect(exported).toMatchObject({
      status: 2,
      stderr:
        "error: --format: must be json or csv\nerror: --epoch: must be a whole number\n" +
        "error: --home: name the validator's folder\n",
    });
    // Nothing is said of files in a folder that was never named.
    const homeless = await run("run", "--listen", "here");
    expect(homeless.stderr).toMatch(/^error: --home: name .*\nerror: --listen: here is no multiaddr.*\n$/);
    expect((await run("run", "--nonsense")).status).toBe(2);
  });

  test("run takes origins and proxies as they are written, and no others", async () => {
    const flags = (name: string, values: readonly string[]) => values.flatMap((value) => [name, value]);
    const origins = ["*", "https://explorer.example", "http://127.0.0.1:8090"];
    const proxies = ["127.0.0.1", "10.0.0.0/8", "2001:db8::/32", "::1"];
    const good = await run("run", ...flags("--cors-origin", origins), ...flags("--trust-proxy", proxies));
    expect(good.stderr).not.toMatch(/cors-origin|trust-proxy/);
    const noOrigins = ["explorer.example", "https://explorer.example/", "*.example"];
    const noProxies = ["proxy.example", "10.0.0.0/33", "10.0.0.0/8/8", "10.0.0.0/", "::1/129", ""];
    const bad = await run("run", ...flags("--cors-origin", noOrigins), ...flags("--trust-proxy", noProxies));
    expect(bad.stderr.match(/^error: --cors-origin: .* is no origin/gm)).toHaveLength(noOrigins.length);
    expect(bad.stderr.match(/^error: --trust-proxy: .* is no address/gm)).toHaveLength(noProxies.length);
  });
});

describe("long output", () => {
  const endless = async function* () {
    for (;;) yield "line\n";
  };
  const breakAfter = (limit: number, code: string) => {
    let written = 0;
    return new Writable({
      write: (_chunk, _encoding, done) => {
        written++;
        done(written > limit ? Object.assign(new Error(code), { code }) : null);
      },
    });
  };

  test("ends quietly where nobody reads on, and fails where the disk does", async () => {
    await writeChunks(breakAfter(3, "EPIPE"), endless());
    await expect(writeChunks(breakAfter(3, "ENOSPC"), endless())).rejects.toThrow("ENOSPC");
  });
});
