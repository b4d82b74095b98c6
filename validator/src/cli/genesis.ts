/** `validator genesis`: the genesis file of a new network with one validator, for someone who starts one. */
import { randomBytes } from "node:crypto";
import { ConfigErrors, type NodeIo } from "../../../node/src/cli/io.ts";
import { openKeyFile } from "../../../node/src/host/keystore.ts";
import { decodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import {
  decodeGenesisJson,
  encodeGenesisJson,
  type GenesisAccount,
} from "../../../protocol/src/network/genesis.ts";
import { BASE_UNITS_PER_TOKEN } from "../../../protocol/src/network/parameters.ts";
import { PRESET_NAMES, PRESETS } from "../../../protocol/src/network/presets.ts";
import { homePaths } from "../home.ts";
import { readHomeFlag } from "./configuration.ts";

export type GenesisFlags = {
  readonly home?: string;
  readonly name?: string;
  readonly preset?: string;
  readonly account?: readonly string[];
  readonly address?: readonly string[];
};

/** How an account is given: who, and how many whole tokens. */
const ACCOUNT_PATTERN = /^(did:key:[^=]+)=(\d{1,9})$/;

/**
 * Writes the file to standard output: it begins now, its seed is fresh, and the key of the home has the only seat.
 * @throws ConfigErrors with every fault of the flags.
 */
export async function writeGenesis(flags: GenesisFlags, io: NodeIo): Promise<void> {
  const faults: string[] = [];
  const home = readHomeFlag(flags, faults);
  const preset = PRESET_NAMES.find((name) => name === (flags.preset ?? "devnet"));
  if (preset === undefined) faults.push(`--preset: must be one of ${PRESET_NAMES.join(", ")}`);
  if (flags.name === undefined) faults.push("--name: name the network");
  const accounts = (flags.account ?? []).map((text) => readAccount(text, faults));
  if (preset === undefined || faults.length > 0) throw new ConfigErrors(faults);
  const { publicKey } = await openKeyFile(homePaths(home).key);
  const parameters = PRESETS[preset];
  const text = encodeGenesisJson({
    name: flags.name!,
    timeMs: Date.now(),
    seed: randomBytes(32),
    parameters,
    validators: [{ key: publicKey, stake: parameters.validatorStake, multiaddrs: flags.address ?? [] }],
    accounts,
    hotspots: [],
  });
  // What the reader of the file will say is better said now.
  const decoded = decodeGenesisJson(text);
  if (!decoded.ok) throw new ConfigErrors(decoded.errors);
  io.stdout.write(text);
}

function readAccount(text: string, faults: string[]): GenesisAccount {
  const match = ACCOUNT_PATTERN.exec(text);
  const key = match === null ? null : decodeDidKey(match[1]!);
  if (key === null) faults.push(`--account: ${text} is no DID=TOKENS, such as did:key:z6Mk...=1000`);
  return { key: key ?? new Uint8Array(32), balance: BigInt(match?.[2] ?? 0) * BASE_UNITS_PER_TOKEN };
}
