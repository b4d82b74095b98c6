/** A validator joins a network that runs, by the commands, and follows it without a seat. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makePrivateFolder } from "../../node/src/host/durableFile.ts";
import { writeKeyFile } from "../../node/src/host/keystore.ts";
import { encodeGenesisJson } from "../../protocol/src/network/genesis.ts";
import { PRESETS } from "../../protocol/src/network/presets.ts";
import { homePaths } from "../../validator/src/home.ts";
import { findFreePorts } from "../devnet/src/validators.ts";
import { createTestGenesis, keyNamed, VALIDATOR } from "../unit/validator/support/network.ts";
import { runCommand, startValidator } from "./validatorProcess.ts";

/** Epochs of 10 s: what a checkpoint is taken from is kept for three more, and commands start within them. */
const EPOCHS = { ...PRESETS.test, roundsPerEpoch: 50 } as const;

const folder = mkdtempSync(join(tmpdir(), "hexbeacon-joining-"));

async function makeHome(name: string, secretSeed: Uint8Array): Promise<string> {
  const home = join(folder, name);
  await makePrivateFolder(home);
  await writeKeyFile(homePaths(home).key, secretSeed);
  return home;
}

/** Resolves with the certificate of an epoch, as the stream of events tells that it has closed. */
async function certificateOf(http: string, epoch: number): Promise<{ attest: { stateRoot: string } }> {
  const events = await fetch(`${http}/v1/events`);
  const get = () => fetch(`${http}/v1/epochs/${epoch}/certificate`);
  for await (const _ of events.body!) {
    const response = await get();
    if (response.ok) return (await response.json()) as { attest: { stateRoot: string } };
  }
  throw new Error("the stream of events has ended");
}

/** The newest round that is executed there, once it is at least this one. */
async function roundReached(http: string, round: number): Promise<number> {
  const events = await fetch(`${http}/v1/events`);
  for await (const _ of events.body!) {
    const status = (await (await fetch(`${http}/v1/status`)).json()) as { round: number | null };
    if ((status.round ?? -1) >= round) return status.round!;
  }
  throw new Error("the stream of events has ended");
}

test("joins from a pinned checkpoint and follows", async () => {
  const [port] = await findFreePorts(1);
  const genesis = createTestGenesis(1, Date.now(), EPOCHS);
  const address = `/ip4/127.0.0.1/tcp/${port}`;
  const genesisFile = join(folder, "genesis.json");
  const validators = genesis.validators.map((each) => ({ ...each, multiaddrs: [address] }));
  writeFileSync(genesisFile, encodeGenesisJson({ ...genesis, validators }));
  const seated = await startValidator(await makeHome("seated", VALIDATOR.secretSeed), genesisFile, [
    ...["--listen", address],
  ]);
  const { attest } = await certificateOf(seated.addresses.http, 0);
  const home = await makeHome("joiner", keyNamed("joiner").secretSeed);
  const joinWith = (checkpoint: string, into = home) => {
    const from = ["--genesis", genesisFile, "--checkpoint", checkpoint, "--from", address];
    return runCommand("validator", "join", "--home", into, ...from);
  };
  const right = `0:${attest.stateRoot}`;
  const wrongRoot = `0:${attest.stateRoot.replace(/.$/, (digit) => (digit === "0" ? "1" : "0"))}`;
  const elsewhere = await makeHome("elsewhere", keyNamed("elsewhere").secretSeed);
  const [joined, wrong] = await Promise.all([joinWith(right), joinWith(wrongRoot, elsewhere)]);
  expect([joined.status, joined.stdout]).toEqual([
    0,
    expect.stringContaining("Took over the state after epoch 0"),
  ]);
  expect([wrong.status, wrong.stderr]).toEqual([1, expect.stringContaining("wrong_root")]);
  expect((await joinWith("0", elsewhere)).status).toBe(2);
  expect((await joinWith(right)).stderr).toContain("exists: run this home");

  const follower = await startValidator(home, genesisFile);
  const round = await roundReached(follower.addresses.http, EPOCHS.roundsPerEpoch + 10);
  const digestAt = async (http: string) =>
    ((await (await fetch(`${http}/v1/rounds/${round}`)).json()) as { stateDigest: string }).stateDigest;
  expect(await digestAt(follower.addresses.http)).toBe(await digestAt(seated.addresses.http));
  for (const { child, exited } of [follower, seated]) {
    child.kill("SIGTERM");
    expect(await exited).toBe(0);
  }
});
