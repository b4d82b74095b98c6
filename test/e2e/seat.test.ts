/**
 * A fifth validator among four processes: staked for by a transaction, started from a pinned checkpoint, seated two
 * epochs later. When one of the old four is killed for good, the network needs the newcomer's every vote, and goes on.
 * So does a hotspot that was there before, and that nobody told of the newcomer.
 */
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makePrivateFolder } from "../../node/src/host/durableFile.ts";
import { writeKeyFile } from "../../node/src/host/keystore.ts";
import { encodeDidKey } from "../../protocol/src/crypto/didKey.ts";
import { BASE_UNITS_PER_TOKEN } from "../../protocol/src/network/parameters.ts";
import type { RewardCertificateJson, ValidatorJson } from "../../validator/src/api/schemas/agreement.ts";
import { homePaths } from "../../validator/src/home.ts";
import { type Fleet, startFleet } from "../devnet/src/fleet/fleet.ts";
import { createDevnetEther, type RunningHotspot, startSharedHotspot } from "../devnet/src/hotspots.ts";
import {
  createValidatorRole,
  findFreePorts,
  type ValidatorRole,
  validatorName,
} from "../devnet/src/validators.ts";
import { keyNamed } from "../unit/validator/support/network.ts";
import { ask, askIfThere, waitFor } from "./validatorApi.ts";
import { runCommand, runToSuccess } from "./validatorProcess.ts";

const NEWCOMER = 4;
/** What the account of a hotspot's owner can pay. */
const STAKE_TOKENS = 50;

let fleet: Fleet;
let newcomer: ValidatorRole;
let hotspot: RunningHotspot;
/** The rounds that its beacons were included in. */
const beacons: number[] = [];
beforeAll(async () => {
  const parameters = { validatorStake: BigInt(STAKE_TOKENS) * BASE_UNITS_PER_TOKEN };
  fleet = await startFleet({ validators: 4, hotspots: 1, seed: 41, preset: "test", parameters });
  hotspot = await startSharedHotspot(fleet.world.hotspots[0]!, {
    ...{ genesis: fleet.genesis, genesisFile: join(fleet.folder, "genesis.json"), dataDir: fleet.folder },
    ...{ validators: [], ether: createDevnetEther(41) },
  });
  hotspot.events!.on("included", ({ round, kinds }) => {
    if (kinds.includes("beacon")) beacons.push(round);
  });
});
afterAll(async () => {
  await hotspot?.stop();
  await newcomer?.stop();
  await fleet?.stop();
});

async function makeHome(name: string, secretSeed: Uint8Array): Promise<string> {
  const home = join(fleet.folder, name);
  await makePrivateFolder(home);
  await writeKeyFile(homePaths(home).key, secretSeed);
  return home;
}

type Standing = { readonly round: number; readonly closedEpoch: number | null };
const standingOf = (role: ValidatorRole) => ask<Standing>(role, "/v1/status");

/** The digest of the state after a round, as soon as the validator has executed it. */
const digestAt = (role: ValidatorRole, round: number) =>
  waitFor(role, async () =>
    (await standingOf(role)).round < round
      ? null
      : (await ask<{ stateDigest: string }>(role, `/v1/rounds/${round}`)).stateDigest,
  );

test("takes its seat two epochs after its stake, and then is counted on", async () => {
  const [role, other, third, doomed] = fleet.validators as [
    ...[ValidatorRole, ValidatorRole, ValidatorRole, ValidatorRole],
  ];
  const keys = keyNamed("newcomer");
  const id = encodeDidKey(keys.publicKey);
  const account = await makeHome("account", fleet.world.hotspots[0]!.owner.secretSeed);
  const home = await makeHome(validatorName(NEWCOMER), keys.secretSeed);
  const genesisFile = join(fleet.folder, "genesis.json");
  const listen = `/ip4/127.0.0.1/tcp/${(await findFreePorts(1))[0]!}`;
  const network = ["--genesis", genesisFile, "--validator", role.ready().http];
  await runToSuccess(
    ...["account", "stake", "--home", account, "--for", home, "--amount", `${STAKE_TOKENS}`],
    ...["--address", listen, ...network],
  );

  // The newest that is certified: a snapshot is kept for the three epochs after it, and no longer.
  const checkpoint = await waitFor(role, async () => {
    const { closedEpoch } = await standingOf(role);
    if (closedEpoch === null) return null;
    const path = `/v1/epochs/${closedEpoch}/certificate`;
    const certificate = await askIfThere<RewardCertificateJson>(role, path);
    return certificate && `${closedEpoch}:${certificate.attest.stateRoot}`;
  });
  const joined = await runCommand(
    ...["validator", "join", "--home", home, "--genesis", genesisFile, "--checkpoint", checkpoint],
    ...["--from", role.ready().multiaddrs[0]!],
  );
  expect(joined).toMatchObject({ status: 0 });
  newcomer = createValidatorRole({
    ...{ dataDir: fleet.folder, genesisFile, index: NEWCOMER, listen, httpPort: 0, verifierThreads: 1 },
  });
  await newcomer.start();

  const seated = await waitFor(newcomer, async () => {
    // It may begin before its own stake, and catch up.
    const view = await askIfThere<ValidatorJson>(newcomer, `/v1/validators/${id}`);
    return view?.seats.some(({ seat }) => seat !== null) ? view : null;
  });
  const seatedFrom = seated.sinceEpoch + 2;
  const firstRound = seatedFrom * fleet.genesis.parameters.roundsPerEpoch;
  await Promise.all([role, newcomer].map((each) => digestAt(each, firstRound + 1)));
  const sitsIn = async (epoch: number): Promise<boolean> => {
    const { items } = await ask<{ items: { id: string }[] }>(role, `/v1/validators?epoch=${epoch}`);
    return items.some((each) => each.id === id);
  };
  expect([await sitsIn(seatedFrom - 1), await sitsIn(seatedFrom)]).toEqual([false, true]);

  // Four of five are a quorum: without one of the old ones no round is decided unless the newcomer votes in it.
  await doomed.kill();
  const { round } = await waitFor(role, () => standingOf(role));
  const later = round + fleet.genesis.parameters.roundsPerEpoch;
  const digests = await Promise.all([role, other, third, newcomer].map((each) => digestAt(each, later)));
  expect(new Set(digests).size).toBe(1);
  const { participation } = await waitFor(role, () => ask<ValidatorJson>(role, `/v1/validators/${id}`));
  expect(participation[0]!.rounds).toBeGreaterThan(0);

  // The hotspot counts those rounds, by the newcomer's signatures; is connected to it; and has a beacon in them.
  await waitFor(role, async () => (beacons.some((included) => included > round) ? beacons : null));
  const { rounds, validators } = await hotspot.readStatus();
  expect(rounds!.round).toBeGreaterThan(round);
  expect(validators).toContainEqual({ address: listen, connected: true, lastError: null });
});
