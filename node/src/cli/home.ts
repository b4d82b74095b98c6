/** Opens a hotspot's home: configuration, key and genesis, with every fault of all three said at once. */
import { join } from "node:path";
import type { Ed25519KeyPair } from "../../../protocol/src/crypto/ed25519.ts";
import type { Genesis } from "../../../protocol/src/network/genesis.ts";
import { isCodedError } from "../host/codedError.ts";
import { readFileIfAny } from "../host/durableFile.ts";
import { type AskPassphrase, openKeyFile } from "../host/keystore.ts";
import {
  type Checked,
  CONFIG_FILE,
  decodeConfigToml,
  GENESIS_FILE,
  KEY_FILE,
  type NodeConfig,
  readGenesis,
} from "./config.ts";
import { ConfigErrors } from "./io.ts";

export type Home = { readonly config: NodeConfig; readonly keyPair: Ed25519KeyPair };

/** @param faults what was found wrong elsewhere; all are thrown together. @throws ConfigErrors. */
export async function openHome(
  home: string | undefined,
  genesisFile: string | undefined,
  faults: string[],
  askPassphrase: AskPassphrase,
): Promise<Home & { readonly genesis: Genesis }> {
  if (home === undefined) throw new ConfigErrors([...faults, "--home must name a hotspot's folder"]);
  const [opened, genesis] = [
    await readHome(home, faults, askPassphrase),
    await readGenesis(genesisFile ?? join(home, GENESIS_FILE)),
  ];
  if (!genesis.ok) faults.push(...genesis.faults);
  if (opened === null || !genesis.ok || faults.length > 0) throw new ConfigErrors(faults);
  return { ...opened, genesis: genesis.value };
}

/** Configuration and key; null where there are faults, which are added. */
export async function readHome(
  home: string,
  faults: string[],
  askPassphrase: AskPassphrase,
): Promise<Home | null> {
  const config = await readConfig(join(home, CONFIG_FILE));
  if (!config.ok) faults.push(...config.faults);
  let keyPair: Ed25519KeyPair | null = null;
  try {
    keyPair = await openKeyFile(join(home, KEY_FILE), askPassphrase);
  } catch (error) {
    if (!isCodedError(error)) throw error;
    faults.push(error.message);
  }
  return config.ok && keyPair !== null ? { config: config.value, keyPair } : null;
}

/** The configuration of a home. */
export async function readConfig(path: string): Promise<Checked<NodeConfig>> {
  const bytes = await readFileIfAny(path);
  if (bytes === null) return { ok: false, faults: [`there is no ${path}: run init first`] };
  return decodeConfigToml(Buffer.from(bytes).toString("utf8"));
}
