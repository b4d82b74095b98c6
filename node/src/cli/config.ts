/** A hotspot's own configuration: who owns it, where and with what it stands, out of the settings that are in force. */
import { stringify } from "smol-toml";
import { decodeDidKey, encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import { type Cell, cellFromHex } from "../../../protocol/src/geo/cell.ts";
import { decodeGenesisJson, type Genesis } from "../../../protocol/src/network/genesis.ts";
import type { RegionName } from "../../../protocol/src/radio/regions.ts";
import { isCodedError } from "../host/codedError.ts";
import { readFileIfAny } from "../host/durableFile.ts";
import { CONFIG_FILE } from "../host/homeFiles.ts";
import { isGiven, nameOf, parseSettingsToml, type Resolution } from "./settings/layers.ts";
import { SETTINGS, type SettingKey } from "./settings/settings.ts";

export { CONFIG_FILE, GENESIS_FILE, KEY_FILE } from "../host/homeFiles.ts";
export { parseEndpoint } from "./addresses.ts";

/** Assertions are of cells of this resolution, some 19 m across. */
const ASSERTED_RESOLUTION = 12;
/** The settings that say what a hotspot is; it cannot be without any of them. */
const REQUIRED = [
  "owner",
  "region",
  "location.latitude",
  "location.longitude",
  "antenna.gainDbi",
] as const satisfies readonly SettingKey[];

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

/** What a hotspot is by its settings. A setting that is wrong has its fault in the resolution already. */
export function readConfig(resolution: Resolution): Checked<NodeConfig> {
  const { home } = resolution.settings;
  if (home !== null && !REQUIRED.some((key) => isGiven(resolution, key))) {
    return { ok: false, faults: [`there is no ${CONFIG_FILE} in ${home}: run init first`] };
  }
  return checkConfig(resolution);
}

/** As `readConfig`, for a hotspot that is still to be made: what is missing is named one by one. */
export function checkConfig(resolution: Resolution): Checked<NodeConfig> {
  const missing = REQUIRED.filter((key) => !isGiven(resolution, key));
  const config = composeConfig(resolution.settings);
  if (config !== null) return { ok: true, value: config };
  return { ok: false, faults: missing.map((key) => `${nameOf(resolution, key)} ${SETTINGS[key].must}`) };
}

type ConfigValues = Readonly<Record<(typeof REQUIRED)[number] | "location.elevationM", unknown>>;

function composeConfig(values: ConfigValues): NodeConfig | null {
  const parsed = (key: keyof ConfigValues) => SETTINGS[key].parse(values[key]);
  const owner = parsed("owner");
  const region = parsed("region");
  const latitude = parsed("location.latitude");
  const longitude = parsed("location.longitude");
  const elevationM = parsed("location.elevationM");
  const gainDbi = parsed("antenna.gainDbi");
  if ([owner, region, latitude, longitude, elevationM, gainDbi].includes(null)) return null;
  return {
    owner: decodeDidKey(owner as string)!,
    region: region as RegionName,
    latitude: latitude as number,
    longitude: longitude as number,
    elevationM: Math.round(elevationM as number),
    gainCentiDbi: Math.round((gainDbi as number) * 100),
  };
}

/** The resolution-12 cell that a configuration's place lies in, as an assertion names it. */
export async function findCell(config: NodeConfig): Promise<Cell> {
  // Loaded only where a place must be projected: a hotspot that stands as genesis has it runs without its 6 MB.
  const { latLngToCell } = await import("h3-js");
  return cellFromHex(latLngToCell(config.latitude, config.longitude, ASSERTED_RESOLUTION))!;
}

/** Writes a home's configuration file. @param lowestPowerDbm of the concentrator's gain table, where it is known. */
export function encodeConfigToml(config: NodeConfig, lowestPowerDbm?: number): string {
  const { latitude, longitude, elevationM, region } = config;
  const toml = stringify({
    owner: encodeDidKey(config.owner),
    region,
    location: { latitude, longitude, elevationM },
    antenna: {
      gainDbi: config.gainCentiDbi / 100,
      ...(lowestPowerDbm === undefined ? {} : { lowestPowerDbm }),
    },
  });
  return `# A Hexbeacon hotspot. Changing place or antenna also needs a signed assertion to the network.\n${toml}\n`;
}

/** Reads a home's configuration file by itself, as a backup holds it; every fault is said. */
export function decodeConfigToml(text: string): Checked<NodeConfig> {
  const { values, faults } = parseSettingsToml(text, CONFIG_FILE);
  const wrong = [...faults];
  for (const key of REQUIRED) {
    if (SETTINGS[key].parse(values.get(key)) === null) {
      wrong.push(`${CONFIG_FILE}: ${key} ${SETTINGS[key].must}`);
    }
  }
  const elevationKey = "location.elevationM";
  const elevationM = values.get(elevationKey) ?? SETTINGS[elevationKey].fallback;
  if (SETTINGS[elevationKey].parse(elevationM) === null) {
    wrong.push(`${CONFIG_FILE}: ${elevationKey} ${SETTINGS[elevationKey].must}`);
  }
  const config = composeConfig({
    ...(Object.fromEntries(values) as ConfigValues),
    [elevationKey]: elevationM,
  });
  return config === null || wrong.length > 0 ? { ok: false, faults: wrong } : { ok: true, value: config };
}

/** Reads a genesis file; one that cannot be read is a fault as well, for the operator to correct. */
export async function readGenesis(path: string): Promise<Checked<Genesis>> {
  let bytes: Uint8Array | null;
  try {
    bytes = await readFileIfAny(path);
  } catch (error) {
    if (!isCodedError(error)) throw error;
    return { ok: false, faults: [error.message] };
  }
  if (bytes === null) return { ok: false, faults: [`there is no genesis file at ${path}`] };
  const decoded = decodeGenesisJson(Buffer.from(bytes).toString("utf8"));
  if (decoded.ok) return { ok: true, value: decoded.genesis };
  return { ok: false, faults: decoded.errors.map((error) => `${path}: ${error}`) };
}
