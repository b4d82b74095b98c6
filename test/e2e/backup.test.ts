/**
 * A validator's home copied under load, lost, and restored: it signs nothing that contradicts what it signed since, and
 * comes back. And what retention gives up is gone, while all that was paid is still proven.
 */
import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RewardEvidenceJson } from "../../protocol/src/agreement/rewardEvidence.ts";
import { encodeDidKey } from "../../protocol/src/crypto/didKey.ts";
import { createKeyPair } from "../../protocol/src/crypto/ed25519.ts";
import { homePaths } from "../../validator/src/home.ts";
import { type Fleet, startFleet } from "../devnet/src/fleet/fleet.ts";
import { AS_HOTSPOTS, type Load, openLoad } from "../devnet/src/fleet/load.ts";
import { readMetrics } from "../devnet/src/fleet/metricsPage.ts";
import { runHexbeacon } from "../devnet/src/processes.ts";
import { summarizeSeveral } from "../devnet/src/several.ts";
import { homeOf } from "./operating.ts";
import { ask, waitFor } from "./validatorApi.ts";

const ROUND_MS = 300;
const REPORTS_PER_SECOND = 30;
/** The one whose home is lost. */
const LOST = 2;

let fleet: Fleet;
let load: Load;
beforeAll(async () => {
  fleet = await startFleet({
    validators: 4,
    hotspots: 12,
    seed: 72,
    preset: "test",
    parameters: { roundMs: ROUND_MS },
    // The others keep what the restored one has missed: it must come from somebody.
    extrasOf: (validator) => (validator === LOST ? { flags: ["--keep-epochs", "1"] } : {}),
  });
  load = await openLoad(fleet);
  await load.reached(1);
});
afterAll(async () => {
  await load?.close();
  await fleet?.stop();
});

const listBatches = (): string[] => {
  const { batches } = homePaths(homeOf(fleet, LOST));
  return readdirSync(batches, { recursive: true })
    .map(String)
    .filter((path) => path.length > 60);
};

describe("a validator's home", () => {
  test("is copied while rounds go on, and comes back from the copy without a contradiction", async () => {
    const role = fleet.validators[LOST]!;
    const home = homeOf(fleet, LOST);
    const copy = join(fleet.folder, "copy");
    const running = load.start(REPORTS_PER_SECOND, AS_HOTSPOTS);
    await load.reached(load.newest().round + 4);
    const made = await runHexbeacon(["validator", "backup", copy, "--home", home, "--json"]);
    expect([made.code, made.stderr]).toEqual([0, ""]);
    const { round, files } = JSON.parse(made.stdout) as { round: number; files: number };
    expect(round).toBeGreaterThan(2);
    expect(files).toBeGreaterThan(5);
    expect(readdirSync(copy)).not.toContain(basename(homePaths(home).key));
    // It signs on, and loses everything but its key.
    await load.reached(round + 4);
    await role.kill();
    const { key, operatorKey, ...gone } = homePaths(home);
    for (const path of [
      ...Object.values(gone),
      `${gone.store}-wal`,
      `${gone.store}-shm`,
      `${gone.votes}-wal`,
    ])
      rmSync(path, { recursive: true, force: true });
    expect(readdirSync(home).sort()).toEqual([basename(key), basename(operatorKey)].sort());

    const restore = () => runHexbeacon(["validator", "restore", copy, "--home", home]);
    const votes = await readFile(join(copy, "votes.sqlite"));
    writeFileSync(join(copy, "votes.sqlite"), votes.with(votes.length - 1, votes.at(-1)! ^ 1));
    expect(await restore()).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("votes.sqlite is damaged"),
    });
    writeFileSync(join(copy, "votes.sqlite"), votes);
    expect(await restore()).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`up to round ${round}`),
    });
    expect(await restore()).toMatchObject({ code: 2, stderr: expect.stringContaining("exists") });

    await role.start();
    expect((await readMetrics(role)).sum("hexbeacon_votes_restored_total")).toBe(1);
    await waitFor(role, async () => ((await fetch(`${role.ready().http}/readyz`)).ok ? true : null));
    // It votes again: rounds need it once another is down.
    await fleet.validators[0]!.kill();
    await load.reached(load.newest().round + 3);
    await fleet.validators[0]!.start();
    await running.stop();
    const settled = load.newest().round + fleet.genesis.parameters.witnessWindowRounds + 2;
    for (const each of fleet.validators) {
      await waitFor(each, async () =>
        (await ask<{ round: number }>(each, "/v1/status")).round >= settled ? true : null,
      );
      expect((await readMetrics(each)).sum("hexbeacon_evidence_total")).toBe(0);
    }
    const lastEpoch = Math.floor((settled + 1) / fleet.genesis.parameters.roundsPerEpoch) - 1;
    expect(await summarizeSeveral(fleet.validators, lastEpoch)).toMatchObject({ rewardRootsEqual: true });
  });

  test("gives up old evidence while it runs, and proves all that was paid", async () => {
    const role = fleet.validators[LOST]!;
    const account = encodeDidKey(createKeyPair(fleet.world.validators[1]!.secretSeed).publicKey);
    const before = listBatches();
    await waitFor(role, async () => (listBatches().some((path) => before.includes(path)) ? null : true));
    // The first epoch's evidence went long ago; its books, its root and a quorum's word for it stay.
    type Line = { readonly validatorPaid?: string };
    const record = await ask<{ rewardRoot: string }>(role, "/v1/epochs/0");
    const { attest } = await ask<{ attest: { rewardRoot: string } }>(role, "/v1/epochs/0/certificate");
    expect(attest.rewardRoot).toBe(record.rewardRoot);
    const earned = await ask<{ items: Line[] }>(role, `/v1/accounts/${account}/rewards`);
    expect(earned.items.length).toBeGreaterThan(2);
    const proof = await waitFor(role, async () => {
      const found = await ask<RewardEvidenceJson>(role, `/v1/accounts/${account}/proof`);
      return found.certificate === null ? null : found;
    });
    const file = join(fleet.folder, "reward.json");
    writeFileSync(file, JSON.stringify(proof));
    const genesis = join(fleet.folder, "genesis.json");
    const { code, stdout } = await runHexbeacon(["verify", "--genesis", genesis, "--reward", file, "--json"]);
    expect([code, JSON.parse(stdout)]).toMatchObject([0, { valid: true, account, total: proof.total }]);
    await role.stop();
    const home = ["--home", homeOf(fleet, LOST)];
    expect(await runHexbeacon(["validator", "replay", "--all", ...home])).toMatchObject({ code: 0 });
  });
});
