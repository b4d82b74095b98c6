/**
 * A local network: validator processes, hotspots with their forwarders, and the simulated channel between them. It
 * starts, stops, and for tests kills and restarts them; what it shows it reads where everybody reads it, over HTTP.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { KEY_FILE } from "../../../node/src/cli/config.ts";
import { writeKeyFile } from "../../../node/src/host/keystore.ts";
import { decodeGenesisJson, encodeGenesisJson, type Genesis } from "../../../protocol/src/network/genesis.ts";
import { fetchEpochs, fetchState, type NetworkState } from "./api.ts";
import {
  createDevnetEther,
  type RunningHotspot,
  startIsolatedHotspot,
  startSharedHotspot,
} from "./hotspots.ts";
import type { DevnetOptions } from "./options.ts";
import { replayHome } from "./replay.ts";
import { createValidatorRole, findFreePorts, type ValidatorRole, validatorName } from "./validators.ts";
import { createWorld, createGenesis as makeGenesis, type World } from "./world.ts";

/** A fault of the person who started it: shown in words, exit 2. */
export class DevnetUsageError extends Error {}

export type Devnet = {
  readonly genesis: Genesis;
  readonly world: World;
  readonly dataDir: string;
  readonly apiUrl: () => string;
  /** How many epochs were closed before this start: none, but for kept data. */
  readonly epochsBefore: number;
  /** The first validator, whose API has the port that was asked for. */
  readonly validator: ValidatorRole;
  /** All of them, the first one included, in genesis's order. */
  readonly validators: readonly ValidatorRole[];
  /** In the order of the world's hotspots; the first `isolate` of them are processes of their own. */
  readonly hotspots: readonly Role[];
  readonly readHotspots: () => readonly RunningHotspot[];
  readonly state: () => Promise<NetworkState>;
  readonly epochs: (after: number) => ReturnType<typeof fetchEpochs>;
  /**
   * Replays what a validator has stored with the operator's command; gives the epochs that differ. It must be stopped.
   * @param index which one. @param lastEpoch as `readReplay` takes it.
   */
  readonly replay: (index: number, lastEpoch: number) => Promise<readonly number[]>;
  /** Stops everything; removes the folder when it was a temporary one, unless somebody will want to look into it. */
  readonly stop: (options?: { readonly keepsData: boolean }) => Promise<void>;
};

/** Something that can be down and come back. */
export type Role = {
  readonly isUp: () => boolean;
  readonly start: () => Promise<void>;
  readonly stop: () => Promise<void>;
  readonly kill: () => Promise<void>;
};

/** What must be the same when a kept folder is used again. */
type Identity = {
  readonly seed: number;
  readonly hotspots: number;
  readonly preset: string;
  /** Where there are several. */
  readonly validators?: number;
};

/** From writing genesis to round 0, so that validator and hotspots are up when it begins: measured on two cores. */
const VALIDATOR_START_MS = 2_000;
/** Each further one is a process that starts at the same time, on the same cores. */
const FURTHER_VALIDATOR_START_MS = 700;
const HOTSPOT_START_MS = 60;
const ISOLATED_START_MS = 1_200;
/** Hotspots started at once: each one binds sockets and dials. */
const START_WIDTH = 8;

/** Starts a devnet. @throws DevnetUsageError where the folder belongs to another network. */
export async function startDevnet(options: DevnetOptions, onStep: (line: string) => void): Promise<Devnet> {
  const world = createWorld(options.seed, options.hotspots, options.validators);
  const { dataDir, isTemporary } = await openDataDir(options);
  const genesisFile = join(dataDir, "genesis.json");
  const genesis = await openGenesis(options, world, dataDir, genesisFile);
  onStep(`data in ${dataDir}`);

  const validators = createValidatorRoles(genesis, dataDir, genesisFile, options.port);
  const validator = validators[0]!;
  /** The first that runs: what one shows all show. */
  const serving = () => (validators.find((role) => role.isUp()) ?? validator).ready();
  const stopAll = async (hotspots: readonly Role[], keepsData = false) => {
    await Promise.all(hotspots.map((role) => role.stop()));
    await Promise.all(validators.map((role) => role.stop()));
    if (isTemporary && !keepsData) await rm(dataDir, { recursive: true, force: true, maxRetries: 3 });
  };
  try {
    await Promise.all(validators.map((role) => role.start()));
  } catch (error) {
    await stopAll([], true);
    throw error;
  }
  const who = validators.length === 1 ? "validator" : `${validators.length} validators`;
  onStep(`${who} ready, explorer and HTTP API at ${validator.ready().http}`);
  const { closedEpoch } = await fetchState(validator.ready().http);

  const ether = createDevnetEther(options.seed);
  const running: (RunningHotspot | null)[] = world.hotspots.map(() => null);
  const surroundings = () => ({
    genesis,
    genesisFile,
    dataDir,
    validators: validators.flatMap((role) => role.ready().multiaddrs),
    ether,
  });
  const hotspots = world.hotspots.map((hotspot, index) =>
    createHotspotRole(running, index, () =>
      index < options.isolate
        ? startIsolatedHotspot(hotspot, surroundings())
        : startSharedHotspot(hotspot, surroundings()),
    ),
  );
  try {
    await startInTurns(hotspots);
  } catch (error) {
    await stopAll(hotspots, true);
    throw error;
  }
  onStep(`${hotspots.length} hotspots on the air, ${options.isolate} of them as processes of their own`);

  return {
    genesis,
    world,
    dataDir,
    apiUrl: () => serving().http,
    epochsBefore: closedEpoch === null ? 0 : closedEpoch + 1,
    validator,
    validators,
    hotspots,
    readHotspots: () => running.filter((hotspot) => hotspot !== null),
    state: () => fetchState(serving().http),
    epochs: (after) => fetchEpochs(serving().http, after),
    replay: (index, lastEpoch) => replayHome(join(dataDir, validatorName(index)), lastEpoch),
    stop: (options) => stopAll(hotspots, options?.keepsData),
  };
}

async function openDataDir(options: DevnetOptions): Promise<{ dataDir: string; isTemporary: boolean }> {
  if (options.dataDir === null) {
    return { dataDir: await mkdtemp(join(tmpdir(), "hexbeacon-devnet-")), isTemporary: true };
  }
  const dataDir = resolve(options.dataDir);
  await mkdir(dataDir, { recursive: true });
  return { dataDir, isTemporary: false };
}

async function openGenesis(
  options: DevnetOptions,
  world: World,
  dataDir: string,
  genesisFile: string,
): Promise<Genesis> {
  const identityFile = join(dataDir, "devnet.json");
  const { seed, hotspots, preset } = options;
  const several = world.validators.length === 1 ? {} : { validators: world.validators.length };
  const identity: Identity = { seed, hotspots, preset, ...several };
  const kept = await readFile(identityFile, "utf8").catch(() => null);
  if (kept !== null) {
    if (!isDeepStrictEqual(JSON.parse(kept), identity)) {
      throw new DevnetUsageError(
        `${dataDir} holds another network (${kept.trim()}): use its --seed, --hotspots, --preset and --validators, or another --data`,
      );
    }
    const decoded = decodeGenesisJson(await readFile(genesisFile, "utf8"));
    if (!decoded.ok) throw new DevnetUsageError(decoded.errors.join("; "));
    return decoded.genesis;
  }
  const startMs =
    VALIDATOR_START_MS +
    (world.validators.length - 1) * FURTHER_VALIDATOR_START_MS +
    options.hotspots * HOTSPOT_START_MS +
    options.isolate * ISOLATED_START_MS;
  // Validators look for each other at the addresses in genesis; one alone is looked for by nobody.
  const ports = world.validators.length === 1 ? [] : await findFreePorts(world.validators.length);
  const addresses = ports.map((port) => `/ip4/127.0.0.1/tcp/${port}`);
  const genesis = makeGenesis(world, options.preset, Date.now() + startMs, addresses);
  await writeFile(genesisFile, encodeGenesisJson(genesis));
  for (const [index, keys] of world.validators.entries()) {
    const home = join(dataDir, validatorName(index));
    await mkdir(home, { recursive: true, mode: 0o700 });
    await writeKeyFile(join(home, KEY_FILE), keys.secretSeed);
  }
  // Last: a folder with this file is complete.
  await writeFile(identityFile, JSON.stringify(identity));
  return genesis;
}

function createValidatorRoles(
  genesis: Genesis,
  dataDir: string,
  genesisFile: string,
  port: number,
): ValidatorRole[] {
  const isSeveral = genesis.validators.length > 1;
  return genesis.validators.map(({ multiaddrs }, index) =>
    createValidatorRole({
      dataDir,
      genesisFile,
      index,
      listen: multiaddrs[0] ?? null,
      httpPort: index === 0 ? port : 0,
      verifierThreads: isSeveral ? 1 : null,
    }),
  );
}

function createHotspotRole(
  running: (RunningHotspot | null)[],
  index: number,
  start: () => Promise<RunningHotspot>,
): Role {
  const take = () => {
    const taken = running[index] ?? null;
    running[index] = null;
    return taken;
  };
  return {
    isUp: () => running[index] !== null,
    start: async () => {
      running[index] = await start();
    },
    stop: async () => await take()?.stop(),
    kill: async () => await take()?.kill(),
  };
}

async function startInTurns(roles: readonly Role[]): Promise<void> {
  for (let first = 0; first < roles.length; first += START_WIDTH) {
    await Promise.all(roles.slice(first, first + START_WIDTH).map((role) => role.start()));
  }
}
