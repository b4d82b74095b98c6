/** A hotspot's configuration: who owns it, where and with what it stands. Flags and file are checked by one set of rules. */
import { parse, stringify } from "smol-toml";
import { decodeDidKey, encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import { type Cell, cellFromHex } from "../../../protocol/src/geo/cell.ts";
import { decodeGenesisJson, type Genesis } from "../../../protocol/src/network/genesis.ts";
import { findRegionPlan, REGION_NAMES, type RegionName } from "../../../protocol/src/radio/regions.ts";
import { readFileIfAny } from "../host/durableFile.ts";

export const CONFIG_FILE = "config.toml";
export const KEY_FILE = "key";
export const GENESIS_FILE = "genesis.json";

/** Assertions are of cells of this resolution, some 19 m across. */
const ASSERTED_RESOLUTION = 12;
const LEAST_GAIN_DBI = -10;
const MOST_GAIN_DBI = 15;
const LEAST_ELEVATION_M = -500;
const MOST_ELEVATION_M = 10_000;

export type NodeConfig = {
  /** The owner's account key, 32 bytes. */
  readonly owner: Uint8Array;
  readonly region: RegionName;
  readonly latitude: number;
  readonly longitude: number;
  readonly elevationM: number;
  readonly gainCentiDbi: number;
};

/** A value, or every fault found, in words. */
export type Checked<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly faults: readonly string[] };

/** The settings as they are given, by flag or file; undefined where absent. */
export type RawConfig = {
  readonly owner: unknown;
  readonly region: unknown;
  readonly latitude: unknown;
  readonly longitude: unknown;
  readonly elevationM: unknown;
  readonly gainDbi: unknown;
};

/** Checks all settings. @param names what a fault calls each setting, as the flag or the file does. */
export function checkConfig(
  raw: RawConfig,
  names: Readonly<Record<keyof RawConfig, string>>,
): Checked<NodeConfig> {
  const faults: string[] = [];
  const number = (field: keyof RawConfig, least: number, most: number): number => {
    const value = raw[field];
    if (typeof value === "number" && value >= least && value <= most) return value;
    faults.push(`${names[field]} must be a number from ${least} to ${most}`);
    return least;
  };
  const owner = typeof raw.owner === "string" ? decodeDidKey(raw.owner) : null;
  if (owner === null) faults.push(`${names.owner} must be a did:key of an Ed25519 key`);
  const plan = typeof raw.region === "string" ? findRegionPlan(raw.region) : null;
  if (plan === null) faults.push(`${names.region} must be one of ${REGION_NAMES.join(", ")}`);
  const latitude = number("latitude", -90, 90);
  const longitude = number("longitude", -180, 180);
  const elevationM = Math.round(number("elevationM", LEAST_ELEVATION_M, MOST_ELEVATION_M));
  const gainCentiDbi = Math.round(number("gainDbi", LEAST_GAIN_DBI, MOST_GAIN_DBI) * 100);
  if (owner === null || plan === null || faults.length > 0) return { ok: false, faults };
  return { ok: true, value: { owner, region: plan.name, latitude, longitude, elevationM, gainCentiDbi } };
}

/** The resolution-12 cell that a configuration's place lies in, as an assertion names it. */
export async function findCell(config: NodeConfig): Promise<Cell> {
  // Loaded only where a place must be projected: a hotspot whose place is asserted runs without its 6 MB.
  const { latLngToCell } = await import("h3-js");
  return cellFromHex(latLngToCell(config.latitude, config.longitude, ASSERTED_RESOLUTION))!;
}

/** Writes a configuration file. */
export function encodeConfigToml(config: NodeConfig): string {
  const { latitude, longitude, elevationM, region } = config;
  const toml = stringify({
    owner: encodeDidKey(config.owner),
    region,
    location: { latitude, longitude, elevationM },
    antenna: { gainDbi: config.gainCentiDbi / 100 },
  });
  return `# A Hexbeacon hotspot. Changing place or antenna also needs a signed assertion to the network.\n${toml}\n`;
}

/** Reads a configuration file; unknown settings are faults too, since a misspelt one would otherwise do nothing. */
export function decodeConfigToml(text: string): Checked<NodeConfig> {
  let toml: Record<string, unknown>;
  try {
    toml = parse(text);
  } catch (error) {
    const line = error instanceof Error ? error.message.split("\n", 1)[0] : "it is no TOML";
    return { ok: false, faults: [`${CONFIG_FILE}: ${line}`] };
  }
  const location = toSection(toml.location);
  const antenna = toSection(toml.antenna);
  const unknown = [
    ...findUnknown("", toml, ["owner", "region", "location", "antenna"]),
    ...findUnknown("location.", location, ["latitude", "longitude", "elevationM"]),
    ...findUnknown("antenna.", antenna, ["gainDbi"]),
  ].map((name) => `${CONFIG_FILE}: ${name} is no setting`);
  const { latitude, longitude, elevationM } = location;
  const checked = checkConfig(
    { owner: toml.owner, region: toml.region, latitude, longitude, elevationM, gainDbi: antenna.gainDbi },
    {
      owner: `${CONFIG_FILE}: owner`,
      region: `${CONFIG_FILE}: region`,
      latitude: `${CONFIG_FILE}: location.latitude`,
      longitude: `${CONFIG_FILE}: location.longitude`,
      elevationM: `${CONFIG_FILE}: location.elevationM`,
      gainDbi: `${CONFIG_FILE}: antenna.gainDbi`,
    },
  );
  if (unknown.length === 0) return checked;
  return { ok: false, faults: checked.ok ? unknown : [...unknown, ...checked.faults] };
}

/** Reads a genesis file. */
export async function readGenesis(path: string): Promise<Checked<Genesis>> {
  const bytes = await readFileIfAny(path);
  if (bytes === null) return { ok: false, faults: [`there is no genesis file at ${path}`] };
  const decoded = decodeGenesisJson(Buffer.from(bytes).toString("utf8"));
  if (decoded.ok) return { ok: true, value: decoded.genesis };
  return { ok: false, faults: decoded.errors.map((error) => `${path}: ${error}`) };
}

/** `host:port`, IPv6 hosts in brackets, port 0 to 65535; null where it is none. */
export function parseEndpoint(text: string): { readonly host: string; readonly port: number } | null {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]]+)):(\d{1,5})$/.exec(text);
  if (match === null) return null;
  const port = Number(match[3]);
  return port > 65_535 ? null : { host: (match[1] ?? match[2])!, port };
}

function toSection(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function findUnknown(prefix: string, section: Record<string, unknown>, known: readonly string[]): string[] {
  return Object.keys(section)
    .filter((name) => !known.includes(name))
    .map((name) => prefix + name);
}
