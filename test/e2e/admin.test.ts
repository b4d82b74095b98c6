/** An operator at work, on one of four validators that run as processes under load. */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { asciiBytes } from "../../protocol/src/bytes/bytes.ts";
import { encodeDidKey } from "../../protocol/src/crypto/didKey.ts";
import { createKeyPair } from "../../protocol/src/crypto/ed25519.ts";
import { sha256 } from "../../protocol/src/crypto/sha256.ts";
import { homePaths } from "../../validator/src/home.ts";
import { type Fleet, startFleet } from "../devnet/src/fleet/fleet.ts";
import { AS_HOTSPOTS, type Load, openLoad } from "../devnet/src/fleet/load.ts";
import { runHexbeacon } from "../devnet/src/processes.ts";
import { validatorName } from "../devnet/src/validators.ts";
import { administer, homeOf } from "./operating.ts";
import { ask, waitFor } from "./validatorApi.ts";

/** Slower than the preset's, as four validators share a machine with whatever else runs. */
const ROUND_MS = 400;
const REPORTS_PER_SECOND = 30;

let fleet: Fleet;
let load: Load;
beforeAll(async () => {
  const parameters = { roundMs: ROUND_MS };
  fleet = await startFleet({ validators: 4, hotspots: 12, seed: 71, preset: "test", parameters });
  load = await openLoad(fleet);
  await load.reached(1);
});
afterAll(async () => {
  await load?.close();
  await fleet?.stop();
});

type Peer = { readonly peer: string; readonly seated: boolean; readonly direction: string };

const peersOf = async (validator: number): Promise<Peer[]> =>
  (await administer(fleet, validator, "GET", "peers")).json.items as Peer[];
/** Two validators that dial each other at the same moment keep both connections. */
const countSeated = async (validator: number): Promise<number> =>
  new Set((await peersOf(validator)).filter(({ seated }) => seated).map(({ peer }) => peer)).size;
/** The one who brings reports, as a peer. */
const LOADER = encodeDidKey(createKeyPair(sha256(asciiBytes("load"))).publicKey);
const knowsLoader = async (validator: number): Promise<boolean> =>
  (await peersOf(validator)).some(({ peer }) => peer === LOADER);

describe("an operator", () => {
  test("sees peers, and bans one past a crash, until the ban is lifted", async () => {
    expect(statSync(homePaths(homeOf(fleet, 0)).adminSocket).mode & 0o777).toBe(0o600);
    await expect.poll(() => countSeated(0)).toBe(3);
    await expect.poll(() => knowsLoader(0)).toBe(true);
    const home = ["--home", homeOf(fleet, 0)];
    const ban = await runHexbeacon([
      ...["validator", "admin", "ban", LOADER, "--reason", "a test", "--for", "1h", ...home],
    ]);
    expect([ban.code, JSON.parse(ban.stdout)]).toMatchObject([0, { peer: LOADER, reason: "a test" }]);
    expect(await knowsLoader(0)).toBe(false);
    await fleet.validators[0]!.kill();
    await fleet.validators[0]!.start();
    // It comes back to the others, who are not banned, and the banned one has dialled again and again meanwhile.
    await expect.poll(() => countSeated(0)).toBe(3);
    await load.reached(load.newest().round + 3);
    expect(await knowsLoader(0)).toBe(false);
    expect((await administer(fleet, 0, "GET", "bans")).json.items).toMatchObject([{ peer: LOADER }]);
    expect((await administer(fleet, 0, "DELETE", `bans/${LOADER}`)).json).toEqual({ wasBanned: true });
    await expect.poll(() => knowsLoader(0)).toBe(true);
    const seat = encodeDidKey(createKeyPair(fleet.world.validators[1]!.secretSeed).publicKey);
    expect((await administer(fleet, 0, "PUT", `bans/${seat}`, { reason: "x" })).status).toBe(409);
  });

  test("turns debug lines on and off, and hands out a checkpoint", async () => {
    const log = () => readFileSync(join(fleet.folder, `${validatorName(1)}.log`), "utf8");
    expect(log()).not.toContain("debug");
    await administer(fleet, 1, "PUT", "log-level", { level: "debug" });
    await expect.poll(log).toMatch(/debug Executed a round/);
    expect((await administer(fleet, 1, "PUT", "log-level", { level: "info" })).json).toEqual({
      level: "info",
    });
    const offer = await waitFor(fleet.validators[1]!, async () => {
      const { status, json } = await administer(fleet, 1, "GET", "checkpoint");
      return status === 200 ? json : null;
    });
    const { epoch, checkpoint, signers } = offer as { epoch: number; checkpoint: string; signers: number };
    const { attest } = await ask<{ attest: { stateRoot: string } }>(
      fleet.validators[2]!,
      `/v1/epochs/${epoch}/certificate`,
    );
    expect([checkpoint, signers >= 3]).toEqual([`${epoch}:${attest.stateRoot}`, true]);
  });

  test("drains a validator under load: every receipt is kept, and it ends with 0", async () => {
    const running = load.start(REPORTS_PER_SECOND, AS_HOTSPOTS);
    await load.reached(load.newest().round + 3);
    expect((await administer(fleet, 3, "POST", "drain", {})).status).toBe(202);
    // A drain waits for what it has acknowledged to be past its window.
    await expect.poll(() => fleet.validators[3]!.isUp(), { timeout: 60_000 }).toBe(false);
    expect(fleet.validators[3]!.describeEnd()).toContain("(0)");
    // The others go on, and what it acknowledged is in their rounds.
    await load.reached(load.newest().round + 3);
    await running.stop();
    const settled = load.newest().round + fleet.genesis.parameters.witnessWindowRounds + 2;
    await waitFor(fleet.validators[0]!, async () => {
      const { round } = await ask<{ round: number }>(fleet.validators[0]!, "/v1/status");
      return round >= settled ? round : null;
    });
    await fleet.validators[0]!.stop();
    expect(load.checkReceipts(fleet.readIncluded(0))).toMatchObject({ missing: 0, late: 0 });
    expect(load.brought()).toBeGreaterThan(50);
    const { code, stdout } = await runHexbeacon([
      ...["validator", "admin", "audit", "--file", homePaths(homeOf(fleet, 3)).audit],
    ]);
    expect([code, stdout]).toEqual([0, expect.stringContaining("the chain is whole")]);
    expect(stdout).toMatch(/"event":"asked".*"request":"POST \/admin\/v1\/drain"/);
  });
});
