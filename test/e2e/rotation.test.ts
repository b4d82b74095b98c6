/** A hotspot takes a new key by its owner's command, on a validator that is a process; interrupted or not. */
import { linkSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { makePrivateFolder } from "../../node/src/host/durableFile.ts";
import { writeKeyFile } from "../../node/src/host/keystore.ts";
import { encodeDidKey } from "../../protocol/src/crypto/didKey.ts";
import { encodeGenesisJson } from "../../protocol/src/network/genesis.ts";
import { homePaths } from "../../validator/src/home.ts";
import { createTestGenesis, LONG_EPOCHS, OWNER, VALIDATOR } from "../unit/validator/support/network.ts";
import { runCommand, runToSuccess, startValidator, type ValidatorProcess } from "./validatorProcess.ts";

describe("node rotate", () => {
  let folder: string;
  let running: ValidatorProcess;
  let home: string;
  let account: string;
  let rotates: readonly string[];

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "hexbeacon-rotation-"));
    const genesisFile = join(folder, "genesis.json");
    // That a key was changed lately must still hold when slow commands come to ask.
    writeFileSync(genesisFile, encodeGenesisJson(createTestGenesis(1, Date.now(), LONG_EPOCHS)));
    const validator = join(folder, "validator");
    await makePrivateFolder(validator);
    await writeKeyFile(homePaths(validator).key, VALIDATOR.secretSeed);
    running = await startValidator(validator, genesisFile);
    account = join(folder, "account");
    await makePrivateFolder(account);
    await writeKeyFile(join(account, "key"), OWNER.secretSeed);
    home = join(folder, "home");
    const owner = encodeDidKey(OWNER.publicKey);
    const place = ["--location", "46.95,7.45", "--gain", "2.15", "--genesis", genesisFile];
    await runToSuccess("node", "init", "--home", home, "--region", "EU868", "--owner", owner, ...place);
    const network = ["--account", account, "--validator", running.addresses.http];
    await runToSuccess("node", "register", "--home", home, ...network);
    rotates = ["node", "rotate", "--home", home, ...network];
  });
  afterEach(async () => {
    running.child.kill("SIGKILL");
    await running.exited;
  });

  const didOf = async (): Promise<string> =>
    (JSON.parse(await runToSuccess("node", "info", "--home", home)) as { did: string }).did;
  const ask = async (did: string) => (await fetch(`${running.addresses.http}/v1/hotspots/${did}`)).json();

  /** Has the owner complete a request where the account is, which is not where the hotspot is. */
  const signElsewhere = (request: string) =>
    runToSuccess(
      ...["account", "sign", "--home", account, "--request", request],
      ...["--genesis", join(folder, "genesis.json"), "--validator", running.addresses.http],
    );

  test("with a request: the owner signs elsewhere, and the home then takes the key", async () => {
    const before = await didOf();
    const request = join(folder, "request.json");
    const here = ["node", "rotate", "--home", home, "--validator", running.addresses.http];
    const early = await runCommand(...here);
    expect([early.status, early.stderr]).toEqual([2, expect.stringContaining("--out a file for it to sign")]);
    const written = await runToSuccess(...here, "--out", request);
    expect(written).toContain("good for epochs");
    expect(written).toContain(`copy ${join(home, "key.next")} off this machine`);
    const unsigned = await runCommand(...here);
    expect([unsigned.status, unsigned.stderr]).toEqual([1, expect.stringContaining("account sign")]);
    expect(await didOf()).toBe(before);
    expect(await signElsewhere(request)).toContain("rotation: accepted");
    expect(await signElsewhere(request)).toContain("rotation: there already");
    const said = await runToSuccess(...here);
    const after = await didOf();
    expect(after).not.toBe(before);
    expect(said).toContain(after);
    expect(await ask(before)).toMatchObject({ status: "gone" });
    // The home knows from which epoch on it can be challenged.
    const [epoch] = readFileSync(join(home, "challenged-from"), "utf8").split(" ");
    expect(Number(epoch)).toBeGreaterThanOrEqual(2);
  });

  test("gives home and network the new key, keeps place and bond, and can be said again", async () => {
    const before = await didOf();
    const key = readFileSync(join(home, "key"), "latin1");
    const said = await runToSuccess(...rotates);
    expect(said).toContain("rotation: accepted");
    const after = await didOf();
    expect(after).not.toBe(before);
    expect(said).toContain(after);
    expect(statSync(join(home, "key")).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(home, "key.former"), "latin1")).toBe(key);
    expect(await ask(before)).toMatchObject({ status: "gone", bond: "0", assertion: null });
    const place = { cell: "8c1f8342cc609ff", gainDbi: 2.15, region: "EU868" };
    expect(await ask(after)).toMatchObject({ bond: "1000000000", assertion: place });

    const soon = await runCommand(...rotates);
    expect([soon.status, soon.stderr]).toEqual([1, expect.stringContaining("rotated_lately")]);
    // As if the power had failed between the network's word and the home's: the key that was made is taken.
    const next = join(home, "key.next");
    rmSync(next);
    linkSync(join(home, "key"), next);
    rmSync(join(home, "key"));
    linkSync(join(home, "key.former"), join(home, "key"));
    expect(await runToSuccess(...rotates)).toContain("rotation: there already");
    expect(await didOf()).toBe(after);
  });
});
