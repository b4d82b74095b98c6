/** A hotspot's and a validator's way onto the network by their owner's commands alone, each a process, on a validator that is one too. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { makePrivateFolder } from "../../node/src/host/durableFile.ts";
import { writeKeyFile } from "../../node/src/host/keystore.ts";
import { encodeDidKey } from "../../protocol/src/crypto/didKey.ts";
import { encodeGenesisJson } from "../../protocol/src/network/genesis.ts";
import { homePaths } from "../../validator/src/home.ts";
import {
  createTestGenesis,
  keyNamed,
  LONG_EPOCHS,
  OWNER,
  VALIDATOR,
} from "../unit/validator/support/network.ts";
import { runCommand, runToSuccess, startValidator, type ValidatorProcess } from "./validatorProcess.ts";

describe("the commands of a hotspot's owner", () => {
  let folder: string;
  let genesisFile: string;
  let running: ValidatorProcess;
  let validator: readonly [string, string];

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "hexbeacon-registration-"));
    genesisFile = join(folder, "genesis.json");
    // A transaction names its epoch, and a slow command's must not be too old for it.
    writeFileSync(genesisFile, encodeGenesisJson(createTestGenesis(1, Date.now(), LONG_EPOCHS)));
    const home = join(folder, "validator");
    await makePrivateFolder(home);
    await writeKeyFile(homePaths(home).key, VALIDATOR.secretSeed);
    running = await startValidator(home, genesisFile);
    validator = ["--validator", running.addresses.http];
  });
  afterEach(async () => {
    running.child.kill("SIGKILL");
    await running.exited;
  });

  /** The home of an account that genesis gave tokens to. */
  async function richAccount(): Promise<string> {
    const home = join(folder, "rich");
    await makePrivateFolder(home);
    await writeKeyFile(join(home, "key"), OWNER.secretSeed);
    return home;
  }

  async function initHotspot(name: string, owner: string): Promise<{ home: string; did: string }> {
    const home = join(folder, name);
    const said = await runToSuccess(
      ...["node", "init", "--home", home, "--region", "EU868", "--owner", owner, "--genesis", genesisFile],
      ...["--location", "46.95,7.45", "--gain", "2.15", "--elevation", "9"],
    );
    return { home, did: said.split("\n")[0]! };
  }

  const ask = async (path: string) => (await fetch(`${running.addresses.http}${path}`)).json();

  test("open an account, fund it, register, assert and deregister a hotspot", async () => {
    const genesis = ["--genesis", genesisFile];
    const account = join(folder, "account");
    const owner = (await runToSuccess("account", "init", "--home", account, ...genesis)).split("\n")[0]!;
    const { home, did } = await initHotspot("hotspot", owner);
    const registers = ["node", "register", "--home", home, "--account", account, ...validator];

    const tooPoor = await runCommand(...registers);
    expect([tooPoor.status, tooPoor.stderr]).toEqual([1, expect.stringContaining("nothing was ever paid")]);
    const rich = await richAccount();
    const pays = ["account", "transfer", "--home", rich, "--to", owner, ...genesis, ...validator];
    expect(await runToSuccess(...pays, "--amount", "10.5")).toContain("transfer of 10.5 tokens: accepted");

    const said = await runToSuccess(...registers);
    expect(said).toContain("registration: accepted");
    expect(said).toContain("assertion: accepted");
    expect(await ask(`/v1/hotspots/${did}`)).toMatchObject({
      ...{ id: did, owner, bond: "1000000000" },
      assertion: { cell: "8c1f8342cc609ff", gainDbi: 2.15, elevationM: 9, region: "EU868" },
    });
    const info = JSON.parse(await runToSuccess("account", "info", "--home", account, ...validator));
    expect(info).toMatchObject({ did: owner, balance: "50000000", nonce: 2 });
    // Said again, it changes nothing.
    expect(await runToSuccess(...registers)).toBe("registration: there already\nassertion: there already\n");

    const leaves = ["node", "deregister", "--hotspot", did, "--account", account, ...validator];
    expect(await runToSuccess(...leaves)).toContain("deregistration: accepted");
    expect(await ask(`/v1/hotspots/${did}`)).toMatchObject({ status: "leaving" });
    const again = await runCommand(...registers);
    expect([again.status, again.stderr]).toEqual([1, expect.stringContaining("was deregistered")]);
    const foreign = ["node", "deregister", "--hotspot", did, "--account", rich, ...genesis, ...validator];
    const refused = await runCommand(...foreign);
    expect([refused.status, refused.stderr]).toEqual([1, expect.stringContaining("not_owner")]);
  });

  test("stake for a validator that consents, and let it leave again", async () => {
    const rich = await richAccount();
    const newcomer = join(folder, "newcomer");
    const key = keyNamed("newcomer");
    await makePrivateFolder(newcomer);
    await writeKeyFile(join(newcomer, "key"), key.secretSeed);
    const did = encodeDidKey(key.publicKey);
    const network = ["--genesis", genesisFile, ...validator];
    const stakes = ["account", "stake", "--home", rich, "--for", newcomer, ...network];
    const little = await runCommand(...stakes, "--amount", "9999");
    expect([little.status, little.stderr]).toEqual([1, expect.stringContaining("stake_too_small")]);
    const address = "/ip4/127.0.0.1/tcp/4467";
    expect(await runToSuccess(...stakes, "--amount", "10000", "--address", address)).toContain(
      "stake of 10000 tokens: accepted",
    );
    const staked = { id: did, owner: encodeDidKey(OWNER.publicKey), stake: "1000000000000" };
    expect(await ask(`/v1/validators/${did}`)).toMatchObject({ ...staked, multiaddrs: [address] });
    const leaves = ["account", "unstake", "--home", rich, "--of", did, ...network];
    expect(await runToSuccess(...leaves)).toContain("unstake: accepted");
    const left = (await ask(`/v1/validators/${did}`)) as { unbondingUntilEpoch: number };
    expect(left.unbondingUntilEpoch).toBeGreaterThanOrEqual(10);
    // Genesis's validator is its own account's, so nobody else can have it leave.
    const foreign = ["account", "unstake", "--home", rich, "--of", encodeDidKey(VALIDATOR.publicKey)];
    const refused = await runCommand(...foreign, ...network);
    expect([refused.status, refused.stderr]).toEqual([1, expect.stringContaining("not_owner")]);
  });

  test("complete elsewhere what the hotspot has co-signed", async () => {
    const { home, did } = await initHotspot("hotspot", encodeDidKey(OWNER.publicKey));
    const request = join(folder, "request.json");
    expect(await runToSuccess("node", "register", "--home", home, "--out", request, ...validator)).toContain(
      "good for epochs",
    );
    const rich = await richAccount();
    const signs = ["account", "sign", "--request", request, "--genesis", genesisFile, ...validator];
    const stranger = join(folder, "stranger");
    await makePrivateFolder(stranger);
    await writeKeyFile(join(stranger, "key"), keyNamed("stranger").secretSeed);
    expect((await runCommand(...signs, "--home", stranger)).status).toBe(2);
    const said = await runToSuccess(...signs, "--home", rich);
    expect(said).toContain(did);
    expect(said).toContain("assertion: accepted");
    expect(await ask(`/v1/hotspots/${did}`)).toMatchObject({ assertion: { region: "EU868" } });
  });
});
