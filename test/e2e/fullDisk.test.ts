/** A validator whose disk is full stops in words, and goes on where it was when there is room again. */
import { execFileSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makePrivateFolder } from "../../node/src/host/durableFile.ts";
import { writeKeyFile } from "../../node/src/host/keystore.ts";
import { createSigningDomains } from "../../protocol/src/crypto/domain.ts";
import { computeNetworkId, encodeGenesisJson } from "../../protocol/src/network/genesis.ts";
import { homePaths } from "../../validator/src/home.ts";
import {
  contextOf,
  createTestGenesis,
  hotspotKey,
  signReports,
  VALIDATOR,
} from "../unit/validator/support/network.ts";
import { createPeer, startValidator } from "./validatorProcess.ts";

/** What the databases need to begin with, and some rounds more. */
const DISK_BYTES = 16 * 1_048_576;

/** A disk of its own, where this machine lets a test have one. */
function mountDisk(folder: string): boolean {
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${DISK_BYTES}`, "tmpfs", folder], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** Writes until nothing more goes in. */
function fill(path: string): void {
  const file = openSync(path, "w");
  try {
    for (const block = new Uint8Array(4_096); ; ) writeSync(file, block);
  } catch {
    closeSync(file);
  }
}

const folder = mkdtempSync(join(tmpdir(), "hexbeacon-full-"));
const disk = mkdtempSync(join(folder, "disk-"));
const isMounted = mountDisk(disk);
beforeAll(() => {
  if (!isMounted) process.stderr.write("Not tested with a full disk: mounting one needs root\n");
});
afterAll(() => {
  if (isMounted) execFileSync("umount", ["-l", disk]);
  rmSync(folder, { recursive: true, force: true });
});

test.skipIf(!isMounted)("stops in words on a full disk and loses nothing", async () => {
  const genesis = createTestGenesis(1, Date.now());
  const context = contextOf(genesis);
  const networkId = computeNetworkId(genesis);
  const genesisFile = join(folder, "genesis.json");
  writeFileSync(genesisFile, encodeGenesisJson(genesis));
  const home = join(disk, "home");
  await makePrivateFolder(home);
  await writeKeyFile(homePaths(home).key, VALIDATOR.secretSeed);
  const first = await startValidator(home, genesisFile);
  const peer = await createPeer(hotspotKey(0).secretSeed, networkId, createSigningDomains(networkId));
  await peer.dial(first.addresses);
  const report = signReports(context, 0, 0, 1);
  const receipt = await peer.submit([report]);
  expect(receipt?.items[0]?.reason).toBeNull();
  const before = (await peer.nextRound()).round;

  fill(join(disk, "filler"));
  expect(await first.exited).toBe(1);
  expect(first.stderr()).toMatch(/the disk that holds .* is full: make room/);

  rmSync(join(disk, "filler"));
  const second = await startValidator(home, genesisFile);
  await peer.dial(second.addresses);
  const { round } = await peer.nextRound();
  expect(round).toBeGreaterThan(before);
  // What had a receipt is there.
  const [status] = await peer.status([receipt!.items[0]!.id]);
  expect(status!.state).toBe("included");
  await peer.stop();
  second.child.kill("SIGTERM");
  expect(await second.exited).toBe(0);
});
