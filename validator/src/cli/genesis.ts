/** `validator genesis`: the genesis file of a new network with one validator, for someone who starts one. */
import { randomBytes } from "node:crypto";
import { parseJson, readBounded } from "../../../node/src/cli/boundedFiles.ts";
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
  readonly hotspots?: string;
};

/** Of a genesis file, as JSON. */
type HotspotsPart = { readonly hotspots?: unknown; readonly trustSeeds?: unknown };

/** How an account is given: who, and how many whole tokens. */
const ACCOUNT_PATTERN = /^(did:key:[^=]+)=(\d{1,9})$/;

/** A quarter of a million hotspots. */
const MAX_HOTSPOTS_CHARS = 64 * 1024 * 1024;

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
  const named = await readHotspots(flags.hotspots, faults);
  if (preset === undefined || faults.length > 0) throw new ConfigErrors(faults);
  const { publicKey } = await openKeyFile(homePaths(home).key);
  const parameters = PRESETS[preset];
  const withoutHotspots = encodeGenesisJson({
    name: flags.name!,
    timeMs: Date.now(),
    seed: randomBytes(32),
    parameters,
    validators: [{ key: publicKey, stake: parameters.validatorStake, multiaddrs: flags.address ?? [] }],
    accounts,
    hotspots: [],
  });
  // What the reader of the file will say is better said now.
  const decoded = decodeGenesisJson(JSON.stringify({ ...JSON.parse(withoutHotspots), ...named }));
  if (!decoded.ok) throw new ConfigErrors(decoded.errors);
  io.stdout.write(encodeGenesisJson(decoded.genesis));
  if (decoded.genesis.trustSeeds === undefined)
    io.stderr.write(
      "note: nobody is named in trustSeeds, so no graph of trust will ever be computed: rings of hotspots that only hear each other are paid like others\n",
    );
}

/** @returns what the file says of hotspots and of seeds of trust, unread: the genesis that it becomes part of is. */
async function readHotspots(path: string | undefined, faults: string[]): Promise<HotspotsPart> {
  if (path === undefined) return {};
  const read = await readBounded(path, "--hotspots", MAX_HOTSPOTS_CHARS);
  const given = read.ok ? parseJson(read.value) : null;
  if (!read.ok) faults.push(...read.faults);
  else if (typeof given !== "object" || given === null || !("hotspots" in given))
    faults.push(
      `--hotspots: ${path} must say {"hotspots": [...], "trustSeeds": [...]}, as a genesis file does`,
    );
  else return { hotspots: given.hotspots, ...("trustSeeds" in given && { trustSeeds: given.trustSeeds }) };
  return {};
}

function readAccount(text: string, faults: string[]): GenesisAccount {
  const match = ACCOUNT_PATTERN.exec(text);
  const key = match === null ? null : decodeDidKey(match[1]!);
  if (key === null) faults.push(`--account: ${text} is no DID=TOKENS, such as did:key:z6Mk...=1000`);
  return { key: key ?? new Uint8Array(32), balance: BigInt(match?.[2] ?? 0) * BASE_UNITS_PER_TOKEN };
}
