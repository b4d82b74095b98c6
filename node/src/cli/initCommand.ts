/** `node init`: makes a hotspot's home, with its key and its configuration. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Command } from "commander";
import { encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import { computeName } from "../../../protocol/src/crypto/names.ts";
import { CodedError } from "../host/codedError.ts";
import { createFile, makePrivateFolder } from "../host/durableFile.ts";
import { createKeyFile } from "../host/keystore.ts";
import { CONFIG_FILE, checkConfig, encodeConfigToml, GENESIS_FILE, KEY_FILE, readGenesis } from "./config.ts";
import { ConfigErrors, type NodeIo, printLine, runAction } from "./io.ts";
import { PASSPHRASE_OPTION, readNewPassphrase } from "./passphrase.ts";

type InitFlags = {
  readonly home?: string;
  readonly region?: string;
  readonly owner?: string;
  readonly location?: string;
  readonly gain?: string;
  readonly elevation?: string;
  readonly genesis?: string;
  readonly passphrase?: boolean;
  readonly passphraseFile?: string;
};

/** Creates the command. All flags are checked together, so that every fault is said at once. */
export function createInitCommand(io: NodeIo): Command {
  return new Command("init")
    .description("make a hotspot's home: its key and its configuration")
    .option("--home <dir>", "folder to create")
    .option("--region <name>", "region plan, such as EU868")
    .option("--owner <did>", "did:key of the account that owns it")
    .option("--location <lat,lng>", "where it stands, in degrees")
    .option("--gain <dBi>", "gain of its antenna")
    .option("--elevation <m>", "height of its antenna above the ground", "0")
    .option("--genesis <file>", "the network's genesis file, copied into the home")
    .option("--passphrase", "put the key under a passphrase, which every start then asks for")
    .option(...PASSPHRASE_OPTION)
    .action((flags: InitFlags) => runAction(io, () => init(flags, io)));
}

async function init(flags: InitFlags, io: NodeIo): Promise<void> {
  const [latitude, longitude, ...rest] = (flags.location ?? "").split(",").map(toNumber);
  const checked = checkConfig(
    {
      owner: flags.owner,
      region: flags.region,
      latitude: rest.length === 0 ? latitude : undefined,
      longitude,
      elevationM: toNumber(flags.elevation),
      gainDbi: toNumber(flags.gain),
    },
    {
      owner: "--owner",
      region: "--region",
      latitude: "--location: the latitude",
      longitude: "--location: the longitude",
      elevationM: "--elevation",
      gainDbi: "--gain",
    },
  );
  const faults = checked.ok ? [] : [...checked.faults];
  if (flags.home === undefined) faults.unshift("--home must name a folder");
  if (flags.genesis !== undefined) {
    const genesis = await readGenesis(flags.genesis);
    if (!genesis.ok) faults.push(...genesis.faults);
  }
  if (!checked.ok || flags.home === undefined || faults.length > 0) throw new ConfigErrors(faults);
  const { home } = flags;
  const wantsPassphrase = flags.passphrase === true || flags.passphraseFile !== undefined;
  const sealing = wantsPassphrase ? { passphrase: await readNewPassphrase(flags, io) } : {};
  await makePrivateFolder(home);
  // The key first: of two that race, the loser stops here and leaves the winner's configuration alone.
  const { publicKey } = await createKeyFile(join(home, KEY_FILE), sealing);
  if (!(await createFile(join(home, CONFIG_FILE), encodeConfigToml(checked.value)))) {
    throw new CodedError("home_exists", `${join(home, CONFIG_FILE)} exists`);
  }
  if (flags.genesis !== undefined) await createFile(join(home, GENESIS_FILE), await readFile(flags.genesis));
  printLine(io, encodeDidKey(publicKey));
  printLine(io, computeName(publicKey));
}

function toNumber(text: string | undefined): number {
  return text === undefined || !/^\s*[+-]?\d+(\.\d+)?\s*$/.test(text) ? Number.NaN : Number(text);
}
