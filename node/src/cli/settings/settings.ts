/**
 * Every setting of a hotspot, once: the configuration file's keys, the environment's variables, the flags, the table in
 * docs/running-a-hotspot.md and the package's default file all come from this table.
 */
import { decodeDidKey } from "../../../../protocol/src/crypto/didKey.ts";
import { REGION_NAMES, type RegionName } from "../../../../protocol/src/radio/regions.ts";
import { LOG_FORMATS, LOG_LEVELS, type LogFormat, type LogLevel } from "../../host/log.ts";
import { isMultiaddr, parseEndpoint } from "../addresses.ts";
import { choiceSetting, listSetting, numberSetting, textSetting, type ValueOf } from "./setting.ts";

const isPath = (text: string) => text !== "" && !text.includes("\0");
const isEndpoint = (text: string) => parseEndpoint(text) !== null;
const PATH = { type: "path", must: "must name a file or folder", fallback: null } as const;

const LABEL = { type: "text", must: "must be a label of 1 to 32 characters", fallback: null } as const;
/** As long as PKCS#11 allows a token's. */
const isLabel = (text: string) => /^[^\p{C}]{1,32}$/u.test(text) && !text.startsWith("-");

export const SETTINGS = {
  home: textSetting(
    { ...PATH, flag: "--home <dir>", text: "the hotspot's folder: key, spool, beacon state" },
    isPath,
  ),
  owner: textSetting(
    {
      flag: "--owner <did>",
      type: "did:key",
      fallback: null,
      text: "did:key of the account that owns it and is paid",
      must: "must be a did:key of an Ed25519 key",
    },
    (text) => decodeDidKey(text) !== null,
  ),
  region: choiceSetting<RegionName, null>(
    { flag: "--region <name>", text: "region plan of the country it stands in", fallback: null },
    REGION_NAMES,
  ),
  "location.latitude": numberSetting(
    { flag: "--latitude <deg>", unit: "degrees", text: "where its antenna stands", fallback: null },
    ...([-90, 90] as const),
  ),
  "location.longitude": numberSetting(
    { flag: "--longitude <deg>", unit: "degrees", text: "where its antenna stands", fallback: null },
    ...([-180, 180] as const),
  ),
  "location.elevationM": numberSetting(
    { flag: "--elevation <m>", unit: "m", text: "height of its antenna above the ground", fallback: 0 },
    ...([-500, 10_000] as const),
  ),
  "antenna.gainDbi": numberSetting(
    { flag: "--gain <dBi>", unit: "dBi", text: "gain of its antenna, less the cable's loss", fallback: null },
    ...([-10, 15] as const),
  ),
  "antenna.lowestPowerDbm": numberSetting(
    {
      flag: "--lowest-power <dBm>",
      unit: "dBm",
      fallback: null,
      text: "the least rf_power of the concentrator's gain table, the highest of them where several may transmit; taken for 12 until a warning says more, if unset",
    },
    ...([-20, 40] as const),
  ),
  genesis: textSetting(
    {
      ...PATH,
      flag: "--genesis <file>",
      text: "the network's genesis file; the home's genesis.json if unset",
    },
    isPath,
  ),
  checkpoint: textSetting(
    {
      ...PATH,
      flag: "--checkpoint <file>",
      text: "validators of a later epoch than genesis that you trust, as /v1/epochs/{n}/checkpoint gives them",
    },
    isPath,
  ),
  validators: listSetting(
    {
      flag: "--validator <multiaddr>",
      type: "list of multiaddr",
      fallback: [],
      text: "validators' addresses, beside those that genesis and connected validators name",
      must: "must be a multiaddr, such as /dns4/host/tcp/4467",
    },
    isMultiaddr,
  ),
  api: textSetting(
    {
      flag: "--api <url>",
      type: "URL",
      fallback: null,
      text: "a validator's HTTP API, for registration and for what was earned",
      must: "must be the address of a validator's API, such as http://127.0.0.1:8080",
    },
    (text) => /^https?:\/\/[^\s/]+/.test(text),
  ),
  gwmp: textSetting(
    {
      flag: "--gwmp <host:port>",
      type: "host:port",
      fallback: "127.0.0.1:1700",
      text: "where packet forwarders send to (UDP)",
      must: "must be host:port, such as 127.0.0.1:1700",
    },
    isEndpoint,
  ),
  forwarders: listSetting(
    {
      flag: "--forwarder <eui>",
      type: "list of EUI",
      fallback: [],
      text: "packet forwarders that may speak, of which the first alive transmits; all may if empty",
      must: "must be 16 hexadecimal digits",
    },
    (text) => /^[0-9a-fA-F]{16}$/.test(text),
  ),
  http: textSetting(
    {
      flag: "--http <host:port>",
      type: "host:port",
      fallback: "127.0.0.1:4468",
      text: "where its pages are served",
      must: "must be host:port, such as 127.0.0.1:4468",
    },
    isEndpoint,
  ),
  passphraseFile: textSetting(
    {
      ...PATH,
      flag: "--passphrase-file <file>",
      text: "a file whose first line is the key's passphrase; else HEXBEACON_PASSPHRASE, or a prompt",
    },
    isPath,
  ),
  "deviceKey.module": textSetting(
    {
      ...PATH,
      flag: "--device-key-module <file>",
      text: "PKCS#11 library of the secure element, where there is one",
    },
    isPath,
  ),
  "deviceKey.token": textSetting(
    { ...LABEL, flag: "--device-key-token <label>", text: "label of the token that holds the device key" },
    isLabel,
  ),
  "deviceKey.id": textSetting(
    {
      flag: "--device-key-id <hex>",
      type: "hex",
      fallback: "01",
      text: "id of its key pair, of P-256",
      must: "must be 1 to 32 bytes in hexadecimal",
    },
    (text) => /^([0-9a-fA-F]{2}){1,32}$/.test(text),
  ),
  "deviceKey.pinFile": textSetting(
    { ...PATH, flag: "--device-key-pin-file <file>", text: "a file whose first line is the token's PIN" },
    isPath,
  ),
  "log.level": choiceSetting<LogLevel, "info">(
    { flag: "--log-level <level>", text: LOG_LEVELS.join(", "), fallback: "info" },
    LOG_LEVELS,
  ),
  "log.format": choiceSetting<LogFormat, "plain">(
    { flag: "--log-format <format>", text: LOG_FORMATS.join(", "), fallback: "plain" },
    LOG_FORMATS,
  ),
  "doctor.forwarderConfig": textSetting(
    {
      ...PATH,
      flag: "--forwarder-config <file>",
      text: "the packet forwarder's global_conf.json, for the doctor to check",
    },
    isPath,
  ),
  "doctor.timeServers": listSetting(
    {
      flag: "--time-server <host:port>",
      type: "list of host:port",
      // Two operators, so that one that is wrong or away does not decide.
      fallback: ["pool.ntp.org:123", "time.cloudflare.com:123"],
      text: "NTP servers that the doctor asks",
      must: "must be host or host:port",
    },
    (text) => /^\S+$/.test(text),
  ),
} as const;

export type SettingKey = keyof typeof SETTINGS;
export type Settings = { readonly [K in SettingKey]: ValueOf<(typeof SETTINGS)[K]> };

export const SETTING_KEYS = Object.keys(SETTINGS) as readonly SettingKey[];

/** What every variable of the environment that sets one begins with. */
export const VARIABLE_PREFIX = "HEXBEACON_NODE_";
/** The file's own place has no key in the file. */
export const CONFIG_FLAG = "--config <file>";
export const CONFIG_VARIABLE = `${VARIABLE_PREFIX}CONFIG`;

/** `HEXBEACON_NODE_LOCATION_ELEVATION_M` for `location.elevationM`. */
export function variableOf(key: SettingKey): string {
  const words = key.replaceAll(".", "_").replace(/[A-Z]/g, (letter) => `_${letter}`);
  return VARIABLE_PREFIX + words.toUpperCase();
}

/** `--elevation` for `location.elevationM`. */
export function flagOf(key: SettingKey): string {
  return SETTINGS[key].flag.split(" ", 1)[0]!;
}

/** The name under which commander keeps a flag's value: `logLevel` for `log.level`. */
export function optionOf(key: SettingKey): string {
  return flagOf(key)
    .slice(2)
    .replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
