/**
 * A validator's configuration: flags and files become options, or a list of every fault, in words. Nothing is started
 * before all of it is known to be right.
 */
import { isIP } from "node:net";
import { multiaddr } from "@multiformats/multiaddr";
import { parseEndpoint, readGenesis } from "../../../node/src/cli/config.ts";
import { ConfigErrors } from "../../../node/src/cli/io.ts";
import { isCodedError } from "../../../node/src/host/codedError.ts";
import { createFile } from "../../../node/src/host/durableFile.ts";
import { createKeyFile, openKeyFile } from "../../../node/src/host/keystore.ts";
import { LOG_FORMATS, LOG_LEVELS, type LogFormat, type LogLevel } from "../../../node/src/host/log.ts";
import { equalBytes } from "../../../protocol/src/bytes/bytes.ts";
import { decodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import type { Ed25519KeyPair } from "../../../protocol/src/crypto/ed25519.ts";
import { computeNetworkId, encodeGenesisJson, type Genesis } from "../../../protocol/src/network/genesis.ts";
import type { AdminEndpoint } from "../admin/modules.ts";
import { homePaths } from "../home.ts";

/** Flags of `validator run` as they were typed; an absent one has no field. */
export type RunFlags = {
  readonly home?: string;
  readonly genesis?: string;
  readonly listen?: readonly string[];
  readonly http?: string;
  readonly maxConnections?: string;
  readonly verifierThreads?: string;
  readonly keepEpochs?: string;
  readonly snapshotEpochs?: string;
  readonly requestsPerMinute?: string;
  readonly corsOrigin?: readonly string[];
  readonly trustProxy?: readonly string[];
  readonly logLevel?: string;
  readonly logFormat?: string;
  readonly admin?: string;
  readonly operator?: readonly string[];
};

export type RunConfiguration = {
  readonly home: string;
  readonly genesis: Genesis;
  readonly keyPair: Ed25519KeyPair;
  readonly listen: readonly string[];
  readonly http: {
    readonly host: string;
    readonly port: number;
    readonly requestsPerMinute?: number;
    readonly corsOrigins: readonly string[];
    readonly trustProxies: readonly string[];
  };
  readonly maxConnections: number;
  readonly verifierThreads?: number;
  readonly keepEpochs: number;
  readonly snapshotEpochs: number;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
  readonly admin: { readonly listen: AdminEndpoint; readonly operators: readonly Uint8Array[] } | null;
};

const DEFAULT_LISTEN = "/ip4/0.0.0.0/tcp/4467";
const DEFAULT_HTTP = "127.0.0.1:8080";
/** A file descriptor and some 100 kB each; systems allow 1,024 descriptors by default, and some are for files. */
const DEFAULT_MAX_CONNECTIONS = 800;
/** A month of mainnet's hourly epochs with all evidence. */
const DEFAULT_KEEP_EPOCHS = 720;

/** @throws ConfigErrors with every fault that was found. */
export async function readRunConfiguration(flags: RunFlags): Promise<RunConfiguration> {
  const faults: string[] = [];
  const home = readHomeFlag(flags, faults);
  const verifierThreads = readCount(flags.verifierThreads, "--verifier-threads", 1, 256, faults);
  const requestsPerMinute = readCount(flags.requestsPerMinute, "--requests-per-minute", 1, 1_000_000, faults);
  const configuration = {
    home,
    genesis: await readGenesisFile(flags, faults),
    keyPair: home === "" ? null : await readKey(home, faults),
    listen: readListen(flags.listen ?? [DEFAULT_LISTEN], faults),
    http: {
      ...readHttp(flags.http ?? DEFAULT_HTTP, faults),
      ...(requestsPerMinute === undefined ? {} : { requestsPerMinute }),
      corsOrigins: readOrigins(flags.corsOrigin ?? [], faults),
      trustProxies: readProxies(flags.trustProxy ?? [], faults),
    },
    maxConnections:
      readCount(flags.maxConnections, "--max-connections", 1, 100_000, faults) ?? DEFAULT_MAX_CONNECTIONS,
    ...(verifierThreads === undefined ? {} : { verifierThreads }),
    keepEpochs: readCount(flags.keepEpochs, "--keep-epochs", 1, 1_000_000, faults) ?? DEFAULT_KEEP_EPOCHS,
    snapshotEpochs: readCount(flags.snapshotEpochs, "--snapshot-epochs", 1, 1_000_000, faults) ?? 1,
    logLevel: readChoice(flags.logLevel ?? "info", "--log-level", LOG_LEVELS, faults),
    logFormat: readChoice(flags.logFormat ?? "plain", "--log-format", LOG_FORMATS, faults),
  };
  const listen = readAdmin(flags.admin, home, faults);
  const operators = (flags.operator ?? []).flatMap((text) => readOperator(text, faults));
  const { genesis, keyPair } = configuration;
  if (faults.length > 0 || genesis === null || keyPair === null) throw new ConfigErrors(faults);
  await keepGenesis(home, genesis);
  const own = await openOperatorKey(home);
  const admin = listen && { listen, operators: [own.publicKey, ...operators] };
  return { ...configuration, genesis, keyPair, admin };
}

/** The key of a home's first operator, made where there is none yet. @throws CodedError as `openKeyFile` does. */
async function openOperatorKey(home: string): Promise<Ed25519KeyPair> {
  const path = homePaths(home).operatorKey;
  try {
    return await openKeyFile(path);
  } catch (error) {
    if (!isCodedError(error, "key_missing")) throw error;
    return await createKeyFile(path);
  }
}

/**
 * A home keeps the genesis that it was first run with: replay and export then need nothing but the home.
 * @throws ConfigErrors where the home is another network's.
 */
export async function keepGenesis(home: string, genesis: Genesis): Promise<void> {
  const path = homePaths(home).genesis;
  if (await createFile(path, encodeGenesisJson(genesis), 0o644)) return;
  const kept = await readGenesis(path);
  if (!kept.ok) throw new ConfigErrors(kept.faults);
  if (equalBytes(computeNetworkId(kept.value), computeNetworkId(genesis))) return;
  throw new ConfigErrors([
    `--genesis: ${path} is another network's (${kept.value.name}): use another --home`,
  ]);
}

/** The home that was named; empty, with a fault, where none was. */
export function readHomeFlag(flags: { readonly home?: string }, faults: string[]): string {
  if (flags.home === undefined) faults.push("--home: name the validator's folder");
  return flags.home ?? "";
}

/** The genesis that was named, or the home's; null, with a fault unless neither was named, where there is none. */
export async function readGenesisFile(
  flags: { readonly home?: string; readonly genesis?: string },
  faults: string[],
): Promise<Genesis | null> {
  const path = flags.genesis ?? (flags.home === undefined ? null : homePaths(flags.home).genesis);
  if (path === null) return null;
  const genesis = await readGenesis(path);
  if (genesis.ok) return genesis.value;
  faults.push(...genesis.faults);
  return null;
}

/** The home's key; null, with a fault, where there is none that can be read. */
export async function readKey(home: string, faults: string[]): Promise<Ed25519KeyPair | null> {
  try {
    return await openKeyFile(homePaths(home).key);
  } catch (error) {
    const hint = isCodedError(error, "key_missing") ? " (validator init makes one)" : "";
    faults.push(`key: ${messageOf(error)}${hint}`);
    return null;
  }
}

function readListen(addresses: readonly string[], faults: string[]): readonly string[] {
  for (const address of addresses) {
    try {
      multiaddr(address);
      if (!address.includes("/tcp/")) faults.push(`--listen: ${address} names no tcp port`);
    } catch {
      faults.push(`--listen: ${address} is no multiaddr, such as ${DEFAULT_LISTEN}`);
    }
  }
  return addresses;
}

/** Origins as browsers write them: a scheme, a host, and a port where it is not the scheme's own; or `*` for every one. */
function readOrigins(origins: readonly string[], faults: string[]): readonly string[] {
  for (const origin of origins) {
    if (origin === "*") continue;
    if (!URL.canParse(origin) || new URL(origin).origin !== origin)
      faults.push(`--cors-origin: ${origin} is no origin, such as https://explorer.example.net`);
  }
  return origins;
}

/** Addresses, or networks as CIDR has them (RFC 4632): who else could say from where a request came? */
function readProxies(proxies: readonly string[], faults: string[]): readonly string[] {
  for (const proxy of proxies) {
    const [address, bits, ...rest] = proxy.split("/") as [string, ...string[]];
    const most = { 0: -1, 4: 32, 6: 128 }[isIP(address)]!;
    const isWhole = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most);
    if (most < 0 || !isWhole || rest.length > 0)
      faults.push(`--trust-proxy: ${proxy} is no address or network, such as 127.0.0.1 or 10.0.0.0/8`);
  }
  return proxies;
}

function readHttp(text: string, faults: string[]): { readonly host: string; readonly port: number } {
  const endpoint = parseEndpoint(text);
  if (endpoint === null) faults.push(`--http: ${text} is no HOST:PORT, such as ${DEFAULT_HTTP}`);
  return endpoint ?? { host: "", port: 0 };
}

/** `socket` (the default), `none`, or a port on loopback; null for none. */
function readAdmin(text = "socket", home: string, faults: string[]): AdminEndpoint | null {
  if (text === "none") return null;
  if (text === "socket") return { socket: homePaths(home).adminSocket };
  const endpoint = parseEndpoint(text);
  const host = endpoint?.host;
  if (endpoint !== null && (host === "127.0.0.1" || host === "::1")) return { host, port: endpoint.port };
  faults.push("--admin: must be socket, none, or a port on loopback such as 127.0.0.1:4469");
  return null;
}

function readOperator(text: string, faults: string[]): Uint8Array[] {
  const key = decodeDidKey(text);
  if (key === null) faults.push(`--operator: ${text} is no did:key of an Ed25519 key`);
  return key === null ? [] : [key];
}

function readCount(
  text: string | undefined,
  flag: string,
  least: number,
  most: number,
  faults: string[],
): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  faults.push(`${flag}: must be a whole number from ${least} to ${most}`);
  return undefined;
}

function readChoice<T extends string>(
  text: string,
  flag: string,
  choices: readonly T[],
  faults: string[],
): T {
  const choice = choices.find((each) => each === text);
  if (choice === undefined) faults.push(`${flag}: must be one of ${choices.join(", ")}`);
  return choice ?? choices[0]!;
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
