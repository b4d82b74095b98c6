/**
 * What a network in containers needs beside its validators and hotspots: `homes` writes the genesis and everybody's
 * home, once, and `air` is the channel between the hotspots, with a packet forwarder for each of them.
 */
import { lookup } from "node:dns/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Command, InvalidArgumentError } from "commander";
import { GENESIS_FILE, KEY_FILE } from "../../../../node/src/cli/config.ts";
import { createFile, makePrivateFolder, readFileIfAny } from "../../../../node/src/host/durableFile.ts";
import { writeKeyFile } from "../../../../node/src/host/keystore.ts";
import { encodeGenesisJson, type Genesis } from "../../../../protocol/src/network/genesis.ts";
import { PRESETS } from "../../../../protocol/src/network/presets.ts";
import type { Ether } from "../../../ether/ether.ts";
import { createDevnetEther, prepareHome, startForwarder } from "../hotspots.ts";
import { createGenesis, createWorld, type DevnetHotspot, type World } from "../world.ts";

type Flags = { readonly seed: number; readonly hotspots: number };
type HomesFlags = Flags & {
  readonly homes: string;
  readonly validators: number;
  readonly roundsPerEpoch: number;
};

/** Places that the world has; a quarter of them lie in one city. */
const WORLD_PLACES = 48;
const MAX_HOTSPOTS = WORLD_PLACES / 4;
/** Folders that the image has for their homes. */
const MAX_VALIDATORS_HERE = 12;
/** From the genesis to round 0: a dozen containers start within it on two cores. */
const START_MS = 30_000;
/** An hour, as mainnet's. */
const MAX_ROUNDS_PER_EPOCH = 3_600;
const VALIDATOR_PORT = 4_467;
const GWMP_PORT = 1_700;
/** A hotspot's container may come late, and come back with another address. */
const LOOK_AGAIN_MS = 2_000;

/** By these names they are services, hosts on the network between containers, and folders below `--homes`. */
const validatorName = (index: number): string => `validator-${index + 1}`;
const hotspotName = (index: number): string => `hotspot-${index + 1}`;

/** The world of a seed with hotspots of its first city only: a handful must hear each other to be paid. */
function createCity({ seed, hotspots }: Flags, validators = 1): World {
  const world = createWorld(seed, WORLD_PLACES, validators);
  const { city } = world.hotspots[0]!.place;
  return { ...world, hotspots: world.hotspots.filter(({ place }) => place.city === city).slice(0, hotspots) };
}

/** Writes what is missing: key, configuration and genesis of everybody. The first validator's genesis is the one. */
async function writeHomes(flags: HomesFlags): Promise<void> {
  const world = createCity(flags, flags.validators);
  const homeOf = (name: string): string => join(flags.homes, name);
  const first = homeOf(validatorName(0));
  const kept = await readFileIfAny(join(first, GENESIS_FILE));
  const genesis = kept ?? encodeGenesisJson(createContainersGenesis(world, flags.roundsPerEpoch));
  for (const [index, { secretSeed }] of world.validators.entries()) {
    const home = homeOf(validatorName(index));
    await makePrivateFolder(home);
    if ((await readFileIfAny(join(home, KEY_FILE))) === null)
      await writeKeyFile(join(home, KEY_FILE), secretSeed);
    await createFile(join(home, GENESIS_FILE), genesis, 0o644);
  }
  for (const [index, hotspot] of world.hotspots.entries()) {
    const home = homeOf(hotspotName(index));
    await prepareHome(hotspot, home);
    await createFile(join(home, GENESIS_FILE), genesis, 0o644);
  }
  process.stdout.write(
    `${kept === null ? "Wrote" : "Kept"} the homes of ${world.validators.length} validators and ${world.hotspots.length} hotspots\n`,
  );
}

/** The genesis also says where validators are reached, which is how hotspots find them. */
function createContainersGenesis(world: World, roundsPerEpoch: number): Genesis {
  const genesis = createGenesis(world, "devnet", Date.now() + START_MS);
  const validators = genesis.validators.map((validator, index) => ({
    ...validator,
    multiaddrs: [`/dns4/${validatorName(index)}/tcp/${VALIDATOR_PORT}`],
  }));
  return { ...genesis, validators, parameters: { ...genesis.parameters, roundsPerEpoch } };
}

/** Simulates the radio until a signal ends it. */
async function runAir(flags: Flags): Promise<void> {
  const stopping = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => stopping.abort());
  const ether = createDevnetEther(flags.seed);
  const { hotspots } = createCity(flags);
  await Promise.all(
    hotspots.map((hotspot, index) => keepOnAir(hotspot, hotspotName(index), ether, stopping.signal)),
  );
}

/** Runs a hotspot's forwarder; started again, as its owner would, when the hotspot's address has changed. */
async function keepOnAir(
  hotspot: DevnetHotspot,
  host: string,
  ether: Ether,
  signal: AbortSignal,
): Promise<void> {
  let address: string | null = null;
  let stop = async (): Promise<void> => {};
  while (!signal.aborted) {
    const found = await lookup(host, { family: 4 }).catch(() => null);
    if (found !== null && found.address !== address) {
      await stop();
      stop = await startForwarder(hotspot, ether, { host: found.address, port: GWMP_PORT });
      address = found.address;
      process.stdout.write(`${host} is on the air at ${hotspot.place.name}, ${hotspot.place.city}\n`);
    }
    await delay(LOOK_AGAIN_MS, undefined, { signal }).catch(() => {});
  }
  await stop();
}

function parseWhole(most: number): (text: string) => number {
  return (text) => {
    if (/^\d{1,10}$/.test(text) && Number(text) <= most) return Number(text);
    throw new InvalidArgumentError(`It must be a whole number up to ${most}.`);
  };
}

function createPart(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .option("--seed <number>", "same seed: same hotspots, places and channel", parseWhole(0xffff_ffff), 1)
    .option("--hotspots <count>", "how many hotspots", parseWhole(MAX_HOTSPOTS), 6);
}

const homes = createPart("homes", "write the genesis and everybody's home")
  .requiredOption("--homes <dir>", "folder of the homes")
  .option("--validators <count>", "how many validators", parseWhole(MAX_VALIDATORS_HERE), 4)
  .option(
    "--rounds-per-epoch <count>",
    "rounds of a second in an epoch of the new network",
    parseWhole(MAX_ROUNDS_PER_EPOCH),
    PRESETS.devnet.roundsPerEpoch,
  )
  .action(writeHomes);
const air = createPart("air", "simulate the radio between the hotspots").action(runAir);
await new Command("simulation").addCommand(homes).addCommand(air).parseAsync();
