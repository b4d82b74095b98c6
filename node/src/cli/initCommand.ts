/** `node init`: makes a hotspot's home, with its key and its configuration. */
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { Command } from "commander";
import { encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import { computeName } from "../../../protocol/src/crypto/names.ts";
import { CodedError } from "../host/codedError.ts";
import { createFile, makePrivateFolder } from "../host/durableFile.ts";
import { CONFIG_FILE, GENESIS_FILE, KEY_FILE } from "../host/homeFiles.ts";
import { createKeyFile } from "../host/keystore.ts";
import { checkConfig, encodeConfigToml, readGenesis } from "./config.ts";
import { findHome } from "./home.ts";
import { ConfigErrors, type NodeIo, printLine, runAction } from "./io.ts";
import { readNewPassphrase } from "./passphrase.ts";
import { addSettings, findSettings, HOME_KEYS } from "./settings/options.ts";
import type { SettingKey } from "./settings/settings.ts";

type InitFlags = Readonly<Record<string, unknown>> & {
  readonly location?: string;
  readonly passphrase?: boolean;
};

const KEYS = [
  ...HOME_KEYS,
  ...["region", "owner", "location.latitude", "location.longitude"],
  ...["antenna.gainDbi", "location.elevationM"],
] as readonly SettingKey[];

/** Creates the command. All flags are checked together, so that every fault is said at once. */
export function createInitCommand(io: NodeIo): Command {
  const command = new Command("init")
    .description("make a hotspot's home: its key and its configuration")
    .option("--location <lat,lng>", "latitude and longitude at once")
    .option("--passphrase", "put the key under a passphrase, which every start then asks for");
  return addSettings(command, KEYS).action((flags: InitFlags) => runAction(io, () => init(flags, io)));
}

async function init(flags: InitFlags, io: NodeIo): Promise<void> {
  const resolution = await findSettings({ ...splitLocation(flags.location), ...flags }, io);
  const { settings } = resolution;
  const faults = resolution.faults.map(({ words }) => words);
  const home = findHome(resolution, faults);
  const checked = checkConfig(resolution);
  if (!checked.ok) faults.push(...checked.faults);
  if (home !== null) await expectOwnHome(home, faults);
  if (settings.genesis !== null) {
    const genesis = await readGenesis(settings.genesis);
    if (!genesis.ok) faults.push(...genesis.faults);
  }
  if (!checked.ok || home === null || faults.length > 0) throw new ConfigErrors(faults);
  const wantsPassphrase = flags.passphrase === true || settings.passphraseFile !== null;
  const sealing = wantsPassphrase ? { passphrase: await readNewPassphrase(settings, io) } : {};
  await makePrivateFolder(home);
  // The key first: of two that race, the loser stops here and leaves the winner's configuration alone.
  const { publicKey } = await createKeyFile(join(home, KEY_FILE), sealing);
  if (!(await createFile(join(home, CONFIG_FILE), encodeConfigToml(checked.value)))) {
    throw new CodedError("home_exists", `${join(home, CONFIG_FILE)} exists`);
  }
  if (settings.genesis !== null) {
    await createFile(join(home, GENESIS_FILE), await readFile(settings.genesis));
  }
  printLine(io, encodeDidKey(publicKey));
  printLine(io, computeName(publicKey));
}

/** `--location` as the two flags that it stands for; what is no pair becomes a latitude that is none. */
function splitLocation(location: string | undefined): Readonly<Record<string, string>> {
  if (location === undefined) return {};
  const [latitude, longitude, ...rest] = location.split(",");
  if (longitude === undefined || rest.length > 0) return { latitude: location, longitude: "" };
  return { latitude: latitude!, longitude };
}

/** A key of another user's than the home's could not be read by the hotspot that runs as the home's. */
async function expectOwnHome(home: string, faults: string[]): Promise<void> {
  const user = process.getuid?.();
  const owner = await stat(home).then(
    ({ uid }) => uid,
    () => user,
  );
  if (owner !== user) faults.push(`${home} belongs to another user: run this as that user, with sudo -u`);
}
