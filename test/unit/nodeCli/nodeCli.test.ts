import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import {
  decodeConfigToml,
  encodeConfigToml,
  type NodeConfig,
  parseEndpoint,
} from "../../../node/src/cli/config.ts";
import { encodeCheckpoint } from "../../../protocol/src/agreement/rewardEvidence.ts";
import { encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import { encodeGenesisJson } from "../../../protocol/src/network/genesis.ts";
import { REGION_NAMES } from "../../../protocol/src/radio/regions.ts";
import { createTestGenesis, newKey } from "../hotspot/fakeValidator.ts";
import { initHome, run } from "./runNode.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "hexbeacon-cli-"));
});

const owner = encodeDidKey(newKey().publicKey);
const init = (home: string) => initHome(home, owner);

describe("node init", () => {
  test("makes a private home, says who the hotspot is, and never overwrites a key", async () => {
    const home = join(folder, "home");
    const made = await init(home);
    expect(made.code).toBe(0);
    const [did, name] = made.stdout.split("\n");
    expect(did).toMatch(/^did:key:z6Mk/);
    expect(name).toMatch(/^\w+-\w+-\w+$/);
    expect((await stat(home)).mode & 0o077).toBe(0);
    const key = await readFile(join(home, "key"));
    const again = await init(home);
    expect([again.code, again.stdout]).toEqual([2, ""]);
    expect(again.stderr).toContain("never overwritten");
    expect(await readFile(join(home, "key"))).toEqual(key);
    const info = await run("info", "--home", home);
    expect(JSON.parse(info.stdout)).toMatchObject({
      ...{ did, name, owner, region: "EU868", antennaGainDbi: 2.15, network: null },
      cell: "8c1f8342cc609ff",
    });
  });

  test("says every fault at once, in words", async () => {
    const { code, stderr } = await run(
      ...["init", "--region", "MARS", "--owner", "me", "--location", "91,x", "--gain", "99"],
      ...["--genesis", join(folder, "none")],
    );
    expect(code).toBe(2);
    for (const word of ["--home", "--region", "--owner", "latitude", "longitude", "--gain", "genesis"]) {
      expect(stderr).toContain(word);
    }
    expect((await run("init", "--bogus")).code).toBe(2);
    expect((await run("nonsense")).code).toBe(2);
    expect((await run("init", "--help")).code).toBe(0);
  });
});

describe("configuration", () => {
  const centi = fc.integer({ min: -1_000, max: 1_500 });
  const configs: fc.Arbitrary<NodeConfig> = fc.record({
    owner: fc.constant(newKey().publicKey),
    region: fc.constantFrom(...REGION_NAMES),
    latitude: fc.double({ min: -90, max: 90, noNaN: true }),
    longitude: fc.double({ min: -180, max: 180, noNaN: true }),
    elevationM: fc.integer({ min: -500, max: 10_000 }),
    gainCentiDbi: centi,
  });

  test("comes back as it was written", () => {
    fc.assert(
      fc.property(configs, (config) => {
        const decoded = decodeConfigToml(encodeConfigToml(config));
        if (!decoded.ok) throw new Error(decoded.faults.join());
        const { latitude, longitude } = decoded.value;
        // Adding 0 makes -0 and 0 one place.
        expect({ ...decoded.value, latitude: latitude + 0, longitude: longitude + 0 }).toEqual({
          ...config,
          latitude: config.latitude + 0,
          longitude: config.longitude + 0,
        });
      }),
    );
  });

  test("of any text is read without a fault, and a misspelt setting is named", () => {
    fc.assert(fc.property(fc.string(), (text) => void decodeConfigToml(text)));
    const decoded = decodeConfigToml('ownr = "x"\n[antenna]\ngain = 2');
    expect(decoded.ok).toBe(false);
    const faults = decoded.ok ? "" : decoded.faults.join("\n");
    for (const word of ["ownr", "antenna.gain is no setting", "owner must", "region must"]) {
      expect(faults).toContain(word);
    }
  });

  test("an endpoint is host and port", () => {
    expect(parseEndpoint("127.0.0.1:1700")).toEqual({ host: "127.0.0.1", port: 1_700 });
    expect(parseEndpoint("[::1]:0")).toEqual({ host: "::1", port: 0 });
    for (const bad of ["", "1700", ":1700", "host:", "host:65536", "::1:80", "a b:1", "host:1x"]) {
      expect(parseEndpoint(bad)).toBe(null);
    }
  });
});

/** What a process says first. @throws what it complained of, where it ends without a word. */
async function firstLineOf(child: ChildProcessWithoutNullStreams): Promise<string> {
  let complaints = "";
  child.stderr.on("data", (chunk: Buffer) => {
    complaints += chunk.toString();
  });
  const ended = once(child, "close").then(([status]): never => {
    throw new Error(`it ended with ${status} before it said anything: ${complaints}`);
  });
  const said = once(createInterface(child.stdout), "line").then(([line]) => line as string);
  return await Promise.race([said, ended]);
}

describe("node run", () => {
  test("says every fault at once", async () => {
    const { code, stderr } = await run(
      ...["run", "--home", folder, "--gwmp", "x", "--http", "y", "--validator", "z", "--forwarder", "w"],
      ...["--log-level", "loud"],
    );
    expect(code).toBe(2);
    for (const word of [
      "--gwmp",
      "--http",
      "--validator",
      "--forwarder",
      "--log-level",
      "key",
      "config",
      "genesis",
    ]) {
      expect(stderr).toContain(word);
    }
  });

  test("begins at no checkpoint that is unreadable or another network's", async () => {
    const home = join(folder, "home");
    await init(home);
    const [genesisFile, checkpointFile] = [join(folder, "genesis.json"), join(folder, "checkpoint.json")];
    const key = newKey();
    await writeFile(genesisFile, encodeGenesisJson(createTestGenesis([key], [])));
    const start = () => run("run", "--home", home, "--genesis", genesisFile, "--checkpoint", checkpointFile);
    const absent = await start();
    expect(absent.code).toBe(2);
    expect(absent.stderr).toContain(`--checkpoint: cannot read ${checkpointFile}`);
    const set = [key.publicKey];
    const other = { networkId: new Uint8Array(32), epoch: 7, validators: set, nextValidators: set };
    await writeFile(checkpointFile, JSON.stringify(encodeCheckpoint(other)));
    const foreign = await start();
    expect(foreign.code).toBe(2);
    expect(foreign.stderr).toContain("--checkpoint: the checkpoint is another network's than genesis");
  });

  test("works with no validator in reach, answers `status`, keeps its home to itself, ends on a signal", async () => {
    const home = join(folder, "home");
    await init(home);
    const genesisFile = join(folder, "genesis.json");
    await writeFile(genesisFile, encodeGenesisJson(createTestGenesis([newKey()], [])));
    const script = `
      import { createNodeCommand } from "./node/src/cli/nodeCommand.ts";
      await createNodeCommand(process).parseAsync(process.argv.slice(1), { from: "user" });
    `;
    const flags = [
      "run",
      "--home",
      home,
      "--genesis",
      genesisFile,
      "--gwmp",
      "127.0.0.1:0",
      "--http",
      "127.0.0.1:0",
    ];
    const start = (...more: string[]) =>
      spawn(process.execPath, ["--input-type=module", "-e", script, "--", ...flags, ...more], {
        stdio: ["pipe", "pipe", "pipe"],
      });
    const child = start("--ready-json");
    const ready = JSON.parse(await firstLineOf(child)) as { http: string; gwmp: string; did: string };
    const status = await run("status", "--http", ready.http.replace("http://", ""));
    expect(status.code).toBe(0);
    expect(status.stdout).toContain(ready.did);
    expect(status.stdout).toContain("problem: No packet forwarder has spoken yet");
    const second = start();
    second.stdout.resume();
    const [code] = (await once(second, "exit")) as [number];
    expect(code).toBe(2);
    const startedMs = Date.now();
    child.kill("SIGINT");
    expect((await once(child, "exit"))[0]).toBe(0);
    expect(Date.now() - startedMs).toBeLessThan(15_000);
    // When the parent's end of standard input closes, it goes too; and the home is free again.
    const orphan = start("--ready-json", "--exit-with-parent");
    await firstLineOf(orphan);
    orphan.stdin.end();
    expect((await once(orphan, "exit"))[0]).toBe(0);
    expect((await run("status", "--http", "127.0.0.1:9")).code).toBe(1);
  });
});
