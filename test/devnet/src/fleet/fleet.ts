/**
 * Validators as processes with nothing around them: no hotspots, no radio, but links that can be cut between them. What
 * tests of faults and benchmarks of agreement run.
 */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { KEY_FILE } from "../../../../node/src/cli/config.ts";
import { writeKeyFile } from "../../../../node/src/host/keystore.ts";
import { encodeHex } from "../../../../protocol/src/bytes/hex.ts";
import { encodeGenesisJson, type Genesis } from "../../../../protocol/src/network/genesis.ts";
import type { Parameters } from "../../../../protocol/src/network/parameters.ts";
import type { PresetName } from "../../../../protocol/src/network/presets.ts";
import { homePaths } from "../../../../validator/src/home.ts";
import type { ProcessExtras } from "../processes.ts";
import { createValidatorRole, findFreePorts, type ValidatorRole, validatorName } from "../validators.ts";
import { createGenesis, createWorld, type World } from "../world.ts";
import { type LinkProxies, openLinkProxies } from "./linkProxies.ts";

export type FleetOptions = {
  readonly validators: number;
  /** Hotspots in genesis: who may send reports. */
  readonly hotspots: number;
  readonly seed: number;
  readonly preset: PresetName;
  readonly parameters?: Partial<Parameters>;
  /** How single validators are started otherwise; asked at each start. */
  readonly extrasOf?: (validator: number) => ProcessExtras;
  /** Where homes and logs are made; the system's folder for such things by default. */
  readonly parent?: string;
};

export type Fleet = {
  readonly world: World;
  readonly genesis: Genesis;
  /** Homes and logs. */
  readonly folder: string;
  readonly validators: readonly ValidatorRole[];
  readonly links: LinkProxies;
  /** The round of every message in a stopped validator's store, by its id in hexadecimal. */
  readonly readIncluded: (validator: number) => ReadonlyMap<string, number>;
  /** Ends everything, and removes its files where nobody will want to look into them. */
  readonly stop: (options?: { readonly keepsFiles: boolean }) => Promise<void>;
};

/** From writing the genesis to round 0: a validator's start, as several share two cores. */
const START_MS = 700;

/** Starts validators that find each other through proxies. */
export async function startFleet(options: FleetOptions): Promise<Fleet> {
  const { validators: count, preset } = options;
  const world = createWorld(options.seed, options.hotspots, count);
  const folder = await mkdtemp(join(options.parent ?? tmpdir(), "hexbeacon-fleet-"));
  const ports = await findFreePorts(2 * count);
  const addressOf = (port: number): string => `/ip4/127.0.0.1/tcp/${port}`;
  const proxied = ports
    .slice(0, count)
    .map((proxyPort, index) => ({ proxyPort, port: ports[count + index]! }));
  const made = createGenesis(
    world,
    preset,
    Date.now() + count * START_MS,
    proxied.map(({ proxyPort }) => addressOf(proxyPort)),
  );
  const genesis = { ...made, parameters: { ...made.parameters, ...options.parameters } };
  const genesisFile = join(folder, "genesis.json");
  await writeFile(genesisFile, encodeGenesisJson(genesis));
  for (const [index, { secretSeed }] of world.validators.entries()) {
    const home = join(folder, validatorName(index));
    await mkdir(home, { mode: 0o700 });
    await writeKeyFile(join(home, KEY_FILE), secretSeed);
  }
  const validators = proxied.map(({ port }, index) =>
    createValidatorRole({
      dataDir: folder,
      genesisFile,
      index,
      listen: addressOf(port),
      httpPort: 0,
      verifierThreads: 1,
      extras: () => options.extrasOf?.(index) ?? {},
    }),
  );
  const links = await openLinkProxies(
    proxied.map((ports, index) => ({ ...ports, pid: validators[index]!.pid })),
  );
  const stop: Fleet["stop"] = async ({ keepsFiles } = { keepsFiles: false }) => {
    await Promise.all(validators.map((role) => role.stop()));
    await links.close();
    if (!keepsFiles) await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  };
  try {
    await Promise.all(validators.map((role) => role.start()));
  } catch (error) {
    await stop({ keepsFiles: true });
    throw error;
  }
  const readIncluded = (validator: number) => readEnvelopes(join(folder, validatorName(validator)));
  return { world, genesis, folder, validators, links, readIncluded, stop };
}

function readEnvelopes(home: string): ReadonlyMap<string, number> {
  const db = new DatabaseSync(homePaths(home).store, { readOnly: true });
  try {
    const rows = db.prepare("SELECT id, round FROM envelopes").all();
    return new Map(rows.map(({ id, round }) => [encodeHex(id as Uint8Array), Number(round)]));
  } finally {
    db.close();
  }
}
