/**
 * A local network: one validator process, hotspots with their forwarders, and the simulated channel between them. It
 * starts, stops, and for tests kills and restarts them; what it shows it reads where everybody reads it, over HTTP.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { KEY_FILE } from "../../../node/src/cli/config.ts";
import { writeKeyFile } from "../../../node/src/host/keystore.ts";
import type { Ether } from "../../../node/src/radio/ether/ether.ts";
import { decodeGenesisJson, encodeGenesisJson, type Genesis } from "../../../protocol/src/network/genesis.ts";
import { fetchEpochs, fetchState, type NetworkState } from "./api.ts";
import {
  createDevnetEther,
  type HotspotSurroundings,
  type RunningHotspot,
  startIsolatedHotspot,
  startSharedHotspot,
} from "./hotspots.ts";
import type { DevnetOptions } from "./options.ts";
import { type HexbeaconProcess, runHexbeacon, startValidator, type ValidatorReady } from "./processes.ts";
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
  readonly validator: Role & {
    /** Where it ended by itself: how, and where its log is. */ readonly describeEnd: () => string;
  };
  /** In the order of the world's hotspots; the first `isolate` of them are processes of their own. */
  readonly hotspots: readonly Role[];
  readonly readHotspots: () => readonly RunningHotspot[];
  readonly state: () => Promise<NetworkState>;
  readonly epochs: (after: number) => ReturnType<typeof fetchEpochs>;
  /** Replays all stored epochs with the operator's command; gives those that differ. The validator must be stopped. */
  readonly replayAll: () => Promise<number[]>;
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
type Identity = { readonly seed: number; readonly hotspots: number; readonly preset: string };

/** From writing genesis to round 0, so that validator and hotspots are up when it begins: measured on two cores. */
const VALIDATOR_START_MS = 2_000;
const HOTSPOT_START_MS = 60;
const ISOLATED_START_MS = 1_200;
/** Hotspots started at once: each one binds sockets and dials. */
const START_WIDTH = 8;

/** Starts a devnet. @throws DevnetUsageError where the folder belongs to another network. */
export async function startDevnet(options: DevnetOptions, onStep: (line: string) => void): Promise<Devnet> {
  const world = createWorld(options.seed, options.hotspots);
  const { dataDir, isTemporary } = await openDataDir(options);
  const genesisFile = join(dataDir, "genesis.json");
  const genesis = await openGenesis(options, world, dataDir, genesisFile);
  onStep(`data in ${dataDir}`);

  const validator = createValidatorRole(dataDir, genesisFile, options.port);
  const stopAll = async (hotspots: readonly Role[], keepsData = false) => {
    await Promise.all(hotspots.map((role) => role.stop()));
    await validator.stop();
    if (isTemporary && !keepsData) await rm(dataDir, { recursive: true, force: true, maxRetries: 3 });
  };
  try {
    await validator.start();
  } catch (error) {
    await stopAll([], true);
    throw error;
  }
  onStep(`validator ready, HTTP API at ${validator.ready().http}`);
  const { closedEpoch } = await fetchState(validator.ready().http);

  const ether = createDevnetEther(options.seed);
  const running: (RunningHotspot | null)[] = world.hotspots.map(() => null);
  const surroundings = () => describeSurroundings(genesis, genesisFile, dataDir, validator.ready(), ether);
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
    apiUrl: () => validator.ready().http,
    epochsBefore: closedEpoch === null ? 0 : closedEpoch + 1,
    validator,
    hotspots,
    readHotspots: () => running.filter((hotspot) => hotspot !== null),
    state: () => fetchState(validator.ready().http),
    epochs: (after) => fetchEpochs(validator.ready().http, after),
    replayAll: () => replayAll(join(dataDir, "validator")),
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
  const identity: Identity = { seed: options.seed, hotspots: options.hotspots, preset: options.preset };
  const kept = await readFile(identityFile, "utf8").catch(() => null);
  if (kept !== null) {
    if (!isDeepStrictEqual(JSON.parse(kept), identity)) {
      throw new DevnetUsageError(
        `${dataDir} holds another network (${kept.trim()}): use its --seed, --hotspots and --preset, or another --data`,
      );
    }
    const decoded = decodeGenesisJson(await readFile(genesisFile, "utf8"));
    if (!decoded.ok) throw new DevnetUsageError(decoded.errors.join("; "));
    return decoded.genesis;
  }
  const startMs =
    VALIDATOR_START_MS + options.hotspots * HOTSPOT_START_MS + options.isolate * ISOLATED_START_MS;
  const genesis = makeGenesis(world, options.preset, Date.now() + startMs);
  await writeFile(genesisFile, encodeGenesisJson(genesis));
  await mkdir(join(dataDir, "validator"), { recursive: true, mode: 0o700 });
  await writeKeyFile(join(dataDir, "validator", KEY_FILE), world.validator.secretSeed);
  // Last: a folder with this file is complete.
  await writeFile(identityFile, JSON.stringify(identity));
  return genesis;
}

function createValidatorRole(
  dataDir: string,
  genesisFile: string,
  port: number,
): Role & { readonly ready: () => ValidatorReady; readonly describeEnd: () => string } {
  let process: HexbeaconProcess<ValidatorReady> | null = null;
  let last: ValidatorReady | null = null;
  let end = "The validator is not running.";
  /** A restarted validator takes the ports it had: its hotspots know its address. */
  const addresses = () => ({
    listen: last === null ? "/ip4/127.0.0.1/tcp/0" : last.multiaddrs[0]!.replace(/\/p2p\/.*$/, ""),
    http: last === null ? `127.0.0.1:${port}` : new URL(last.http).host,
  });
  const take = () => {
    const taken = process;
    process = null;
    return taken;
  };
  return {
    isUp: () => process !== null,
    start: async () => {
      const logFile = join(dataDir, "validator.log");
      const home = join(dataDir, "validator");
      const started = await startValidator({ home, genesisFile, logFile, ...addresses() });
      process = started;
      last = started.ready;
      void started.exited.then((how) => {
        if (process !== started) return;
        process = null;
        end = `The validator ended by itself (${how}). Its log is ${logFile}.`;
      });
    },
    stop: async () => await take()?.stop(),
    kill: async () => await take()?.kill(),
    describeEnd: () => end,
    ready: () => {
      if (last === null) throw new Error("the validator has not been started");
      return last;
    },
  };
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

function describeSurroundings(
  genesis: Genesis,
  genesisFile: string,
  dataDir: string,
  ready: ValidatorReady,
  ether: Ether,
): HotspotSurroundings {
  return { genesis, genesisFile, dataDir, validators: ready.multiaddrs, ether };
}

async function startInTurns(roles: readonly Role[]): Promise<void> {
  for (let first = 0; first < roles.length; first += START_WIDTH) {
    await Promise.all(roles.slice(first, first + START_WIDTH).map((role) => role.start()));
  }
}

async function replayAll(home: string): Promise<number[]> {
  const { code, stdout, stderr } = await runHexbeacon(["validator", "replay", "--home", home, "--all"]);
  if (code !== 0 && code !== 1) throw new Error(`replay ended with ${code}: ${stderr}`);
  const lines = stdout.split("\n").filter((line) => line !== "");
  const results = lines.map((line) => JSON.parse(line) as { epoch: number; equal: boolean });
  return results.filter(({ equal }) => !equal).map(({ epoch }) => epoch);
}
