/** Opens a hotspot's home: configuration, key and genesis, with every fault of all three said at once. */
import { join } from "node:path";
import type { Ed25519KeyPair } from "../../../protocol/src/crypto/ed25519.ts";
import type { Genesis } from "../../../protocol/src/network/genesis.ts";
import { isCodedError } from "../host/codedError.ts";
import { GENESIS_FILE, KEY_FILE } from "../host/homeFiles.ts";
import { type AskPassphrase, openKeyFile } from "../host/keystore.ts";
import { type NodeConfig, readConfig, readGenesis } from "./config.ts";
import { ConfigErrors, type NodeIo } from "./io.ts";
import { readPassphrase } from "./passphrase.ts";
import { nameOf, type Resolution } from "./settings/layers.ts";
import { SETTINGS } from "./settings/settings.ts";

export type Home = { readonly home: string; readonly config: NodeConfig; readonly keyPair: Ed25519KeyPair };

/**
 * A home that can be worked with.
 * @param faults what was found wrong elsewhere; all are thrown together, those of the settings too. @throws ConfigErrors.
 */
export async function openHome(
  resolution: Resolution,
  faults: string[],
  askPassphrase: AskPassphrase,
): Promise<Home & { readonly genesis: Genesis }> {
  const opened = await readHome(resolution, faults, askPassphrase);
  const genesisFile = findGenesisFile(resolution);
  if (genesisFile === null) throw new ConfigErrors(faults);
  const genesis = await readGenesis(genesisFile);
  if (!genesis.ok) faults.push(...genesis.faults);
  if (opened === null || !genesis.ok || faults.length > 0) throw new ConfigErrors(faults);
  return { ...opened, genesis: genesis.value };
}

/** Configuration and key; null where there are faults, which are added, those of the settings too. */
export async function readHome(
  resolution: Resolution,
  faults: string[],
  askPassphrase: AskPassphrase,
): Promise<Home | null> {
  faults.push(...resolution.faults.map(({ words }) => words));
  const home = findHome(resolution, faults);
  if (home === null) return null;
  const config = readConfig(resolution);
  if (!config.ok) faults.push(...config.faults);
  let keyPair: Ed25519KeyPair | null = null;
  try {
    keyPair = await openKeyFile(join(home, KEY_FILE), askPassphrase);
  } catch (error) {
    if (!isCodedError(error)) throw error;
    faults.push(error.message);
  }
  return config.ok && keyPair !== null ? { home, config: config.value, keyPair } : null;
}

/** The home that is set; null where none is, which is a fault that is added. */
export function findHome(resolution: Resolution, faults: string[]): string | null {
  const { home } = resolution.settings;
  if (home === null) faults.push(`${nameOf(resolution, "home")} ${SETTINGS.home.must}: the hotspot's folder`);
  return home;
}

/** The genesis file that is set, else the home's; null where neither is. */
export function findGenesisFile({ settings }: Resolution): string | null {
  const { genesis, home } = settings;
  return genesis ?? (home === null ? null : join(home, GENESIS_FILE));
}

/** How a command asks for the passphrase of a hotspot's key. @param whose says on a terminal what it opens. */
export function askFor({ settings }: Resolution, io: NodeIo, whose?: string): AskPassphrase {
  return () => readPassphrase(settings, io, whose);
}
